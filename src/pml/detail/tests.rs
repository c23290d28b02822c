use super::*;
use crate::pml::operations::{UNKNOWN, operation_name, operation_name_full};
use crate::pml::record::Bits;
use crate::trace::time::Zone;

static UTC: Zone = Zone::UTC;

/// A record with no stack, as bytes.
pub(super) fn record_bytes(
    class: u16,
    operation: u16,
    detail: &[u8],
    extra: Option<&[u8]>,
) -> Vec<u8> {
    let mut out = vec![0; 0x34];
    out[0x04..0x08].copy_from_slice(&77_u32.to_le_bytes());
    out[0x08..0x0A].copy_from_slice(&class.to_le_bytes());
    out[0x0C..0x0E].copy_from_slice(&operation.to_le_bytes());
    out[0x2C..0x30].copy_from_slice(&(detail.len() as u32).to_le_bytes());
    out.extend(detail);
    if let Some(extra) = extra {
        let at = out.len() as u32;
        out[0x30..0x34].copy_from_slice(&at.to_le_bytes());
        out.extend((extra.len() as u16).to_le_bytes());
        out.extend(extra);
    }
    out
}

/// The detail block of a file event.
fn file_block(bits: Bits, sub: u8, slots: [u64; 6], path: &str, tail: &[u8]) -> Vec<u8> {
    let mut out = vec![sub, 0, 0, 0, 0, 0, 0, 0];
    out.extend(0_u32.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    for slot in &slots[..5] {
        out.extend(&slot.to_le_bytes()[..bits.ptr()]);
    }
    out.extend(slots[5].to_le_bytes());
    out.extend((0x8000 | path.len() as u16).to_le_bytes());
    out.extend([0xCC; 2]);
    out.extend(path.as_bytes());
    out.extend(tail);
    out
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn text_of(bytes: &[u8], len: usize, bits: Bits, mode: Mode) -> String {
    let record = Record::parse(bytes, len, bits, 0).unwrap();
    let mut out = String::new();
    let mut sink = DetailText::new(&mut out, &UTC);
    detail(&record, &Accounts::default(), mode, &mut sink);
    out
}

fn clean(bytes: &[u8], bits: Bits) -> String {
    text_of(bytes, bytes.len(), bits, Mode::Clean)
}

const EXACT: Mode = Mode::Procmon(Dialect::Late2020);

fn exact(bytes: &[u8], bits: Bits) -> String {
    text_of(bytes, bytes.len(), bits, EXACT)
}

fn target_of(bytes: &[u8], bits: Bits) -> Option<String> {
    let record = Record::parse(bytes, bytes.len(), bits, 0).unwrap();
    let mut out = String::new();
    push_target_path(&record, &mut out).then_some(out)
}

fn path_of(bytes: &[u8], bits: Bits) -> String {
    let record = Record::parse(bytes, bytes.len(), bits, 0).unwrap();
    let mut out = String::new();
    push_path(&record, &Hosts::default(), &mut out);
    out
}

fn category_of(bytes: &[u8], bits: Bits) -> &'static str {
    category(&Record::parse(bytes, bytes.len(), bits, 0).unwrap())
}

/// The tail of a rename or link.
fn rename_tail(bits: Bits, first: u32, root: u64, name: &str) -> Vec<u8> {
    let mut out = u64::from(first).to_le_bytes()[..bits.ptr()].to_vec();
    out.extend(&root.to_le_bytes()[..bits.ptr()]);
    out.extend((name.len() as u32 * 2).to_le_bytes());
    out.extend(utf16(name));
    out
}

fn rename(bits: Bits, class: u8, tail: &[u8]) -> Vec<u8> {
    record_bytes(
        3,
        26,
        &file_block(bits, class, [0; 6], "C:\\a\\b", tail),
        None,
    )
}

#[test]
fn renames_say_where_to() {
    for bits in [Bits::B32, Bits::B64] {
        let full = rename(bits, 0x0A, &rename_tail(bits, 1, 0, "\\??\\C:\\x\\y"));
        assert_eq!(target_of(&full, bits).unwrap(), "C:\\x\\y");
        assert_eq!(
            exact(&full, bits),
            "ReplaceIfExists: True, FileName: C:\\x\\y"
        );
        assert_eq!(category_of(&full, bits), "Write");

        let bare = rename(bits, 0x0B, &rename_tail(bits, 0, 0, "y"));
        assert_eq!(target_of(&bare, bits).unwrap(), "C:\\a\\y");
        assert_eq!(
            clean(&bare, bits),
            "ReplaceIfExists: False, FileName: C:\\a\\y"
        );

        // Relative to an open folder that the log does not name.
        let rooted = rename(bits, 0x0A, &rename_tail(bits, 0, 0x44, "y"));
        assert_eq!(target_of(&rooted, bits).unwrap(), "y");

        let whole = rename_tail(bits, 0, 0, "\\??\\C:\\x\\y");
        let cut = rename(bits, 0x0A, &whole[..whole.len() - 4]);
        assert_eq!(target_of(&cut, bits).unwrap(), "C:\\x");
        let stump = rename(bits, 0x0A, &whole[..bits.ptr()]);
        assert_eq!(target_of(&stump, bits), None);
        assert_eq!(clean(&stump, bits), "ReplaceIfExists: False");
    }
}

#[test]
fn newer_links_are_decoded_but_unknown_to_procmon() {
    let bits = Bits::B64;
    let tail = rename_tail(bits, 0x30, 0, "\\SystemRoot\\WinSxS\\x");
    let bytes = rename(bits, 0x48, &tail);
    let record = Record::parse(&bytes, bytes.len(), bits, 0).unwrap();
    assert_eq!(operation_name(&record), UNKNOWN);
    assert_eq!(operation_name_full(&record), "SetLinkInformationEx");
    assert_eq!(exact(&bytes, bits), "");
    assert_eq!(category_of(&bytes, bits), "Write Metadata");
    assert_eq!(
        clean(&bytes, bits),
        "ReplaceIfExists: False, Flags: NO_INCREASE_AVAILABLE_SPACE, \
         NO_DECREASE_AVAILABLE_SPACE, FileName: \\SystemRoot\\WinSxS\\x"
    );
    assert_eq!(target_of(&bytes, bits).unwrap(), "\\SystemRoot\\WinSxS\\x");
}

#[test]
fn deletions() {
    let bits = Bits::B64;
    let flags = rename(bits, 0x40, &[3, 0, 0, 0]);
    assert_eq!(
        exact(&flags, bits),
        "Flags: FILE_DISPOSITION_DELETE, FILE_DISPOSITION_POSIX_SEMANTICS"
    );
    assert_eq!(category_of(&flags, bits), "Write");
    let kept = rename(bits, 0x0D, &[0]);
    assert_eq!(exact(&kept, bits), "Delete: False");
    assert_eq!(category_of(&kept, bits), "");
    assert_eq!(target_of(&kept, bits), None);
}

/// A FileNamesInformation listing.
fn listing(names: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let next = if place + 1 == names.len() {
            0
        } else {
            12 + name.len() as u32 * 2
        };
        out.extend(next.to_le_bytes());
        out.extend(0_u32.to_le_bytes());
        out.extend((name.len() as u32 * 2).to_le_bytes());
        out.extend(utf16(name));
    }
    out
}

