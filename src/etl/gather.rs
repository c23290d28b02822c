//! The records of a slice, in time order.

use super::file::EtlFile;
use super::hooks::hook_of_class;
use super::record::{Hook, Record};
use super::records::Scratch;
use super::slices::Slice;
use std::io;
use std::sync::{Mutex, PoisonError};

/// A record and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// Start of what it tells of, as a key (see [`super::keys::TimeKey`]).
    pub start: i64,
    /// Its time stamp, in ticks.
    pub ticks: i64,
    /// Number of the record in its file.
    pub number: u64,
    /// Its buffer.
    pub buffer: u32,
    /// Processor that wrote it.
    pub cpu: u16,
    /// Hook, also of kernel events that have a class GUID.
    pub hook: Option<Hook>,
    /// The record.
    pub record: Record<'a>,
}

/// The hook of a kernel event, with a header of the kernel logger or with its class GUID.
#[inline]
pub fn hook_of(record: &Record<'_>) -> Option<Hook> {
    record.hook().or_else(|| {
        let classic = record.classic()?;
        Some(Hook {
            id: hook_of_class(classic.class, classic.opcode)?,
            version: u8::try_from(classic.version).unwrap_or(u8::MAX),
        })
    })
}

/// Space for the buffers of slices. It is used again by the next slice: to get it from the system and to clear it would
/// take longer than to fill it.
#[derive(Debug, Default)]
pub struct Spaces(Mutex<Vec<Vec<Scratch>>>);

/// Space for the buffers of a slice.
#[derive(Debug)]
pub struct Space<'s> {
    from: &'s Spaces,
    buffers: Vec<Scratch>,
}

impl Spaces {
    /// Space for `buffers` buffers.
    fn take(&self, buffers: usize) -> Space<'_> {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut space = spare.unwrap_or_default();
        // One slice in a hundred may be far larger than the others.
        if space.len() < buffers || space.len() > 4 * buffers {
            space.resize_with(buffers, Scratch::default);
        }
        Space {
            from: self,
            buffers: space,
        }
    }
}

impl Drop for Space<'_> {
    fn drop(&mut self) {
        let space = std::mem::take(&mut self.buffers);
        let mut spare = self.from.0.lock().unwrap_or_else(PoisonError::into_inner);
        spare.push(space);
    }
}

/// The buffers of a slice.
#[derive(Debug)]
pub struct Loaded<'f> {
    file: &'f EtlFile,
    buffers: Vec<u32>,
}

impl<'f> Loaded<'f> {
    /// The buffers of a slice, with those that only hold stacks where `stacks` are wanted.
    pub fn new(file: &'f EtlFile, slice: &Slice, stacks: bool) -> Self {
        let more: &[u32] = if stacks { &slice.stack_buffers } else { &[] };
        let mut buffers: Vec<u32> = slice.buffers.iter().chain(more).copied().collect();
        buffers.sort_unstable();
        Self { file, buffers }
    }

    /// Space to read each buffer to.
    pub fn space(&self) -> Space<'f> {
        self.file.spaces().take(self.buffers.len())
    }

    /// Hands every good record to `take`, buffer by buffer in file order, with where it is. `space` is that of
    /// [`Loaded::space`]. What was taken is in no order before [`Gathered::sort`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn gather<'a>(
        &'a self,
        first_numbers: &[u64],
        space: &'a mut Space<'_>,
        mut take: impl FnMut(&mut Entries, Place, Record<'a>),
    ) -> io::Result<Gathered<'a>> {
        let mut out = Gathered::default();
        for (buffer, scratch) in self.buffers.iter().zip(&mut space.buffers) {
            let number = *buffer as usize;
            let mut records = self.file.records(number, scratch)?;
            let data = records.data();
            let slot = out.slots.len() as u32;
            let mut place = Place {
                buffer: number,
                slot,
                at: 0,
                place: 0,
            };
            let entries = &mut out.entries;
            records.each(
                |record| {
                    place.at = (record.bytes().as_ptr() as usize - data.as_ptr() as usize) as u32;
                    take(entries, place, record);
                    place.place += 1;
                },
                |_| (),
            );
            out.slots.push(Slot {
                buffer: *buffer,
                cpu: self.file.buffers().get(number).map_or(0, |b| b.cpu),
                first: first_numbers.get(number).copied().unwrap_or(0),
                data,
            });
        }
        Ok(out)
    }
}

/// Where a record is.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Its buffer.
    pub buffer: usize,
    slot: u32,
    at: u32,
    place: u32,
}

impl Place {
    /// Which of the good records of its buffer it is.
    pub fn index(&self) -> u64 {
        u64::from(self.place)
    }
}

/// Which records were taken, by start; those of one start as they lie in the file.
#[derive(Debug, Default)]
pub struct Entries(Vec<Entry>);

/// A record that was taken. Small, for a slice has some ten thousand, and they are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    start: i64,
    slot: u32,
    at: u32,
    place: u32,
}

impl Entries {
    /// Takes the record at `place`, which starts at `start` (a key).
    #[inline]
    pub fn take(&mut self, start: i64, place: Place) {
        self.0.push(Entry {
            start,
            slot: place.slot,
            at: place.at,
            place: place.place,
        });
    }
}

/// A buffer of a slice.
#[derive(Debug, Clone, Copy)]
struct Slot<'a> {
    buffer: u32,
    cpu: u16,
    first: u64,
    data: &'a [u8],
}

/// Records of a slice, in time order.
#[derive(Debug, Default)]
pub struct Gathered<'a> {
    slots: Vec<Slot<'a>>,
    entries: Entries,
}

impl<'a> Gathered<'a> {
    /// Puts those for which `keep` says so in order of time. It is asked once for each, in the order they were taken.
    pub fn sort(&mut self, mut keep: impl FnMut() -> bool) {
        self.entries.0.retain(|_| keep());
        // Buffers are runs that are sorted already, which this sort makes use of.
        self.entries.0.sort();
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.0.is_empty()
    }

    /// Record `at`. `no_time` gives the ticks of one without a time stamp, by its buffer.
    #[inline]
    pub fn get(&self, at: usize, no_time: impl FnOnce(usize) -> i64) -> Option<Placed<'a>> {
        let entry = self.entries.0.get(at)?;
        let slot = self.slots.get(entry.slot as usize)?;
        let record = Record::parse(slot.data.get(entry.at as usize..)?).ok()?;
        Some(Placed {
            start: entry.start,
            ticks: record
                .time()
                .unwrap_or_else(|| no_time(slot.buffer as usize)),
            number: slot.first + u64::from(entry.place),
            buffer: slot.buffer,
            cpu: slot.cpu,
            hook: hook_of(&record),
            record,
        })
    }
}
