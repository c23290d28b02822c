//! A case, from its bytes to every file that fltscope writes: traces of either kind, parts of a split log, servicing
//! logs, alone or [`case::MARK`] between them.
#![no_main]

use fltscope::drivers::{DriverList, Observers, identify};
use fltscope::etl::EtlTrace;
use fltscope::export::csv::CsvStyle;
use fltscope::export::procmon::{Export, ProcmonColumn, write_csv, write_xml};
use fltscope::export::xlsx::Book;
use fltscope::export::{Column, Filter, Table, TextFormat, parquet, write_text};
use fltscope::findings::scope::{Asked, Scope};
use fltscope::findings::timeline::timeline as servicing;
use fltscope::findings::{Case, CaseInput, CaseLogs, Options, analyze};
use fltscope::input::FileKind;
use fltscope::input::shape::servicing_log;
use fltscope::input::text::TextOptions;
use fltscope::lang::Lang;
use fltscope::pml::PmlTrace;
use fltscope::pml::detail::Dialect;
use fltscope::pml::parts::join;
use fltscope::report::batch::CaseFacts;
use fltscope::report::drivers::findings_csv;
use fltscope::report::info::{InfoReport, text as info_text};
use fltscope::report::reader::Reader;
use fltscope::report::sheets::sheets;
use fltscope::report::{drivers as lists, html, summary, timeline};
use fltscope::servicing::cbs::CbsReader;
use fltscope::servicing::setupapi::SetupReader;
use fltscope::servicing::update_client::UpdateClientLog;
use fltscope::trace::{Silent, Trace, Zone};
use fltscope_fuzz::{Budget, around::source, case};
use std::io::sink;
use std::path::Path;

// Parquet's buffers are the largest part of what is fixed.
const BUDGET: Budget = Budget {
    fixed: 256 << 20,
    per_byte: 1_024,
};

/// What is in a case.
#[derive(Default)]
struct Inputs {
    pml: Vec<PmlTrace>,
    etl: Vec<EtlTrace>,
    logs: CaseLogs,
}

impl Inputs {
    fn open(data: &[u8]) -> Self {
        let mut out = Self::default();
        let (mut cbs, mut setup) = (CbsReader::default(), SetupReader::default());
        let options = TextOptions::default();
        for (number, part) in case::parts(data).enumerate() {
            let (bytes, name) = (source(part), format!("part-{number}"));
            let path = Path::new(&name);
            if part.starts_with(b"PML_") {
                out.pml
                    .extend(PmlTrace::from_source(bytes, path, &|_| ()).ok());
                continue;
            }
            match servicing_log(&part[..part.len().min(16 << 10)]) {
                Some(FileKind::SetupApi) => {
                    setup.read(&name, &bytes, &options, &|_| ()).unwrap();
                    out.logs.sources.push((name, bytes));
                }
                Some(_) => {
                    cbs.read(&name, &bytes, &options, &|_| ()).unwrap();
                    out.logs.sources.push((name, bytes));
                }
                // As `analyze` opens it.
                None => {
                    let scope = Scope::default();
                    let trace = EtlTrace::open_for(
                        bytes,
                        path,
                        &Asked {
                            scope: &scope,
                            user_frames: false,
                        },
                        &|_| (),
                    );
                    out.etl.extend(trace.ok());
                }
            }
        }
        let (cbs, setup) = (cbs.finish(), setup.finish());
        out.logs.cbs = (!cbs.files.is_empty()).then_some(cbs);
        out.logs.setup = (!setup.files.is_empty()).then_some(setup);
        if let Some(log) = out.etl.iter().find(|trace| trace.is_update_client_log()) {
            let log = UpdateClientLog::read("client".into(), log, &|_| ());
            out.logs.update_client.extend(log.ok());
        }
        // Alternately as parts of one log and each by itself.
        if data.len() % 2 == 0 && out.pml.len() > 1 {
            join(&mut out.pml.iter_mut().collect::<Vec<_>>());
        }
        out
    }
}

