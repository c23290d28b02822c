//! The records of a slice, in time order.

mod copied;

use super::cuts::{Cuts, Within};
use super::error::EtlError;
use super::file::{EtlFile, Held};
use super::forms::{Form, Forms, Read};
use super::hooks::hook_of_class;
use super::record::{Hook, Record};
use super::records::{Scratch, Sink};
use super::slices::Slice;
pub use copied::{Copied, Making};
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

/// Chooses records of a slice.
pub trait Choose<'a> {
    /// What kernel records of one form are to it; those whose forms are the default are passed over.
    type Care: Copy + Default + PartialEq;

    /// Kernel records of this form are met for the first time in the slice.
    fn meet(&mut self, form: &Form<()>) -> Self::Care;

    /// The next record, of the kernel and with a form that is not passed over, with its time stamp.
    fn kernel(&mut self, place: Place, form: &Form<Self::Care>, ticks: i64, record: Record<'a>);

    /// The next record, of any kind.
    fn other(&mut self, place: Place, record: Record<'a>);
}

/// The records of a buffer on their way to who chooses among them.
struct Choosing<'c, 'a, C> {
    chooser: &'c mut C,
    place: Place,
    data: &'a [u8],
}

impl<'a, C> Choosing<'_, 'a, C> {
    #[inline(always)]
    fn next(&mut self, record: &Record<'a>) -> Place {
        let place = self.place;
        self.place.place += 1;
        Place {
            at: (record.bytes().as_ptr() as usize).wrapping_sub(self.data.as_ptr() as usize) as u32,
            ..place
        }
    }
}

impl<'a, C: Choose<'a>> Sink<'a> for Choosing<'_, 'a, C> {
    type Care = C::Care;

    fn meet(&mut self, form: &Form<()>) -> C::Care {
        self.chooser.meet(form)
    }

    #[inline(always)]
    fn kernel(&mut self, form: &mut Form<C::Care>, ticks: i64, record: Record<'a>) {
        let place = self.next(&record);
        if form.care != C::Care::default() {
            self.chooser.kernel(place, form, ticks, record);
        }
    }

    fn other(&mut self, record: Record<'a>) {
        let place = self.next(&record);
        self.chooser.other(place, record);
    }

    fn bad(&mut self, _: EtlError) {}
}

/// Space for the buffers of slices. It is used again by the next slice: to get it from the system and to clear it would
/// take longer than to fill it.
#[derive(Debug, Default)]
pub struct Spaces(Mutex<Vec<Kept>>);

/// Space for the buffers of a slice, and for what is taken of them.
#[derive(Debug)]
pub struct Space<'s> {
    from: &'s Spaces,
    kept: Kept,
}

/// What is used again.
#[derive(Debug, Default)]
struct Kept {
    buffers: Vec<Scratch>,
    entries: Vec<Entries>,
}

impl Spaces {
    /// Space for `buffers` buffers.
    fn take(&self, buffers: usize) -> Space<'_> {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut kept = spare.unwrap_or_default();
        // One slice in a hundred may be far larger than the others.
        if kept.buffers.len() < buffers || kept.buffers.len() > 4 * buffers {
            kept.buffers.resize_with(buffers, Scratch::default);
        }
        Space { from: self, kept }
    }
}

impl Space<'_> {
    /// Entries without any in them; `numbered` where records are taken with numbers.
    pub fn entries(&mut self, numbered: bool) -> Entries {
        let mut out = self.kept.entries.pop().unwrap_or_default();
        out.clear();
        out.numbered = numbered;
        out
    }

    /// Keeps entries for the next slice.
    pub fn keep(&mut self, entries: Entries) {
        self.kept.entries.push(entries);
    }
}

impl Drop for Space<'_> {
    fn drop(&mut self) {
        let kept = std::mem::take(&mut self.kept);
        let mut spare = self.from.0.lock().unwrap_or_else(PoisonError::into_inner);
        spare.push(kept);
    }
}

/// The buffers of a slice.
#[derive(Debug)]
pub struct Loaded<'f> {
    file: &'f EtlFile,
    buffers: Vec<u32>,
    /// For each of them, what of it concerns the slice.
    within: Vec<Within>,
    held: Held,
}

