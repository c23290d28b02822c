//! Which records of a slice may be asked for, found while slices are joined: whoever asks reads these and no others.
//!
//! While a slice is looked through, what its records are known by is put into columns, which are gone through when it is
//! known what earlier slices left open. An operation that begins and ends in one buffer is known by its FileObject alone;
//! of others, all with the same IRP belong together.

use super::Family;
use super::joining::DoneOperation;
use super::noted::NotedHere;
use crate::etl::gather::{Copied, Order, Position};
use crate::etl::sieve::{Addressed, Sieve};
use hashbrown::HashSet;

/// A record's place in time and in its slice.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// Start and position.
    pub order: Order,
    /// Its time stamp, as a key.
    pub written: i64,
    /// Its processor, where only this tells its thread.
    pub cpu: Option<u16>,
}

impl Stamp {
    /// Of a record that stands where it begins and whose thread is known.
    pub fn of(order: Order) -> Self {
        Self {
            order,
            written: order.start(),
            cpu: None,
        }
    }
}

/// What an operation is known by.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// FileObject.
    pub object: u64,
    /// IRP.
    pub irp: u64,
    /// Whether it is of a process of which it may be asked what failed.
    pub own: bool,
    /// Whether it opens the file.
    pub creates: bool,
}

/// What a callback is known by.
#[derive(Debug, Clone, Copy)]
pub struct CallbackRow {
    /// FileObject.
    pub object: u64,
    /// Callback data.
    pub data: u64,
    /// Start and position.
    pub order: Order,
}

/// The records of a slice by what they are known by.
#[derive(Debug, Default)]
pub struct Columns {
    /// All callbacks.
    callbacks: Vec<CallbackRow>,
    /// Their time stamps, as keys, where they do not stand where they begin.
    written: Vec<i64>,
    /// Their processors, where only these tell their threads: the number, and one; 0 for the others.
    cpus: Vec<u16>,
    /// Callbacks that were left to look at, by FileObject and callback data.
    left_callbacks: Vec<((u64, u64), Stamp)>,
    /// Operations that were.
    left_operations: Vec<(Operation, Stamp)>,
    /// Ends that were, by IRP.
    left_ends: Vec<(u64, Stamp)>,
    /// Whatever may be asked for by itself.
    taken: Vec<Stamp>,
    /// Context switches: processor, and order.
    switches: Vec<(u16, Order)>,
    /// Stacks: time stamp of the event, as a key, and where the stack is.
    stacks: Vec<(i64, Position)>,
}

impl Columns {
    /// A callback; its number here.
    #[inline]
    pub fn callback(&mut self, row: CallbackRow, written: i64, cpu: Option<u16>) -> u32 {
        let number = self.callbacks.len() as u32;
        self.callbacks.push(row);
        // Most traces need neither.
        if written != row.order.start() || !self.written.is_empty() {
            let known = self.callbacks.iter().skip(self.written.len());
            self.written.extend(known.map(|row| row.order.start()));
            if let Some(last) = self.written.last_mut() {
                *last = written;
            }
        }
        if cpu.is_some() || !self.cpus.is_empty() {
            self.cpus.resize(self.callbacks.len(), 0);
            if let Some(last) = self.cpus.last_mut() {
                *last = cpu.map_or(0, |cpu| cpu.saturating_add(1));
            }
        }
        number
    }

    /// Callback `number`.
    #[inline]
    pub fn row(&self, number: u32) -> Option<&CallbackRow> {
        self.callbacks.get(number as usize)
    }

    fn stamp(&self, at: usize, row: &CallbackRow) -> Stamp {
        Stamp {
            order: row.order,
            written: self.written.get(at).copied().unwrap_or(row.order.start()),
            cpu: self.cpus.get(at).and_then(|cpu| cpu.checked_sub(1)),
        }
    }

    /// Space for stacks, to be given back by [`Columns::take_stacks`].
    pub fn space_for_stacks(&mut self) -> Vec<(i64, Position)> {
        std::mem::take(&mut self.stacks)
    }

    /// A callback that is left to look at; it is told before as well.
    pub fn left_callback(&mut self, object: u64, data: u64, stamp: Stamp) {
        self.left_callbacks.push(((object, data), stamp));
    }

    /// A file operation that is left to look at.
    pub fn left_operation(&mut self, operation: Operation, order: Order) {
        self.left_operations.push((operation, Stamp::of(order)));
    }

    /// The end of a file operation that is left to look at.
    pub fn left_end(&mut self, irp: u64, order: Order) {
        self.left_ends.push((irp, Stamp::of(order)));
    }

