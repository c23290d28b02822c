//! Self-describing events of real traces: counts, and values that other readers gave.
//!
//! Figures that are not of this decoder: `primitive-types.baseline.txt` is text of Windows' own reader;
//! events with a definition, and those that it describes to the last byte, were counted by an independent
//! decoder; sums of values by a few lines of Python for each.

use fltscope::etl::kernel::NarrowText;
use fltscope::etl::selfdescribing::walk::Nothing;
use fltscope::etl::selfdescribing::{
    Collector, Definitions, Event, Group, Raw, Stop, Value, Visitor, Walked,
};
use fltscope::etl::{EtlFile, Guid, Record, Scratch};
use fltscope::input::view::Source;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A real trace, or `None` where it is not at hand: then the test says so and ends.
fn real_trace(test: &str, name: &str) -> Option<PathBuf> {
    let data = std::env::var_os("FLTSCOPE_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let path = data.join("etl").join(name);
    if path.is_file() {
        return Some(path);
    }
    eprintln!(
        "skipped: {test}: no real trace at {} (set FLTSCOPE_DATA to the folder of etl/)",
        path.display()
    );
    None
}

fn open(path: &Path) -> EtlFile {
    let source = Source::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    EtlFile::open(source).unwrap_or_else(|error| panic!("{error}"))
}

/// Hands every record to `each`, in file order.
fn each_record(file: &EtlFile, mut each: impl FnMut(&Record<'_>)) {
    let mut scratch = Scratch::default();
    for buffer in 0..file.buffers().len() {
        for record in file.records(buffer, &mut scratch).unwrap() {
            each(&record.unwrap());
        }
    }
}

/// The definitions, collected from each unit apart and merged.
fn definitions(file: &EtlFile) -> Definitions {
    let mut all = Collector::default();
    let mut scratch = Scratch::default();
    for unit in 0..file.units() {
        let mut part = Collector::default();
        for buffer in file.unit_buffers(unit) {
            for record in file.records(buffer, &mut scratch).unwrap().flatten() {
                part.add(&record);
            }
        }
        all.merge(part);
    }
    all.finish()
}

/// An event as text.
#[derive(Debug)]
struct Line {
    guid: Guid,
    provider: String,
    name: String,
    detail: String,
    message: Option<String>,
    level: Option<String>,
}

/// All events of providers, those of classes left out.
fn lines(file: &EtlFile) -> Vec<Line> {
    let definitions = definitions(file);
    let mut lines = Vec::new();
    each_record(file, |record| {
        let Some(event) = Event::new(record, &definitions) else {
            return;
        };
        if record.descriptor().is_none() {
            return;
        }
        let mut line = Line {
            guid: record.provider().unwrap(),
            provider: event
                .provider_name()
                .map_or_else(String::new, |name| name.to_string()),
            name: String::new(),
            detail: String::new(),
            message: None,
            level: event.level_name().map(str::to_owned),
        };
        event.push_name(&mut line.name);
        event.push_detail(&mut line.detail);
        let mut message = String::new();
        line.message = event.push_message(&mut message).then_some(message);
        lines.push(line);
    });
    lines
}

/// The values of outermost fields by name, as text.
fn fields(detail: &str) -> BTreeMap<&str, &str> {
    detail
        .split(", ")
        .filter_map(|part| part.split_once(": "))
        .collect()
}

#[test]
fn every_value_that_windows_own_reader_gives() {
    const TEST: &str = "every_value_that_windows_own_reader_gives";
    let (Some(path), Some(baseline)) = (
        real_trace(TEST, "primitive-types.etl"),
        real_trace(TEST, "primitive-types.baseline.txt"),
    ) else {
        return;
    };
    let baseline = std::fs::read_to_string(baseline).unwrap();
    let expected = baseline
        .lines()
        .filter(|line| line.contains("solar_system/"));
    let lines = lines(&open(&path));
    let mut values = 0;
    for (line, expected) in lines.iter().zip(expected) {
        assert_eq!(line.provider, "solar_system");
        assert_eq!(line.name, "PrimitiveTypesTest");
        let found = fields(&line.detail);
        let (_, expected) = expected.split_once("; DataLen=").unwrap();
        let expected: Vec<(&str, &str)> = expected
            .split("; ")
            .filter_map(|field| field.split_once('='))
            .collect();
        assert_eq!(expected.len(), found.len(), "{line:?}");
        for (name, expected) in expected {
            let found = found[name];
            values += 1;
            match name {
                // That reader writes the number of a character where its out-type says text, ...
                "char_type" => assert_eq!(
                    u32::from(found.chars().next().unwrap()),
                    expected.parse::<u32>().unwrap()
                ),
                // ... and gives u64, which this field is, with a sign.
                "int64_type" => {
                    assert_eq!(
                        found.parse::<u64>().unwrap().cast_signed(),
                        expected.parse::<i64>().unwrap()
                    );
                }
                // Long values are cut.
                "guid_type" => {
                    assert!(found.starts_with(expected.trim_end_matches('.')), "{found}")
                }
                "file_time_type" | "system_time_type" => {
                    // Of a SYSTEMTIME that reader gives the fraction .03 whatever the milliseconds are.
                    let len = if name == "file_time_type" { 22 } else { 19 };
                    let shown = format!("20{}", expected.replace('/', "-").replacen(' ', "T", 1));
                    assert_eq!(found[..len], shown[..len], "{name}");
                }
                _ => assert_eq!(found, expected, "{name}"),
            }
        }
    }
    assert_eq!((lines.len(), values), (5, 60));
    let last = fields(&lines[4].detail);
    assert_eq!(last["file_time_type"], "2021-09-09T14:59:37.4840000Z");
    assert_eq!(last["system_time_type"], "2021-09-09T14:59:37.484Z");
    assert_eq!(last["char_type"], "J");
}

#[test]
fn a_structure() {
    let Some(path) = real_trace("a_structure", "SelfDescribingSingleEvent.etl") else {
        return;
    };
    let lines = lines(&open(&path));
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].provider, "MySource");
    assert_eq!(lines[0].name, "TestEvent");
    assert_eq!(lines[0].detail, "a: {b: Hello, c: World!}");
    assert_eq!(lines[0].message, None);
}

