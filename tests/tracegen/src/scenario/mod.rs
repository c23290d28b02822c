//! Cases: a machine, a story, and what an analysis must find in it.

mod drivers;
mod etl;
mod gallery;
mod holders;
mod hostile;
mod machine;
mod noise;
mod processes;
mod scene;
mod scope;
mod servicing;
mod status;
mod suspects;
mod time;
mod truth;

pub use drivers::Driver;
pub use etl::{
    CallbackMeant, Callbacks, EtlCase, EtlDriverTruth, EtlFindings, EtlOptions, EtlTruth, Group,
    Operation, Stacks,
};
pub use holders::ConflictMeant;
pub use hostile::{HOSTILE, hostile_case, hostile_story};
pub use servicing::Appends;
pub use time::rfc3339;
pub use truth::{DriverTruth, Findings, ProcessTruth, Span, Truth};

use crate::logs::{Log, Phase, Story};
use crate::pml::{Bits, Event, LogBuilder};
use scene::Scene;
use serde::Serialize;
use std::io::{self, Write};

/// 2026-05-12T06:41:07Z as a FILETIME.
pub const START: u64 = (1_778_568_067 + 11_644_473_600) * 10_000_000;

const SECOND: u64 = 1_000_000;
const END: u64 = 180 * SECOND;
/// The failing operations begin here; after [`ROLLBACK`] the update is undone.
const FAILURE: u64 = 64 * SECOND;
/// From the first refused operation to the failure of the queue, behind the hive that is called corrupt.
const GIVES_UP: u64 = 7_400_000;
const ROLLBACK: u64 = 76_200_000;
/// Groups of events that have nothing to do with the story.
const NOISE: u64 = 1_500;
const SHORT_NOISE: u64 = 60;
const SERVICING: (u64, u64) = (40 * SECOND, 84 * SECOND);

/// A finished case.
#[derive(Debug)]
pub struct Case {
    /// Machine and processes; the events are in it as well.
    pub log: LogBuilder,
    /// The events in the order of the file.
    pub events: Vec<Event>,
    /// What must be found.
    pub truth: Truth,
}

impl Case {
    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        self.log.finish()
    }

    /// One JSON line an event with the values meant, for checks by other readers.
    pub fn dump(&self, mut sink: impl Write) -> io::Result<()> {
        #[derive(Serialize)]
        struct Line<'a> {
            index: usize,
            class: u16,
            operation: u16,
            sub: Option<u8>,
            path: Option<&'a str>,
            target: Option<&'a str>,
            #[serde(flatten)]
            event: &'a Event,
        }
        for (index, event) in self.events.iter().enumerate() {
            let (class, operation) = event.op.number();
            let sub = event.op.sub();
            let line = Line {
                index,
                class,
                operation,
                sub,
                path: event.op.path(),
                target: event.op.target(),
                event,
            };
            serde_json::to_writer(&mut sink, &line)?;
            sink.write_all(b"\n")?;
        }
        Ok(())
    }

    /// The processes meant, one JSON line each.
    pub fn dump_processes(&self, mut sink: impl Write) -> io::Result<()> {
        for line in self.log.processes() {
            serde_json::to_writer(&mut sink, &line)?;
            sink.write_all(b"\n")?;
        }
        Ok(())
    }
}

/// A failed cumulative update: `tmsflt.sys` refuses and delays servicing on the driver store, `acmebkp.sys`,
/// `xyzmon.sys` and `latefilt.sys` touch it without harm, `nvlddmkm.sys` and `tmsnet.sys` are only there.
pub fn boot_case() -> Case {
    case(Bits::B64, true)
}

/// [`short_boot_case`] in which the servicing logs are seen being written: CBS.log and setupapi.dev.log as they are
/// given, by the writes of [`Log`].
pub fn logged_case(cbs: &Log, setupapi: &Log, how: Appends) -> Case {
    let mut scene = Scene::new(Bits::B64, START, 417);
    scene.logs_apart = true;
    let mut scene = told(scene, true, SHORT_NOISE);
    servicing::log_files(&mut scene, cbs, setupapi, how);
    finish(scene)
}

/// The update of [`before_case`] as the text logs of servicing tell it: it failed in the shutdown before the boot.
pub fn before_story() -> Story {
    Story {
        phase: Phase::Shutdown,
        queue: Some(START - 95 * 10 * SECOND),
        failure: START - 70 * 10 * SECOND,
        rollback_end: Some(START + 10 * SERVICING.1),
        ..boot_story()
    }
}

/// The boot after an update that failed in the shutdown: poqexec takes everything back, and the third parties' drivers
/// get in its way as they do everywhere. The logs are seen being written.
pub fn before_case(cbs: &Log, setupapi: &Log) -> Case {
    let mut scene = Scene::new(Bits::B64, START, 420);
    scene.logs_apart = true;
    gallery::lives(&mut scene);
    noise::add(&mut scene, 6 * SECOND, END, SHORT_NOISE);
    let (from, to) = SERVICING;
    servicing::trusted_installer(&mut scene, from, to);
    suspects::tms(&mut scene, FAILURE);
    suspects::tms_service(&mut scene, from + SECOND, to);
    suspects::bystanders(&mut scene, from + SECOND, to);
    servicing::primitives(&mut scene, from + SECOND, to, true);
    servicing::log_files(&mut scene, cbs, setupapi, Appends::AtOffset);
    finish(scene)
}

/// A case as a kernel trace.
pub fn trace_of(case: &Case, options: EtlOptions) -> EtlCase {
    EtlCase::record(case, Bits::B64, true, options)
}

