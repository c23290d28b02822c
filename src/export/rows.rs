//! From a batch of events to cells: what every writer of event tables shares.

use super::columns::Column;
use super::filter::Filter;
use super::pool::Pool;
use crate::bytes::push_hex;
use crate::codes::procmon::{result_text, write_result};
use crate::drivers::DriverList;
use crate::trace::batch::TextColumn;
use crate::trace::{
    AddressMap, Batch, Filetime, Frames, Memo, NO_THREAD, Process, Trace, TraceInfo, Want, Zone,
    address_map,
};
use std::io;

/// A value of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Absent.
    Null,
    /// Text.
    Text(&'a str),
    /// Number.
    Number(u64),
    /// 100 ns ticks, shown as microseconds.
    Micros(u64),
    /// Point in time.
    Time(Filetime),
    /// Truth.
    Bool(bool),
}

/// A trace on its way into a table: its rows, rendered on demand.
pub struct Table<'a> {
    /// The trace.
    pub trace: &'a dyn Trace,
    /// Its drivers.
    pub drivers: &'a DriverList,
    /// What the `input` column says.
    pub input: &'a str,
    /// The columns.
    pub columns: &'a [Column],
    /// Which events.
    pub filter: &'a Filter,
    /// Zone of times in details.
    pub zone: &'a Zone,
    auth_ids: Vec<String>,
    /// Of each process where its modules lie, and their names.
    user_maps: Vec<(AddressMap, Vec<&'a str>)>,
    memo: Memo,
}

/// The rows of a unit that a filter took.
#[derive(Debug, Default)]
pub struct Rows {
    /// The events.
    pub batch: Batch,
    /// Rows of the batch that are in the table.
    pub selected: Vec<u32>,
    drivers: TextColumn,
    stack: TextColumn,
}

impl Rows {
    /// Removes all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.batch.clear();
        self.selected.clear();
        self.drivers.clear();
        self.stack.clear();
    }
}

