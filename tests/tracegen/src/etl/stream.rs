//! A trace that goes straight to its sink: each CPU fills a buffer of its own, and full buffers are written
//! a few at a time, so that the file is in order for one CPU and out of order for all of them.

use super::buffer::{Buffer, Head, write};
use super::bytes::Out;
use super::encode::{Context, Shape, encode};
use super::event::{Event, SessionEvent};
use super::layout::{BUFFER_HEADER, FLAG_FLUSHED, TYPE_GENERIC, TYPE_HEADER};
use super::lz77::Compressor;
use super::{Record, Session, trace_header};
use std::io::{self, Seek, SeekFrom, Write};

/// Ticks between a buffer's last record and its flush.
const FLUSH_AFTER: i64 = 4_000;

/// Writes records as they come. Those of one CPU have to come in time order.
#[derive(Debug)]
pub struct EtlStream<W: Write + Seek> {
    session: Session,
    context: Context,
    sink: W,
    open: Vec<Option<Buffer>>,
    full: Vec<Buffer>,
    sequence: u64,
    buffers: u32,
    position: u64,
    records: u64,
    scratch: Out,
    bytes: Vec<u8>,
    compressor: Option<Compressor>,
    order: Vec<u32>,
}

impl<W: Write + Seek> EtlStream<W> {
    /// Starts a file: its first buffer is written with what is known now.
    pub fn new(session: Session, mut sink: W) -> io::Result<Self> {
        let first = first_buffer(&session, 1);
        sink.write_all(&first.bytes)?;
        let context = Context::of(&session);
        let compressor = session.compressed.then(|| Compressor::new(session.effort));
        let scratch = Out::new(session.bits);
        Ok(Self {
            context,
            sink,
            open: Vec::new(),
            full: Vec::new(),
            sequence: 1,
            buffers: 1,
            position: first.bytes.len() as u64,
            records: first.records.len() as u64,
            scratch,
            bytes: Vec::new(),
            compressor,
            order: Vec::new(),
            session,
        })
    }

    /// Appends a record.
    pub fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.scratch.bytes.clear();
        encode(&mut self.scratch, &self.context, self.session.bits, record);
        let ticks = self.context.clock.ticks(record.time);
        let scratch = std::mem::take(&mut self.scratch.bytes);
        self.place(record.cpu, ticks, &scratch, None)?;
        self.scratch.bytes = scratch;
        Ok(())
    }

    /// Appends the bytes of a record.
    pub(crate) fn place(
        &mut self,
        cpu: u16,
        ticks: i64,
        bytes: &[u8],
        tag: Option<u32>,
    ) -> io::Result<()> {
        let size = self.session.buffer_size;
        if BUFFER_HEADER + bytes.len() > size as usize {
            let text = format!("a record of {} bytes needs larger buffers", bytes.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let slot = usize::from(cpu);
        if slot >= self.open.len() {
            self.open.resize_with(slot + 1, || None);
        }
        if let Some(buffer) = self.open[slot].take_if(|b| !b.fits(bytes.len(), size)) {
            self.full.push(buffer);
            if self.full.len() > usize::from(self.session.cpus) {
                self.write_full(0)?;
            }
        }
        let sequence = &mut self.sequence;
        let buffer = self.open[slot].get_or_insert_with(|| {
            *sequence += 1;
            let mut buffer = Buffer::new(cpu, *sequence - 1);
            buffer.data.reserve_exact(size as usize);
            buffer
        });
        buffer.push(bytes, ticks);
        buffer.tags.extend(tag);
        self.records += 1;
        Ok(())
    }

    /// Writes the full buffers: by CPU, another one first each time.
    fn write_full(&mut self, flags: u16) -> io::Result<()> {
        let cpus = u32::from(self.session.cpus.max(1));
        let turn = self.buffers;
        self.full
            .sort_by_key(|b| (u32::from(b.cpu) + cpus - turn % cpus) % cpus);
        for buffer in std::mem::take(&mut self.full) {
            self.bytes.clear();
            let head = Head {
                flags,
                kind: TYPE_GENERIC,
                flush_after: FLUSH_AFTER,
            };
            write(
                &mut self.bytes,
                &self.session,
                &self.context.clock,
                &buffer,
                head,
                self.session.buffer_size,
                self.compressor.as_mut(),
            );
            self.sink.write_all(&self.bytes)?;
            self.position += self.bytes.len() as u64;
            self.buffers += 1;
            self.order.extend(buffer.tags);
        }
        Ok(())
    }

    /// The session ends at this FILETIME, whatever was thought before.
    pub fn ends(&mut self, filetime: u64) {
        self.session.end = filetime;
    }

    /// Bytes written so far; a few buffers more are waiting.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Records so far, the first buffer's included.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Writes what is left and the final trace header; returns the sink and the size of the file.
    pub fn finish(self) -> io::Result<(W, u64)> {
        let (sink, size, _) = self.close()?;
        Ok((sink, size))
    }

    /// As [`EtlStream::finish`], with the tags in the order of the file.
    pub(crate) fn close(mut self) -> io::Result<(W, u64, Vec<u32>)> {
        self.write_full(0)?;
        self.full = std::mem::take(&mut self.open)
            .into_iter()
            .flatten()
            .collect();
        let flags = if self.session.finalised {
            FLAG_FLUSHED
        } else {
            0
        };
        self.write_full(flags)?;
        let first = first_buffer(&self.session, self.buffers);
        self.sink.seek(SeekFrom::Start(0))?;
        self.sink.write_all(&first.bytes)?;
        self.sink.flush()?;
        Ok((self.sink, self.position, self.order))
    }
}

/// The first buffer of a file.
pub(crate) struct First {
    pub(crate) bytes: Vec<u8>,
    /// Its records: their bytes and what they are.
    pub(crate) records: Vec<(Vec<u8>, Shape)>,
}

/// Makes the first buffer: the trace header, and the kernel flags beside it.
pub(crate) fn first_buffer(session: &Session, buffers: u32) -> First {
    let context = Context::of(session);
    let mut payload = Out::new(session.bits);
    trace_header::write(&mut payload, session, buffers);
    let header = Event::Session(SessionEvent::TraceHeader {
        payload: &payload.bytes,
    });
    let masks = session.masks.map(|masks| SessionEvent::MasksAfter {
        masks,
        event_version: session.event_version(),
    });
    let mut records = Vec::new();
    let mut buffer = Buffer::new(0, 0);
    for event in std::iter::once(header).chain(masks.map(Event::Session)) {
        let mut record = Record::new(0, session.start, event).by(4, 8);
        record.header = Some(super::HeaderKind::System);
        let mut out = Out::new(session.bits);
        let shape = encode(&mut out, &context, session.bits, &record);
        buffer.push(&out.bytes, context.clock.origin);
        records.push((out.bytes, shape));
    }
    // A merge tool takes a small buffer for the header.
    let size = if session.merged {
        (BUFFER_HEADER + buffer.data.len()).next_multiple_of(512) as u32
    } else {
        session.buffer_size
    };
    let head = Head {
        flags: 0,
        kind: TYPE_HEADER,
        flush_after: FLUSH_AFTER,
    };
    let mut bytes = Vec::new();
    write(
        &mut bytes,
        session,
        &context.clock,
        &buffer,
        head,
        size,
        None,
    );
    First { bytes, records }
}
