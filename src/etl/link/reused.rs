//! What one slice after the other is joined with: space that is made once, and what was found out about texts.

use super::begun::Begun;
use super::columns::Columns;
use crate::trace::pool;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher as _;

/// Texts of which something is remembered, for each thread.
const MOST: usize = 1 << 17;

/// What was found out about texts, as they stand in records. They are known by their lengths and by a number of 64 bits that
/// is another one in every run: to compare the texts themselves takes as long as to find out again.
#[derive(Debug)]
pub struct Remembered<V> {
    known: HashTable<(u64, usize, V)>,
    hasher: DefaultHashBuilder,
}

impl<V> Default for Remembered<V> {
    fn default() -> Self {
        Self {
            known: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }
}

impl<V: Copy> Remembered<V> {
    /// What is known of a text, which `find` finds out the first time.
    pub fn of(&mut self, text: &[u8], find: impl FnOnce() -> V) -> V {
        self.of_keyed(0, text, find)
    }

    /// The same of a text together with an address.
    pub fn of_keyed(&mut self, address: u64, text: &[u8], find: impl FnOnce() -> V) -> V {
        let (hash, len) = (self.hasher.hash_one((address, text)), text.len());
        let same = |known: &(u64, usize, V)| (known.0, known.1) == (hash, len);
        if let Some((.., known)) = self.known.find(hash, same) {
            return *known;
        }
        let found = find();
        if self.known.len() >= MOST {
            self.known.clear();
        }
        let entry = (hash, len, found);
        self.known.insert_unique(hash, entry, |(hash, ..)| *hash);
        found
    }
}

/// What the path of a create is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathKind {
    /// It begins at an open folder.
    Partial,
    /// It may be asked for.
    Wanted,
    /// Another path.
    Other,
}

/// What a thread works with.
#[derive(Debug, Default)]
pub struct Tools {
    /// What has begun on each processor.
    pub begun: Vec<Begun>,
    /// What the paths of creates are.
    pub paths: Remembered<PathKind>,
    /// Whether registry keys may be asked for, by the text of an event and its KCB; 0 where the text is all of the path.
    pub keys: Remembered<bool>,
    /// KCBs of which no event is asked for, by address.
    pub kcbs: Vec<u64>,
}

/// Tools and columns that nobody uses at the moment.
#[derive(Debug, Default)]
pub struct Pool {
    tools: pool::Pool<Tools>,
    columns: pool::Pool<Columns>,
}

impl Pool {
    /// Tools, for one slice.
    pub fn tools(&self) -> Tools {
        self.tools.take()
    }

    /// Gives them back.
    pub fn keep_tools(&self, tools: Tools) {
        self.tools.give(tools);
    }

    /// Columns without anything in them.
    pub fn columns(&self) -> Columns {
        self.columns.take()
    }

    /// Gives them back.
    pub fn keep_columns(&self, mut columns: Columns) {
        columns.clear();
        self.columns.give(columns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_texts_is_bounded() {
        let mut told = Remembered::default();
        let mut asked = 0;
        for number in 0..200_000_u64 {
            told.of(&number.to_le_bytes().repeat(16), || number);
            assert!(told.known.len() <= MOST);
        }
        for _ in 0..3 {
            let known = told.of(&199_999_u64.to_le_bytes().repeat(16), || {
                asked += 1;
                0
            });
            assert_eq!((known, asked), (199_999, 0));
        }
    }
}
