//! NTSTATUS values of the story.

pub(crate) const SUCCESS: u32 = 0;
pub(crate) const PENDING: u32 = 0x103;
pub(crate) const REPARSE: u32 = 0x104;
pub(crate) const LOCKED_WITH_ONLY_READERS: u32 = 0x12A;
pub(crate) const BUFFER_OVERFLOW: u32 = 0x8000_0005;
pub(crate) const NO_MORE_FILES: u32 = 0x8000_0006;
pub(crate) const NO_MORE_ENTRIES: u32 = 0x8000_001A;
pub(crate) const NO_SUCH_FILE: u32 = 0xC000_000F;
pub(crate) const INVALID_PARAMETER: u32 = 0xC000_000D;
pub(crate) const INVALID_DEVICE_REQUEST: u32 = 0xC000_0010;
pub(crate) const END_OF_FILE: u32 = 0xC000_0011;
pub(crate) const ACCESS_DENIED: u32 = 0xC000_0022;
pub(crate) const BUFFER_TOO_SMALL: u32 = 0xC000_0023;
pub(crate) const NAME_NOT_FOUND: u32 = 0xC000_0034;
pub(crate) const NAME_COLLISION: u32 = 0xC000_0035;
pub(crate) const PATH_NOT_FOUND: u32 = 0xC000_003A;
pub(crate) const SHARING_VIOLATION: u32 = 0xC000_0043;
pub(crate) const DELETE_PENDING: u32 = 0xC000_0056;
pub(crate) const IS_DIRECTORY: u32 = 0xC000_00BA;
pub(crate) const CANCELLED: u32 = 0xC000_0120;
pub(crate) const REGISTRY_CORRUPT: u32 = 0xC000_014C;
pub(crate) const NO_EAS_ON_FILE: u32 = 0xC000_0052;
pub(crate) const NO_MORE_MATCHES: u32 = 0xC000_0273;
pub(crate) const NOT_REPARSE_POINT: u32 = 0xC000_0275;
pub(crate) const FAST_IO_DISALLOWED: u32 = 0xC01C_0004;

/// FILE LOCKED WITH WRITERS, OPLOCK HANDLE CLOSED and NOTIFY ENUM DIR are of severity 0 already.
const BENIGN_ERRORS: &[u32] = &[
    NO_MORE_FILES,
    NO_MORE_ENTRIES,
    NO_MORE_MATCHES,
    NAME_NOT_FOUND,
    PATH_NOT_FOUND,
    NO_SUCH_FILE,
    NAME_COLLISION,
    BUFFER_OVERFLOW,
    BUFFER_TOO_SMALL,
    END_OF_FILE,
    NOT_REPARSE_POINT,
    FAST_IO_DISALLOWED,
    INVALID_DEVICE_REQUEST,
    INVALID_PARAMETER,
    IS_DIRECTORY,
    CANCELLED,
    NO_EAS_ON_FILE,
];

/// Severity 0 or 1, or an error that is part of normal work.
pub(crate) fn is_benign(status: u32) -> bool {
    status >> 30 < 2 || BENIGN_ERRORS.contains(&status)
}
