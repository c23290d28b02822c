//! The census: what a trace holds, record by record, without looking into payloads.

use super::clock::Clock;
use super::cuts::PARTS;
use super::error::EtlError;
use super::file::EtlFile;
use super::forms::{Form, Forms};
use super::guid::Guid;
use super::hooks::{GROUP_MASKS, GROUP_MASKS_BEFORE};
use super::layout::{buffer as buffer_at, item};
use super::masks::GroupMasks;
use super::provider_names::{defined_name, traits_name};
use super::providers::{EVENT_METADATA, LOST_EVENT};
use super::record::{Classic, Hook, Record, RecordKind};
use super::records::{Records as RecordsOf, Scratch, Sink};
use super::tally::Tally;
use crate::trace::{Filetime, Records, Tick, for_each_unit};
use hashbrown::HashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// Faults kept for the warnings; the rest is counted.
const LISTED: usize = 20;
/// Changes of the group masks that are kept; a session has a handful.
const CHANGES: usize = 1_000;
/// Names of providers that are kept; more are no names.
const NAMES: usize = 10_000;

/// Type bytes are below this.
pub const TYPES: usize = 32;

/// A change of the kernel flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaskChange {
    /// When.
    pub time: Filetime,
    /// 0x0005: the masks from here on; 0x0020: those until here.
    pub hook: u16,
    /// The masks.
    pub masks: GroupMasks,
    /// Version of the kernel's events.
    pub event_version: u32,
}

/// What the records of a file are.
#[derive(Debug, Default)]
pub struct Census {
    /// Records read and lost. Every record of every kind counts, the header record included. Lost
    /// bytes are bytes of records before compression, and bytes of the file that are no buffer.
    pub records: Records,
    /// Good records of each buffer: with them a record has a number in the file.
    pub per_buffer: Vec<u32>,
    /// Records by type byte of their header.
    pub types: [u64; TYPES],
    /// Kernel records.
    pub hooks: BTreeMap<Hook, u64>,
    /// FULL and INSTANCE records.
    pub classic: BTreeMap<Classic, u64>,
    /// Records that are none of the kernel's: by class (FULL, INSTANCE), provider (EVENT_HEADER) or source
    /// (WPP); nil for those that name none. With [`Census::hooks`] they add up to the good records.
    pub providers: BTreeMap<Guid, u64>,
    /// Names of providers that the trace itself gives.
    pub names: BTreeMap<Guid, String>,
    /// Extended data items by type.
    pub items: BTreeMap<u16, u64>,
    /// Bytes of payloads.
    pub payload_bytes: u64,
    /// Earliest time.
    pub first: Option<Filetime>,
    /// Latest time.
    pub last: Option<Filetime>,
    /// The same in ticks.
    pub ticks: Option<(i64, i64)>,
    /// Records whose time is before that of the record in front of them.
    pub steps_back: u64,
    /// Processors that buffers name.
    pub cpus: BTreeSet<u16>,
    /// Compressed buffers.
    pub compressed: u64,
    /// Buffers of which a part is lost.
    pub broken: u64,
    /// Buffers whose flags say that events or buffers were lost.
    pub flagged: u64,
    /// Records that say that events or buffers were lost.
    pub lost_records: u64,
    /// Changes of the kernel flags.
    pub mask_changes: Vec<MaskChange>,
    /// All kernel flags that were on at some time.
    pub masks: GroupMasks,
    /// What was wrong with the first records and buffers that could not be read.
    pub faults: Vec<EtlError>,
    /// First and last time in file order, in ticks.
    ends: Option<(i64, i64)>,
}

/// Takes the census of a file.
///
/// # Errors
/// When the file can no longer be read.
pub fn census(file: &EtlFile, tick: Tick<'_>) -> io::Result<Census> {
    census_with(file, tick, || (), |()| ())
}

/// Sees the records of a unit on the way of the census.
pub trait Visitor: Send {
    /// What kernel records of one form are to it.
    type Care: Copy + Default + Send;

    /// Kernel records of this form are met for the first time in the unit.
    fn meet(&mut self, form: &Form<()>) -> Self::Care;

