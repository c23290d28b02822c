//! A large kernel trace for timing and memory tests, written as it is made.

use crate::etl::event::{
    Callback, CallbackEvent, Config, Disk, Event, FileIo, FileIoOp, FileName, FileVersion, Image,
    Information, Machine, Merged, Moment, OperationEnd, Phase, ProcessRow, Profile, Registry,
    RegistryOp, Stack, SwitchRow, ThreadRow, Transfer,
};
use crate::etl::{EtlStream, Masks, NOBODY, Record, Session};
use crate::pml::Bits;
use crate::prng::Prng;
use crate::scenario::START;
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

/// What was written.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// Size of the file.
    pub bytes: u64,
    /// Records.
    pub records: u64,
}

const CPUS: u16 = 8;
const PROCESSES: u32 = 200;
const THREADS: u32 = 8;
const FILES: usize = 6_000;
const KEYS: usize = 4_000;
const STACKS: usize = 3_000;
const DRIVERS: u64 = 190;
const USER_IMAGES: u64 = 24;
const KERNEL: u64 = 0xFFFF_F803_4A20_0000;
const USER: u64 = 0x7FFE_1000_0000;
const OBJECTS: u64 = 0xFFFF_E50C_1A20_08E0;
const REQUESTS: u64 = 0xFFFF_E50C_3E40_1230;
const FILE_KEYS: u64 = 0xFFFF_B98F_0C41_7170;
const BLOCKS: u64 = 0xFFFF_A30D_5510_2B10;
const STACK_KEYS: u64 = 0xFFFF_C48E_0001_0040;
/// Drivers that are filters, from the highest altitude down; the third is a third party's.
const FILTERS: [u64; 5] = [12, 31, 39, 57, 80];
const SERVICING: u32 = 7;
/// 100 ns between two operations of a CPU, at most.
const STEP: u64 = 1_800;
const SAMPLE: u64 = 10_000;

struct Cpu {
    time: u64,
    process: u32,
    tid: u32,
    next_sample: u64,
}

struct World<W: Write + Seek> {
    out: EtlStream<W>,
    rng: Prng,
    cpus: Vec<Cpu>,
    files: Vec<String>,
    keys: Vec<String>,
    /// Kernel's half, user's half.
    stacks: Vec<(Vec<u64>, Vec<u64>)>,
    operations: u64,
}

/// Writes a trace of about `bytes` bytes: file operations with the callbacks of five filters and their ends,
/// registry operations, stacks in full and by key, context switches, samples, disk reads.
pub fn write(bytes: u64, path: &Path, compressed: bool) -> io::Result<Report> {
    let sink = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut session = Session::new(Bits::B64, START);
    session.cpus = CPUS;
    session.compressed = compressed;
    session.effort = 1;
    session.merged = true;
    session.name = "Relogger".into();
    session.file_name = "[multiple files]".into();
    let mut masks = Masks::default();
    masks.0[0] = Masks::BASE | Masks::REGISTRY | Masks::FILE_IO;
    masks.0[1] = Masks::PROFILE;
    masks.0[4] = Masks::FILTER_INIT | Masks::FILTER | Masks::FILTER_FAILURE;
    session.masks = Some(masks);
    let mut world = World::new(EtlStream::new(session, sink)?);
    world.begin()?;
    while world.out.position() < bytes {
        for _ in 0..64 {
            world.step()?;
        }
    }
    world.end()?;
    let records = world.out.records();
    let (_, size) = world.out.finish()?;
    Ok(Report {
        bytes: size,
        records,
    })
}

fn driver(n: u64) -> (u64, String) {
    (
        KERNEL + n * 0x8_0000,
        format!("\\SystemRoot\\System32\\drivers\\drv{n}.sys"),
    )
}

fn pid(process: u32) -> u32 {
    if process == 0 { 4 } else { 400 + 4 * process }
}

fn tid(process: u32, thread: u32) -> u32 {
    4_000 + 4 * (process * THREADS + thread)
}

fn image_name(process: u32) -> String {
    match process {
        0 => "System".into(),
        SERVICING => "TiWorker.exe".into(),
        n => format!("app{n}.exe"),
    }
}

