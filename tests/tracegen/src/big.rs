//! A large log for timing and memory tests, written as it is made.

use crate::pml::op::{Create, FileOp, RegOp, Transfer, Value};
use crate::pml::{Bits, Event, LogBuilder, Module, Op, ProcId, Process};
use crate::prng::Prng;
use crate::scenario::START;
use std::io;
use std::path::Path;

/// What was written.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// Size of the file.
    pub bytes: u64,
    /// Events.
    pub events: u64,
    /// Processes.
    pub processes: u64,
}

const PROCESSES: u32 = 200;
const FILES: usize = 6_000;
const KEYS: usize = 4_000;
const STACKS: usize = 3_000;
const KERNEL: u64 = 0xFFFF_F803_4A20_0000;
const USER: u64 = 0x7FFE_1000_0000;
/// 100 ns between two events, on average half of it.
const STEP: u64 = 900;

struct World {
    rng: Prng,
    ids: Vec<ProcId>,
    files: Vec<String>,
    keys: Vec<String>,
    stacks: Vec<Vec<u64>>,
}

/// Writes a log of at least `bytes` bytes: the mix, the record sizes and the stack depths of a real one.
pub fn write(bytes: u64, path: &Path) -> io::Result<Report> {
    let mut log = LogBuilder::new(Bits::B64);
    log.computer("BANK-PC-0417").hardware(8, 32 << 30);
    let mut world = World::new(&mut log);
    let mut stream = log.stream_to(path)?;
    let mut time = START;
    while stream.position() < bytes {
        time += world.rng.below(STEP);
        let event = world.event(time);
        stream.event(&event)?;
    }
    let events = stream.events();
    let (_, size) = stream.finish()?;
    Ok(Report {
        bytes: size,
        events,
        processes: PROCESSES.into(),
    })
}

impl World {
    fn new(log: &mut LogBuilder) -> Self {
        let mut rng = Prng::new(2_026);
        let ids = (0..PROCESSES).map(|n| log.process(process(n))).collect();
        let folders = [
            "Windows\\System32",
            "Windows\\WinSxS\\amd64_pkg",
            "Users\\schalter07\\AppData\\Local",
            "ProgramData",
        ];
        let mut files: Vec<String> = (0..FILES)
            .map(|n| {
                format!(
                    "C:\\{}\\{:x}\\file{n}.dat",
                    rng.pick(&folders),
                    rng.below(1 << 40)
                )
            })
            .collect();
        for n in 0..FILES / 20 {
            let folder = "C:\\Windows\\System32\\DriverStore\\FileRepository";
            files[n * 20] = format!(
                "{folder}\\pkg{n}.inf_amd64_{:016x}\\pkg{n}.inf",
                rng.next_u64()
            );
        }
        let keys = (0..KEYS)
            .map(|n| {
                format!(
                    "HKLM\\SOFTWARE\\Vendor{:03x}\\Component\\{:x}\\Value{n}",
                    rng.below(4096),
                    rng.below(1 << 40)
                )
            })
            .collect();
        let stacks = (0..STACKS).map(|_| stack(&mut rng)).collect();
        Self {
            rng,
            ids,
            files,
            keys,
            stacks,
        }
    }

    fn event(&mut self, time: u64) -> Event {
        let rng = &mut self.rng;
        let status = match rng.below(20) {
            0..=2 => 0xC000_0034,
            3 => 0x8000_0005,
            _ => 0,
        };
        let ok = status == 0;
        let (files, keys) = (&self.files, &self.keys);
        let op = match rng.below(20) {
            0..=2 => Op::File(
                rng.pick(files).clone(),
                FileOp::CreateFile(Create {
                    open_result: ok.then_some(1),
                    ..Create::default()
                }),
            ),
            3..=4 => Op::File(rng.pick(files).clone(), FileOp::CloseFile),
            5..=6 => {
                let done = ok.then_some(4096);
                let offset = rng.below(1 << 30) as i64;
                Op::File(
                    rng.pick(files).clone(),
                    FileOp::ReadFile(Transfer {
                        offset,
                        length: 4096,
                        done,
                        irp_flags: 0,
                    }),
                )
            }
            7 => Op::File(rng.pick(files).clone(), FileOp::QueryOpen(None)),
            8..=11 => Op::Registry(
                rng.pick(keys).clone(),
                RegOp::OpenKey {
                    access: 0x2_0019,
                    granted: ok.then_some(0x2_0019),
                },
            ),
            12..=15 => {
                let value = ok.then(|| Value::dword(7));
                Op::Registry(
                    rng.pick(keys).clone(),
                    RegOp::QueryValue { length: 144, value },
                )
            }
            _ => Op::Registry(rng.pick(keys).clone(), RegOp::CloseKey),
        };
        Event {
            process: *rng.pick(&self.ids),
            tid: 4 * rng.below(4_000) as u32,
            time,
            duration: 10 + rng.below(2_000),
            status,
            stack: rng.pick(&self.stacks).clone(),
            op,
        }
    }
}

fn process(n: u32) -> Process {
    let mut p = match n {
        0 => Process::new(4, 0, "System"),
        7 => Process::new(
            428,
            4,
            "C:\\Windows\\WinSxS\\amd64_servicingstack_31bf3856ad364e35\\TiWorker.exe",
        ),
        _ => Process::new(
            400 + 4 * n,
            4,
            &format!("C:\\Program Files\\App{n}\\app{n}.exe"),
        ),
    };
    p.company = if n.is_multiple_of(3) {
        "Example GmbH".into()
    } else {
        "Microsoft Corporation".into()
    };
    p.start = START - 10_000_000;
    let count: u64 = if n == 0 { 190 } else { 60 };
    let base = if n == 0 { KERNEL } else { USER };
    for m in 0..count {
        let (folder, ext) = if n == 0 {
            ("drivers\\drv", "sys")
        } else {
            ("lib", "dll")
        };
        let company = if n == 0 && m % 40 == 39 {
            "Acme Backup Software"
        } else {
            "Microsoft Corporation"
        };
        let module = Module::new(
            base + m * 0x8_0000,
            0x7_0000,
            format!("C:\\Windows\\System32\\{folder}{m}.{ext}"),
        );
        p.modules
            .push(module.named(company, "Some image", "10.0.19041.1"));
    }
    p
}

/// 26 to 42 frames, a third of them in the kernel.
fn stack(rng: &mut Prng) -> Vec<u64> {
    let depth = 26 + rng.below(17);
    let kernel = depth / 3;
    (0..depth)
        .map(|n| {
            let base = if n < kernel {
                KERNEL + rng.below(190) * 0x8_0000
            } else {
                USER + rng.below(60) * 0x8_0000
            };
            base + rng.below(0x7_0000)
        })
        .collect()
}
