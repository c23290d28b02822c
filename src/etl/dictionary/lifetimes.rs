//! Names of objects over time. Addresses of objects are used again, so a name holds for a while.

use super::texts::TextId;
use hashbrown::HashMap;

/// What is known of an object's name at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// The name ends here.
    End,
    /// The name begins here.
    Begin,
    /// The object has the name here, since some time and for some time.
    Seen,
}

/// Names of objects, by address and time.
#[derive(Debug, Default)]
pub struct Lifetimes {
    rows: Vec<(u64, i64, Sign, TextId)>,
    /// Where the rows of each address are.
    places: HashMap<u64, (u32, u32)>,
}

impl Lifetimes {
    /// Adds what is known at `time` (a key) of the object at `address`.
    pub fn add(&mut self, address: u64, time: i64, sign: Sign, name: TextId) {
        self.rows.push((address, time, sign, name));
    }

    /// Changes the names.
    pub fn rename(&mut self, mut new: impl FnMut(TextId) -> TextId) {
        for (.., name) in &mut self.rows {
            *name = new(*name);
        }
    }

    /// Puts the rows in order; without this nothing is found.
    pub fn finish(&mut self) {
        self.rows.sort_unstable();
        self.rows.dedup();
        // More rows than that are in no trace that fits into memory.
        self.rows.truncate(u32::MAX as usize);
        self.places.clear();
        let mut from = 0;
        for rows in self.rows.chunk_by(|a, b| a.0 == b.0) {
            let to = from + rows.len() as u32;
            if let Some(row) = rows.first() {
                self.places.insert(row.0, (from, to));
            }
            from = to;
        }
    }

    #[inline]
    fn rows_of(&self, address: u64) -> &[(u64, i64, Sign, TextId)] {
        let place = self.places.get(&address);
        let rows = place.and_then(|(from, to)| self.rows.get(*from as usize..*to as usize));
        rows.unwrap_or(&[])
    }

    /// The objects of which any name passes a test.
    pub fn addresses<'t>(
        &'t self,
        mut test: impl FnMut(TextId) -> bool + 't,
    ) -> impl Iterator<Item = u64> + 't {
        let of_one = self.rows.chunk_by(|a, b| a.0 == b.0);
        of_one.filter_map(move |rows| {
            let passes = rows.iter().any(|row| test(row.3));
            Some(rows.first()?.0).filter(|_| passes)
        })
    }

    /// The objects that have a name at all times: [`Lifetimes::find`] finds one whenever it is asked.
    pub fn always_named(&self) -> impl Iterator<Item = u64> + '_ {
        let of_one = self.rows.chunk_by(|a, b| a.0 == b.0);
        of_one.filter_map(|rows| {
            let last = rows.last()?;
            (last.2 != Sign::End).then_some(last.0)
        })
    }

    /// All names that the object at `address` has at any time.
    pub fn names(&self, address: u64) -> impl Iterator<Item = TextId> + '_ {
        self.rows_of(address).iter().map(|row| row.3)
    }

    /// The name of the object at `address` at `time`: the one that began or was seen before and has not ended, else the
    /// next one. A file key is used before the event that names it: by 7 ms in a real trace, for the folder's own
    /// index is read first.
    #[inline]
    pub fn find(&self, address: u64, time: i64) -> Option<TextId> {
        let rows = self.rows_of(address);
        let next = rows.partition_point(|row| row.1 <= time);
        let before = next.checked_sub(1).map(|at| rows[at]);
        match before.filter(|row| row.2 != Sign::End) {
            Some((.., name)) => Some(name),
            None => rows.get(next).map(|row| row.3),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_until_it_ends_and_back_from_where_it_is_seen() {
        let mut names = Lifetimes::default();
        names.add(16, 100, Sign::Begin, 1);
        names.add(16, 200, Sign::End, 1);
        names.add(16, 300, Sign::Begin, 2);
        names.add(32, 150, Sign::End, 3);
        names.add(48, 900, Sign::Seen, 4);
        names.add(64, 500, Sign::Begin, 5);
        names.add(64, 700, Sign::Seen, 5);
        names.finish();
        let find = |address, time| names.find(address, time);
        assert_eq!(find(16, 99), Some(1));
        assert_eq!(find(16, 100), Some(1));
        assert_eq!(find(16, 199), Some(1));
        assert_eq!(find(16, 250), Some(2));
        assert_eq!(find(16, 999), Some(2));
        assert_eq!(
            (find(32, 0), find(32, 150), find(32, 151)),
            (Some(3), None, None)
        );
        assert_eq!((find(48, 0), find(48, 1_000)), (Some(4), Some(4)));
        assert_eq!((find(64, 499), find(64, 600)), (Some(5), Some(5)));
        assert_eq!(find(17, 100), None);
    }
}
