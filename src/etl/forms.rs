//! Kernel records by the bytes they begin with.
//!
//! A trace has millions of records of some dozens of hooks. All records of one hook, version and header begin with the
//! same eight bytes, the size aside: what these say is found out once and kept in a small table, together with what the
//! one who walks the records does with those of that hook. A record that nobody cares for then costs one look at its
//! first eight bytes.

use super::layout::kernel;
use super::record::{Hook, Record, RecordKind};
use crate::bytes::{i64_at, u32_at, u64_at};

/// Places in the table; traces have up to 150 forms.
const SLOTS: usize = 512;
/// Places that a form may be found at. One that has no place there is parsed each time.
const PROBES: usize = 8;
/// The bits of the first eight bytes that hold the size.
const SIZE_BITS: u64 = 0xFFFF << (8 * kernel::SIZE);
/// A place that is free: no first bytes without their size are these.
const FREE: u64 = u64::MAX;

/// What records of one form have in common, and what they are to the one who walks them.
#[derive(Debug, Clone, Copy)]
pub struct Form<U> {
    key: u64,
    header: u16,
    time_at: u16,
    kind: RecordKind,
    wide: bool,
    /// Hook and version.
    pub hook: Hook,
    /// All ones where the header has no process and thread.
    nobody: u32,
    /// Records that were counted.
    pub count: u64,
    /// What they are to the one who walks them.
    pub care: U,
}

impl<U> Form<U> {
    /// Size of the header.
    #[inline]
    pub fn header(&self) -> usize {
        self.header.into()
    }

    /// Where the time stamp lies.
    #[inline]
    pub fn time_at(&self) -> u16 {
        self.time_at
    }

    /// Whether pointers in the payload take 8 bytes.
    #[inline]
    pub fn wide(&self) -> bool {
        self.wide
    }

    /// The record that `bytes` are, which have the header at least.
    #[inline]
    pub(super) fn record<'a>(&self, bytes: &'a [u8]) -> Record<'a> {
        Record::of_parts(bytes, self.kind, self.wide, self.header.into())
    }

    /// The record of this form at the start of `bytes`, with its time stamp; `None` where none is whole.
    #[inline(always)]
    fn first_of<'a>(&self, start: u64, bytes: &'a [u8]) -> Option<(i64, Record<'a>)> {
        let size = size_in(start);
        let bytes = bytes.get(..size).filter(|_| size >= self.header())?;
        let ticks = i64_at(bytes, self.time_at.into())?;
        Some((ticks, self.record(bytes)))
    }

    /// Type byte of the header.
    pub fn type_byte(&self) -> u8 {
        self.key.to_le_bytes()[super::layout::record::TYPE]
    }

    /// Process in the header, as [`Record::pid`]; `u32::MAX` for none.
    #[inline]
    pub fn pid(&self, record: &Record<'_>) -> u32 {
        u32_at(record.bytes(), kernel::PID).unwrap_or(u32::MAX) | self.nobody
    }

    /// Thread in the header, as [`Record::tid`]; `u32::MAX` for none.
    #[inline]
    pub fn tid(&self, record: &Record<'_>) -> u32 {
        u32_at(record.bytes(), kernel::TID).unwrap_or(u32::MAX) | self.nobody
    }
}

impl Form<()> {
    fn with<U>(self, care: U) -> Form<U> {
        let Self {
            key,
            header,
            time_at,
            kind,
            wide,
            hook,
            nobody,
            count,
            care: (),
        } = self;
        Form {
            key,
            header,
            time_at,
            kind,
            wide,
            hook,
            nobody,
            count,
            care,
        }
    }
}

/// A record that was read by its form, if it has one.
pub(super) enum Read<'f, 'a, U> {
    /// A record of the kernel, with its time stamp.
    Kernel(&'f mut Form<U>, i64, Record<'a>),
    /// Any other.
    Other(Record<'a>),
}

/// The forms that were met.
#[derive(Debug)]
pub struct Forms<U> {
    slots: Vec<Form<U>>,
}

impl<U: Copy + Default> Default for Forms<U> {
    fn default() -> Self {
        let free = Form {
            key: FREE,
            header: 0,
            time_at: 0,
            kind: RecordKind::PerfInfo,
            wide: false,
            hook: Hook { id: 0, version: 0 },
            nobody: 0,
            count: 0,
            care: U::default(),
        };
        Self {
            slots: vec![free; SLOTS],
        }
    }
}

/// The size in the first eight bytes of a kernel record.
#[inline]
pub(super) fn size_in(start: u64) -> usize {
    usize::from((start >> (8 * kernel::SIZE)) as u16)
}

impl<U: Copy> Forms<U> {
    /// The form of records that begin with `start`, where it was met.
    #[inline(always)]
    pub(super) fn find(&mut self, start: u64) -> Option<&mut Form<U>> {
        let slot = self.slot_of(start)?;
        Some(&mut self.slots[slot])
    }

    #[inline(always)]
    fn slot_of(&self, start: u64) -> Option<usize> {
        let key = start & !SIZE_BITS;
        let first = place_of(key);
        let mut at = first;
        loop {
            let known = self.slots[at % SLOTS].key;
            if known == key {
                return Some(at % SLOTS);
            }
            at += 1;
            if known == FREE || at == first + PROBES {
                return None;
            }
        }
    }

    /// The record at the start of `bytes`: where it is one of the kernel that has a time, with that and with its form, of which
    /// `meet` finds out what it is. `None` where there is none.
    #[inline(always)]
    pub(super) fn read<'a>(
        &mut self,
        bytes: &'a [u8],
        meet: impl FnOnce(&Form<()>) -> U,
    ) -> Option<Read<'_, 'a, U>> {
        let start = u64_at(bytes, 0)?;
        if let Some(slot) = self.slot_of(start)
            && let Some((ticks, record)) = self.slots[slot].first_of(start, bytes)
        {
            return Some(Read::Kernel(&mut self.slots[slot], ticks, record));
        }
        let record = Record::parse(bytes).ok()?;
        let form = self.add(start, &record, meet);
        Some(match form.and_then(|form| Some((record.time()?, form))) {
            Some((ticks, form)) => Read::Kernel(form, ticks, record),
            None => Read::Other(record),
        })
    }

    /// Notes the form of a kernel record that begins with `start`; `None` where there is no room, or where items stand
    /// between header and payload.
    pub(super) fn add(
        &mut self,
        start: u64,
        record: &Record<'_>,
        care: impl FnOnce(&Form<()>) -> U,
    ) -> Option<&mut Form<U>> {
        let hook = record.hook()?;
        let header = u16::try_from(record.bytes().len() - record.payload().len()).ok()?;
        if start.to_le_bytes()[kernel::FLAGS] != 0 {
            return None;
        }
        let key = start & !SIZE_BITS;
        let first = place_of(key);
        let at = (first..first + PROBES).find(|at| self.slots[at % SLOTS].key == FREE)?;
        let slot = &mut self.slots[at % SLOTS];
        let (time_at, nobody) = match record.kind() {
            RecordKind::PerfInfo => (kernel::PERFINFO_TIME, u32::MAX),
            _ => (kernel::TIME, 0),
        };
        let form = Form {
            key,
            header,
            time_at: time_at as u16,
            kind: record.kind(),
            wide: record.wide(),
            hook,
            nobody,
            count: 0,
            care: (),
        };
        let care = care(&form);
        *slot = form.with(care);
        Some(slot)
    }

    /// The forms, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Form<U>> {
        self.slots.iter().filter(|form| form.key != FREE)
    }
}

#[inline(always)]
fn place_of(key: u64) -> usize {
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 55) as usize
}
