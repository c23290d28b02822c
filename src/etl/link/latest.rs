//! What became of each FileObject in a slice, whatever order its records are seen in: the last that happens to it is what
//! later slices have to know.

use crate::etl::gather::{Order, Place};
use hashbrown::hash_map::Entry;
use hashbrown::{HashMap, HashSet};

/// How a FileObject stands.
#[derive(Debug, Clone, Copy)]
enum Standing {
    /// Its create is the record at this place, with this number in the file.
    Open(Place, u64),
    /// It is closed.
    Closed,
}

/// FileObjects of a slice.
#[derive(Debug)]
pub struct Latest {
    here: HashMap<u64, (Order, Standing)>,
    /// FileObjects that are used.
    wanted: HashSet<u64>,
    /// Some of these, by address: most are used again at once.
    recent: Box<[u64; RECENT]>,
}

/// Places for FileObjects that were used lately.
const RECENT: usize = 256;

impl Default for Latest {
    fn default() -> Self {
        Self {
            here: HashMap::with_capacity(1 << 11),
            wanted: HashSet::with_capacity(1 << 9),
            // Not the address of anything.
            recent: Box::new([u64::MAX; RECENT]),
        }
    }
}

impl Latest {
    /// A record uses the FileObject.
    #[inline]
    pub fn want(&mut self, object: u64) {
        let place = (object.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as usize % RECENT;
        if self.recent[place] != object {
            self.recent[place] = object;
            self.wanted.insert(object);
        }
    }

    /// Record `number`, which stands at `place` and is of that `order`, opens it.
    #[inline]
    pub fn open(&mut self, object: u64, order: Order, place: Place, number: u64) {
        self.set(object, order, Standing::Open(place, number));
    }

    /// It is closed by a record of that `order`.
    #[inline]
    pub fn close(&mut self, object: u64, order: Order) {
        self.set(object, order, Standing::Closed);
    }

    #[inline]
    fn set(&mut self, object: u64, order: Order, standing: Standing) {
        match self.here.entry(object) {
            Entry::Occupied(mut known) if known.get().0 <= order => {
                known.insert((order, standing));
            }
            Entry::Occupied(_) => {}
            Entry::Vacant(place) => {
                place.insert((order, standing));
            }
        }
    }

    /// Create `number` failed: nobody will close it, for it is not open. Its FileObject may have been taken for
    /// another file by now.
    pub fn fail(&mut self, object: u64, number: u64) {
        if let Some((_, standing)) = self.here.get_mut(&object)
            && matches!(standing, Standing::Open(_, create) if *create == number)
        {
            *standing = Standing::Closed;
        }
    }

    /// Every FileObject that something happened to, with place and number of the create of those that are open.
    pub fn ends(&self) -> impl Iterator<Item = (u64, Option<(Place, u64)>)> + '_ {
        self.here.iter().map(|(object, (_, standing))| {
            let create = match standing {
                Standing::Open(place, number) => Some((*place, *number)),
                Standing::Closed => None,
            };
            (*object, create)
        })
    }

    /// FileObjects that are used.
    pub fn wanted(&self) -> impl Iterator<Item = u64> + '_ {
        self.wanted.iter().copied()
    }
}
