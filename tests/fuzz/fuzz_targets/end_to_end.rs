//! A trace of either kind, from its bytes to every file that fltscope writes.
#![no_main]

use fltscope::drivers::{Observers, identify};
use fltscope::etl::EtlTrace;
use fltscope::export::csv::CsvStyle;
use fltscope::export::procmon::{Export, ProcmonColumn, write_csv, write_xml};
use fltscope::export::{Column, Filter, Table, TextFormat, parquet, write_text};
use fltscope::findings::{Case, CaseInput, Options, analyze};
use fltscope::lang::Lang;
use fltscope::pml::PmlTrace;
use fltscope::pml::detail::Dialect;
use fltscope::report::drivers::findings_csv;
use fltscope::report::reader::Reader;
use fltscope::report::{html, summary};
use fltscope::trace::{Silent, Trace, Zone};
use fltscope_fuzz::{Budget, around::source};
use std::io::sink;
use std::path::Path;

// Parquet's buffers are the largest part of what is fixed.
const BUDGET: Budget = Budget {
    fixed: 256 << 20,
    per_byte: 1_024,
};

fn write_all(trace: &dyn Trace) {
    let case = Case {
        logs: Default::default(),
        inputs: vec![CaseInput {
            name: "x".into(),
            trace,
        }],
    };
    let outcome = analyze(&case, &Options::default(), &Silent).unwrap();
    let findings = &outcome.findings;
    serde_json::to_writer(sink(), findings).unwrap();
    for lang in [Lang::En, Lang::Zh] {
        let reader = Reader {
            lang,
            zone: &Zone::UTC,
        };
        summary::text(findings, reader, None);
        html::page(findings, reader).unwrap();
    }
    findings_csv(findings, true).unwrap();
    let columns = Column::defaults(true);
    let (filter, zone) = (Filter::default(), Zone::UTC);
    let tables = [Table::new(
        trace,
        &outcome.drivers[0],
        "x",
        &columns,
        &filter,
        &zone,
    )];
    let style = CsvStyle {
        neutralise: true,
        ..CsvStyle::default()
    };
    let rows = write_text(&tables, TextFormat::Csv(&style), &mut sink(), &Silent).unwrap();
    assert_eq!(
        write_text(&tables, TextFormat::Ndjson, &mut sink(), &Silent).unwrap(),
        rows
    );
    assert_eq!(parquet::write(&tables, &mut sink(), &Silent).unwrap(), rows);
    assert!(rows <= trace.info().records.good);
}

fn procmon(trace: &PmlTrace) {
    let drivers = identify(trace.info(), &Observers::default());
    let (filter, zone) = (Filter::default(), Zone::UTC);
    for dialect in [Dialect::Early2020, Dialect::Late2020, Dialect::Recent] {
        let export = Export {
            trace,
            drivers: &drivers,
            filter: &filter,
            dialect,
            zone: &zone,
        };
        let rows = write_csv(&[export], ProcmonColumn::ALL, &mut sink(), &Silent).unwrap();
        assert_eq!(rows, trace.info().records.good);
        write_xml(&export, ProcmonColumn::ALL, true, &mut sink(), &Silent).unwrap();
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| BUDGET.spend(data, |data| {
    let path = Path::new("x");
    if data.starts_with(b"PML_") {
        if let Ok(trace) = PmlTrace::from_source(source(data), path, &|_| ()) {
            write_all(&trace);
            procmon(&trace);
        }
    } else if let Ok(trace) = EtlTrace::from_source(source(data), path, &|_| ()) {
        write_all(&trace);
    }
}));