#[test]
fn scripts_of_amsi() {
    let Some(path) = real_trace("scripts_of_amsi", "AMSITrace.etl") else {
        return;
    };
    let file = open(&path);
    let none = Definitions::default();
    let (mut events, mut characters, mut vbscript) = (0, 0, 0);
    each_record(&file, |record| {
        let Some(event) = Event::new(record, &none) else {
            return;
        };
        let mut texts = Texts::default();
        assert!(event.visit(&mut texts).unwrap().is_exact());
        assert_eq!(event.name().unwrap().to_string(), "AmsiScript");
        let [engine, script, raw] = texts.0.as_slice() else {
            panic!("{:?}", texts.0);
        };
        // A text with a NUL and an array of characters, which hold the same here.
        assert_eq!(
            (script.0.as_str(), raw.0.as_str()),
            ("Script", "Raw Script")
        );
        assert_eq!(script.1, raw.1);
        vbscript += u32::from(engine.1 == "VBScript");
        characters += script.1.encode_utf16().count();
        events += 1;
    });
    assert_eq!((events, characters, vbscript), (19, 9_919, 4));
}

/// Takes names and texts of the outermost values.
#[derive(Default)]
struct Texts(Vec<(String, String)>);

impl<'a> Visitor<'a> for Texts {
    fn value(&mut self, depth: u8, name: NarrowText<'a>, value: Value<'a>) {
        assert_eq!(depth, 0);
        let mut text = String::new();
        value.push_to(&mut text);
        self.0.push((name.to_string(), text));
    }
    fn open(&mut self, _: u8, name: NarrowText<'a>, _: Group) {
        panic!("{name}");
    }
    fn close(&mut self, _: u8, _: Group) {}
}