impl<'f> Loaded<'f> {
    /// The buffers of a slice, with those that only hold stacks where `stacks` are wanted. `cuts` are those of all buffers.
    ///
    /// # Errors
    /// When the file cannot be mapped.
    pub fn new(file: &'f EtlFile, slice: &Slice, cuts: &[Cuts], stacks: bool) -> io::Result<Self> {
        let buffers = buffers_of(slice, stacks);
        let held = file.hold_these(&buffers)?;
        let cuts_of = |buffer: &u32| cuts.get(*buffer as usize);
        let within = |buffer| cuts_of(buffer).map_or(Within::ALL, |cuts| cuts.within(slice));
        Ok(Self {
            file,
            within: buffers.iter().map(within).collect(),
            buffers,
            held,
        })
    }

    /// The buffer that holds a position.
    pub fn buffer_of(&self, position: Position) -> u32 {
        self.buffers.get(position.slot()).copied().unwrap_or(0)
    }

    /// The processor that wrote a buffer.
    fn cpu_of(&self, buffer: u32) -> u16 {
        let buffer = self.file.buffers().get(buffer as usize);
        buffer.map_or(0, |buffer| buffer.cpu)
    }

    /// Space to read each buffer to.
    pub fn space(&self) -> Space<'f> {
        self.file.spaces().take(self.buffers.len())
    }

    /// Lets `chooser` see the records, buffer by buffer in file order, with where they are; those that do not concern the
    /// slice are left out where that is easy. `space` is that of [`Loaded::space`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn gather<'a, C: Choose<'a>>(
        &'a self,
        first_numbers: &[u64],
        space: &'a mut Space<'_>,
        chooser: &mut C,
    ) -> io::Result<Slots<'a>> {
        let buffers = &mut space.kept.buffers;
        let mut out = Slots(Vec::with_capacity(self.buffers.len()));
        let mut forms = Forms::default();
        let loaded = self.buffers.iter().zip(&self.within);
        for ((buffer, within), scratch) in loaded.zip(buffers) {
            let number = *buffer as usize;
            let mut records = self.file.records_held(number, &self.held, scratch)?;
            let data = records.data();
            records.keep_within(within);
            let cpu = self.cpu_of(*buffer);
            let mut choosing = Choosing {
                chooser: &mut *chooser,
                place: Place {
                    buffer: *buffer,
                    cpu,
                    slot: out.0.len() as u32,
                    at: 0,
                    place: within.index,
                },
                data,
            };
            records.walk(&mut forms, &mut choosing);
            out.0.push(Slot::new(*buffer, cpu, first_numbers, data));
        }
        Ok(out)
    }

    /// The same with the records at `positions` only, which rise. Buffers that hold none of them are not read. The loaded
    /// buffers must be those that the positions were taken from.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn pick<'a, C: Choose<'a>>(
        &'a self,
        positions: &[Position],
        first_numbers: &[u64],
        space: &'a mut Space<'_>,
        chooser: &mut C,
    ) -> io::Result<Slots<'a>> {
        let buffers = &mut space.kept.buffers;
        let mut out = Slots(Vec::with_capacity(self.buffers.len()));
        let mut forms = Forms::default();
        let mut left = positions.iter().peekable();
        for (slot, (buffer, scratch)) in self.buffers.iter().zip(buffers).enumerate() {
            let number = *buffer as usize;
            let cpu = self.cpu_of(*buffer);
            let mut data: &'a [u8] = &[];
            if left.peek().is_some_and(|next| next.slot() == slot) {
                data = self.file.records_held(number, &self.held, scratch)?.data();
            }
            while let Some(position) = left.next_if(|next| next.slot() == slot) {
                picked(position.place(*buffer, cpu), data, &mut forms, chooser);
            }
            out.0.push(Slot::new(*buffer, cpu, first_numbers, data));
        }
        Ok(out)
    }
}