    /// The next good record of buffer `buffer`, of the kernel, with its time stamp.
    fn kernel(&mut self, buffer: usize, form: &Form<Self::Care>, ticks: i64, record: &Record<'_>);

    /// The next good record of buffer `buffer`.
    fn record(&mut self, buffer: usize, record: &Record<'_>);

    /// A part of the buffer ends: the next record starts at `at`, and `sum` is that of all before.
    fn end_part(&mut self, buffer: usize, at: u64, sum: &BufferSum);

    /// There are no more records in the buffer.
    fn end_buffer(&mut self, buffer: usize, sum: &BufferSum);
}

impl Visitor for () {
    type Care = ();
    fn meet(&mut self, _: &Form<()>) {}
    fn kernel(&mut self, _: usize, _: &Form<()>, _: i64, _: &Record<'_>) {}
    fn record(&mut self, _: usize, _: &Record<'_>) {}
    fn end_part(&mut self, _: usize, _: u64, _: &BufferSum) {}
    fn end_buffer(&mut self, _: usize, _: &BufferSum) {}
}

/// The good records of a buffer together.
#[derive(Debug, Clone, Copy)]
pub struct BufferSum {
    /// How many there are.
    pub records: u32,
    /// Their bytes, with what is between them.
    pub bytes: u64,
    /// Whether they stand in a row from the start of the data, and all have times.
    pub regular: bool,
    /// Their payloads' bytes.
    payload_bytes: u64,
    /// Earliest and latest time stamp; the earliest is the later where none has one.
    low: i64,
    high: i64,
    /// First and last time stamp as they stand.
    first: i64,
    last: i64,
    steps_back: u64,
}

impl BufferSum {
    const NOTHING: Self = Self {
        records: 0,
        bytes: 0,
        regular: true,
        payload_bytes: 0,
        low: i64::MAX,
        high: i64::MIN,
        first: 0,
        last: i64::MIN,
        steps_back: 0,
    };

    /// Earliest and latest time stamp, in ticks; `None` where no record has one.
    pub fn range(&self) -> Option<(i64, i64)> {
        (self.low <= self.high).then_some((self.low, self.high))
    }

    /// First and last time stamp as they stand.
    fn ends(&self) -> Option<(i64, i64)> {
        (self.low <= self.high).then_some((self.first, self.last))
    }

    #[inline]
    fn count(&mut self, record: &Record<'_>) {
        self.records += 1;
        self.bytes += record.stride() as u64;
        self.payload_bytes += record.payload().len() as u64;
    }

    #[inline]
    fn time(&mut self, ticks: i64) {
        if self.low > self.high {
            self.first = ticks;
        }
        self.low = self.low.min(ticks);
        self.high = self.high.max(ticks);
        self.steps_back += u64::from(ticks < self.last);
        self.last = ticks;
    }
}

/// Takes the census of a file. A visitor that `make` makes sees the records of each unit; `take` gets the
/// visitors in the order of the units.
///
/// # Errors
/// When the file can no longer be read.
pub fn census_with<V: Visitor>(
    file: &EtlFile,
    tick: Tick<'_>,
    make: impl Fn() -> V + Sync,
    mut take: impl FnMut(V) + Send,
) -> io::Result<Census> {
    let mut out = Census::default();
    for_each_unit(
        0..file.units(),
        tick,
        |unit| {
            let mut visitor = make();
            let part = UnitCensus::of(file, unit, &mut visitor)?;
            Ok((part, visitor))
        },
        |(part, visitor)| {
            out.merge(part);
            take(visitor);
            Ok(())
        },
    )?;
    out.records.skipped_bytes += file.skipped_bytes();
    Ok(out)
}

/// The census of a unit.
struct UnitCensus {
    census: Census,
    hooks: Tally<Hook>,
    classic: Tally<Classic>,
    providers: Tally<Guid>,
}

/// The records of a buffer on their way into the census of its unit.
struct BufferCensus<'c, V> {
    unit: &'c mut UnitCensus,
    visitor: &'c mut V,
    number: usize,
    clock: &'c Clock,
    sum: BufferSum,
    /// Bytes of a part, and where the next one begins.
    part: u64,
    next_part: u64,
    bad: u64,
    faults: Vec<EtlError>,
}

impl<'a, V: Visitor> Sink<'a> for BufferCensus<'_, V> {
    type Care = V::Care;

    fn meet(&mut self, form: &Form<()>) -> V::Care {
        self.visitor.meet(form)
    }

    #[inline(always)]
    fn kernel(&mut self, form: &mut Form<V::Care>, ticks: i64, record: Record<'a>) {
        if self.sum.bytes >= self.next_part {
            self.end_part();
        }
        form.count += 1;
        self.sum.count(&record);
        self.sum.time(ticks);
        if notes_masks(form.hook.id) {
            self.unit
                .census
                .note_masks(&record, form.hook.id, self.clock);
        }
        self.visitor.kernel(self.number, form, ticks, &record);
    }

    fn other(&mut self, record: Record<'a>) {
        self.sum.count(&record);
        match record.time() {
            Some(ticks) => self.sum.time(ticks),
            None => self.sum.regular = false,
        }
        self.unit.record(&record, self.clock);
        self.visitor.record(self.number, &record);
    }

    fn bad(&mut self, fault: EtlError) {
        self.sum.regular = false;
        self.bad += 1;
        if self.faults.len() < LISTED {
            self.faults.push(fault);
        }
    }
}

impl<V: Visitor> BufferCensus<'_, V> {
    #[cold]
    fn end_part(&mut self) {
        self.next_part += self.part;
        self.visitor
            .end_part(self.number, self.sum.bytes, &self.sum);
    }
}

impl UnitCensus {
    fn of<V: Visitor>(file: &EtlFile, unit: usize, visitor: &mut V) -> io::Result<Self> {
        let mut out = Self {
            census: Census::default(),
            hooks: Tally::default(),
            classic: Tally::default(),
            providers: Tally::default(),
        };
        let mut forms = Forms::default();
        let mut scratch = Scratch::default();
        let buffers = file.unit_buffers(unit);
        let held = file.hold(buffers.clone())?;
        for buffer in buffers {
            let records = file.records_held(buffer, &held, &mut scratch)?;
            out.buffer(file, buffer, records, &mut forms, visitor);
        }
        for form in forms.iter() {
            let known = usize::from(form.type_byte()) % TYPES;
            out.census.types[known] += form.count;
            out.hooks.add_many(form.hook, form.count);
        }
        Ok(out)
    }

