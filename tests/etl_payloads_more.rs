//! Payloads of real traces: every record of objects, stacks, disks, faults, profiles, network, system
//! configuration and merges decodes and is used up, and what it says fits the other records.

use crate::common::real_traces;
use fltscope::etl::hooks::hook_of_class;
use fltscope::etl::kernel::Fields;
use fltscope::etl::kernel::config::ConfigEvent;
use fltscope::etl::kernel::devices::PnpDevice;
use fltscope::etl::kernel::disk::{DiskEvent, DiskInit, Transfer};
use fltscope::etl::kernel::fault::FaultEvent;
use fltscope::etl::kernel::image_id::ImageRecord;
use fltscope::etl::kernel::merged::SystemRecord;
use fltscope::etl::kernel::network::NetworkEvent;
use fltscope::etl::kernel::object::ObjectEvent;
use fltscope::etl::kernel::profile::ProfileEvent;
use fltscope::etl::kernel::stack::StackEvent;
use fltscope::etl::providers::{IMAGE_ID, SYSTEM};
use fltscope::etl::{EtlFile, Record, Scratch};
use fltscope::input::view::Source;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

const NET64: &str = "net.4.5.2.x64.etl";
const DIAGHUB: &str = "diaghub.kernel.1.etl";
const SHUTDOWN: &str = "ShutdownPerfDiagLogger.etl";
const SMALL: &str = "PerfViewData-small-buffers.etl";
const SINGLE: &str = "SelfDescribingSingleEvent.etl";