/// 8 to 14 kernel frames, 12 to 24 of the process.
fn stack(rng: &mut Prng) -> (Vec<u64>, Vec<u64>) {
    let mut frames = |count: u64, base: u64, images: u64| {
        (0..count)
            .map(|_| base + rng.below(images) * 0x8_0000 + rng.below(0x7_0000))
            .collect::<Vec<u64>>()
    };
    let kernel = frames(8, KERNEL, DRIVERS);
    let user = frames(12, USER, USER_IMAGES);
    let more = rng.below(7);
    let mut kernel = kernel;
    kernel.extend((0..more).map(|n| KERNEL + n * 0x1234));
    (kernel, user)
}

impl<W: Write + Seek> World<W> {
    fn new(out: EtlStream<W>) -> Self {
        let mut rng = Prng::new(2_027);
        let volume = "\\Device\\HarddiskVolume3";
        let folders = [
            "Windows\\System32",
            "Windows\\WinSxS\\amd64_pkg",
            "Users\\schalter07\\AppData\\Local",
            "ProgramData",
        ];
        let files = (0..FILES)
            .map(|n| {
                if n % 20 == 0 {
                    let hash = rng.next_u64();
                    return format!(
                        "{volume}\\Windows\\System32\\DriverStore\\FileRepository\\pkg{n}.inf_amd64_{hash:016x}\\pkg{n}.inf"
                    );
                }
                let folder = *rng.pick(&folders);
                format!("{volume}\\{folder}\\{:x}\\file{n}.dat", rng.below(1 << 40))
            })
            .collect();
        let keys = (0..KEYS)
            .map(|n| {
                let root = if n % 25 == 0 {
                    "SYSTEM\\DriverDatabase\\DriverPackages"
                } else {
                    "SOFTWARE\\Vendor"
                };
                format!(
                    "\\REGISTRY\\MACHINE\\{root}\\{:03x}\\{:x}",
                    rng.below(4096),
                    rng.below(1 << 40)
                )
            })
            .collect();
        let stacks = (0..STACKS).map(|_| stack(&mut rng)).collect();
        let cpus = (0..CPUS).map(|n| Cpu {
            time: START + 10_000_000 + u64::from(n) * 37,
            process: 0,
            tid: 0,
            next_sample: START + 10_000_000 + u64::from(n) * 1_111,
        });
        Self {
            cpus: cpus.collect(),
            out,
            rng,
            files,
            keys,
            stacks,
            operations: 0,
        }
    }

    fn put(&mut self, cpu: u16, time: u64, who: (u32, u32), event: Event<'_>) -> io::Result<()> {
        self.out
            .record(&Record::new(cpu, time, event).by(who.0, who.1))
    }

    /// A record of the thread that runs on a CPU, a little after the last one there.
    fn next(&mut self, cpu: usize, after: u64, event: Event<'_>) -> io::Result<u64> {
        let state = &mut self.cpus[cpu];
        state.time += after;
        let (time, who) = (state.time, (pid(state.process), state.tid));
        self.put(cpu as u16, time, who, event)?;
        Ok(time)
    }

    fn begin(&mut self) -> io::Result<()> {
        let mut time = START + 100;
        for process in 0..PROCESSES {
            let name = image_name(process);
            let row = process_row(process, &name);
            let event = Event::Process(Moment::RundownBegin, row);
            self.put(0, time, (NOBODY, NOBODY), event)?;
            for thread in 0..THREADS {
                let row = thread_row(process, thread);
                let who = (pid(process), tid(process, thread));
                time += 2;
                self.put(0, time, who, Event::Thread(Moment::RundownBegin, row))?;
            }
        }
        for n in 0..DRIVERS {
            let (base, path) = driver(n);
            time += 3;
            let image = image(base, 0, &path);
            self.put(0, time, (4, 312), Event::Image(Moment::RundownBegin, image))?;
        }
        for n in 0..KEYS {
            time += 2;
            self.block(RegistryOp::KcbRundownBegin, n, time)?;
        }
        Ok(())
    }

    fn block(&mut self, op: RegistryOp, n: usize, time: u64) -> io::Result<()> {
        let path = std::mem::take(&mut self.keys[n]);
        let event = Event::Registry(Registry {
            op,
            initial: None,
            status: 0,
            index: 0,
            kcb: BLOCKS + n as u64 * 0x130,
            name: &path,
        });
        self.put(0, time, (4, 312), event)?;
        self.keys[n] = path;
        Ok(())
    }

