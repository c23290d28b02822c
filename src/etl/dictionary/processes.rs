//! Processes over time. Ids are used again, so a process is its id and the time it started.

use super::texts::{TextId, Texts};
use crate::trace::{Filetime, Process};
use std::collections::HashMap;
use std::sync::Arc;

/// What a row says of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// It starts.
    Start,
    /// It runs; also: it has ended and something still holds its object.
    There,
    /// It ends.
    End,
}

/// A row of a process.
#[derive(Debug, Clone, Copy)]
pub struct ProcessRow {
    /// When.
    pub time: Filetime,
    /// What it says.
    pub event: Event,
    /// Process id.
    pub pid: u32,
    /// Id of the parent.
    pub parent: u32,
    /// Terminal session; `FFFFFFFF` for those of none.
    pub session: u32,
    /// Whether it is a 64-bit process, where the row says so.
    pub is_64: Option<bool>,
    /// File name, cut to 15 characters by old versions of Windows.
    pub name: TextId,
    /// Command line.
    pub command_line: TextId,
    /// SID of its user, as `S-1-5-18`.
    pub user: TextId,
}

/// Rows of processes as they come, in any order.
#[derive(Debug, Default)]
pub struct ProcessRows {
    rows: Vec<ProcessRow>,
}

/// Rows that are kept.
const MOST: usize = 4_000_000;

impl ProcessRows {
    /// Adds a row.
    pub fn add(&mut self, row: ProcessRow) {
        if self.rows.len() < MOST {
            self.rows.push(row);
        }
    }

    /// The rows, as they came.
    pub fn into_rows(self) -> Vec<ProcessRow> {
        self.rows
    }

    /// The processes, by the time they are first seen, and with `more` ids of which no row tells.
    pub fn into_processes(mut self, texts: &Texts, more: &[u32]) -> (Vec<Process>, ProcessIndex) {
        self.rows.sort_by_key(|row| (row.time, row.event));
        let mut list: Vec<Process> = Vec::new();
        let mut index = ProcessIndex::default();
        // The process that has an id now, or had it last.
        let mut current: HashMap<u32, usize> = HashMap::new();
        for row in &self.rows {
            let same = current.get(&row.pid).copied().filter(|at| match row.event {
                // A start that comes twice is one process: some sessions are merged with themselves.
                Event::Start => list[*at].start == Some(row.time),
                Event::There | Event::End => {
                    let name = texts.get(row.name);
                    list[*at].end.is_none() || *list[*at].name == *name
                }
            });
            let at = same.unwrap_or_else(|| {
                let mut process = Process::unknown(row.pid);
                process.start = (row.event == Event::Start).then_some(row.time);
                index.add(row.pid, process.start.unwrap_or_default(), list.len());
                current.insert(row.pid, list.len());
                list.push(process);
                list.len() - 1
            });
            fill(&mut list[at], row, texts);
        }
        for pid in more {
            if !current.contains_key(pid) {
                index.add(*pid, Filetime(0), list.len());
                list.push(Process::unknown(*pid));
            }
        }
        index.finish();
        (list, index)
    }
}

fn fill(process: &mut Process, row: &ProcessRow, texts: &Texts) {
    const NO_SESSION: u32 = u32::MAX;
    process.parent_pid = Some(row.parent);
    if row.session != NO_SESSION {
        process.session = Some(row.session);
    }
    process.is_64 = row.is_64.or(process.is_64);
    if row.event == Event::End {
        process.end = Some(row.time);
    }
    let set = |field: &mut Arc<str>, text: TextId| {
        if field.is_empty() {
            *field = texts.share(text);
        }
    };
    set(&mut process.name, row.name);
    set(&mut process.command_line, row.command_line);
    if process.user.is_empty() {
        process.user =
            account(texts.get(row.user)).map_or_else(|| texts.share(row.user), Arc::from);
    }
}

/// The name that accounts of Windows have on every machine.
fn account(sid: &str) -> Option<&'static str> {
    Some(match sid {
        "S-1-5-18" => "NT AUTHORITY\\SYSTEM",
        "S-1-5-19" => "NT AUTHORITY\\LOCAL SERVICE",
        "S-1-5-20" => "NT AUTHORITY\\NETWORK SERVICE",
        _ => return None,
    })
}

/// From a process id and a time to the position in the list of processes.
#[derive(Debug, Default)]
pub struct ProcessIndex {
    rows: Vec<(u32, Filetime, u32)>,
}

impl ProcessIndex {
    fn add(&mut self, pid: u32, start: Filetime, position: usize) {
        self.rows.push((pid, start, position as u32));
    }

    fn finish(&mut self) {
        self.rows.sort_unstable();
    }

    /// The process that had id `pid` at `time`: the last that started before, or the first of all.
    #[inline]
    pub fn find(&self, pid: u32, time: Filetime) -> Option<u32> {
        let next = self
            .rows
            .partition_point(|(p, start, _)| (*p, *start) <= (pid, time));
        let before = next
            .checked_sub(1)
            .map(|at| self.rows[at])
            .filter(|row| row.0 == pid);
        let after = self.rows.get(next).copied().filter(|row| row.0 == pid);
        before.or(after).map(|(.., position)| position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_its_id_at_a_time() {
        let mut texts = Texts::default();
        let mut number = |text: &str| texts.number(text).unwrap();
        let (empty, a, b, system) = (
            number(""),
            number("a.exe"),
            number("b.exe"),
            number("S-1-5-18"),
        );
        let row = |time, event, pid, name| ProcessRow {
            time: Filetime(time),
            event,
            pid,
            parent: 4,
            session: u32::MAX,
            is_64: None,
            name,
            command_line: empty,
            user: system,
        };
        let mut rows = ProcessRows::default();
        rows.add(row(900, Event::There, 8, b));
        rows.add(row(100, Event::There, 8, a));
        rows.add(row(200, Event::End, 8, a));
        rows.add(row(300, Event::Start, 8, b));
        rows.add(row(950, Event::There, 12, a));
        let (list, index) = rows.into_processes(&texts, &[8, 77]);
        let names: Vec<(u32, &str, Option<u64>)> = list
            .iter()
            .map(|p| (p.pid, &*p.name, p.start.map(|time| time.0)))
            .collect();
        assert_eq!(
            names,
            [
                (8, "a.exe", None),
                (8, "b.exe", Some(300)),
                (12, "a.exe", None),
                (77, "", None)
            ]
        );
        assert_eq!(&*list[0].user, "NT AUTHORITY\\SYSTEM");
        assert_eq!((list[0].end, list[1].end), (Some(Filetime(200)), None));
        assert_eq!((list[0].parent_pid, list[0].session), (Some(4), None));
        let find = |pid, time| index.find(pid, Filetime(time));
        assert_eq!(
            (find(8, 0), find(8, 250), find(8, 300)),
            (Some(0), Some(0), Some(1))
        );
        assert_eq!(
            (find(12, 0), find(77, 5), find(5, 5)),
            (Some(2), Some(3), None)
        );
    }
}
