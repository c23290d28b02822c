//! Small traces written record by record, for orders of records that no scenario has.

use crate::common::findings;
use serde_json::Value;
use tracegen::etl::event::{
    Callback, CallbackEvent, Event, FileIo, FileIoOp, Image, Moment, OperationEnd, Phase,
    ProcessRow, Stack,
};
use tracegen::etl::{EtlBuilder, HeaderKind, Record, Session};
use tracegen::logs::{Paper, Story, cbs};
use tracegen::pml::Bits;

const SECOND: u64 = 10_000_000;
const START: u64 = 133_000_000_000_000_000;
const DRIVER: u64 = 0xFFFF_F800_1000_0000;
const OTHER: &str = "\\SystemRoot\\System32\\drivers\\otherflt.sys";
const ACME: &str = "\\SystemRoot\\System32\\drivers\\acmeflt.sys";
const INF: &str = "C:\\Windows\\INF\\oem1.inf";
const FILE: u64 = 0xFFFF_A000_0000_1000;
const IRP: u64 = 0xFFFF_A000_0000_7000;

/// A trace in the making: times are 100 ns after its start.
struct Scene {
    trace: EtlBuilder,
    /// Headers of the records, where they are not the usual ones.
    header: Option<HeaderKind>,
    /// Who acts: process and thread.
    actor: (u32, u32),
}

impl Scene {
    fn new() -> Self {
        Self {
            trace: EtlBuilder::new(Session::new(Bits::B64, START)),
            header: None,
            actor: (4, 8),
        }
    }

    fn add(&mut self, at: u64, event: Event<'_>) {
        let (pid, tid) = self.actor;
        let record = Record::new(0, START + at, event).by(pid, tid);
        let header = self.header;
        self.trace.add(&Record { header, ..record });
    }

    fn process(&mut self, at: u64, pid: u32, image: &str) {
        let row = ProcessRow {
            key: 0xFFFF_A000_0010_0000 + u64::from(pid),
            pid,
            parent: 4,
            session: 0,
            exit_status: 259,
            directory: 0,
            flags: 0,
            sid: None,
            image,
            command_line: image,
            package: "",
            app: "",
        };
        self.add(at, Event::Process(Moment::RundownBegin, row));
    }

    fn image(&mut self, at: u64, moment: Moment, path: &str) {
        let image = Image {
            base: DRIVER,
            size: 0x1_0000,
            pid: 0,
            checksum: 1,
            timestamp: 7,
            default_base: 0,
            path,
        };
        self.add(at, Event::Image(moment, image));
    }

    fn create(&mut self, at: u64, path: &str) {
        let op = FileIoOp::Create {
            options: 0x0100_0000,
            attributes: 0x80,
            share: 7,
            path,
        };
        let io = FileIo {
            irp: IRP,
            object: FILE,
            tid: self.actor.1,
            op,
        };
        self.add(at, Event::FileIo(io));
    }

    fn end(&mut self, at: u64, status: u32) {
        let end = OperationEnd {
            irp: IRP,
            information: 0,
            status,
        };
        self.add(at, Event::OperationEnd(end));
    }

    fn pre_create(&mut self, at: u64, event: CallbackEvent) {
        let callback = Callback {
            phase: Phase::Pre,
            event,
            routine: DRIVER + 0x100,
            object: FILE,
            context: 0,
            irp: 1,
            data: IRP,
            major: 0,
        };
        self.add(at, Event::Callback(callback));
    }

    fn stack(&mut self, at: u64, of: u64) {
        let stack = Stack::Plain {
            of: START + of,
            pid: self.actor.0,
            tid: self.actor.1,
            frames: &[DRIVER + 0x100],
        };
        self.add(at, Event::Stack(stack));
    }

    fn findings(&self) -> Value {
        let file = tempfile::Builder::new().suffix(".etl").tempfile().unwrap();
        self.trace.write_to(file.path()).unwrap();
        findings(&[file.path().to_str().unwrap()])
    }