    fn buffer<V: Visitor>(
        &mut self,
        file: &EtlFile,
        number: usize,
        mut records: RecordsOf<'_>,
        forms: &mut Forms<V::Care>,
        visitor: &mut V,
    ) {
        let Some(buffer) = file.buffers().get(number) else {
            return;
        };
        let clock = file.clock_of(number);
        self.census.cpus.insert(buffer.cpu);
        self.census.compressed += u64::from(buffer.is_compressed());
        let lost = buffer_at::FLAG_EVENTS_LOST | buffer_at::FLAG_BUFFERS_LOST;
        self.census.flagged += u64::from(buffer.flags & lost != 0);
        let part = (records.data_len() / PARTS).max(1) as u64;
        let mut sink = BufferCensus {
            part,
            next_part: part,
            unit: self,
            visitor,
            number,
            clock,
            sum: BufferSum::NOTHING,
            bad: 0,
            faults: Vec::new(),
        };
        records.walk(forms, &mut sink);
        let BufferCensus {
            sum, bad, faults, ..
        } = sink;
        visitor.end_buffer(number, &sum);
        let census = &mut self.census;
        census.payload_bytes += sum.payload_bytes;
        census.steps_back += sum.steps_back;
        census.records.bad += bad;
        faults.into_iter().for_each(|fault| census.note(fault));
        let lost = records.lost();
        let shortfall = records.shortfall().cloned();
        census.broken += u64::from(lost > 0 || shortfall.is_some());
        if let Some(fault) = shortfall.filter(|_| lost > 0) {
            census.note(fault);
        }
        census.records.skipped_bytes += lost;
        census.records.good += u64::from(sum.records);
        census.per_buffer.push(sum.records);
        census.add_ends(sum.ends());
        if let Some((low, high)) = sum.range() {
            census.add_range(low, high, clock.filetime(low), clock.filetime(high));
        }
    }

    /// Counts a record that has no form.
    fn record(&mut self, record: &Record<'_>, clock: &Clock) {
        let census = &mut self.census;
        census.types[usize::from(record.type_byte()) % TYPES] += 1;
        if let Some(hook) = record.hook() {
            self.hooks
                .add(hook, u64::from(hook.id) << 8 | u64::from(hook.version));
            if notes_masks(hook.id) {
                census.note_masks(record, hook.id, clock);
            }
            return;
        }
        let provider = record.provider().unwrap_or(Guid::NIL);
        let [a, b, c, d, e, f, g, h, ..] = provider.0;
        let mix = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        let new = self.providers.add(provider, mix);
        if let Some(classic) = record.classic() {
            let mix = mix ^ u64::from(classic.opcode) << 16 ^ u64::from(classic.version);
            self.classic.add(classic, mix);
            match provider {
                LOST_EVENT => census.lost_records += 1,
                EVENT_METADATA => census.note_name(defined_name(&classic, record.payload())),
                _ => {}
            }
        }
        if record.kind() == RecordKind::Event {
            for found in record.items() {
                *census.items.entry(found.kind).or_default() += 1;
                if new && found.kind == item::TYPE_TRAITS {
                    census.note_name(traits_name(provider, found.data));
                }
            }
        }
    }
}

/// Whether a hook tells of the kernel flags.
#[inline]
fn notes_masks(hook: u16) -> bool {
    matches!(hook, GROUP_MASKS | GROUP_MASKS_BEFORE)
}

impl Census {
    /// Number of the first record of each buffer, and at its end that of all good records: a record's number in
    /// the file is that of its buffer plus its place among the good ones there.
    pub fn first_numbers(&self) -> Vec<u64> {
        let mut sum = 0;
        let mut out = vec![0];
        out.extend(self.per_buffer.iter().map(|count| {
            sum += u64::from(*count);
            sum
        }));
        out
    }