/// Lets `chooser` see the record at a place.
#[inline]
fn picked<'a, C: Choose<'a>>(
    place: Place,
    data: &'a [u8],
    forms: &mut Forms<C::Care>,
    chooser: &mut C,
) {
    let bytes = data.get(place.at as usize..).unwrap_or(&[]);
    match forms.read(bytes, |form| chooser.meet(form)) {
        Some(Read::Kernel(form, ticks, record)) if form.care != C::Care::default() => {
            chooser.kernel(place, form, ticks, record);
        }
        Some(Read::Other(record)) => chooser.other(place, record),
        Some(Read::Kernel(..)) | None => {}
    }
}

fn buffers_of(slice: &Slice, stacks: bool) -> Vec<u32> {
    let more: &[u32] = if stacks { &slice.stack_buffers } else { &[] };
    let mut buffers: Vec<u32> = slice.buffers.iter().chain(more).copied().collect();
    buffers.sort_unstable();
    buffers
}

/// Where a record is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    /// Its buffer.
    pub buffer: u32,
    /// Processor that wrote it.
    pub cpu: u16,
    slot: u32,
    at: u32,
    place: u32,
}

/// Bits of a position that hold which record of its buffer it is; as many hold where it starts, in units of 8 bytes.
/// Buffers have 16 MiB at most, records start at multiples of 8 bytes and take 8 at least.
const RECORD_BITS: u32 = 21;

impl Place {
    /// Which of the good records of its buffer it is.
    pub fn index(&self) -> u64 {
        u64::from(self.place)
    }

    /// Where the record starts in the data of its buffer.
    pub fn at(&self) -> u64 {
        self.at.into()
    }

    /// The record at the place, where `data` is that of its buffer.
    pub fn record<'a>(&self, data: &'a [u8]) -> Option<Record<'a>> {
        Record::parse(data.get(self.at as usize..)?).ok()
    }

    /// All of it in one number, which rises in the order of the file: buffer of the slice, start, number in the buffer.
    #[inline]
    pub fn position(&self) -> Position {
        let at = (u64::from(self.slot) << RECORD_BITS) | (u64::from(self.at) / 8);
        Position(at << RECORD_BITS | u64::from(self.place))
    }
}

/// Where a record is among the buffers of its slice, those that only hold stacks included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(u64);

impl Position {
    const MASK: u64 = (1 << RECORD_BITS) - 1;

    /// Which of the loaded buffers.
    #[inline]
    pub fn slot(self) -> usize {
        (self.0 >> (2 * RECORD_BITS)) as usize
    }

    /// Where the record starts in its buffer.
    #[inline]
    fn at(self) -> usize {
        (self.0 >> RECORD_BITS & Self::MASK) as usize * 8
    }

    /// Which of the good records of its buffer it is.
    #[inline]
    fn index(self) -> u64 {
        self.0 & Self::MASK
    }

    /// The same record where its start is another.
    fn moved_to(self, at: usize) -> Self {
        let others = self.0 & !(Self::MASK << RECORD_BITS);
        Self(others | (at as u64 / 8) << RECORD_BITS)
    }

    fn place(self, buffer: u32, cpu: u16) -> Place {
        Place {
            buffer,
            cpu,
            slot: self.slot() as u32,
            at: self.at() as u32,
            place: self.index() as u32,
        }
    }
}

/// Which records were taken, by start; those of one start as they lie in the file.
#[derive(Debug, Default)]
pub struct Entries {
    /// Start with its order kept as an unsigned number, and position: two numbers in one, so that one comparison puts
    /// them in order.
    order: Vec<u128>,
    /// What each was taken with, if that was asked for.
    numbers: Vec<u32>,
    numbered: bool,
}

/// Entries and buffers' places that are worth keeping for the next slice.
const KEEP: usize = 1 << 18;

/// Turns the order of signed numbers into that of unsigned ones, and back.
const SIGN: u64 = 1 << 63;

impl Entries {
    /// Takes the record at `place`, which starts at `start` (a key).
    #[inline]
    pub fn take(&mut self, start: i64, place: Place) {
        self.order.push(order_of(start, place));
        if self.numbered {
            self.numbers.push(0);
        }
    }

    /// Takes a record by its order.
    pub fn take_at(&mut self, order: Order) {
        self.order.push(order.0);
        if self.numbered {
            self.numbers.push(0);
        }
    }

