//! What the file operations and callbacks of a slice are known by: a few thousand FileObjects and IRPs, which most of its
//! records have in common with others.

/// Stands for the FileObject of a record that names none.
pub const NO_OBJECT: u64 = u64::MAX;
/// Says of a record that it is kept in any case.
pub const KEPT: u32 = 0;

/// Pairs that are found again at once.
const RECENT: usize = 1 << 11;
/// Room from the start: as many as a slice usually has.
const USUAL: usize = 1 << 9;

/// What a record is, as far as it matters to whether it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A file operation.
    File,
    /// The end of one.
    End,
    /// A callback.
    Callback,
}

/// What a record is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// FileObject.
    pub object: u64,
    /// IRP; of a callback its data, which is the IRP of the operation.
    pub irp: u64,
    /// FileKey, or whatever else tells records apart.
    pub key: u64,
    /// What it is.
    pub what: What,
}

/// Pairs, most of them once.
#[derive(Debug)]
pub struct Pairs {
    list: Vec<(Pair, bool)>,
    recent: Vec<u32>,
}

impl Default for Pairs {
    fn default() -> Self {
        Self {
            list: Vec::with_capacity(USUAL),
            recent: vec![0; RECENT],
        }
    }
}

impl Pairs {
    /// The number of a pair, from 1, if it is found again.
    #[inline]
    pub fn find(&self, pair: &Pair) -> Option<u32> {
        let number = self.recent[place_of(pair)];
        let (known, _) = self.list.get((number as usize).wrapping_sub(1))?;
        (known == pair).then_some(number)
    }

    /// Adds a pair that was not found, with a mark that is kept with it.
    pub fn add(&mut self, pair: Pair, mark: bool) -> u32 {
        self.list.push((pair, mark));
        let number = self.list.len() as u32;
        self.recent[place_of(&pair)] = number;
        number
    }

    /// All pairs with their marks, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (&Pair, bool)> {
        self.list.iter().map(|(pair, marked)| (pair, *marked))
    }

    /// Whether records are kept, which `keep` says of each pair.
    pub fn verdicts(&self, keep: impl Fn(&Pair, bool) -> bool) -> Verdicts {
        let of_pairs = self.iter().map(|(pair, marked)| keep(pair, marked));
        Verdicts(std::iter::once(true).chain(of_pairs).collect())
    }
}

#[inline]
fn place_of(pair: &Pair) -> usize {
    let mix = pair.object ^ pair.irp.rotate_left(21) ^ pair.key.rotate_left(42);
    let mix = (mix ^ pair.what as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mix >> 32) as usize % RECENT
}

/// Whether records are kept, by number.
#[derive(Debug, Default)]
pub struct Verdicts(Vec<bool>);

impl Verdicts {
    /// Whether records with a number are kept.
    #[inline]
    pub fn keeps(&self, number: u32) -> bool {
        self.0.get(number as usize) != Some(&false)
    }
}
