//! Records of a slice that were copied out of its buffers: whoever asks for them later need not go to the file, nor
//! decompress buffers once more.

use super::{Choose, Loaded, Position, Slot, Slots, Space, buffers_of, picked};
use crate::etl::file::{EtlFile, Held};
use crate::etl::forms::Forms;
use crate::etl::record::Record;
use crate::etl::records::Scratch;
use crate::etl::slices::Slice;
use std::io;

impl<'f> Loaded<'f> {
    /// The buffers of a slice, for who has records of them and needs none of the file.
    pub fn without_bytes(file: &'f EtlFile, slice: &Slice) -> Self {
        Self {
            file,
            buffers: buffers_of(slice, true),
            within: Vec::new(),
            held: Held::nothing(),
        }
    }

    /// Copies the records at `positions`, which rise, out of buffers that were gathered to `space`. `made` is where that is
    /// done: what is kept has no more room than it needs.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn copy(
        &self,
        positions: &[Position],
        space: &Space<'_>,
        made: &mut Making,
    ) -> io::Result<Copied> {
        let mut starts = Vec::new();
        made.positions.clear();
        made.bytes.clear();
        let mut left = positions.iter().peekable();
        let mut scratch = Scratch::default();
        while let Some(slot) = left.peek().map(|next| next.slot()) {
            let data = match (self.buffers.get(slot), space.kept.buffers.get(slot)) {
                (Some(buffer), Some(gathered)) => self.data_of(*buffer, gathered, &mut scratch)?,
                _ => &[],
            };
            let start = made.bytes.len();
            starts.push((slot as u32, start));
            while let Some(position) = left.next_if(|next| next.slot() == slot) {
                let bytes = data.get(position.at()..).unwrap_or(&[]);
                if let Ok(record) = Record::parse(bytes) {
                    let at = made.bytes.len() - start;
                    made.positions.push(position.moved_to(at));
                    made.bytes.extend_from_slice(record.bytes());
                    let end = made.bytes.len().next_multiple_of(8);
                    made.bytes.resize(end, 0);
                }
            }
        }
        Ok(Copied {
            positions: made.positions.as_slice().into(),
            bytes: made.bytes.as_slice().into(),
            starts: starts.into(),
        })
    }

    /// The data of a buffer that was gathered.
    fn data_of<'a>(
        &'a self,
        buffer: u32,
        gathered: &'a Scratch,
        scratch: &'a mut Scratch,
    ) -> io::Result<&'a [u8]> {
        match self.file.is_decompressed_each_time(buffer) {
            true => Ok(gathered.decompressed()),
            false => {
                let records = self
                    .file
                    .records_held(buffer as usize, &self.held, scratch)?;
                Ok(records.data())
            }
        }
    }

    /// [`Loaded::pick`] for records that were copied.
    pub fn pick_copied<'a, C: Choose<'a>>(
        &self,
        copied: &'a Copied,
        first_numbers: &[u64],
        chooser: &mut C,
    ) -> Slots<'a> {
        let slots = self
            .buffers
            .iter()
            .map(|buffer| Slot::new(*buffer, self.cpu_of(*buffer), first_numbers, &[]));
        let mut out = Slots(slots.collect());
        let mut forms = Forms::default();
        let mut left = copied.positions.iter().peekable();
        for (slot, start) in &*copied.starts {
            let Some(here) = out.0.get_mut(*slot as usize) else {
                continue;
            };
            here.data = copied.bytes.get(*start..).unwrap_or(&[]);
            while let Some(position) = left.next_if(|next| next.slot() == *slot as usize) {
                let place = position.place(here.buffer, here.cpu);
                picked(place, here.data, &mut forms, chooser);
            }
        }
        out
    }
}

/// Records of a slice that were copied out of its buffers, so that nobody has to go to the file for them.
#[derive(Debug, Default)]
pub struct Copied {
    /// Where they are; starts are counted from the first that was copied of their buffer.
    positions: Box<[Position]>,
    /// The records, each at a multiple of 8 bytes.
    bytes: Box<[u8]>,
    /// Buffers by their places among those of the slice, and where their records begin.
    starts: Box<[(u32, usize)]>,
}

/// Where records are copied to first.
#[derive(Debug, Default)]
pub struct Making {
    positions: Vec<Position>,
    bytes: Vec<u8>,
}

impl Copied {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.bytes.len() + size_of_val(&*self.positions)
    }
}