#[test]
fn listings_differ_by_build() {
    let bits = Bits::B64;
    let slots = [0, 0, 12, 0, 0, 0];
    let entries = listing(&["a", "b", "c", "d"]);
    let plain = file_block(bits, 1, slots, "C:\\x", &[0, 0x80]);
    let bytes = record_bytes(3, 32, &plain, Some(&entries));
    let text = |bytes: &[u8], dialect| text_of(bytes, bytes.len(), bits, Mode::Procmon(dialect));
    assert_eq!(path_of(&bytes, bits), "C:\\x");
    assert_eq!(text(&bytes, Dialect::Early2020), "0: a, 1: b, 2: c, 3: d");
    assert_eq!(
        text(&bytes, Dialect::Late2020),
        "0: a, 1: b, FileInformationClass: FileNamesInformation, 3: d"
    );
    assert_eq!(
        text(&bytes, Dialect::Recent),
        "FileInformationClass: FileNamesInformation, 1: a, 2: b, 3: c, 4: d"
    );
    let filtered = file_block(bits, 1, slots, "C:\\x", b"\x02\x80a*");
    let bytes = record_bytes(3, 32, &filtered, Some(&entries));
    assert_eq!(path_of(&bytes, bits), "C:\\x\\a*");
    assert_eq!(
        text(&bytes, Dialect::Recent),
        "FileInformationClass: FileNamesInformation, Filter: a*, 2: a, 3: b, 4: c, 5: d"
    );
    assert_eq!(
        clean(&bytes, bits),
        "FileInformationClass: FileNamesInformation, Filter: a*, 0: a, 1: b, 2: c, 3: d"
    );
}

#[test]
fn creation() {
    let bits = Bits::B32;
    let slots = [0, 0x0500_0020, 0x0003_0080, 0, 0, 4_096];
    let mut tail = 0x0012_0116_u32.to_le_bytes().to_vec();
    tail.extend([12, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0]);
    let block = file_block(bits, 0, slots, "C:\\x", &tail);
    let bytes = record_bytes(3, 20, &block, Some(&[3, 0, 0, 0]));
    assert_eq!(
        exact(&bytes, bits),
        "Desired Access: Generic Write, Disposition: OverwriteIf, \
         Options: Synchronous IO Non-Alert, Attributes: N, ShareMode: Read, Write, \
         AllocationSize: 4,096, Impersonating: NT AUTHORITY\\SYSTEM, OpenResult: Overwritten"
    );
    let record = Record::parse(&bytes, bytes.len(), bits, 0).unwrap();
    let create = create_parameters(&record).unwrap();
    assert_eq!((create.disposition, create.options), (5, 0x20));
    assert_eq!(create.open_result, Some(3));
    assert_eq!(category(&record), "Write");
}