    /// A record that may be asked for.
    #[inline]
    pub fn take(&mut self, stamp: Stamp) {
        self.taken.push(stamp);
    }

    /// A context switch.
    #[inline]
    pub fn switch(&mut self, cpu: u16, order: Order) {
        self.switches.push((cpu, order));
    }

    /// Stacks: time stamp of the event, in ticks, of which `key` makes a key, and where the stack is.
    pub fn take_stacks(
        &mut self,
        mut stacks: Vec<(i64, Position)>,
        key: impl Fn(Position, i64) -> i64,
    ) {
        for (event, position) in &mut stacks {
            *event = key(*position, *event);
        }
        self.stacks = stacks;
    }

    /// Takes everything out. One slice in a hundred may be far larger than the others: its space is not kept.
    pub fn clear(&mut self) {
        if self.callbacks.capacity() + self.stacks.capacity() > KEEP {
            *self = Self::default();
        }
        let Self {
            callbacks,
            written,
            cpus,
            left_callbacks,
            left_operations,
            left_ends,
            taken,
            switches,
            stacks,
        } = self;
        callbacks.clear();
        written.clear();
        cpus.clear();
        left_callbacks.clear();
        left_operations.clear();
        left_ends.clear();
        taken.clear();
        switches.clear();
        stacks.clear();
    }
}

/// Records that may be asked for, in the order of the file.
#[derive(Debug)]
pub enum Chosen {
    /// Where they are.
    At(Box<[Position]>),
    /// The records themselves.
    Copied(Copied),
}

impl Chosen {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::At(places) => places.is_empty(),
            Self::Copied(copied) => copied.is_empty(),
        }
    }
}

/// What was open before a slice and may be asked for.
pub struct Before<'b> {
    /// FileObjects that were open with a path that may be asked for.
    pub wanted: &'b Addressed,
    /// IRPs of operations on these.
    pub irps: &'b Addressed,
    /// Whether an operation with an IRP had begun and not ended.
    pub has_operation: &'b dyn Fn(u64) -> bool,
    /// Whether a FileObject was open with a path at all.
    pub is_open: &'b dyn Fn(u64) -> bool,
}

/// What is chosen of a slice.
#[derive(Debug, Default)]
pub struct Choosing {
    /// The records, in no order.
    pub positions: Vec<Position>,
    /// FileObjects that they use and that may have been opened before.
    pub used: HashSet<u64>,
    /// IRPs of operations that began before the slice and that their callbacks are called for.
    pub called_for: HashSet<u64>,
}

/// Callbacks and stacks for which space is kept.
const KEEP: usize = 1 << 17;

/// Records of a slice, of which one may be listed at most: of more, reading all is as good.
const SHARE: usize = 3;

impl Choosing {
    /// Chooses from the columns of a slice, and from the operations that are done.
    pub fn new(
        columns: &mut Columns,
        done: &[DoneOperation],
        noted: &NotedHere,
        before: &Before<'_>,
    ) -> Self {
        let mut out = Self::default();
        let mut stamps = std::mem::take(&mut columns.taken);
        let mut objects = Wanted::new(before.wanted);
        noted.objects().for_each(|object| objects.add(object));
        let mut told = Wanted::new(before.irps);
        noted.irps().for_each(|irp| told.add(*irp));
        let own = own_objects(columns, done);

        // An operation has many callbacks in a row.
        let (mut last, mut holds) = ((0, 0), false);
        for (at, row) in columns.callbacks.iter().enumerate() {
            if (row.object, row.data) != last || at == 0 {
                last = (row.object, row.data);
                holds = objects.holds(row.object);
                if holds {
                    out.used.insert(row.object);
                    // Then all that has its IRP tells how long that operation goes on.
                    if (before.has_operation)(row.data) {
                        out.called_for.insert(row.data);
                        told.add(row.data);
                    }
                }
            }
            if holds {
                stamps.push(columns.stamp(at, row));
            }
        }
        if !told.is_empty() {
            for (at, row) in columns.callbacks.iter().enumerate() {
                if told.holds(row.data) && !objects.holds(row.object) {
                    out.used.insert(row.object);
                    out.called_for.insert(row.data);
                    stamps.push(columns.stamp(at, row));
                }
            }
        }
        for one in done {
            let names = || one.opens_or_closes() && own.holds(one.object);
            let failed = one.own && !one.succeeded;
            let may_be_row = failed || objects.holds(one.object) || told.holds(one.irp);
            // A create has a path of its own, whatever its FileObject was before.
            if may_be_row && one.family != Family::Create {
                out.used.insert(one.object);
            }
            if may_be_row || names() {
                stamps.extend([Stamp::of(one.start), Stamp::of(one.end)]);
            }
        }
        out.take_left(columns, done, (&objects, &own, told, before), &mut stamps);
        out.finish(columns, &stamps);
        out
    }

