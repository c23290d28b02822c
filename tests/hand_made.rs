//! Small traces written record by record, for orders of records that no scenario has.

use crate::common::findings;
use serde_json::Value;
use tracegen::etl::event::{
    Callback, CallbackEvent, Event, FileIo, FileIoOp, Image, Moment, OperationEnd, Phase, Stack,
};
use tracegen::etl::{EtlBuilder, Record, Session};
use tracegen::pml::Bits;

const START: u64 = 133_000_000_000_000_000;
const DRIVER: u64 = 0xFFFF_F800_1000_0000;
const OTHER: &str = "\\SystemRoot\\System32\\drivers\\otherflt.sys";
const ACME: &str = "\\SystemRoot\\System32\\drivers\\acmeflt.sys";
const INF: &str = "C:\\Windows\\INF\\oem1.inf";
const FILE: u64 = 0xFFFF_A000_0000_1000;
const IRP: u64 = 0xFFFF_A000_0000_7000;

/// A trace in the making: times are 100 ns after its start.
struct Scene(EtlBuilder);

impl Scene {
    fn new() -> Self {
        Self(EtlBuilder::new(Session::new(Bits::B64, START)))
    }

    fn add(&mut self, at: u64, event: Event<'_>) {
        self.0.add(&Record::new(0, START + at, event).by(4, 8));
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
            tid: 8,
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
            pid: 4,
            tid: 8,
            frames: &[DRIVER + 0x100],
        };
        self.add(at, Event::Stack(stack));
    }

    fn findings(&self) -> Value {
        let file = tempfile::Builder::new().suffix(".etl").tempfile().unwrap();
        self.0.write_to(file.path()).unwrap();
        findings(&[file.path().to_str().unwrap()])
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