impl<'a> Table<'a> {
    /// Prepares a table of `columns` over the events of `trace` that `filter` takes.
    pub fn new(
        trace: &'a dyn Trace,
        drivers: &'a DriverList,
        input: &'a str,
        columns: &'a [Column],
        filter: &'a Filter,
        zone: &'a Zone,
    ) -> Self {
        let info = trace.info();
        let auth_ids = match columns.contains(&Column::AuthId) {
            true => info.processes.iter().map(auth_id).collect(),
            false => Vec::new(),
        };
        let user_maps = match columns.contains(&Column::Stack) {
            true => {
                let named = |process: &'a Process| {
                    let names = process.modules.iter().map(|module| module.file_name());
                    (user_map(process, info), names.collect())
                };
                info.processes.iter().map(named).collect()
            }
            false => Vec::new(),
        };
        Self {
            trace,
            drivers,
            input,
            columns,
            filter,
            zone,
            auth_ids,
            user_maps,
            memo: Memo::default(),
        }
    }

    /// Decodes unit `unit` and adds the rows that the filter takes to `rows`.
    ///
    /// # Errors
    /// When the trace can no longer be read.
    pub fn append(&self, unit: usize, rows: &mut Rows) -> io::Result<()> {
        let want = self.want();
        let before = rows.batch.len();
        self.filter
            .decode(self.trace, unit, (&want, &self.memo), &mut rows.batch)?;
        self.select(before, rows);
        Ok(())
    }

    /// The selected events of a unit, in rows of `pool`.
    ///
    /// # Errors
    /// As [`Table::append`].
    pub fn take(&self, unit: usize, pool: &Pool<Rows>) -> io::Result<Rows> {
        let mut rows = pool.take();
        rows.clear();
        self.append(unit, &mut rows)?;
        Ok(rows)
    }

    /// What has to be decoded for its columns.
    pub fn want(&self) -> Want {
        let has = |column| self.columns.contains(&column);
        Want {
            path: has(Column::Path),
            target: has(Column::TargetPath),
            detail: has(Column::Detail),
            category: has(Column::Category),
            frames: if has(Column::Stack) {
                Frames::All
            } else if has(Column::Drivers) || self.filter.third_party {
                Frames::Kernel
            } else {
                Frames::None
            },
            file_uses: false,
            zone: self.zone.clone(),
        }
    }

    /// Selects among the events from `from` on, which were decoded as the filter and [`Table::want`] say.
    pub fn select(&self, from: usize, rows: &mut Rows) {
        let has = |column| self.columns.contains(&column);
        let third_party = self.filter.third_party;
        let drivers = has(Column::Drivers) || third_party;
        for row in from..rows.batch.len() {
            let mut kept = self.filter.takes_row(&rows.batch, row);
            if kept && drivers {
                let any = self.push_drivers(&rows.batch, row, rows.drivers.buffer());
                kept = any || !third_party;
            }
            rows.drivers.end_row();
            if kept && has(Column::Stack) {
                self.push_stack(&rows.batch, row, rows.stack.buffer());
            }
            rows.stack.end_row();
            if kept {
                rows.selected.push(row as u32);
            }
        }
    }

    /// The cell of a column in row `row` of the batch. `scratch` may be used for its text.
    #[inline(always)]
    pub fn cell<'r>(
        &'r self,
        column: Column,
        rows: &'r Rows,
        row: usize,
        scratch: &'r mut String,
    ) -> Cell<'r> {
        let batch = &rows.batch;
        match column {
            Column::Event => Cell::Number(batch.event[row]),
            Column::Time => Cell::Time(batch.time[row]),
            Column::Path => text(batch.path.get(row)),
            Column::TargetPath => text(batch.target.get(row)),
            Column::Result => match batch.status[row] {
                Some(status) if result_text(status).is_none() => {
                    scratch.clear();
                    write_result(status, scratch);
                    Cell::Text(scratch)
                }
                _ => text(self.fixed_text(column, rows, row)),
            },
            Column::Status => number(batch.status[row]),
            Column::DurationUs => batch.duration[row].map_or(Cell::Null, Cell::Micros),
            Column::Tid => number(Some(batch.tid[row]).filter(|tid| *tid != NO_THREAD)),
            Column::Detail => text(batch.detail.get(row)),
            Column::RelativeUs => {
                let first = self.trace.info().first.unwrap_or_default();
                Cell::Micros(batch.time[row].0.saturating_sub(first.0))
            }
            Column::CompletionTime => batch.duration[row].map_or(Cell::Null, |duration| {
                Cell::Time(batch.time[row].plus(duration))
            }),
            Column::Stack => text(rows.stack.get(row)),
            Column::FilterDurationUs => batch
                .callback(row)
                .and_then(|callback| callback.duration)
                .map_or(Cell::Null, Cell::Micros),
            other if other.is_of_process() => self.process_cell(other, batch.process[row]),
            listed => text(self.fixed_text(listed, rows, row)),
        }
    }

    /// The text of a column whose texts come from lists, without a copy; empty where it is absent or,
    /// for results, has no name.
    #[inline(always)]
    pub fn fixed_text<'r>(&'r self, column: Column, rows: &'r Rows, row: usize) -> &'r str {
        let batch = &rows.batch;
        match column {
            Column::Source => self.trace.info().kind.as_str(),
            Column::Class => batch.class[row].as_str(),
            Column::Operation => batch.operation[row],
            Column::OperationFull => batch.operation_full[row],
            Column::Result => batch.status[row].and_then(result_text).unwrap_or_default(),
            Column::Category => batch.category[row],
            Column::Drivers => rows.drivers.get(row),
            Column::Input => self.input,
            Column::Filter => self.filter_name(batch, row),
            Column::Callback => batch.callback(row).map_or("", |c| c.phase.as_str()),
            Column::MajorFunction => batch.callback(row).map_or("", |c| c.major_function),
            Column::Provider => batch.provider(row),
            _ => "",
        }
    }

    /// The cell of a column that depends on the process alone; absent where `position` names none.
    pub fn process_cell(&self, column: Column, position: u32) -> Cell<'_> {
        let Some(process) = self.trace.info().processes.get(position as usize) else {
            return Cell::Null;
        };
        match column {
            Column::Process => text(&process.name),
            Column::Pid => Cell::Number(u64::from(process.pid)),
            Column::ProcessPath => text(&process.image_path),
            Column::CommandLine => text(&process.command_line),
            Column::User => text(&process.user),
            Column::Company => text(&process.company),
            Column::Description => text(&process.description),
            Column::Version => text(&process.version),
            Column::Integrity => text(&process.integrity),
            Column::ParentPid => number(process.parent_pid),
            Column::Session => number(process.session),
            Column::AuthId => text(self.auth_ids.get(position as usize).map_or("", |id| id)),
            Column::Virtualized => process.virtualized.map_or(Cell::Null, Cell::Bool),
            Column::Architecture => match process.is_64 {
                Some(true) => Cell::Text("64-bit"),
                Some(false) => Cell::Text("32-bit"),
                None => Cell::Null,
            },
            _ => Cell::Null,
        }
    }

    /// The driver that a callback's routine lies in; empty where the row is none, or no driver is known there.
    fn filter_name(&self, batch: &Batch, row: usize) -> &str {
        batch
            .callback(row)
            .and_then(|callback| self.drivers.at(callback.routine, batch.time[row]))
            .map_or("", |image| &self.drivers.list[image as usize].name)
    }

    /// Writes the filter of the callback and the drivers on the stack, as far as they are third parties';
    /// whether there is one.
    fn push_drivers(&self, batch: &Batch, row: usize, out: &mut String) -> bool {
        const SHOWN: usize = 16;
        let mut seen = [u32::MAX; SHOWN];
        let mut count = 0;
        let time = batch.time[row];
        let routine = batch.callback(row).map(|callback| callback.routine);
        let mut last = None;
        for address in routine.iter().chain(batch.frames.get(row)) {
            let found = self.drivers.suspect_at(*address, time);
            let Some(image) = found.filter(|_| found != last) else {
                continue;
            };
            last = found;
            if count == SHOWN || seen[..count].contains(&image) {
                continue;
            }
            seen[count] = image;
            if count > 0 {
                out.push(';');
            }
            count += 1;
            out.push_str(&self.drivers.list[image as usize].name);
        }
        count > 0
    }

    fn push_stack(&self, batch: &Batch, row: usize, out: &mut String) {
        let process = batch.process[row];
        let time = batch.time[row];
        for (at, frame) in batch.frames.get(row).iter().enumerate() {
            if at > 0 {
                out.push(';');
            }
            self.push_frame(*frame, process, time, out);
        }
    }

    fn push_frame(&self, frame: u64, process: u32, time: Filetime, out: &mut String) {
        let found = if frame > self.drivers.highest_user {
            self.drivers
                .map
                .resolve(frame, time)
                .map(|(image, offset)| (self.drivers.list[image as usize].name.as_str(), offset))
        } else {
            self.user_frame(frame, process, time)
        };
        match found {
            Some((name, offset)) => {
                out.push_str(name);
                out.push('+');
                push_hex(offset, out);
            }
            None => push_hex(frame, out),
        }
    }

    fn user_frame(&self, frame: u64, process: u32, time: Filetime) -> Option<(&str, u64)> {
        let (map, names) = self.user_maps.get(process as usize)?;
        let (module, offset) = map.resolve(frame, time)?;
        Some((names.get(module as usize)?, offset))
    }
}

#[inline]
fn text(text: &str) -> Cell<'_> {
    if text.is_empty() {
        Cell::Null
    } else {
        Cell::Text(text)
    }
}

#[inline]
fn number(number: Option<u32>) -> Cell<'static> {
    number.map_or(Cell::Null, |number| Cell::Number(u64::from(number)))
}

fn auth_id(process: &Process) -> String {
    process.auth_id.map_or_else(String::new, |id| {
        format!("{:08x}:{:08x}", id >> 32, id & 0xFFFF_FFFF)
    })
}

fn user_map(process: &Process, info: &TraceInfo) -> AddressMap {
    let modules = process.modules.iter().zip(0..);
    AddressMap::new(
        modules
            .filter(|(module, _)| module.base <= info.highest_user)
            .map(|(module, id)| address_map::Range {
                base: module.base,
                size: module.size,
                loaded: Filetime(0),
                id,
            }),
    )
}