    /// Chooses from what was left to look at: by FileObject, and what has the IRP of these.
    fn take_left(
        &mut self,
        columns: &Columns,
        done: &[DoneOperation],
        (objects, own, mut irps, before): (&Wanted<'_>, &Addressed, Wanted<'_>, &Before<'_>),
        stamps: &mut Vec<Stamp>,
    ) {
        let mut created: HashSet<u64> = HashSet::new();
        for (one, _) in &columns.left_operations {
            if objects.holds(one.object) || own.holds(one.object) {
                irps.add(one.irp);
            }
            if one.creates {
                created.insert(one.object);
            }
        }
        for ((object, data), _) in &columns.left_callbacks {
            if objects.holds(*object) {
                irps.add(*data);
            }
        }
        for (one, stamp) in &columns.left_operations {
            if irps.holds(one.irp) {
                if !one.creates {
                    self.used.insert(one.object);
                }
                stamps.push(*stamp);
            }
        }
        let ends = columns.left_ends.iter();
        stamps.extend(
            ends.filter(|(irp, _)| irps.holds(*irp))
                .map(|(_, stamp)| stamp),
        );
        let creates = done.iter().filter(|one| one.family == Family::Create);
        created.extend(creates.map(|one| one.object));
        for ((object, data), stamp) in &columns.left_callbacks {
            // Called for an operation on such a file, and without another path of its own.
            let has_other = || created.contains(object) || (before.is_open)(*object);
            if !objects.holds(*object) && irps.holds(*data) && !has_other() {
                self.used.insert(*object);
                stamps.push(*stamp);
            }
        }
    }

    /// Adds stacks and context switches that the records need.
    fn finish(&mut self, columns: &mut Columns, stamps: &[Stamp]) {
        let mut written = Sieve::with_room(stamps.len());
        stamps
            .iter()
            .for_each(|stamp| written.add(stamp.written as u64));
        let positions = stamps.iter().map(|stamp| stamp.order.position());
        self.positions.extend(positions);
        let stacks = columns.stacks.iter();
        let needed = stacks.filter(|(event, _)| written.may_hold(*event as u64));
        self.positions.extend(needed.map(|(_, position)| *position));
        if stamps.iter().any(|stamp| stamp.cpu.is_some()) {
            columns.switches.sort_unstable();
            let switches = &columns.switches;
            self.positions.extend(stamps.iter().filter_map(|stamp| {
                let cpu = stamp.cpu?;
                let next = switches.partition_point(|row| *row <= (cpu, stamp.order));
                let before = switches.get(next.checked_sub(1)?)?;
                (before.0 == cpu).then(|| before.1.position())
            }));
        }
    }

    /// The records in order, where they are few enough among `all` records of the slice to be listed.
    pub fn list(mut self, all: usize) -> Option<Box<[Position]>> {
        // They come in runs, which this sort makes use of.
        self.positions.sort();
        self.positions.dedup();
        (self.positions.len() <= all / SHARE).then(|| self.positions.into())
    }
}

/// Addresses that were wanted before a slice, and those that are in it.
struct Wanted<'b> {
    before: &'b Addressed,
    here: Addressed,
}

impl<'b> Wanted<'b> {
    fn new(before: &'b Addressed) -> Self {
        Self {
            before,
            here: Addressed::default(),
        }
    }

    fn add(&mut self, address: u64) {
        self.here.add(address);
    }

    #[inline]
    fn holds(&self, address: u64) -> bool {
        self.here.holds(address) || self.before.holds(address)
    }

    fn is_empty(&self) -> bool {
        self.here.is_empty() && self.before.is_empty()
    }
}

/// FileObjects of operations of which it may be asked what failed, that failed or may have, or that give a file a second
/// name.
fn own_objects(columns: &Columns, done: &[DoneOperation]) -> Addressed {
    let mut out = Addressed::default();
    let failed = done.iter().filter(|one| one.own && !one.succeeded);
    failed.for_each(|one| out.add(one.object));
    // Operations that give a second name are all left to look at.
    let left = columns.left_operations.iter().filter(|(one, _)| one.own);
    left.for_each(|(one, _)| out.add(one.object));
    out
}