    /// One operation on the CPU that is behind all others.
    fn step(&mut self) -> io::Result<()> {
        let cpu = (0..self.cpus.len())
            .min_by_key(|n| self.cpus[*n].time)
            .unwrap_or(0);
        self.cpus[cpu].time += 20 + self.rng.below(STEP);
        if self.cpus[cpu].tid == 0 || self.rng.one_in(5) {
            self.switch(cpu)?;
        }
        if self.cpus[cpu].time >= self.cpus[cpu].next_sample {
            self.sample(cpu)?;
        }
        match self.rng.below(20) {
            0..=4 => self.create(cpu),
            5..=7 => self.transfer(cpu),
            8..=10 => self.cleanup(cpu),
            11..=12 => self.query(cpu),
            _ => self.registry(cpu),
        }
    }

    fn switch(&mut self, cpu: usize) -> io::Result<()> {
        let old = self.cpus[cpu].tid;
        // The servicing process has more to do than others.
        let process = if self.rng.one_in(8) {
            SERVICING
        } else {
            self.rng.below(PROCESSES.into()) as u32
        };
        let new = tid(process, self.rng.below(THREADS.into()) as u32);
        let state = &mut self.cpus[cpu];
        (state.process, state.tid) = (process, new);
        let row = SwitchRow {
            new,
            old,
            wait_reason: 6,
            old_state: 5,
            waited: 3,
        };
        self.next(cpu, 1, Event::Switch(row)).map(drop)
    }

    fn sample(&mut self, cpu: usize) -> io::Result<()> {
        let instruction = KERNEL + self.rng.below(DRIVERS) * 0x8_0000 + self.rng.below(0x7_0000);
        self.cpus[cpu].next_sample = self.cpus[cpu].time + SAMPLE;
        let event = Profile::Sample {
            instruction,
            tid: self.cpus[cpu].tid,
            count: 1,
        };
        self.next(cpu, 1, Event::Profile(event)).map(drop)
    }

    /// The stack of the record at `of`: by key mostly.
    fn stack(&mut self, cpu: usize, of: u64) -> io::Result<()> {
        let n = self.rng.below(STACKS as u64) as usize;
        let (pid, tid) = (pid(self.cpus[cpu].process), self.cpus[cpu].tid);
        if self.rng.one_in(4) {
            let (kernel, user) = std::mem::take(&mut self.stacks[n]);
            for frames in [&kernel, &user] {
                let event = Stack::Plain {
                    of,
                    pid,
                    tid,
                    frames,
                };
                self.next(cpu, 1, Event::Stack(event))?;
            }
            self.stacks[n] = (kernel, user);
            return Ok(());
        }
        for user in [false, true] {
            let key = STACK_KEYS + (2 * n as u64 + u64::from(user)) * 0x100;
            let event = Stack::Reference {
                user,
                of,
                pid,
                tid,
                key,
            };
            self.next(cpu, 1, Event::Stack(event))?;
        }
        Ok(())
    }

    /// A file operation: its start, its stack, the filters, its end.
    fn operation(
        &mut self,
        cpu: usize,
        n: usize,
        major: u32,
        op: FileIoOp<'_>,
        filters: usize,
    ) -> io::Result<()> {
        self.operations += 1;
        // Requests are reused soon, and not by two CPUs at once.
        let irp = REQUESTS + (self.operations % 64 * 8 + cpu as u64) * 0x290;
        let object = OBJECTS + n as u64 * 0x180;
        let tid = self.cpus[cpu].tid;
        let event = Event::FileIo(FileIo {
            irp,
            object,
            tid,
            op,
        });
        let of = self.next(cpu, 1, event)?;
        self.stack(cpu, of)?;
        let refused = major == 0 && self.rng.one_in(3_000);
        let mut status = match (major, self.rng.below(20)) {
            (0, 0..=1) => 0xC000_0034,
            _ => 0,
        };
        for (position, filter) in FILTERS[..filters].iter().enumerate() {
            let callback = Callback {
                phase: Phase::Pre,
                event: CallbackEvent::Init,
                routine: driver(*filter).0 + 0x2000 + u64::from(major) * 0x80,
                object,
                context: FILE_KEYS + n as u64 * 0x4D0,
                irp: irp ^ 0x5000,
                data: irp,
                major,
            };
            let initial = self.next(cpu, 1, Event::Callback(callback))?;
            let done = CallbackEvent::Completion { initial };
            let took = 2 + self.rng.below(30);
            self.next(
                cpu,
                took,
                Event::Callback(Callback {
                    event: done,
                    ..callback
                }),
            )?;
            if refused && position == 2 {
                status = 0xC000_0022;
                let failure = CallbackEvent::Failure { status };
                self.next(
                    cpu,
                    0,
                    Event::Callback(Callback {
                        event: failure,
                        ..callback
                    }),
                )?;
                break;
            }
        }
        let end = OperationEnd {
            irp,
            information: 1,
            status,
        };
        let took = 10 + self.rng.below(300);
        self.next(cpu, took, Event::OperationEnd(end)).map(drop)
    }