#[test]
fn the_update_client_speaks_in_sentences() {
    let Some(path) = real_trace("the_update_client_speaks_in_sentences", "WindowsUpdate.etl")
    else {
        return;
    };
    let lines = lines(&open(&path));
    let mut components: BTreeMap<&str, u32> = BTreeMap::new();
    for line in &lines {
        *components.entry(&line.name).or_default() += 1;
        assert_eq!(line.provider, "WUTraceLogging");
        assert_eq!(line.message.as_deref(), Some(&*line.detail));
        assert!(
            !line.detail.is_empty() && !line.detail.contains("Info:"),
            "{line:?}"
        );
    }
    assert_eq!(
        components,
        BTreeMap::from([
            ("Agent", 27),
            ("ComApi", 22),
            ("Deployment", 14),
            ("DownloadManager", 1),
            ("IdleTimer", 2),
            ("Misc", 12),
            ("Shared", 2),
        ])
    );
    assert_eq!(lines.len(), 80);
    let warnings = lines
        .iter()
        .filter(|line| line.level.as_deref() == Some("Warning"));
    assert_eq!(warnings.count(), 3);
    for (at, expected) in [
        (1, "Unhandled work item type: callback work item."),
        (
            16,
            "* END *   All federated installs have completed. ClientId = Update;ScanForUpdates \
              (cV = FkIxASxtF0m0xJOD.41.105.1.1), hr = 0x00000000",
        ),
        (
            37,
            "Update serialization complete. BSTR byte length = 8613203",
        ),
        (79, "* END * Service exit Exit code = 0x240001"),
    ] {
        assert_eq!(lines[at].detail, expected);
    }
    let file = open(&path);
    let none = Definitions::default();
    let mut log = String::new();
    each_record(&file, |record| {
        if let Some(line) = Event::new(record, &none).and_then(|event| event.update_line()) {
            line.push_to(&mut log);
            log.push('\n');
        }
    });
    assert_eq!(log.lines().count(), 80);
    assert!(log.contains(
        "\nDownloadManager Exiting CDownloadHandlerCallbackHandler::Uninit within timeout bounds\n"
    ));
    assert!(
        log.contains("\nIdleTimer       Idle timer disabled in preparation for service shutdown\n")
    );
}

#[test]
fn events_that_nothing_describes() {
    let Some(path) = real_trace(
        "events_that_nothing_describes",
        "diaghub.user_injected.1.etl",
    ) else {
        return;
    };
    let lines = lines(&open(&path));
    let details: Vec<&str> = lines.iter().map(|line| line.detail.as_str()).collect();
    assert_eq!(
        details[..2],
        [
            "Id: 2, Version: 1, Data: 5C 08 00 00 5E C9 CA 3B 03 00 00 00",
            "Id: 1, Version: 2, Data: 5C 08 00 00 02 00 00 00 2A 30 5E 35 03 00 00 00",
        ]
    );
    assert!(details[2].starts_with("Id: 5, Version: 0, Data: 6C 00 69 00 68 00 61 00"));
    assert_eq!(details.len(), 3);
    assert!(lines.iter().all(|line| line.provider.is_empty()));
}

/// What became of the walks over events.
#[derive(Debug, Default, PartialEq, Eq)]
struct Walks {
    described: u64,
    exact: u64,
    with_rest: u64,
    cut: u64,
    unknown: u64,
}

impl Walks {
    fn add(&mut self, walked: Walked<'_>) {
        self.described += 1;
        self.exact += u64::from(walked.is_exact());
        self.with_rest += u64::from(walked.stop.is_none() && !walked.rest.is_empty());
        self.cut += u64::from(walked.stop == Some(Stop::Cut));
        self.unknown += u64::from(matches!(walked.stop, Some(Stop::Unknown | Stop::Bound)));
    }
}

