//! A trace built in memory.

use super::bytes::Out;
use super::encode::{Context, Shape, encode};
use super::stream::first_buffer;
use super::{EtlStream, Guid, NOBODY, Record, Session};
use serde::Serialize;
use std::io::{self, Cursor, Write};
use std::path::Path;

/// A record that has its bytes and not yet a place.
#[derive(Debug, Clone)]
struct Placed {
    cpu: u16,
    pid: u32,
    tid: u32,
    /// The thread runs on the CPU; else the record only speaks of it.
    runs: bool,
    time: u64,
    ticks: i64,
    /// Order among records of the same tick.
    rank: u64,
    start: usize,
    end: usize,
    shape: Shape,
    meaning: Option<String>,
}

/// One record of a finished file, for checks by other readers.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// Number in the file, from 0.
    pub index: usize,
    /// CPU.
    pub cpu: u16,
    /// Type byte of its header.
    pub kind: u8,
    /// Kernel hook.
    pub hook: Option<u16>,
    /// Class or provider.
    pub provider: Option<Guid>,
    /// Opcode of a class, id of a provider's event.
    pub id: Option<u16>,
    /// Version of the event.
    pub version: u16,
    /// Process as meant; headers of some kinds do not tell it.
    pub pid: u32,
    /// Thread as meant.
    pub tid: u32,
    /// Clock.
    pub ticks: i64,
    /// FILETIME as meant.
    pub time: u64,
    /// Bytes of the whole record, in hex.
    pub record: String,
    /// Bytes behind header and extended items.
    pub payload_bytes: usize,
    /// The event in words, where the builder keeps them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<serde_json::Value>,
}

/// Collects records in any order.
#[derive(Debug)]
pub struct EtlBuilder {
    session: Session,
    context: Context,
    out: Out,
    records: Vec<Placed>,
    keep_meaning: bool,
}

impl EtlBuilder {
    /// A trace that has nothing but its header.
    pub fn new(session: Session) -> Self {
        Self {
            context: Context::of(&session),
            out: Out::new(session.bits),
            records: Vec::new(),
            keep_meaning: false,
            session,
        }
    }

    /// Keeps every event in words as well, for [`EtlBuilder::lines`].
    pub fn keep_meaning(&mut self, keep: bool) -> &mut Self {
        self.keep_meaning = keep;
        self
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Adds a record; its number among those added. Of two at the same tick the one added first comes first.
    pub fn add(&mut self, record: &Record<'_>) -> usize {
        let rank = 2 * self.records.len() as u64 + 1;
        self.put(record, rank)
    }

    /// Adds a record at the time of record `next`, and in front of it.
    pub fn add_before(&mut self, next: usize, record: &Record<'_>) -> usize {
        let rank = self.records[next].rank - 1;
        self.put(record, rank)
    }

    fn put(&mut self, record: &Record<'_>, rank: u64) -> usize {
        let start = self.out.len();
        let shape = encode(&mut self.out, &self.context, self.session.bits, record);
        let meaning = self
            .keep_meaning
            .then(|| serde_json::to_string(&record.event).unwrap_or_default());
        self.records.push(Placed {
            cpu: record.cpu,
            pid: record.pid,
            tid: record.tid,
            runs: record.tid != NOBODY && !record.event.is_hearsay(),
            time: record.time,
            ticks: self.context.clock.ticks(record.time),
            rank,
            start,
            end: self.out.len(),
            shape,
            meaning,
        });
        self.records.len() - 1
    }

    /// How many records were added.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Nothing was added.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// First and last time of a record, FILETIMEs.
    pub fn span(&self) -> (u64, u64) {
        let start = self.session.start;
        let times = || self.records.iter().map(|r| r.time);
        (times().fold(start, u64::min), times().fold(start, u64::max))
    }

    /// The records that threads of a CPU caused, in time order: number, FILETIME, thread.
    pub fn timeline(&self, cpu: u16) -> Vec<(usize, u64, u32)> {
        let list = self.sorted().into_iter().map(|n| (n, &self.records[n]));
        list.filter(|(_, r)| r.cpu == cpu && r.runs)
            .map(|(n, r)| (n, r.time, r.tid))
            .collect()
    }

    fn sorted(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.records.len()).collect();
        order.sort_by_key(|n| (self.records[*n].ticks, self.records[*n].rank));
        order
    }

    /// The file.
    pub fn finish(&self) -> Vec<u8> {
        self.write().0
    }

    /// Writes the file.
    pub fn write_to(&self, path: impl AsRef<Path>) -> io::Result<()> {
        std::fs::write(path, self.finish())
    }

    fn write(&self) -> (Vec<u8>, Vec<u32>) {
        // Nothing can fail in memory but a record larger than a buffer, which is the caller's fault.
        let mut stream = EtlStream::new(self.session.clone(), Cursor::new(Vec::new())).unwrap();
        for n in self.sorted() {
            let r = &self.records[n];
            let bytes = &self.out.bytes[r.start..r.end];
            stream
                .place(r.cpu, r.ticks, bytes, Some(n as u32))
                .unwrap_or_else(|error| panic!("{error}"));
        }
        let (sink, _, order) = stream.close().unwrap();
        (sink.into_inner(), order)
    }

    /// Every record in the order of the file.
    pub fn lines(&self) -> Vec<Line> {
        let (_, order) = self.write();
        let first = first_buffer(&self.session, 1);
        let own = first.records.iter().map(|(bytes, shape)| Line {
            time: self.session.start,
            ticks: self.context.clock.origin,
            pid: 4,
            tid: 8,
            ..line(bytes, shape)
        });
        let added = order.iter().map(|n| {
            let r = &self.records[*n as usize];
            Line {
                cpu: r.cpu,
                pid: r.pid,
                tid: r.tid,
                ticks: r.ticks,
                time: r.time,
                meaning: r
                    .meaning
                    .as_deref()
                    .and_then(|text| serde_json::from_str(text).ok()),
                ..line(&self.out.bytes[r.start..r.end], &r.shape)
            }
        });
        own.chain(added)
            .enumerate()
            .map(|(index, line)| Line { index, ..line })
            .collect()
    }

    /// Every record in the order of the file, one JSON line each. End time and number of buffers, which
    /// the trace header gets last, are not final in them.
    pub fn dump(&self, mut sink: impl Write) -> io::Result<()> {
        for line in self.lines() {
            serde_json::to_writer(&mut sink, &line)?;
            sink.write_all(b"\n")?;
        }
        Ok(())
    }
}

fn line(bytes: &[u8], shape: &Shape) -> Line {
    let version = match (shape.hook, shape.provider) {
        (Some((_, version)), _) => version.into(),
        (None, Some((_, _, version))) => version,
        (None, None) => 0,
    };
    Line {
        index: 0,
        cpu: 0,
        kind: shape.kind,
        hook: shape.hook.map(|(hook, _)| hook),
        provider: shape.provider.map(|(guid, _, _)| guid),
        id: shape.provider.map(|(_, id, _)| id),
        version,
        pid: 0,
        tid: 0,
        ticks: 0,
        time: 0,
        record: bytes.iter().map(|b| format!("{b:02x}")).collect(),
        payload_bytes: bytes.len() - shape.payload,
        meaning: None,
    }
}
