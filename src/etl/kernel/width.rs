//! Payloads that are wider than their headers say.

use super::Fields;
use super::image::ImageEvent;
use super::process::ProcessEvent;
use crate::etl::guid::Guid;
use crate::etl::hooks::hook_of_class;

/// Whether the payload of a FULL record with a 32-bit header has 64-bit pointers.
///
/// Programs write events of the kernel's classes through the user API, and then the header tells of the program: the
/// sawbuck test files hold rows of 64-bit images and processes behind 32-bit headers. These rows end where their last
/// text ends, which tells the two apart.
pub fn is_wider(class: Guid, opcode: u8, version: u16, payload: &[u8]) -> bool {
    let Some(hook) = hook_of_class(class, opcode) else {
        return false;
    };
    matches!(hook >> 8, 0x03 | 0x14)
        && !fits(hook, version, payload, false)
        && fits(hook, version, payload, true)
}

/// Whether a row makes sense with pointers of this size.
fn fits(hook: u16, version: u16, payload: &[u8], wide: bool) -> bool {
    let mut fields = Fields::new(payload, wide);
    let sensible = if let Some(ImageEvent::Row(row)) = ImageEvent::parse(hook, version, &mut fields)
    {
        let path = row.path.to_string();
        row.size != 0 && (path.starts_with('\\') || path.as_bytes().get(1) == Some(&b':'))
    } else {
        let mut again = Fields::new(payload, wide);
        let event = ProcessEvent::parse(hook, version, &mut again);
        fields = again;
        matches!(event, Some(ProcessEvent::Row(row)) if !row.image.0.is_empty())
    };
    sensible && fields.rest().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::etl::hooks::group_of;
    use crate::etl::kernel::made::Made;

    #[test]
    fn images_behind_headers_of_another_width() {
        let class = group_of(0x1402).unwrap().guid;
        for wide in [false, true] {
            let path = "C:\\Windows\\system32\\ntdll.dll";
            let base = 0x76E1_0000;
            let rows = [
                Made::new(wide).ptr(base).u32(0x12_7000).wide(path),
                Made::new(wide)
                    .ptr(base)
                    .ptr(0x12_7000)
                    .u32(7_644)
                    .wide(path),
            ];
            for (version, row) in rows.iter().enumerate() {
                assert_eq!(is_wider(class, 3, version as u16, &row.bytes), wide);
            }
        }
        assert!(!is_wider(class, 3, 0, &[]));
        assert!(!is_wider(Guid::NIL, 3, 0, &[0; 64]));
    }
}
