//! A log that goes straight to its sink, for files larger than memory.

use super::builder::push_offset;
use super::{Event, LogBuilder, ProcId, Process, layout};
use std::io::{self, Seek, SeekFrom, Write};

/// Writes events as they come. Without [`StreamWriter::finish`] the file is what a crash of Procmon leaves.
#[derive(Debug)]
pub struct StreamWriter<W: Write + Seek> {
    builder: LogBuilder,
    sink: W,
    position: u64,
    index: Vec<u8>,
}

impl<W: Write + Seek> StreamWriter<W> {
    pub(crate) fn new(mut builder: LogBuilder, mut sink: W) -> io::Result<Self> {
        let (records, index) = builder.take_records();
        sink.write_all(&[0; layout::HEADER_SIZE as usize])?;
        sink.write_all(&records)?;
        let position = layout::HEADER_SIZE + records.len() as u64;
        Ok(Self {
            builder,
            sink,
            position,
            index,
        })
    }

    /// Appends an event.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        push_offset(&mut self.index, self.position);
        let record = self.builder.encode(event);
        self.sink.write_all(record)?;
        self.position += record.len() as u64;
        Ok(())
    }

    /// Adds a process; it may come after events that refer to it.
    pub fn process(&mut self, process: Process) -> ProcId {
        self.builder.process(process)
    }

    /// Leaves a hole before the next event. In a sparse file this costs nothing, and puts events beyond the
    /// 4 GiB that a 32-bit offset reaches.
    pub fn gap(&mut self, bytes: u64) -> io::Result<()> {
        self.position += bytes;
        self.sink.seek(SeekFrom::Start(self.position))?;
        Ok(())
    }

    /// Bytes so far, header and events.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Events so far.
    pub fn events(&self) -> u64 {
        self.index.len() as u64 / layout::INDEX_ENTRY
    }

    /// Writes the tables and the header; returns the sink and the size of the file.
    pub fn finish(mut self) -> io::Result<(W, u64)> {
        let (header, rest) = self.builder.frame(self.position, &self.index);
        self.sink.write_all(&rest)?;
        self.sink.seek(SeekFrom::Start(0))?;
        self.sink.write_all(&header)?;
        self.sink.flush()?;
        Ok((self.sink, self.position + rest.len() as u64))
    }
}
