//! Share modes: whether an open file stands in the way of a request. The rule is that of `IoCheckShareAccess`.

use serde::Serialize;

/// Reading, writing and deleting, as bits of a share mode: 1, 2, 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights(pub u32);

const READ: u32 = 1;
const WRITE: u32 = 2;
const DELETE: u32 = 4;

impl Rights {
    /// All of them.
    pub const ALL: Self = Self(READ | WRITE | DELETE);
    /// Reading.
    pub const READ: Self = Self(READ);
    /// Writing.
    pub const WRITE: Self = Self(WRITE);
    /// Deleting, which renaming needs as well.
    pub const DELETE: Self = Self(DELETE);

    /// What an access mask asks for, of these; `None` where the mask leaves it to the file (`MAXIMUM_ALLOWED`).
    pub fn of_mask(mask: u32) -> Option<Self> {
        const MAXIMUM_ALLOWED: u32 = 0x0200_0000;
        if mask & MAXIMUM_ALLOWED != 0 {
            return None;
        }
        // Data, execute and the generic rights that hold them.
        let bit = |masks: u32, right: u32| if mask & masks != 0 { right } else { 0 };
        let read = bit(0xB000_0021, READ);
        let write = bit(0x5000_0006, WRITE);
        let delete = bit(0x1001_0000, DELETE);
        Some(Self(read | write | delete))
    }

    /// These and no others.
    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// `read`, `write` and `delete`, as far as they are among them.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let words = [(READ, "read"), (WRITE, "write"), (DELETE, "delete")];
        words
            .into_iter()
            .filter(move |(bit, _)| self.0 & bit != 0)
            .map(|(_, word)| word)
    }

    /// Whether there are none.
    pub fn is_none(self) -> bool {
        self.0 & 7 == 0
    }
}

/// As words: `["read", "delete"]`.
impl Serialize for Rights {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.words())
    }
}

/// An open file, or a request for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sharing {
    /// What it may do, or wants to; `None` where that is not known.
    pub rights: Option<Rights>,
    /// What it lets others do.
    pub share: Rights,
}

/// Whether an open file stands in the way of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clash {
    /// By access and share modes.
    Certain {
        /// What the request wants and the open file does not share.
        wanted: Rights,
        /// What the open file may do and the request does not share.
        held: Rights,
    },
    /// By the share modes it may; the access is not known.
    Possible,
    /// It does not.
    None,
}

/// Judges an open file and a request.
pub fn clash(holder: Sharing, request: Sharing) -> Clash {
    let lacks = |share: Rights| Rights::ALL.without(share);
    // Who may neither read, write nor delete takes no part.
    let idle = |sharing: Sharing| sharing.rights.is_some_and(Rights::is_none);
    if idle(holder) || idle(request) {
        return Clash::None;
    }
    let wanted = request.rights.map(|rights| rights.without(holder.share));
    let held = holder.rights.map(|rights| rights.without(request.share));
    let certain = |rights: Option<Rights>| rights.is_some_and(|rights| !rights.is_none());
    if certain(wanted) || certain(held) {
        return Clash::Certain {
            wanted: wanted.unwrap_or_default(),
            held: held.unwrap_or_default(),
        };
    }
    let may = |known: Option<Rights>, share| known.is_none() && !lacks(share).is_none();
    if may(wanted, holder.share) || may(held, request.share) {
        return Clash::Possible;
    }
    Clash::None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mask: Option<u32>, share: u32) -> Sharing {
        Sharing {
            rights: mask.and_then(Rights::of_mask),
            share: Rights(share),
        }
    }

    #[test]
    fn masks() {
        assert_eq!(Rights::of_mask(0x0012_0089), Some(Rights(READ)));
        assert_eq!(Rights::of_mask(0x0012_019F), Some(Rights(READ | WRITE)));
        assert_eq!(Rights::of_mask(0x0011_0080), Some(Rights(DELETE)));
        assert_eq!(Rights::of_mask(0x0010_0080), Some(Rights(0)));
        assert_eq!(Rights::of_mask(0x1000_0000), Some(Rights::ALL));
        assert_eq!(Rights::of_mask(0x8000_0000), Some(Rights(READ)));
        assert_eq!(Rights::of_mask(0x4000_0000), Some(Rights(WRITE)));
        assert_eq!(Rights::of_mask(0x0200_0000), None);
        let words = serde_json::to_string(&Rights(READ | DELETE)).unwrap();
        assert_eq!(words, "[\"read\",\"delete\"]");
    }

    #[test]
    fn a_conflict_is_computed_from_both_sides() {
        let scanner = of(Some(0x0012_0089), 1);
        let delete = of(Some(0x0001_0000), 7);
        assert_eq!(
            clash(scanner, delete),
            Clash::Certain {
                wanted: Rights(DELETE),
                held: Rights(0)
            }
        );
        // Servicing itself does not share what the holder has.
        let exclusive = of(Some(0x0012_0089), 0);
        let reader = of(Some(0x0012_0089), 7);
        assert_eq!(
            clash(reader, exclusive),
            Clash::Certain {
                wanted: Rights(0),
                held: Rights(READ)
            }
        );
        assert_eq!(clash(reader, delete), Clash::None);
        // Attributes alone need no sharing.
        assert_eq!(clash(of(Some(0x0010_0080), 0), delete), Clash::None);
        assert_eq!(clash(exclusive, of(Some(0x0010_0080), 0)), Clash::None);
    }

    #[test]
    fn without_the_access_share_modes_tell_what_may_be() {
        assert_eq!(clash(of(None, 0), of(None, 7)), Clash::Possible);
        assert_eq!(clash(of(None, 7), of(None, 3)), Clash::Possible);
        assert_eq!(clash(of(None, 7), of(None, 7)), Clash::None);
        assert_eq!(
            clash(of(None, 1), of(Some(0x0001_0000), 7)),
            Clash::Certain {
                wanted: Rights(DELETE),
                held: Rights(0)
            }
        );
    }
}