fn open(folder: &Path, name: &str) -> EtlFile {
    let source = Source::open(&folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    EtlFile::open(source).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Hands over every record.
fn records(file: &EtlFile, mut each: impl FnMut(&Record<'_>)) {
    let mut scratch = Scratch::default();
    for buffer in 0..file.buffers().len() {
        for record in file.records(buffer, &mut scratch).unwrap() {
            each(&record.unwrap());
        }
    }
}

/// An event of any family.
#[derive(Debug)]
enum Event<'a> {
    Object(ObjectEvent<'a>),
    Stack(StackEvent<'a>),
    Disk(DiskEvent),
    Fault(FaultEvent),
    Network(NetworkEvent),
    Config(ConfigEvent<'a>),
    Profile(ProfileEvent<'a>),
    Image(ImageRecord<'a>),
    System(SystemRecord<'a>),
}

impl Event<'_> {
    fn text(&self, detail: &mut String) -> &'static str {
        match self {
            Self::Object(event) => (event.push_detail(detail), event.operation()).1,
            Self::Stack(event) => (event.push_detail(detail), event.operation()).1,
            Self::Disk(event) => (event.push_detail(detail), event.operation()).1,
            Self::Fault(event) => (event.push_detail(detail), event.operation()).1,
            Self::Network(event) => (event.push_detail(detail), event.operation()).1,
            Self::Config(event) => (event.push_detail(detail), event.operation()).1,
            Self::Profile(event) => (event.push_detail(detail), event.operation()).1,
            Self::Image(event) => (event.push_detail(detail), event.operation()).1,
            Self::System(event) => (event.push_detail(detail), event.operation()).1,
        }
    }
}

/// What a record of one of the families is: its hook as `0x010a/3`, or its class as `image/36`.
fn key(record: &Record<'_>) -> Option<String> {
    if let Some(classic) = record.classic() {
        let class = match classic.class {
            IMAGE_ID => "image",
            SYSTEM => "system",
            class => {
                let hook = hook_of_class(class, classic.opcode)?;
                return Some(format!("{hook:#06x}/{}", classic.version));
            }
        };
        return Some(format!("{class}/{}", classic.opcode));
    }
    let hook = record.hook()?;
    let groups = [0x01, 0x02, 0x06, 0x08, 0x0B, 0x0F, 0x11, 0x18];
    let known = groups.contains(&(hook.id >> 8));
    known.then(|| format!("{:#06x}/{}", hook.id, hook.version))
}

fn decode<'a>(record: &Record<'a>, fields: &mut Fields<'a>) -> Option<Event<'a>> {
    let (hook, version) = if let Some(classic) = record.classic() {
        match classic.class {
            IMAGE_ID => return ImageRecord::parse(classic.opcode, fields).map(Event::Image),
            SYSTEM => return SystemRecord::parse(classic.opcode, fields).map(Event::System),
            class => (hook_of_class(class, classic.opcode)?, classic.version),
        }
    } else {
        let hook = record.hook()?;
        (hook.id, hook.version.into())
    };
    match hook >> 8 {
        0x01 => DiskEvent::parse(hook, version, fields).map(Event::Disk),
        0x02 => FaultEvent::parse(hook, version, fields).map(Event::Fault),
        0x06 | 0x08 => NetworkEvent::parse(hook, version, fields).map(Event::Network),
        0x0B => ConfigEvent::parse(hook, version, fields).map(Event::Config),
        0x0F => ProfileEvent::parse(hook, version, fields).map(Event::Profile),
        0x11 => ObjectEvent::parse(hook, version, fields).map(Event::Object),
        0x18 => StackEvent::parse(hook, version, fields).map(Event::Stack),
        _ => None,
    }
}

/// Hands over every event that decodes, with its record.
fn events(file: &EtlFile, mut each: impl FnMut(&Record<'_>, &Event<'_>)) {
    records(file, |record| {
        if let Some(event) = decode(record, &mut Fields::new(record.payload(), record.wide())) {
            each(record, &event);
        }
    });
}

/// Records by key: those that decode, and those that no decoder is for.
#[derive(Debug, Default)]
struct Counts {
    decoded: BTreeMap<String, u64>,
    left_out: BTreeMap<String, u64>,
}

/// Decodes all records of the families; each that decodes must use its payload up.
fn counts(file: &EtlFile) -> Counts {
    let mut out = Counts::default();
    let mut detail = String::new();
    records(file, |record| {
        let Some(key) = key(record) else {
            return;
        };
        let mut fields = Fields::new(record.payload(), record.wide());
        let Some(event) = decode(record, &mut fields) else {
            *out.left_out.entry(key).or_default() += 1;
            return;
        };
        assert!(
            fields.rest().is_empty(),
            "{key}: {} left",
            fields.rest().len()
        );
        detail.clear();
        assert!(!event.text(&mut detail).is_empty());
        assert!(detail.contains(": "), "{key}: {detail:?}");
        *out.decoded.entry(key).or_default() += 1;
    });
    out
}

fn map(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    let counts = counts.iter();
    counts
        .map(|(key, count)| ((*key).to_owned(), *count))
        .collect()
}

#[test]
fn every_record_is_used_up() {
    let Some(folder) = real_traces("every_record_is_used_up") else {
        return;
    };
    let net64 = counts(&open(&folder, NET64));
    let expected = [
        ("0x010a/3", 1_208),
        ("0x010b/3", 21),
        ("0x010c/3", 1_208),
        ("0x010d/3", 21),
        ("0x010e/3", 2),
        ("0x010f/3", 2),
        ("0x0220/2", 153),
        ("0x061a/2", 240),
        ("0x061b/2", 250),
        ("0x080a/2", 1),
        ("0x080b/2", 19),
        ("0x081a/2", 6),
        ("0x081b/2", 10),
        ("0x0b0a/3", 1),
        ("0x0b0b/2", 1),
        ("0x0b0c/2", 1),
        ("0x0b0d/2", 3),
        ("0x0b0f/3", 157),
        ("0x0b12/2", 1),
        ("0x0b16/4", 78),
        ("0x0b19/2", 1),
        ("0x0f2e/2", 79_528),
        ("0x0f49/3", 1),
        ("0x0f4a/3", 1),
        ("0x1820/2", 252),
        ("0x1823/2", 1_909),
        ("0x1824/2", 1_012),
        ("0x1825/2", 2_061),
        ("0x1826/2", 7_046),
        ("image/0", 3_590),
        ("image/32", 12),
        ("image/36", 3_534),
        ("image/37", 44),
        ("image/64", 705),
        ("system/32", 1),
        ("system/33", 1),
        ("system/34", 1),
        ("system/35", 9),
        ("system/37", 1),
    ];
    assert_eq!(net64.decoded, map(&expected));
    // Sleep states, network parameters, IDE channels and screen resolution: nothing to read a trace for.
    let left_out = [
        ("0x0b10/2", 1),
        ("0x0b11/2", 1),
        ("0x0b17/2", 2),
        ("0x0b1c/2", 1),
    ];
    assert_eq!(net64.left_out, map(&left_out));

    let diaghub = counts(&open(&folder, DIAGHUB));
    let expected = [
        ("0x0b0a/3", 1),
        ("0x0b0b/2", 2),
        ("0x0b0c/2", 2),
        ("0x0b0d/2", 3),
        ("0x0b0f/3", 269),
        ("0x0b15/3", 13),
        ("0x0b16/5", 101),
        ("0x0b19/2", 1),
        ("0x0b1d/2", 1),
        ("0x0b1e/2", 1),
        ("0x0b21/2", 1),
        ("0x0b22/2", 1),
        ("0x0b23/2", 4),
    ];
    assert_eq!(diaghub.decoded, map(&expected));
    // The last two are described nowhere.
    let left_out = [
        ("0x0b10/2", 1),
        ("0x0b17/2", 2),
        ("0x0b1c/2", 1),
        ("0x0b24/2", 1),
        ("0x0b25/2", 1),
    ];
    assert_eq!(diaghub.left_out, map(&left_out));

    // A session of processes, threads and images only.
    let shutdown = counts(&open(&folder, SHUTDOWN));
    assert!(shutdown.decoded.is_empty() && shutdown.left_out.is_empty());
    for (name, unmapped, mappings) in [(SMALL, 3, 9), (SINGLE, 2, 10)] {
        let merged = counts(&open(&folder, name));
        let expected = [
            ("system/32", 1),
            ("system/33", 1),
            ("system/34", unmapped),
            ("system/35", mappings),
            ("system/37", 1),
        ];
        assert_eq!(merged.decoded, map(&expected), "{name}");
        assert!(merged.left_out.is_empty(), "{name}");
    }
}

/// Details of all events of an operation, in file order.
fn details(file: &EtlFile, operation: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut detail = String::new();
    events(file, |_, event| {
        detail.clear();
        if event.text(&mut detail) == operation {
            out.push(detail.clone());
        }
    });
    out
}

#[test]
fn machines_say_who_they_are() {
    let Some(folder) = real_traces("machines_say_who_they_are") else {
        return;
    };
    let net64 = open(&folder, NET64);
    assert_eq!(
        details(&net64, "Computer"),
        ["Name: BRIANROB-W8, Processors: 8, MHz: 3,592, Memory MB: 4,096"]
    );
    assert_eq!(
        details(&net64, "Logical Disk"),
        [
            "Drive: C:, Disk: 0, Partition: 2, Start: 368,050,176, Size: 135,996,112,896, File System: NTFS"
        ]
    );
    assert_eq!(
        details(&net64, "Optical Disk"),
        ["Drive: D:, Device: Virtual CD/ROM, Vendor: Msft, File System: UDF"]
    );
    assert_eq!(
        details(&net64, "Build Info"),
        [
            "Build: 9200.16384.amd64fre.win8_rtm.120725-1247, Product: Windows 8 Pro, Installed: 1970-01-01T00:00:00.0000000Z"
        ]
    );
    let diaghub = open(&folder, DIAGHUB);
    assert_eq!(
        details(&diaghub, "Computer"),
        [
            "Name: liha-test, Domain: redmond.corp.microsoft.com, Processors: 4, MHz: 2,295, \
             Memory MB: 16,384"
        ]
    );
    let drives: Vec<String> = details(&diaghub, "Logical Disk")
        .iter()
        .map(|text| text.chars().take(26).collect())
        .collect();
    assert_eq!(
        drives,
        ["Drive: C:, Disk: 0, Partit", "Drive: D:, Disk: 1, Partit"]
    );
    assert_eq!(
        details(&diaghub, "Processor")[3],
        "Index: 3, Name: Intel(R) Xeon(R) CPU E5-2673 v4 @ 2.30GHz, \
         Identifier: Intel64 Family 6 Model 79 Stepping 1, Vendor: GenuineIntel, MHz: 2,295, \
         Features: 0x3d1b3dff"
    );
    // The full version of Windows: noted by the session, and by the merge with the build it names.
    assert_eq!(
        details(&diaghub, "OS Version"),
        ["Version: 10.0.19041.450, Family: 3, Form: 0"]
    );
    for (name, version, build) in [
        (
            SINGLE,
            "10.0.22000.613",
            "Build: 22000.613.amd64fre.co_release",
        ),
        // An enablement package: the files are those of the build before.
        (
            SMALL,
            "10.0.26200.7462",
            "Build: 26100.7462.amd64fre.ge_release",
        ),
        (NET64, "0.0.0.0", "Build: 9200.16384.amd64fre.win8_rtm"),
    ] {
        let file = open(&folder, name);
        let family = &details(&file, "OS Version")[0];
        assert!(
            family.starts_with(&format!("Version: {version},")),
            "{family}"
        );
        let build_info = &details(&file, "Build Info")[0];
        assert!(build_info.starts_with(build), "{build_info}");
    }
    assert!(details(&open(&folder, SHUTDOWN), "OS Version").is_empty());
}

#[test]
fn volume_mappings_in_file_order() {
    let Some(folder) = real_traces("volume_mappings_in_file_order") else {
        return;
    };
    let mut mappings = Vec::new();
    let mut rest = Vec::new();
    events(&open(&folder, NET64), |_, event| match event {
        Event::System(SystemRecord::Mapping(mapping)) => {
            mappings.push((mapping.nt.to_string(), mapping.dos.to_string()));
        }
        Event::System(SystemRecord::Unmapped(nt)) => rest.push(nt.to_string()),
        Event::System(SystemRecord::Paths(paths)) => rest.push(paths.windows.to_string()),
        _ => {}
    });
    let expected = [
        (r"\??\", ""),
        (r"\SystemRoot\", r"C:\Windows\"),
        (r"\Device\HarddiskVolume2\", r"C:\"),
        (r"\Device\Floppy0\", r"A:\"),
        (r"\Device\CdRom0\", r"D:\"),
        (r"\Device\LanmanRedirector\", r"\\"),
        (r"\Device\Mup\", r"\\"),
        (r"\Device\vmsmb\", r"\\?\VMSMB\"),
        (r"\\", r"\\"),
    ];
    let expected = expected.map(|(nt, dos)| (nt.to_owned(), dos.to_owned()));
    assert_eq!(mappings, expected);
    rest.sort();
    assert_eq!(rest, [r"C:\Windows\", r"\Device\HarddiskVolume1\"]);
}

fn filters(device: &PnpDevice<'_>) -> Vec<String> {
    let upper = device.upper_filters.iter().map(|name| format!("+{name}"));
    let lower = device.lower_filters.iter().map(|name| format!("-{name}"));
    upper.chain(lower).collect()
}

#[test]
fn devices_name_their_filters() {
    let Some(folder) = real_traces("devices_name_their_filters") else {
        return;
    };
    for (name, expected) in [
        (
            NET64,
            &[("NdisWan", "-NdisTapi", 3), ("Serial", "+serenum", 2)][..],
        ),
        (
            DIAGHUB,
            &[
                ("NdisWan", "-NdisTapi", 3),
                ("Serial", "+serenum", 2),
                ("WUDFRd", "+IndirectKmd", 1),
                ("disk", "-storflt", 2),
            ],
        ),
    ] {
        let mut found: BTreeMap<(String, String), u32> = BTreeMap::new();
        events(&open(&folder, name), |_, event| {
            if let Event::Config(ConfigEvent::PnpDevice(device)) = event {
                for filter in filters(device) {
                    *found
                        .entry((device.service.to_string(), filter))
                        .or_default() += 1;
                }
            }
        });
        let expected = expected.iter();
        let expected = expected.map(|(service, filter, count)| {
            (((*service).to_owned(), (*filter).to_owned()), *count)
        });
        assert_eq!(found, expected.collect(), "{name}");
    }
}

#[test]
fn stacks_have_the_time_and_thread_of_an_event() {
    let Some(folder) = real_traces("stacks_have_the_time_and_thread_of_an_event") else {
        return;
    };
    let file = open(&folder, NET64);
    let mut threads: HashMap<i64, HashSet<Option<u32>>> = HashMap::new();
    records(&file, |record| {
        let time = record.time().unwrap();
        threads.entry(time).or_default().insert(record.tid());
    });
    let (mut stacks, mut longest, mut kernel, mut zeros) = (0, 0, 0, 0);
    let mut keys = HashSet::new();
    let mut used = HashSet::new();
    events(&file, |record, event| {
        let (event_time, tid) = match event {
            Event::Stack(StackEvent::Stack(stack)) => {
                longest = longest.max(stack.frames.len());
                kernel += u32::from(stack.frames.iter().any(|frame| frame >> 63 != 0));
                (stack.event_time, stack.tid)
            }
            Event::Stack(StackEvent::Reference(reference)) => {
                used.insert(reference.key);
                (reference.event_time, reference.tid)
            }
            Event::Stack(StackEvent::Key(key)) => {
                longest = longest.max(key.frames.len());
                keys.insert(key.key);
                zeros += key.frames.iter().filter(|frame| *frame == 0).count();
                return;
            }
            _ => return,
        };
        let of_event = &threads[&event_time];
        assert!(of_event.contains(&Some(tid)) || of_event.contains(&None));
        assert!(record.time().unwrap() > event_time);
        stacks += 1;
    });
    assert_eq!(stacks, 252 + 2_061 + 7_046);
    assert!(kernel > 0);
    // One user stack of a 32-bit process is broken off in the middle.
    assert_eq!((longest, zeros), (111, 1));
    assert!(used.is_subset(&keys));
}

#[test]
fn disk_requests_end_as_they_began() {
    let Some(folder) = real_traces("disk_requests_end_as_they_began") else {
        return;
    };
    let file = open(&folder, NET64);
    let mut began: Vec<(i64, DiskInit)> = Vec::new();
    let mut ended: Vec<(i64, Transfer)> = Vec::new();
    let mut others = 0;
    events(&file, |record, event| {
        let time = record.time().unwrap();
        match event {
            Event::Disk(DiskEvent::Init(init)) => {
                others += u32::from(init.tid != record.tid());
                began.push((time, *init));
            }
            Event::Disk(DiskEvent::Transfer(transfer)) => ended.push((time, *transfer)),
            _ => {}
        }
    });
    assert_eq!((began.len(), ended.len()), (1_231, 1_229));
    // The thread in the header is the one that ran, not always the one that asked.
    assert_eq!(others, 3);
    began.sort_by_key(|(time, _)| *time);
    for (end, transfer) in &ended {
        // Addresses of IRPs are used again: the last start before the end counts.
        let same = began.iter().rev();
        let start = same
            .filter(|(time, init)| time < end && Some(init.irp) == transfer.irp)
            .map(|(time, init)| (*time, init.tid))
            .next();
        let (start, tid) = start.expect("a start with the IRP");
        assert_eq!(tid, transfer.tid);
        // Both clocks are one: between the records lie as many ticks, but for 20 µs.
        let elapsed = (end - start).cast_unsigned();
        let apart = elapsed.abs_diff(transfer.response.unwrap());
        assert!(apart < 200, "{elapsed}, {apart} apart");
        assert!(transfer.bytes > 0 && transfer.bytes % 512 == 0);
    }
    let mut faults = 0;
    events(&file, |record, event| {
        if let Event::Fault(FaultEvent::Hard(fault)) = event {
            let took = record.time().unwrap() - fault.initial_time;
            assert!(took > 0 && took < 10_000_000, "{took}");
            assert!(fault.bytes > 0 && fault.file_key != 0);
            faults += 1;
        }
    });
    assert_eq!(faults, 153);
}

#[test]
fn network_events_know_which_end_is_here() {
    let Some(folder) = real_traces("network_events_know_which_end_is_here") else {
        return;
    };
    let file = open(&folder, NET64);
    let mut addresses = String::new();
    let mut network = Vec::new();
    events(&file, |_, event| match event {
        Event::Config(ConfigEvent::NetworkCard(card)) => {
            card.addresses.push_to(&mut addresses);
            addresses.push(';');
        }
        Event::Network(event) => network.push(*event),
        _ => {}
    });
    assert_eq!(network.len(), 240 + 250 + 1 + 19 + 6 + 10);
    let own = |text: &str| addresses.split(';').any(|address| address == text);
    assert!(own("10.128.0.55"), "{addresses}");
    for event in &network {
        let here = event.local().ip();
        let known = own(&here.to_string()) || here.is_multicast() || here.is_loopback();
        // Datagrams to all.
        assert!(known || here.to_string() == "10.128.3.255", "{event:?}");
    }
    let mut path = String::new();
    let received = network
        .iter()
        .find(|event| event.operation() == "TCP Receive");
    received.unwrap().push_path(&mut path);
    assert_eq!(
        path,
        "2001:4898:f0:26:b18e:e85f:db5d:8e8:64025 -> 2001:4898:e0:81:7cb9:ab:cd5:e6af:445"
    );
}

#[test]
fn file_versions_belong_to_images() {
    let Some(folder) = real_traces("file_versions_belong_to_images") else {
        return;
    };
    let file = open(&folder, NET64);
    let mut images = HashSet::new();
    let mut versions = Vec::new();
    events(&file, |_, event| match event {
        Event::Image(ImageRecord::Id(id)) => {
            images.insert((id.size, id.time_stamp));
        }
        Event::Image(ImageRecord::Version(version)) => {
            let identity = (u64::from(version.size), version.time_stamp);
            let name = version.original_name.to_string();
            versions.push((identity, name, version.company.to_string()));
        }
        _ => {}
    });
    assert_eq!(versions.len(), 705);
    for (identity, name, _) in &versions {
        assert!(images.contains(identity), "{name}");
    }
    let ntdll = versions.iter().find(|(_, name, _)| name == "ntdll.dll");
    assert_eq!(ntdll.unwrap().2, "Microsoft Corporation");
}

#[test]
fn samples_of_idle_processors() {
    let Some(folder) = real_traces("samples_of_idle_processors") else {
        return;
    };
    let (mut idle, mut busy) = (0, BTreeMap::new());
    events(&open(&folder, NET64), |_, event| {
        if let Event::Profile(ProfileEvent::Sample(sample)) = event {
            if sample.is_idle() {
                idle += 1;
            } else {
                *busy.entry(sample.mode()).or_insert(0) += 1;
            }
            assert_eq!((sample.count, sample.rank), (1, 0));
            assert!(sample.priority() < 32);
        }
    });
    // Other tools list the samples that are not idle: 6,320.
    assert_eq!(idle, 79_528 - 6_320);
    let expected = [(None, 6_185), (Some("DPC"), 107), (Some("ISR"), 28)];
    assert_eq!(busy, expected.into());
}