#[test]
fn protection_comes_from_its_true_place_in_clean_mode() {
    let bits = Bits::B64;
    let slots = [0x2_0000_0001, 0x8, 0, 0, 0, 0];
    let bytes = record_bytes(3, 19, &file_block(bits, 0, slots, "C:\\x", &[]), None);
    assert_eq!(
        clean(&bytes, bits),
        "SyncType: SyncTypeCreateSection, PageProtection: PAGE_READONLY"
    );
    assert_eq!(
        exact(&bytes, bits),
        "SyncType: SyncTypeCreateSection, PageProtection: PAGE_WRITECOPY"
    );
}

/// RegQueryValue with a `KEY_VALUE_PARTIAL_INFORMATION`.
fn query_value(kind: u32, len: u32, data: &[u8]) -> Vec<u8> {
    let mut block = vec![0x04, 0x80, 0, 0];
    block.extend(64_u32.to_le_bytes());
    block.extend(2_u32.to_le_bytes());
    block.extend(b"HKLM");
    let mut extra = 0_u32.to_le_bytes().to_vec();
    extra.extend(kind.to_le_bytes());
    extra.extend(len.to_le_bytes());
    extra.extend(data);
    record_bytes(2, 5, &block, Some(&extra))
}

#[test]
fn only_exact_mode_reads_past_a_block() {
    let bits = Bits::B64;
    let mut bytes = query_value(1, 4, b"a\0b\0");
    let len = bytes.len();
    bytes.extend(b"c\0\0\0d\0\0\0");
    assert_eq!(
        text_of(&bytes, len, bits, Mode::Clean),
        "Type: REG_SZ, Length: 4, Data: ab"
    );
    assert_eq!(
        text_of(&bytes, len, bits, EXACT),
        "Type: REG_SZ, Length: 4, Data: abc"
    );
    let mut bytes = query_value(7, 8, b"a\0\0\0b\0c\0");
    let len = bytes.len();
    bytes.extend(b"d\0\0\0e\0\0\0");
    assert_eq!(
        text_of(&bytes, len, bits, EXACT),
        "Type: REG_MULTI_SZ, Length: 8, Data: a, bcd"
    );
    let qword = query_value(11, 8, &7_u64.to_le_bytes());
    assert_eq!(exact(&qword, bits), "Type: REG_QWORD, Length: 8, Data: ");
    assert_eq!(clean(&qword, bits), "Type: REG_QWORD, Length: 8, Data: 7");
}

#[test]
fn key_targets() {
    let bits = Bits::B64;
    let block = b"\x09\x80\x01\x80HKLM\\a\\bbc";
    let bytes = record_bytes(2, 14, block, None);
    assert_eq!(path_of(&bytes, bits), "HKLM\\a\\bb");
    assert_eq!(exact(&bytes, bits), "New Name: c");
    assert_eq!(target_of(&bytes, bits).unwrap(), "HKLM\\a\\c");
    let block = b"\x06\x80\x07\x80HKLM\\a\\??\\C:\\";
    let bytes = record_bytes(2, 12, block, None);
    assert_eq!(target_of(&bytes, bits).unwrap(), "C:\\");
}

#[test]
fn addresses_without_names() {
    let mut block = vec![1, 0, 0, 0, 9, 0, 0, 0];
    block.extend([10, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]);
    block.extend([0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    block.extend([53, 0, 0xFF, 0xFF]);
    block.extend(utf16("key\0value\0\0"));
    let bytes = record_bytes(5, 2, &block, None);
    let bits = Bits::B64;
    assert_eq!(
        path_of(&bytes, bits),
        "10.0.0.1:53 -> fe80:0:0:0:0:0:0:1:65535"
    );
    assert_eq!(exact(&bytes, bits), "Length: 9, key: value");
    let record = Record::parse(&bytes, bytes.len(), bits, 0).unwrap();
    assert_eq!(operation_name(&record), "UDP Send");
}

#[test]
fn waiting_is_no_delay() {
    let waits = |operation, sub, code| {
        let slots = [0, 0, code, 0, 0, 0];
        let block = file_block(Bits::B64, sub, slots, "C:\\x", &[]);
        let bytes = record_bytes(3, operation, &block, None);
        waits_by_nature(&Record::parse(&bytes, bytes.len(), Bits::B64, 0).unwrap())
    };
    assert!(waits(32, 2, 0));
    assert!(!waits(32, 1, 0));
    assert!(waits(33, 0, 0x90240));
    assert!(waits(33, 0, 0x11_0008));
    assert!(!waits(33, 0, 0x900A8));
    assert!(!waits(34, 0, 0x90240));
}
