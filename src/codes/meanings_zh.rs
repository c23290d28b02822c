//! What the codes of failed updates mean, in Chinese: of those that servicing logs have. The others keep their English
//! words.

/// By HRESULT, sorted, each once. Win32 errors are `0x8007….`.
pub(super) static MEANINGS_ZH: &[(u32, &str)] = &[(0x8007_03F1, "注册表数据库已损坏")];
