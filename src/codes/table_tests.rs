//! What every table of this module has to keep: order, uniqueness and words.

use super::{
    hresult, hresult_meanings, hresult_names, meanings_zh, ntstatus_meanings, ntstatus_names,
    procmon_table, servicing_table, translation_table, win32_meanings, win32_names,
};

type Table = &'static [(u32, &'static str)];

const TABLES: &[(&str, Table)] = &[
    ("win32 names", win32_names::NAMES),
    ("win32 meanings", win32_meanings::MEANINGS),
    ("ntstatus names", ntstatus_names::NAMES),
    ("ntstatus meanings", ntstatus_meanings::MEANINGS),
    ("hresult names", hresult_names::NAMES),
    ("hresult meanings", hresult_meanings::MEANINGS),
    ("procmon texts", procmon_table::TEXTS),
    ("Chinese meanings", meanings_zh::MEANINGS_ZH),
];

#[test]
fn tables_are_sorted_without_duplicates() {
    for (what, table) in TABLES {
        assert!(table.is_sorted_by(|a, b| a.0 < b.0), "{what}");
    }
    assert!(servicing_table::ROWS.is_sorted_by(|a, b| a.0 < b.0));
    assert!(translation_table::PAIRS.is_sorted_by(|a, b| a.0 <= b.0));
}

#[test]
fn only_a_pending_operation_has_no_text() {
    for (what, table) in TABLES {
        for (number, text) in *table {
            assert_eq!(
                text.is_empty(),
                *what == "procmon texts" && *number == 0x103
            );
            assert_eq!(text.trim(), *text, "{what} {number:#X}");
        }
    }
}

#[test]
fn codes_of_servicing_logs_have_a_chinese_meaning() {
    let win32 = win32_meanings::MEANINGS.iter().map(|row| row.0);
    let all = hresult_meanings::MEANINGS.iter().map(|row| row.0);
    let all = all.chain(servicing_table::ROWS.iter().map(|row| row.0));
    for code in all.chain(win32.filter(|code| *code > 0)) {
        let meaning = hresult::meaning_zh(code);
        assert!(meaning.is_some_and(|text| !text.is_ascii()), "{code:#x}");
    }
}

#[test]
fn every_meaning_belongs_to_a_name() {
    let pairs: [(Table, Table); 3] = [
        (win32_meanings::MEANINGS, win32_names::NAMES),
        (ntstatus_meanings::MEANINGS, ntstatus_names::NAMES),
        (hresult_meanings::MEANINGS, hresult_names::NAMES),
    ];
    for (meanings, names) in pairs {
        for (number, meaning) in meanings {
            let known = names.binary_search_by_key(number, |row| row.0).is_ok();
            assert!(known, "{number:#X} {meaning}");
        }
    }
}

#[test]
fn servicing_codes_are_in_their_facilities() {
    for (number, name, meaning) in servicing_table::ROWS {
        let high = number >> 16;
        assert!(matches!(high, 0x800F | 0x000F | 0x8024), "{number:#X}");
        assert!(!meaning.is_empty(), "{name}");
        assert!(
            hresult_names::NAMES
                .binary_search_by_key(number, |row| row.0)
                .is_err()
        );
    }
}

#[test]
fn no_table_lost_rows() {
    assert_eq!(procmon_table::TEXTS.len(), 154);
    assert_eq!(servicing_table::ROWS.len(), 106);
    assert_eq!(translation_table::PAIRS.len(), 367);
    assert!(win32_names::NAMES.len() > 2700);
    assert!(ntstatus_names::NAMES.len() > 1900);
    assert!(hresult_names::NAMES.len() > 700);
}
