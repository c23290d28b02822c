//! Which process a thread belongs to, over time.

/// What is known of a thread at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Life {
    /// It starts.
    Start,
    /// It lives.
    Alive,
    /// It ends.
    End,
}

/// Threads by id and time. Ids are used again.
#[derive(Debug, Default)]
pub struct Threads {
    rows: Vec<(u32, i64, Life, u32)>,
}

impl Threads {
    /// Adds what is known at `time` (a key) of thread `tid` of process `pid`.
    pub fn add(&mut self, tid: u32, time: i64, life: Life, pid: u32) {
        self.rows.push((tid, time, life, pid));
    }

    /// Adds what was found elsewhere.
    pub fn merge(&mut self, other: Self) {
        self.rows.extend(other.rows);
    }

    /// Puts the rows in order; without this nothing is found.
    pub fn finish(&mut self) {
        self.rows.sort_unstable();
        self.rows.dedup();
    }

    /// Threads that belong, at some time, to a process whose id is `wanted`.
    pub fn of_processes(&self, wanted: impl Fn(u32) -> bool) -> impl Iterator<Item = u32> {
        let idle = wanted(0).then_some(0);
        let rows = self.rows.iter().filter(move |row| wanted(row.3));
        rows.map(|row| row.0).chain(idle)
    }

    /// The process of thread `tid` at `time`. The idle threads are thread 0 of process 0.
    #[inline]
    pub fn process_of(&self, tid: u32, time: i64) -> Option<u32> {
        if tid == 0 {
            return Some(0);
        }
        let next = self
            .rows
            .partition_point(|(t, at, ..)| (*t, *at) <= (tid, time));
        let before = next
            .checked_sub(1)
            .map(|at| self.rows[at])
            .filter(|row| row.0 == tid);
        let after = self.rows.get(next).copied().filter(|row| row.0 == tid);
        match (before, after) {
            (Some((.., life, pid)), _) if life != Life::End => Some(pid),
            (_, Some((.., life, pid))) if life != Life::Start => Some(pid),
            // Its last events are written while and after it ends.
            (Some((.., pid)), _) => Some(pid),
            (None, Some((.., pid))) => Some(pid),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_used_again() {
        let mut threads = Threads::default();
        threads.add(8, 100, Life::Start, 4);
        threads.add(8, 200, Life::End, 4);
        threads.add(8, 300, Life::Start, 5);
        threads.add(9, 500, Life::Alive, 6);
        threads.finish();
        assert_eq!(threads.process_of(8, 150), Some(4));
        assert_eq!(threads.process_of(8, 210), Some(4));
        assert_eq!(threads.process_of(8, 300), Some(5));
        assert_eq!(threads.process_of(9, 0), Some(6));
        assert_eq!(threads.process_of(0, 0), Some(0));
        assert_eq!(threads.process_of(7, 0), None);
    }
}