/// The same machine with an update that works: no third-party driver on driver-store paths.
pub fn clean_case() -> Case {
    case(Bits::B64, false)
}

/// [`boot_case`] on a 32-bit Windows.
pub fn boot_case_32() -> Case {
    case(Bits::B32, true)
}

/// [`boot_case`] with little else going on, for samples that hold more than a log.
pub fn short_boot_case() -> Case {
    case_among(Bits::B64, true, SHORT_NOISE)
}

/// [`boot_case`] as a kernel trace.
pub fn boot_trace(options: EtlOptions) -> EtlCase {
    EtlCase::record(&boot_case(), Bits::B64, true, options)
}

/// [`clean_case`] as a kernel trace; the third parties' filters are not attached to the system volume.
pub fn clean_trace(options: EtlOptions) -> EtlCase {
    EtlCase::record(&clean_case(), Bits::B64, false, options)
}

/// [`boot_case_32`] as a kernel trace.
pub fn boot_trace_32(options: EtlOptions) -> EtlCase {
    EtlCase::record(&boot_case_32(), Bits::B32, true, options)
}

/// [`short_boot_case`] as a kernel trace.
pub fn short_boot_trace(options: EtlOptions) -> EtlCase {
    EtlCase::record(&short_boot_case(), Bits::B64, true, options)
}

/// An update that meets files others have open, and the conflicts that must be found.
pub fn held_case() -> (Case, Vec<ConflictMeant>) {
    held(Bits::B64)
}

/// [`held_case`] on a 32-bit Windows.
pub fn held_case_32() -> (Case, Vec<ConflictMeant>) {
    held(Bits::B32)
}

/// [`held_case`] as a kernel trace.
pub fn held_trace(options: EtlOptions) -> (EtlCase, Vec<ConflictMeant>) {
    let (case, meant) = held_case();
    (EtlCase::record(&case, Bits::B64, true, options), meant)
}

fn held(bits: Bits) -> (Case, Vec<ConflictMeant>) {
    let mut scene = Scene::new(bits, START, 419);
    gallery::lives(&mut scene);
    noise::add(&mut scene, 6 * SECOND, END, SHORT_NOISE);
    let (from, to) = SERVICING;
    servicing::trusted_installer(&mut scene, from, to);
    servicing::forward(&mut scene, from + SECOND, FAILURE, &[]);
    let meant = holders::add(&mut scene, FAILURE);
    servicing::primitives(&mut scene, ROLLBACK, to, true);
    (finish(scene), meant)
}

/// The update of [`boot_case`] as the text logs of servicing tell it.
pub fn boot_story() -> Story {
    let time = |micros: u64| START + 10 * micros;
    let hash = servicing::OPOS.rsplit('_').next().unwrap_or_default();
    Story {
        boot: START,
        queue: Some(time(SERVICING.0 + SECOND)),
        // What is refused from then on is tried for a while before the queue gives up.
        failure: time(FAILURE + GIVES_UP),
        rollback_end: Some(time(SERVICING.1)),
        hash: hash.to_owned(),
        ..Story::default()
    }
}

fn case(bits: Bits, failing: bool) -> Case {
    case_among(bits, failing, NOISE)
}

fn case_among(bits: Bits, failing: bool, noise: u64) -> Case {
    let scene = Scene::new(bits, START, if failing { 417 } else { 418 });
    in_scene(scene, failing, noise)
}

fn in_scene(scene: Scene, failing: bool, noise: u64) -> Case {
    finish(told(scene, failing, noise))
}

fn told(mut scene: Scene, failing: bool, noise: u64) -> Scene {
    gallery::lives(&mut scene);
    noise::add(&mut scene, 6 * SECOND, END, noise);
    gallery::add(&mut scene, 34 * SECOND);
    servicing::trusted_installer(&mut scene, SERVICING.0, SERVICING.1);
    let (from, to) = SERVICING;
    if failing {
        servicing::forward(&mut scene, from + SECOND, FAILURE, &["acmebkp.sys"]);
        suspects::tms(&mut scene, FAILURE);
        suspects::tms_service(&mut scene, from + SECOND, to);
        suspects::bystanders(&mut scene, from + SECOND, to);
        suspects::late_driver(&mut scene, 55 * SECOND);
        servicing::primitives(&mut scene, ROLLBACK, to, true);
        suspects::decoys(&mut scene, 120 * SECOND);
    } else {
        servicing::forward(&mut scene, from + SECOND, FAILURE, &[]);
        servicing::primitives(&mut scene, ROLLBACK, to, false);
    }
    scene
}

fn finish(scene: Scene) -> Case {
    let Scene {
        machine,
        mut events,
        ..
    } = scene;
    let bits = machine.bits;
    let mut log = machine.log;
    events.sort_by_key(|e| e.time);
    let mut computer = "BANK-PC-0417".to_owned();
    (machine.spell)(&mut computer);
    log.computer(&computer)
        .system_root("C:\\Windows")
        .os(10, 0, 19045)
        .hardware(4, 17_046_700_032);
    if bits == Bits::B32 {
        log.hardware(2, 3_220_045_824);
    }
    for event in &events {
        log.event(event);
    }
    let processes: Vec<_> = log.processes().map(|(id, p)| (id, p.clone())).collect();
    let truth = truth::count(&computer, &events, &machine.drivers, &processes);
    Case { log, events, truth }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_that_needs_no_telling_is_that_of_the_boot_case() {
        let usual = Story {
            failure: boot_story().failure,
            ..Story::default()
        };
        assert_eq!(boot_story(), usual);
    }
}
