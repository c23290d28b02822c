//! A log built in memory.

use super::bytes::Out;
use super::header::{Header, Sections};
use super::op::address;
use super::process::{ProcId, Process};
use super::tables::{Host, Port, Strings, write_hosts};
use super::{Bits, Event, StreamWriter, icons, layout, record};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::net::IpAddr;
use std::path::Path;

/// What becomes of an extra block of 64 KiB or more, whose u16 size saturates at 0xFFFF. Real logs have both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SaturatedExtra {
    /// 0xFFFF bytes are written: records stay back to back.
    #[default]
    Cut,
    /// Every byte is written: the next record starts behind the end the size field tells.
    Whole,
}

const JUNK_SEED: u64 = 0x006A_756E_6B00;
/// Real sequence numbers do not start at 0: the driver has been loaded before.
const FIRST_SEQUENCE: u32 = 1_065_262;

/// Builds a log in memory; [`LogBuilder::stream`] turns it into one that goes straight to a file.
#[derive(Debug)]
pub struct LogBuilder {
    header: Header,
    processes: Vec<(ProcId, Process)>,
    hosts: Vec<Host>,
    ports: Vec<Port>,
    saturated: SaturatedExtra,
    unclosed: bool,
    records: Out,
    index: Vec<u8>,
    sequence: u32,
}

impl LogBuilder {
    /// An empty log of a Windows 10 machine.
    pub fn new(bits: Bits) -> Self {
        Self {
            header: Header::new(bits),
            processes: Vec::new(),
            hosts: Vec::new(),
            ports: Vec::new(),
            saturated: SaturatedExtra::default(),
            unclosed: false,
            records: Out::new(JUNK_SEED),
            index: Vec::new(),
            sequence: FIRST_SEQUENCE,
        }
    }

    /// Computer name; 15 characters are kept.
    pub fn computer(&mut self, name: &str) -> &mut Self {
        self.header.computer = name.into();
        self
    }

    /// Windows folder, e.g. `C:\Windows`.
    pub fn system_root(&mut self, path: &str) -> &mut Self {
        self.header.system_root = path.into();
        self
    }

    /// OS major, minor and build.
    pub fn os(&mut self, major: u32, minor: u32, build: u32) -> &mut Self {
        self.header.os = [major, minor, build];
        self
    }

    /// Service pack text.
    pub fn service_pack(&mut self, text: &str) -> &mut Self {
        self.header.service_pack = text.into();
        self
    }

    /// Logical processors and bytes of memory.
    pub fn hardware(&mut self, cpus: u32, ram: u64) -> &mut Self {
        self.header.cpus = cpus;
        self.header.ram = ram;
        self
    }

    /// Highest user-mode address; above it lies the kernel.
    pub fn highest_user(&mut self, address: u64) -> &mut Self {
        self.header.highest_user = address;
        self
    }

    /// Format version; only 9 is a real one.
    pub fn version(&mut self, version: u32) -> &mut Self {
        self.header.version = version;
        self
    }

    /// Leaves the header's section offsets zero, as in a log that Procmon did not close. The number of events
    /// is left in place.
    pub fn unclosed(&mut self, unclosed: bool) -> &mut Self {
        self.unclosed = unclosed;
        self
    }

    /// How extra blocks over 0xFFFF bytes are written.
    pub fn saturated_extra(&mut self, how: SaturatedExtra) -> &mut Self {
        self.saturated = how;
        self
    }

    /// Adds a process. Indexes rise with gaps: they are no positions.
    pub fn process(&mut self, process: Process) -> ProcId {
        let last = self.processes.last().map_or(0, |(id, _)| id.0);
        self.process_at(ProcId(last + 1 + self.processes.len() as u32 % 3), process)
    }

    /// Adds a process with an index of the caller's choice, which may be odd on purpose.
    pub fn process_at(&mut self, id: ProcId, process: Process) -> ProcId {
        self.processes.push((id, process));
        id
    }

    /// The processes so far.
    pub fn processes(&self) -> impl Iterator<Item = (ProcId, &Process)> {
        self.processes.iter().map(|(id, p)| (*id, p))
    }

    /// Names an address; an empty name makes readers print the address.
    pub fn host(&mut self, ip: IpAddr, name: &str) -> &mut Self {
        self.hosts.push(Host {
            address: address(ip),
            name: name.into(),
        });
        self
    }

    /// Names a port.
    pub fn port(&mut self, port: u16, tcp: bool, name: &str) -> &mut Self {
        self.ports.push(Port {
            port,
            tcp,
            name: name.into(),
        });
        self
    }