    /// What is found with a CBS.log in which the driver operations fail with 5 at `failure`.
    fn with_log(&self, failure: u64, more: &[&str]) -> Value {
        let folder = tempfile::tempdir().unwrap();
        self.trace
            .write_to(folder.path().join("trace.etl"))
            .unwrap();
        let story = Story {
            boot: START,
            queue: Some(START),
            failure: START + failure,
            rollback_end: Some(START + 100 * SECOND),
            error: 5,
            error_name: "ERROR_ACCESS_DENIED".into(),
            ..Story::default()
        };
        let log = cbs(&story, &Paper::default()).bytes;
        std::fs::write(folder.path().join("CBS.log"), log).unwrap();
        let mut args = vec![folder.path().to_str().unwrap()];
        args.extend(more);
        findings(&args)
    }

    /// A create of an INF that the driver's callback refuses.
    fn refusal(&mut self, at: u64, status: u32) {
        self.create(at, INF);
        self.pre_create(at + 10, CallbackEvent::Init);
        self.pre_create(at + 20, CallbackEvent::Failure { status });
        self.end(at + 30, status);
    }
}

/// Touches of a driver: callbacks, file stacks, failures.
fn touches(found: &Value, name: &str) -> [u64; 3] {
    let drivers = found["drivers"].as_array().unwrap();
    let driver = drivers.iter().find(|driver| driver["name"] == name);
    let driver = driver.unwrap_or_else(|| panic!("{name} is not listed"));
    [
        &driver["touches"]["minifilter"],
        &driver["touches"]["file_stack"],
        &driver["failures"],
    ]
    .map(|value| value.as_u64().unwrap())
}

#[test]
fn a_create_may_be_logged_behind_the_callbacks_it_makes() {
    let mut scene = Scene::new();
    scene.image(1, Moment::RundownBegin, ACME);
    // All of the callback comes first.
    scene.pre_create(100, CallbackEvent::Init);
    let initial = START + 100;
    scene.pre_create(110, CallbackEvent::Completion { initial });
    scene.create(120, INF);
    scene.end(130, 0);
    // The create comes while the callback runs, and the callback refuses. The FileObject was that of another file.
    scene.create(200, "C:\\Users\\a\\notes.txt");
    scene.end(210, 0);
    scene.pre_create(300, CallbackEvent::Init);
    scene.create(310, INF);
    let status = 0xC000_0022;
    scene.pre_create(320, CallbackEvent::Failure { status });
    let initial = START + 300;
    scene.pre_create(320, CallbackEvent::Completion { initial });
    scene.end(330, status);
    // Of another file.
    scene.pre_create(400, CallbackEvent::Init);
    scene.create(410, "C:\\Users\\a\\more.txt");
    scene.end(420, 0);
    // Nothing tells what this one opened: the operation behind it is none of its.
    scene.pre_create(500, CallbackEvent::Init);
    scene.end(510, 0);
    scene.create(520, INF);
    scene.end(530, 0);
    let found = scene.findings();
    assert_eq!(touches(&found, "acmeflt.sys"), [2, 0, 1], "{found:#}");
    let evidence = &found["drivers"][0]["evidence"];
    assert_eq!(evidence[0]["path"], INF);
    assert_eq!(evidence[0]["status"], "0xc0000022");
}

#[test]
fn a_driver_that_comes_back_to_its_address_has_it_again() {
    let mut scene = Scene::new();
    for (at, path) in [(100, ACME), (200, OTHER), (300, ACME)] {
        scene.image(at, Moment::Begin, path);
        scene.create(at + 10, INF);
        scene.stack(at + 11, at + 10);
        scene.end(at + 20, 0);
        scene.image(at + 30, Moment::End, path);
    }
    let found = scene.findings();
    assert_eq!(touches(&found, "acmeflt.sys"), [0, 2, 0]);
    assert_eq!(touches(&found, "otherflt.sys"), [0, 1, 0]);
}