#[test]
fn manifests_in_the_stream() {
    let Some(path) = real_trace("manifests_in_the_stream", "PerfViewData-small-buffers.etl") else {
        return;
    };
    let file = open(&path);
    let definitions = definitions(&file);
    // 16 of them are records of a merge as well.
    assert_eq!(definitions.len(), 26);
    let mut walks = Walks::default();
    each_record(&file, |record| {
        if let Some(event) = Event::new(record, &definitions)
            && let Some(walked) = event.visit(&mut Nothing)
        {
            walks.add(walked);
        }
    });
    let expected = Walks {
        described: 59,
        exact: 59,
        ..Walks::default()
    };
    assert_eq!(walks, expected);
    let lines = lines(&file);
    let pieces = lines.iter().filter(|line| line.name == "ManifestData");
    assert_eq!((lines.len(), pieces.count()), (64, 5));
    assert_eq!(
        lines[0].detail,
        "providerName: *JohnLudlow.TerrainGeneration2D.Performance, \
         providerGuid: 550bde9a-7248-5bfa-8400-3572cf6fb950, level: Verbose, keywords: 18446744073709551615, \
         stacks: 0, values: "
    );
    // The record of the merge names neither task nor event; the manifest does.
    let from_manifest = lines
        .iter()
        .filter(|line| line.name == "EventSourceMessage");
    let from_manifest: Vec<&Line> = from_manifest.collect();
    assert_eq!(from_manifest.len(), 3);
    assert!(
        from_manifest[0]
            .detail
            .starts_with("message: ERROR: Exception in Command Processing")
    );
    // The same definitions by manifests alone: all events but those that only the merge knows.
    let mut manifests = Collector::default();
    each_record(&file, |record| {
        if record.descriptor().is_some() {
            manifests.add(record);
        }
    });
    let manifests = manifests.finish();
    assert_eq!(manifests.len(), 26);
    let mut differ = 0;
    each_record(&file, |record| {
        if record.descriptor().is_none() {
            return;
        }
        let text = |definitions| {
            let mut out = String::new();
            let event = Event::new(record, definitions).unwrap();
            event.push_name(&mut out);
            out.push(' ');
            event.push_detail(&mut out);
            out
        };
        differ += u32::from(text(&definitions) != text(&manifests));
    });
    assert_eq!(differ, 0);
}

