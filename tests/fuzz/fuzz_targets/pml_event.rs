//! One event record: its sizes, path, target, category, detail in both forms, and what else is read from it.
#![no_main]

use fltscope::pml::detail::{self, DetailText, Dialect, Mode};
use fltscope::pml::hosts::{Accounts, Hosts};
use fltscope::pml::operations::{operation_name, operation_name_full};
use fltscope::pml::{Bits, Record};
use fltscope::trace::Zone;
use fltscope_fuzz::Budget;

const BUDGET: Budget = Budget {
    fixed: 8 << 20,
    per_byte: 64,
};

const MODES: [Mode; 4] = [
    Mode::Clean,
    Mode::Procmon(Dialect::Early2020),
    Mode::Procmon(Dialect::Late2020),
    Mode::Procmon(Dialect::Recent),
];

libfuzzer_sys::fuzz_target!(|data: &[u8]| BUDGET.spend(data, |data| {
    let Some((first, tail)) = data.split_first() else {
        return;
    };
    let bits = if first & 1 == 0 { Bits::B64 } else { Bits::B32 };
    // What lies behind the record is there to be read over into, as in a file.
    let len = tail.len() * usize::from(first >> 1) / 127;
    let Ok(record) = Record::parse(tail, len, bits, 0) else {
        return;
    };
    record.fits(0);
    assert!(record.frames().count() == record.depth());
    let (hosts, accounts, zone) = (Hosts::default(), Accounts::default(), Zone::UTC);
    let mut text = String::new();
    detail::push_path(&record, &hosts, &mut text);
    detail::push_target_path(&record, &mut text);
    detail::category(&record);
    detail::create_parameters(&record);
    detail::image_load(&record);
    detail::process_created(&record);
    detail::process_start(&record);
    detail::waits_by_nature(&record);
    operation_name(&record);
    operation_name_full(&record);
    for mode in MODES {
        text.clear();
        let mut out = DetailText::new(&mut text, &zone);
        detail::detail(&record, &accounts, mode, &mut out);
    }
}));