    /// Appends an event.
    pub fn event(&mut self, event: &Event) -> &mut Self {
        let at = layout::HEADER_SIZE + self.records.len() as u64;
        push_offset(&mut self.index, at);
        let sequence = self.next_sequence();
        record::write(
            &mut self.records,
            self.header.bits,
            event,
            sequence,
            self.saturated,
        );
        self
    }

    /// Number of events so far.
    pub fn len(&self) -> usize {
        self.index.len() / layout::INDEX_ENTRY as usize
    }

    /// No event yet.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The finished file.
    pub fn finish(&self) -> Vec<u8> {
        let end = layout::HEADER_SIZE + self.records.len() as u64;
        let (header, rest) = self.frame(end, &self.index);
        [header, self.records.bytes.clone(), rest].concat()
    }

    /// Writes the finished file.
    pub fn write_to(&self, path: impl AsRef<Path>) -> io::Result<()> {
        std::fs::write(path, self.finish())
    }

    /// Sends what follows straight to `sink`: the header is filled in at the end, and only the index (5 bytes
    /// an event) stays in memory. Events added before come first.
    pub fn stream<W: Write + Seek>(self, sink: W) -> io::Result<StreamWriter<W>> {
        StreamWriter::new(self, sink)
    }

    /// [`LogBuilder::stream`] into a new file.
    pub fn stream_to(
        self,
        path: impl AsRef<Path>,
    ) -> io::Result<StreamWriter<io::BufWriter<File>>> {
        self.stream(io::BufWriter::with_capacity(1 << 20, File::create(path)?))
    }

    pub(crate) fn take_records(&mut self) -> (Vec<u8>, Vec<u8>) {
        (
            std::mem::take(&mut self.records.bytes),
            std::mem::take(&mut self.index),
        )
    }

    /// Encodes one event into the empty scratch space and returns it.
    pub(crate) fn encode(&mut self, event: &Event) -> &[u8] {
        self.records.bytes.clear();
        let sequence = self.next_sequence();
        record::write(
            &mut self.records,
            self.header.bits,
            event,
            sequence,
            self.saturated,
        );
        &self.records.bytes
    }

    fn next_sequence(&mut self) -> u32 {
        self.sequence = (self.sequence + 1) & 0x1FFF_FFFF;
        self.sequence
    }

    /// Header, and everything behind the events, for events that end at `end`.
    pub(crate) fn frame(&self, end: u64, index: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut out = Out::new(JUNK_SEED + 1);
        let mut at = Sections {
            events: layout::HEADER_SIZE,
            ..Sections::default()
        };
        out.junk((4 - end % 4) as usize % 4);
        at.index = end + out.len() as u64;
        out.raw(index);
        at.processes = end + out.len() as u64;
        let mut strings = Strings::new();
        self.write_processes(&mut out, &mut strings);
        at.strings = end + out.len() as u64;
        strings.write(&mut out);
        at.icons = end + out.len() as u64;
        icons::write(&mut out);
        at.hosts = end + out.len() as u64;
        write_hosts(&mut out, &self.hosts, &self.ports);
        if self.unclosed {
            at = Sections::default();
        }
        let count = (index.len() as u64 / layout::INDEX_ENTRY) as u32;
        (self.header.write(count, at), out.bytes)
    }

    fn write_processes(&self, out: &mut Out, strings: &mut Strings) {
        let start = out.len();
        out.u32(self.processes.len() as u32);
        for (id, _) in &self.processes {
            out.u32(id.0);
        }
        let offsets = out.len();
        for _ in &self.processes {
            out.u32(0);
        }
        for (i, (id, process)) in self.processes.iter().enumerate() {
            let at = out.len() - start;
            out.patch_u32(offsets + 4 * i, at as u32);
            process.write(out, self.header.bits, *id, self.parent_of(process), strings);
        }
    }

    /// The parent's index, or one that is not in the table: real logs have parents that ended before the log began.
    fn parent_of(&self, process: &Process) -> u32 {
        let parent = self
            .processes
            .iter()
            .find(|(_, p)| p.pid == process.parent_pid);
        parent.map_or(0x7FFF, |(id, _)| id.0)
    }
}

/// Appends an index entry: a 40-bit offset.
pub(crate) fn push_offset(index: &mut Vec<u8>, offset: u64) {
    index.extend_from_slice(&offset.to_le_bytes()[..layout::INDEX_ENTRY as usize]);
}
