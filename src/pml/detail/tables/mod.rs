//! Names of numbers and flags, and how Procmon prints a number that has none.
//!
//! Many of the names were first collected and published by `eronnen/procmon-parser` (MIT), the first
//! public description of the format.

pub mod control_codes;
pub mod flags;
pub mod names;

/// A flag word: its names, and what is printed for bits without a name.
#[derive(Debug)]
pub struct FlagSet {
    /// Masks and names, in the order in which they are taken off; a mask may have several bits.
    pub names: &'static [(u32, &'static str)],
    /// What stands between two names.
    pub separator: &'static str,
    /// What is printed where no name fits.
    pub empty: Empty,
    /// What is printed for the bits that are left.
    pub rest: Rest,
    /// What generic read, write, execute and all stand for in an access mask.
    pub generic: Option<[u32; 4]>,
}

/// What a [`FlagSet`] prints where no name fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Empty {
    /// This text, for a mask of 0 only.
    Text(&'static str),
    /// `None 0x1000`, for any mask without a name.
    NoneAndMask,
}

/// What a [`FlagSet`] prints for bits without a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Nothing.
    Hidden,
    /// `0x1000` as one more item of the list.
    Listed,
    /// A blank and `0x1000` behind the letters.
    AfterBlank,
}

impl FlagSet {
    /// The mask with its generic bits (the highest four) spelled out beside them.
    #[inline]
    pub fn widen(&self, mask: u32) -> u32 {
        let Some(generic) = self.generic else {
            return mask;
        };
        let mut wide = mask;
        for (place, bits) in generic.into_iter().enumerate() {
            if mask & (0x8000_0000 >> place) != 0 {
                wide |= bits;
            }
        }
        wide
    }

    /// The names that fit, in order, and the bits that are left.
    #[inline]
    pub fn split(&self, mask: u32, mut each: impl FnMut(&'static str)) -> u32 {
        let mut left = mask;
        for &(bits, name) in self.names {
            if left & bits == bits {
                each(name);
                left &= !bits;
                if left == 0 {
                    break;
                }
            }
        }
        left
    }
}

/// Numbers with a name each.
#[derive(Debug)]
pub struct Names {
    /// Number and name, ascending.
    pub names: &'static [(u32, &'static str)],
    /// What is printed for any other number.
    pub unknown: Unknown,
}

/// What [`Names`] print for a number without a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// This text.
    Text(&'static str),
    /// `<Unknown: 17>`.
    Number,
    /// `0x11`.
    Hex,
    /// `Unknown: 0x11`.
    WordAndHex,
}

impl Names {
    /// Name of `number`.
    #[inline]
    pub fn get(&self, number: u32) -> Option<&'static str> {
        find(self.names, number)
    }
}

/// Name of an I/O control code, if Procmon has one.
#[inline]
pub fn control_code(code: u32) -> Option<&'static str> {
    find(&control_codes::CONTROL_CODES, code)
}

#[inline]
fn find(names: &[(u32, &'static str)], number: u32) -> Option<&'static str> {
    // Most tables are numbered without gaps from 0.
    if let Some(&(_, name)) = names.get(number as usize).filter(|(own, _)| *own == number) {
        return Some(name);
    }
    let at = names.binary_search_by_key(&number, |(own, _)| *own).ok()?;
    Some(names[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_ascending() {
        let all = [
            &names::DISPOSITIONS,
            &names::OPEN_RESULTS,
            &names::PRIORITIES,
            &names::SYNC_TYPES,
            &names::ALIGNMENTS,
            &names::KEY_CLASSES,
            &names::KEY_SET_CLASSES,
            &names::KEY_SET_CLASSES_ALL,
            &names::VALUE_TYPES,
            &names::INFORMATION_CLASSES,
        ];
        for table in all {
            assert!(table.names.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
        assert!(
            control_codes::CONTROL_CODES
                .windows(2)
                .all(|pair| pair[0].0 < pair[1].0)
        );
        assert_eq!(control_code(0x90240), Some("FSCTL_REQUEST_OPLOCK"));
        assert_eq!(names::VALUE_TYPES.get(11), Some("REG_QWORD"));
        assert_eq!(names::VALUE_TYPES.get(12), None);
    }
}
