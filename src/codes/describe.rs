//! What a report says about a code.

/// A code in the form a report prints it, with what is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The code in hexadecimal, eight lower-case digits: `0x800703f1`.
    pub code: String,
    /// The symbolic name of the Windows headers or of the servicing logs: `ERROR_BADDB`.
    pub name: Option<&'static str>,
    /// What the code points at when an update fails.
    pub meaning: Option<&'static str>,
}

impl Description {
    pub(super) fn new(
        code: u32,
        name: Option<&'static str>,
        meaning: Option<&'static str>,
    ) -> Self {
        Self {
            code: format!("0x{code:08x}"),
            name,
            meaning,
        }
    }
}