    /// A file, as often as not one of the few that everybody opens.
    fn file(&mut self) -> usize {
        let all = FILES as u64;
        let some = if self.rng.one_in(2) { all / 20 } else { all };
        self.rng.below(some) as usize
    }

    fn create(&mut self, cpu: usize) -> io::Result<()> {
        let n = self.file();
        let path = std::mem::take(&mut self.files[n]);
        let op = FileIoOp::Create {
            options: 0x0120_0060,
            attributes: 0,
            share: 7,
            path: &path,
        };
        let done = self.operation(cpu, n, 0, op, FILTERS.len());
        self.files[n] = path;
        done
    }

    fn transfer(&mut self, cpu: usize) -> io::Result<()> {
        let n = self.file();
        let key = FILE_KEYS + n as u64 * 0x4D0;
        let size = 4_096 << self.rng.below(5);
        let transfer = Transfer {
            key,
            offset: self.rng.below(1 << 20) * 4_096,
            size,
            flags: 0x6_0900,
        };
        if self.rng.one_in(6) {
            return self.operation(cpu, n, 4, FileIoOp::Write(transfer), 3);
        }
        self.operation(cpu, n, 3, FileIoOp::Read(transfer), 1)?;
        if !self.rng.one_in(3) {
            return Ok(());
        }
        let irp = REQUESTS + 0x100_0000 + cpu as u64 * 0x290;
        let tid = self.cpus[cpu].tid;
        let init = Disk::Init {
            write: false,
            irp,
            tid,
        };
        self.next(cpu, 3, Event::Disk(init))?;
        let response = 300 + self.rng.below(900);
        let done = Disk::Done {
            write: false,
            flags: 0x6_0043,
            bytes: size,
            offset: transfer.offset << 4,
            key,
            irp,
            response,
            tid,
        };
        self.next(cpu, response, Event::Disk(done)).map(drop)
    }

    fn cleanup(&mut self, cpu: usize) -> io::Result<()> {
        let n = self.file();
        let key = FILE_KEYS + n as u64 * 0x4D0;
        self.operation(cpu, n, 18, FileIoOp::Cleanup { key }, 2)?;
        self.operation(cpu, n, 2, FileIoOp::Close { key }, 0)
    }

    fn query(&mut self, cpu: usize) -> io::Result<()> {
        let n = self.file();
        let info = Information {
            key: FILE_KEYS + n as u64 * 0x4D0,
            extra: 0,
            class: 4,
        };
        self.operation(cpu, n, 5, FileIoOp::QueryInformation(info), 1)
    }

