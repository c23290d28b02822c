//! Paths of open files, by FileObject.

use crate::etl::dictionary::texts::{TextId, Texts};
use hashbrown::{HashMap, HashSet};
use std::ops::Range;

/// An open file: its path, and the number of its create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// The path.
    pub path: TextId,
    /// The number.
    pub number: u64,
}

/// Paths that came with the creates of a stretch of time, over those of files that were open before it.
#[derive(Debug)]
pub struct Objects {
    /// `None` for a file that has been closed; else its path and the number of the create.
    here: HashMap<u64, Option<(Range<usize>, u64)>>,
    /// Paths of the creates.
    arena: String,
    /// FileObjects that were asked for and not created here.
    wanted: HashSet<u64>,
    /// The object that was asked for last: callbacks of one operation ask for the same.
    asked: u64,
}

/// Room from the start: as many as a slice usually has.
const USUAL: usize = 1 << 9;

impl Default for Objects {
    fn default() -> Self {
        Self {
            here: HashMap::with_capacity(USUAL),
            arena: String::new(),
            wanted: HashSet::new(),
            asked: 0,
        }
    }
}

/// What is known of a FileObject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known<'a> {
    /// Its path, from a create or rename in this stretch.
    Path(&'a str),
    /// It was closed and not created again.
    Closed,
    /// Nothing in this stretch tells of it.
    Before,
}

impl Objects {
    /// The file is opened: `path` writes its path. It keeps that path until it is closed, whatever it is renamed to.
    pub fn set(
        &mut self,
        object: u64,
        number: u64,
        path: impl FnOnce(&mut String),
    ) -> Range<usize> {
        let from = self.arena.len();
        path(&mut self.arena);
        let range = from..self.arena.len();
        self.here.insert(object, Some((range.clone(), number)));
        range
    }

    /// A path that was set here, also of a file that has been closed since.
    pub fn path(&self, range: Range<usize>) -> &str {
        self.arena.get(range).unwrap_or("")
    }

    /// The file is closed.
    pub fn close(&mut self, object: u64) {
        self.here.insert(object, None);
    }

    /// Create `number` of the file failed: nobody will close it, for it is not open. Its FileObject may have been taken
    /// for another file by now, also `before` this stretch.
    pub fn fail(&mut self, object: u64, number: u64, before: Option<Opened>) {
        let now = match self.here.get(&object) {
            Some(open) => open.as_ref().map(|open| open.1),
            None => before.map(|open| open.number),
        };
        if now == Some(number) {
            self.here.insert(object, None);
        }
    }

    /// What this stretch knows of an object.
    #[inline]
    pub fn get(&self, object: u64) -> Known<'_> {
        match self.here.get(&object) {
            Some(Some((range, _))) => Known::Path(&self.arena[range.clone()]),
            Some(None) => Known::Closed,
            None => Known::Before,
        }
    }

    /// Notes that the object is used.
    #[inline]
    pub fn want(&mut self, object: u64) {
        // What was created here stays known, and what was wanted stays wanted.
        if object != self.asked {
            self.asked = object;
            if !self.here.contains_key(&object) {
                self.wanted.insert(object);
            }
        }
    }

    /// What was wanted and not created here.
    pub fn wanted(&self) -> impl Iterator<Item = u64> + '_ {
        self.wanted.iter().copied()
    }

    /// Brings `open` (paths of open files by FileObject) from the start of this stretch to its end.
    pub fn apply(&self, open: &mut HashMap<u64, Opened>, texts: &mut Texts) {
        for (object, path) in &self.here {
            let opened = path.as_ref().and_then(|(range, number)| {
                Some(Opened {
                    path: texts.number(&self.arena[range.clone()])?,
                    number: *number,
                })
            });
            match opened {
                Some(opened) => {
                    open.insert(*object, opened);
                }
                None => {
                    open.remove(object);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_goes_on() {
        let mut texts = Texts::default();
        let old = texts.number("old").unwrap();
        let old = Opened {
            path: old,
            number: 9,
        };
        let mut open = HashMap::from_iter([(1, old), (2, old), (4, old)]);
        let mut objects = Objects::default();
        objects.want(1);
        objects.set(3, 10, |path| path.push_str("\\a"));
        objects.set(5, 11, |path| path.push_str("\\b"));
        objects.fail(5, 10, None);
        objects.fail(4, 9, Some(old));
        objects.fail(2, 1, Some(old));
        objects.want(3);
        objects.close(2);
        assert_eq!(objects.get(3), Known::Path("\\a"));
        assert_eq!(
            (objects.get(1), objects.get(2)),
            (Known::Before, Known::Closed)
        );
        assert_eq!(objects.wanted().collect::<Vec<_>>(), [1]);
        objects.apply(&mut open, &mut texts);
        assert_eq!(open.len(), 3);
        assert_eq!(texts.get(open[&3].path), "\\a");
        assert_eq!(texts.get(open[&5].path), "\\b");
    }
}