/// A reader of each language.
fn readers(zone: &Zone) -> [Reader<'_>; 2] {
    [Lang::En, Lang::Zh].map(|lang| Reader { lang, zone })
}

fn info(trace: &dyn Trace, etl: Option<&EtlTrace>, drivers: &DriverList) {
    let facts = etl.map(|etl| (etl.etl_facts(), etl));
    let facts = facts.as_ref().map(|(facts, etl)| (facts, *etl));
    let report = InfoReport::new("x", trace.info(), drivers, facts);
    serde_json::to_writer(sink(), &report).unwrap();
    for reader in readers(&Zone::UTC) {
        info_text(&report, drivers, reader);
    }
}

fn write_all(inputs: Inputs, with_workbook: bool) {
    let Inputs { pml, etl, logs } = inputs;
    let mut traces: Vec<&dyn Trace> = Vec::new();
    traces.extend(pml.iter().map(|trace| trace as &dyn Trace));
    traces.extend(etl.iter().map(|trace| trace as &dyn Trace));
    let named = traces.iter().zip(["a", "b", "c", "d"]);
    let case = Case {
        inputs: named
            .map(|(trace, name)| CaseInput {
                name: name.into(),
                trace: *trace,
            })
            .collect(),
        logs,
    };
    let outcome = analyze(&case, &Options::default(), &Silent).unwrap();
    let findings = &outcome.findings;
    serde_json::to_writer(sink(), findings).unwrap();
    let found = servicing(&case, &Options::default(), &Silent).unwrap();
    let named: Vec<_> = case
        .inputs
        .iter()
        .zip(&outcome.drivers)
        .map(|(input, drivers)| (input.name.clone(), drivers.list.clone()))
        .collect();
    lists::csv(&named).unwrap();
    serde_json::to_string(&lists::json(&named)).unwrap();
    for reader in readers(&Zone::UTC) {
        summary::text(findings, reader, None);
        html::page(findings, reader).unwrap();
        timeline::text(&found, reader);
        lists::text(&named, false, reader.lang);
    }
    CaseFacts::of(findings);
    findings_csv(findings, true).unwrap();
    let columns = Column::defaults(true);
    let (filter, zone) = (Filter::default(), Zone::UTC);
    let tables: Vec<Table<'_>> = case
        .inputs
        .iter()
        .zip(&outcome.drivers)
        .map(|(input, drivers)| {
            Table::new(input.trace, drivers, &input.name, &columns, &filter, &zone)
        })
        .collect();
    let style = CsvStyle {
        neutralise: true,
        ..CsvStyle::default()
    };
    let rows = write_text(&tables, TextFormat::Csv(&style), &mut sink(), &Silent).unwrap();
    let again = write_text(&tables, TextFormat::Ndjson, &mut sink(), &Silent).unwrap();
    assert_eq!(again, rows);
    assert_eq!(parquet::write(&tables, &mut sink(), &Silent).unwrap(), rows);
    let records: u64 = case
        .inputs
        .iter()
        .map(|input| input.trace.info().records.good)
        .sum();
    assert!(rows <= records);
    if with_workbook {
        let folder = tempfile::tempdir().unwrap();
        let mut book = Book::new(folder.path(), None).unwrap();
        for (name, table) in sheets(findings) {
            table.csv(true).unwrap();
            serde_json::to_string(&table.json()).unwrap();
            book.add_small(name, &table).unwrap();
        }
        assert_eq!(book.add_events(&tables, &Silent).unwrap(), rows);
        book.save(&mut sink()).unwrap();
    }
    for trace in &pml {
        procmon(trace);
    }
    for trace in &etl {
        info(
            trace,
            Some(trace),
            &identify(trace.info(), &Observers::default()),
        );
    }
}

fn procmon(trace: &PmlTrace) {
    let drivers = identify(trace.info(), &Observers::default());
    info(trace, None, &drivers);
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
    // A workbook is made of files: not for each input.
    write_all(Inputs::open(data), data.len() % 8 == 0);
}));