    /// Records of a hook, of any version.
    pub fn hook_count(&self, id: u16) -> u64 {
        let version = |version| Hook { id, version };
        self.hooks
            .range(version(0)..=version(u8::MAX))
            .map(|(_, count)| count)
            .sum()
    }

    #[cold]
    fn note(&mut self, fault: EtlError) {
        if self.faults.len() < LISTED {
            self.faults.push(fault);
        }
    }

    #[cold]
    fn note_masks(&mut self, record: &Record<'_>, hook: u16, clock: &Clock) {
        let Some((masks, event_version)) = GroupMasks::parse(record.payload()) else {
            return;
        };
        self.masks.add(masks);
        if self.mask_changes.len() < CHANGES {
            self.mask_changes.push(MaskChange {
                time: clock.filetime(record.time().unwrap_or(clock.origin())),
                hook,
                masks,
                event_version,
            });
        }
    }

    fn note_name(&mut self, name: Option<(Guid, String)>) {
        if let Some((provider, name)) = name
            && self.names.len() < NAMES
        {
            self.names.entry(provider).or_insert(name);
        }
    }

    fn add_range(&mut self, low: i64, high: i64, first: Filetime, last: Filetime) {
        let (known_low, known_high) = self.ticks.get_or_insert((low, high));
        (*known_low, *known_high) = ((*known_low).min(low), (*known_high).max(high));
        self.first = Some(self.first.map_or(first, |known| known.min(first)));
        self.last = self.last.max(Some(last));
    }

    /// Adds the ends of what comes next in the file.
    fn add_ends(&mut self, ends: Option<(i64, i64)>) {
        let Some((first, last)) = ends else {
            return;
        };
        let (_, known) = self.ends.get_or_insert((first, first));
        self.steps_back += u64::from(first < *known);
        *known = last;
    }

    /// Adds what a later unit holds.
    fn merge(&mut self, part: UnitCensus) {
        let more = part.census;
        self.records.good += more.records.good;
        self.records.bad += more.records.bad;
        self.records.skipped_bytes += more.records.skipped_bytes;
        self.per_buffer.extend(more.per_buffer);
        for (sum, count) in self.types.iter_mut().zip(more.types) {
            *sum += count;
        }
        add(&mut self.hooks, part.hooks.into_map());
        add(&mut self.classic, part.classic.into_map());
        add(&mut self.providers, part.providers.into_map());
        for (provider, name) in more.names {
            self.note_name(Some((provider, name)));
        }
        for (kind, count) in more.items {
            *self.items.entry(kind).or_default() += count;
        }
        self.payload_bytes += more.payload_bytes;
        if let (Some((low, high)), Some(first), Some(last)) = (more.ticks, more.first, more.last) {
            self.add_range(low, high, first, last);
        }
        self.steps_back += more.steps_back;
        self.add_ends(more.ends);
        self.cpus.extend(more.cpus);
        self.compressed += more.compressed;
        self.broken += more.broken;
        self.flagged += more.flagged;
        self.lost_records += more.lost_records;
        self.masks.add(more.masks);
        let room = CHANGES - self.mask_changes.len().min(CHANGES);
        self.mask_changes
            .extend(more.mask_changes.into_iter().take(room));
        let room = LISTED - self.faults.len().min(LISTED);
        self.faults.extend(more.faults.into_iter().take(room));
    }
}

fn add<K: Ord + std::hash::Hash>(into: &mut BTreeMap<K, u64>, from: HashMap<K, u64>) {
    for (key, count) in from {
        *into.entry(key).or_default() += count;
    }
}