    /// Takes it with a number by which [`Slots::in_order`] asks whether it is kept.
    #[inline]
    pub fn take_with(&mut self, start: i64, place: Place, number: u32) {
        self.order.push(order_of(start, place));
        self.numbers.push(number);
    }

    fn clear(&mut self) {
        self.order.clear();
        self.numbers.clear();
        if self.order.capacity() > KEEP {
            *self = Self::default();
        }
    }
}

/// Where a record stands in the order of its slice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order(u128);

impl Order {
    /// Of the record at `place`, which starts at `start` (a key).
    #[inline]
    pub fn of(start: i64, place: Place) -> Self {
        Self(order_of(start, place))
    }

    /// Its start.
    #[inline]
    pub fn start(self) -> i64 {
        ((self.0 >> 64) as u64 ^ SIGN) as i64
    }

    /// Where the record is.
    #[inline]
    pub fn position(self) -> Position {
        Position(self.0 as u64)
    }
}

#[inline]
fn order_of(start: i64, place: Place) -> u128 {
    u128::from(start as u64 ^ SIGN) << 64 | u128::from(place.position().0)
}

/// A buffer of a slice.
#[derive(Debug, Clone, Copy)]
struct Slot<'a> {
    buffer: u32,
    cpu: u16,
    first: u64,
    data: &'a [u8],
}

impl<'a> Slot<'a> {
    fn new(buffer: u32, cpu: u16, first_numbers: &[u64], data: &'a [u8]) -> Self {
        let first = first_numbers.get(buffer as usize).copied();
        Self {
            buffer,
            cpu,
            first: first.unwrap_or(0),
            data,
        }
    }
}

/// The buffers of a slice that was looked through.
#[derive(Debug)]
pub struct Slots<'a>(Vec<Slot<'a>>);

impl<'a> Slots<'a> {
    /// The record at a place; its start is its time stamp.
    pub fn at(&self, position: Position) -> Option<Placed<'a>> {
        self.placed(position, None, |_| 0)
    }

    /// The records that were taken and that `keep` tells to keep, in order of time. It is asked for the number that each
    /// was taken with, 0 where it was taken without.
    pub fn in_order(&self, mut entries: Entries, keep: impl Fn(u32) -> bool) -> Gathered<'_, 'a> {
        if entries.numbered {
            let mut numbers = entries.numbers.iter();
            let order = &mut entries.order;
            order.retain(|_| numbers.next().is_none_or(|number| keep(*number)));
        }
        // Buffers are runs that are sorted already, which this sort makes use of.
        entries.order.sort();
        Gathered {
            slots: self,
            entries,
        }
    }

    #[inline]
    fn placed(
        &self,
        position: Position,
        start: Option<i64>,
        no_time: impl FnOnce(usize) -> i64,
    ) -> Option<Placed<'a>> {
        let slot = self.0.get(position.slot())?;
        let record = Record::parse(slot.data.get(position.at()..)?).ok()?;
        let ticks = record.time();
        let ticks = ticks.unwrap_or_else(|| no_time(slot.buffer as usize));
        Some(Placed {
            start: start.unwrap_or(ticks),
            ticks,
            number: slot.first + position.index(),
            buffer: slot.buffer,
            cpu: slot.cpu,
            hook: hook_of(&record),
            record,
        })
    }
}

/// Records of a slice, in time order.
#[derive(Debug)]
pub struct Gathered<'s, 'a> {
    slots: &'s Slots<'a>,
    entries: Entries,
}

impl<'a> Gathered<'_, 'a> {
    /// The order of record `at`.
    #[inline]
    pub fn order(&self, at: usize) -> Order {
        Order(self.entries.order.get(at).copied().unwrap_or(u128::MAX))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.order.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.order.is_empty()
    }

    /// Record `at`. `no_time` gives the ticks of one without a time stamp, by its buffer.
    #[inline]
    pub fn get(&self, at: usize, no_time: impl FnOnce(usize) -> i64) -> Option<Placed<'a>> {
        let order = Order(*self.entries.order.get(at)?);
        self.slots
            .placed(order.position(), Some(order.start()), no_time)
    }

    /// Gives the space back.
    pub fn into_entries(self) -> Entries {
        self.entries
    }
}