    fn registry(&mut self, cpu: usize) -> io::Result<()> {
        let n = self.rng.below(KEYS as u64) as usize;
        let (op, index, name) = match self.rng.below(3) {
            0 => (RegistryOp::Open, 0, "Parameters"),
            1 => (RegistryOp::QueryValue, 2, "ImagePath"),
            _ => (RegistryOp::Close, 0, ""),
        };
        let initial = self.cpus[cpu].time;
        let event = Event::Registry(Registry {
            op,
            initial: Some(initial),
            status: if self.rng.one_in(5) && op != RegistryOp::Close {
                0xC000_0034
            } else {
                0
            },
            index,
            kcb: BLOCKS + n as u64 * 0x130,
            name,
        });
        let took = 10 + self.rng.below(60);
        let of = self.next(cpu, took, event)?;
        if self.rng.one_in(2) {
            self.stack(cpu, of)?;
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let mut time = self.cpus.iter().map(|c| c.time).max().unwrap_or(START) + 1_000;
        let nobody = (NOBODY, NOBODY);
        for process in 0..PROCESSES {
            let name = image_name(process);
            let row = process_row(process, &name);
            time += 2;
            self.put(0, time, nobody, Event::Process(Moment::RundownEnd, row))?;
            for n in 0..if process == 0 { 0 } else { USER_IMAGES } {
                let path = format!("\\Device\\HarddiskVolume3\\Windows\\System32\\lib{n}.dll");
                let image = Image {
                    timestamp: 0,
                    default_base: USER + n * 0x8_0000,
                    ..image(USER + n * 0x8_0000, pid(process), &path)
                };
                self.put(0, time, nobody, Event::Image(Moment::RundownEnd, image))?;
            }
        }
        for n in 0..FILES {
            time += 1;
            let path = std::mem::take(&mut self.files[n]);
            let event = FileName::Rundown(FILE_KEYS + n as u64 * 0x4D0, &path);
            self.put(0, time, nobody, Event::FileName(event))?;
        }
        for n in 0..KEYS {
            time += 1;
            self.block(RegistryOp::KcbRundownEnd, n, time)?;
        }
        for (n, (kernel, user)) in std::mem::take(&mut self.stacks).into_iter().enumerate() {
            time += 1;
            for (k, frames) in [kernel, user].iter().enumerate() {
                let key = STACK_KEYS + (2 * n + k) as u64 * 0x100;
                let event = Event::Stack(Stack::KeyRundown(key, frames));
                self.put(0, time, nobody, event)?;
            }
        }
        let machine = Machine {
            mhz: 2_400,
            cpus: CPUS.into(),
            memory: 32_640,
            computer: "BANK-PC-0417",
            domain: "bank.example",
            highest_user: 0x7FFF_FFFE_FFFF,
        };
        let row = Config::Machine(machine);
        self.put(0, time + 10, (4, 312), Event::Config(row))?;
        self.versions(time + 20)
    }

    /// Every fortieth driver is a third party's.
    fn versions(&mut self, time: u64) -> io::Result<()> {
        self.out.ends(time + 1_000);
        for n in 0..DRIVERS {
            let (base, path) = driver(n);
            let name = path.rsplit('\\').next().unwrap_or_default();
            let timestamp = image(base, 0, &path).timestamp;
            let id = Merged::ImageId {
                base,
                size: 0x7_0000,
                pid: 0,
                timestamp,
                name,
            };
            let third_party = n % 40 == 39;
            let version = Merged::FileVersion(FileVersion {
                size: 0x7_0000,
                timestamp,
                name,
                description: "Some image",
                version: "10.0.19041.1",
                product: "Some product",
                company: if third_party {
                    "Acme Backup Software"
                } else {
                    "Microsoft Corporation"
                },
            });
            for event in [id, version] {
                self.put(1, time + n, (0, 0), Event::Merged(event))?;
            }
        }
        let mappings = [
            Merged::VolumeMapping("\\SystemRoot\\", "C:\\Windows\\"),
            Merged::VolumeMapping("\\Device\\HarddiskVolume3\\", "C:\\"),
        ];
        for event in mappings {
            self.put(1, time + DRIVERS, (0, 0), Event::Merged(event))?;
        }
        Ok(())
    }
}

fn process_row(process: u32, name: &str) -> ProcessRow<'_> {
    ProcessRow {
        key: 0xFFFF_E50C_0010_0080 + u64::from(process) * 0xA80,
        pid: pid(process),
        parent: if process == 0 { 0 } else { 4 },
        session: 0,
        exit_status: 259,
        directory: 0x1_1AD0_0000,
        flags: 0,
        sid: Some(&[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0]),
        image: name,
        command_line: name,
        package: "",
        app: "",
    }
}

fn thread_row(process: u32, thread: u32) -> ThreadRow<'static> {
    let tid = tid(process, thread);
    ThreadRow {
        pid: pid(process),
        tid,
        stack: 0xFFFF_F98A_0000_6000 + u64::from(tid) * 0x8000,
        user_stack: 0,
        affinity: (1 << CPUS) - 1,
        start: KERNEL + 0x1000,
        teb: 0,
        service: 0,
        name: Some(""),
    }
}

fn image(base: u64, pid: u32, path: &str) -> Image<'_> {
    Image {
        base,
        size: 0x7_0000,
        pid,
        checksum: 0x7_1234,
        timestamp: 0x5E00_0000 + (base >> 16) as u32 % 0x1_0000,
        default_base: 0,
        path,
    }
}