/// Sums the numbers of one field.
struct Sum(&'static str, u64);

impl<'a> Visitor<'a> for Sum {
    fn value(&mut self, _: u8, name: NarrowText<'a>, value: Value<'a>) {
        if name.0 == self.0.as_bytes() {
            self.1 += match value.raw {
                Raw::Wide(text) => text.0.len() as u64 / 2,
                _ => value.number().unwrap(),
            };
        }
    }
    fn open(&mut self, _: u8, _: NarrowText<'a>, _: Group) {}
    fn close(&mut self, _: u8, _: Group) {}
}

#[test]
fn definitions_of_a_merge() {
    let Some(path) = real_trace("definitions_of_a_merge", "net.4.5.2.x64.etl") else {
        return;
    };
    let file = open(&path);
    let all = definitions(&file);
    let mut of_merge = Collector::default();
    each_record(&file, |record| {
        if record.classic().is_some() {
            of_merge.add(record);
        }
    });
    let of_merge = of_merge.finish();
    assert_eq!((of_merge.len(), all.len()), (61, 224));

    let clr = Guid::new(0xe13c0d23_ccbc_4e12_931b_d9cc2eee27e4);
    let rundown = Guid::new(0xa669021c_c450_4609_a035_5af59af4df18);
    let kernel_file = Guid::new(0xedd08927_9cc4_4e65_b970_c2560fb5c289);
    let (mut events, mut walks, mut with_manifests) = (0, Walks::default(), Walks::default());
    let mut threads = Sum("IssuingThreadId", 0);
    let mut names = Sum("FileName", 0);
    let mut frames = Sum("FrameCount", 0);
    let mut sizes = Sum("MethodSize", 0);
    let mut rest_of_others = 0;
    let mut out = String::new();
    let mut text = 0;
    each_record(&file, |record| {
        let Some(descriptor) = record.descriptor() else {
            return;
        };
        events += 1;
        let event = Event::new(record, &all).unwrap();
        if let Some(walked) = event.visit(&mut Nothing) {
            with_manifests.add(walked);
        }
        out.clear();
        event.push_detail(&mut out);
        text += out.len();
        let event = Event::new(record, &of_merge).unwrap();
        let Some(walked) = event.visit(&mut Nothing) else {
            return;
        };
        walks.add(walked);
        let stack = descriptor.provider == clr && descriptor.id == 82;
        rest_of_others += u64::from(!walked.is_exact() && !stack);
        if descriptor.provider == kernel_file {
            event.visit(&mut threads);
            event.visit(&mut names);
        }
        if stack {
            event.visit(&mut frames);
        }
        if descriptor.provider == rundown && descriptor.id == 144 {
            event.visit(&mut sizes);
        }
    });
    assert_eq!(events, 68_143);
    let expected = Walks {
        described: 66_394,
        exact: 51_411,
        with_rest: 14_983,
        ..Walks::default()
    };
    assert_eq!(walks, expected);
    // The rest is the CLR's stack, whose definition declares two frames whatever their number.
    assert_eq!(rest_of_others, 0);
    // Manifests in the stream describe 118 more; PerfView writes an enumeration of 4 bytes in 8.
    let expected = Walks {
        described: 66_512,
        exact: 51_527,
        with_rest: 14_985,
        ..Walks::default()
    };
    assert_eq!(with_manifests, expected);
    assert_eq!(
        (threads.1, names.1, frames.1, sizes.1),
        (2_166_724, 48_572, 337_030, 3_720_951)
    );
    assert!(text > 10_000_000, "{text}");
}

#[test]
fn sentences_and_maps_of_definitions() {
    let Some(path) = real_trace("sentences_and_maps_of_definitions", "net.4.5.2.x64.etl") else {
        return;
    };
    let lines = lines(&open(&path));
    let find = |provider: &str, name: &str| {
        let mut found = lines
            .iter()
            .filter(|line| line.provider == provider && line.name == name);
        found.next().unwrap_or_else(|| panic!("{provider} {name}"))
    };
    let dns = find("Microsoft-Windows-DNS-Client", "DnsServerForInterface");
    assert_eq!(
        dns.detail,
        "Interface: Ethernet, TotalServerCount: 4, Index: 1, DynamicAddress: dynamic, AddressLength: 28, \
         Address: [2001:4898::1050:1050]"
    );
    assert_eq!(
        dns.message.as_deref(),
        Some(
            "Interface: Ethernet Total DNS Server Count: 4 Index: 1 Address: [2001:4898::1050:1050] (dynamic)"
        )
    );
    assert_eq!(dns.level.as_deref(), Some("Informational"));
    let start = find("Microsoft-Windows-Kernel-Process", "ProcessStart/Start");
    assert_eq!(
        start.message.as_deref(),
        Some(
            "Process 3676 started at time 2020-07-29T00:07:03.3564008Z by parent 3508 running in session 1 with \
             name \\Device\\Mup\\clrmain\\public\\PerfInvestigations\\20-07-28.TestTraces\\Test.x64.exe."
        )
    );
    let create = find("Microsoft-Windows-Kernel-File", "Create");
    assert!(create.detail.starts_with("Irp: 0xfffffa83"));
    assert!(
        create
            .detail
            .contains(", ShareAccess: 0x7, FileName: \\Device\\HarddiskVolume2\\Windows\\")
    );
    let module = find("Microsoft-Windows-DotNETRuntime", "CLRLoader/ModuleLoad");
    assert!(
        module
            .detail
            .contains("ModuleFlags: DomainNeutral|Manifest, Reserved1: 0")
    );
    let types = find("Microsoft-Windows-DotNETRuntime", "Type/BulkType");
    assert!(types.detail.contains(
        "Values: [{TypeID: 0x72c61f4, ModuleID: 0x1863010, TypeNameID: 33556460, Flags: Finalizable, \
         CorElementType: 18, Name: System.Runtime.CompilerServices.ConditionalWeakTable`2[System.Object,\
         System.Object], TypeParameterCount: 2, TypeParameters: [0x1ad6050, 0x1ad6050]}, {"
    ));
    // By a manifest in the stream.
    let task = find("System.Threading.Tasks.TplEventSource", "TaskExecute/Stop");
    assert_eq!(task.message.as_deref(), Some("Task 8 completed."));
    let files = lines.iter().filter(|line| line.name == "Create");
    assert_eq!(files.count(), 562);
    let without = lines.iter().filter(|line| line.name.starts_with("Id "));
    let private = Guid::new(0x763fd754_7086_4dfe_95eb_c01a46faf4ca);
    let without: Vec<&Line> = without.collect();
    assert_eq!(without.len(), 1_627);
    assert!(without.iter().all(|line| line.guid == private));
}