#[test]
fn kernel_events_with_class_guids_have_their_stacks() {
    // As relogging tools write them.
    let mut scene = Scene::new();
    scene.header = Some(HeaderKind::Full);
    scene.image(1, Moment::RundownBegin, ACME);
    scene.create(100, INF);
    scene.stack(101, 100);
    scene.end(110, 0xC000_0022);
    let found = scene.findings();
    assert_eq!(touches(&found, "acmeflt.sys"), [0, 1, 1]);
}

#[test]
fn what_failed_for_others_or_in_the_rollback_is_no_suspicion() {
    const DENIED: u32 = 0xC000_0022;
    const FAILURE: u64 = 50 * SECOND;
    let scene = || {
        let mut scene = Scene::new();
        scene.image(1, Moment::RundownBegin, ACME);
        scene.process(2, 1000, "TiWorker.exe");
        scene.process(3, 2000, "indexer.exe");
        scene.actor = (1000, 1004);
        // The log's window meets the trace whatever is refused in it.
        scene.create(10 * SECOND, INF);
        scene.end(10 * SECOND + 10, 0);
        scene
    };
    let judged = |scene: &Scene, more: &[&str]| {
        let found = scene.with_log(FAILURE, more);
        let driver = &found["drivers"][0];
        assert_eq!(driver["name"], "acmeflt.sys");
        assert_eq!(driver["verdict"], "implicated");
        let suspect = &found["suspects"][0];
        assert_eq!(suspect["name"], "acmeflt.sys");
        let reason = suspect["reason"].as_str().unwrap().to_owned();
        (suspect["level"].as_u64().unwrap(), reason)
    };
    let mut servicing = scene();
    servicing.refusal(20 * SECOND, DENIED);
    let (level, reason) = judged(&servicing, &[]);
    assert_eq!(level, 4, "{reason}");
    // However few rows of evidence are wanted.
    assert_eq!(judged(&servicing, &["--evidence", "0"]), (level, reason));

    let mut rollback = scene();
    rollback.refusal(60 * SECOND, DENIED);
    let (level, reason) = judged(&rollback, &[]);
    assert_eq!(level, 2);
    assert!(reason.contains("a consequence, not a cause"), "{reason}");

    let mut other = scene();
    other.actor = (2000, 2004);
    other.refusal(20 * SECOND, DENIED);
    let (level, reason) = judged(&other, &[]);
    assert_eq!(level, 2);
    assert!(
        reason.contains("others than servicing, as indexer.exe"),
        "{reason}"
    );

    // A driver's own request, in the System process.
    let mut own = scene();
    own.actor = (4, 8);
    own.process(4, 4, "System");
    own.refusal(20 * SECOND, DENIED);
    let (level, reason) = judged(&own, &[]);
    assert_eq!(level, 2);
    assert!(
        reason.contains("others than servicing, as System"),
        "{reason}"
    );

    let mut oplock = scene();
    oplock.refusal(20 * SECOND, 0xC000_00E2);
    let (level, reason) = judged(&oplock, &[]);
    assert_eq!(level, 2);
    assert!(reason.contains("OPLOCK NOT GRANTED"), "{reason}");
}

#[test]
fn reading_a_shadow_copy_is_no_touch() {
    let mut scene = Scene::new();
    scene.image(1, Moment::RundownBegin, ACME);
    scene.create(
        100,
        "\\Device\\HarddiskVolumeShadowCopy4\\Windows\\INF\\oem1.inf",
    );
    scene.stack(101, 100);
    scene.end(110, 0xC000_0022);
    scene.create(200, "\\Device\\HarddiskVolume4\\Windows\\INF\\oem1.inf");
    scene.stack(201, 200);
    scene.end(210, 0);
    let found = scene.findings();
    assert_eq!(touches(&found, "acmeflt.sys"), [0, 1, 0]);
}
