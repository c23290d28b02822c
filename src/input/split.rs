//! The parts of a split Procmon log by their names: `NAME.pml`, `NAME-1.pml`, `NAME-2.pml`, …

/// Where a file stands among the parts of a log, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartName {
    /// Folder and name without number and ending, in lower case: what all parts of a log share.
    pub log: String,
    /// Number of the part; the file without a number is part 0.
    pub number: u32,
}

/// Up to 21 parts are reported; a thousand would be 300 GB. Longer numbers are dates or machines.
const DIGITS: usize = 3;

impl PartName {
    /// Reads the name of a file; `None` where it does not end in `.pml`. A name in an archive will do.
    ///
    /// Procmon writes its numbers without leading zeros, so `PC-007.pml` is a name of its own.
    pub fn of(path: &str) -> Option<Self> {
        let stem_len = path.len().checked_sub(ENDING.len())?;
        let (stem, ending) = (path.get(..stem_len)?, path.get(stem_len..)?);
        if !ending.eq_ignore_ascii_case(ENDING) {
            return None;
        }
        let name_at = stem.rfind(['/', '\\']).map_or(0, |at| at + 1);
        let numbered = stem.rsplit_once('-').and_then(|(log, digits)| {
            let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
            let number = (plain && digits.len() <= DIGITS && !digits.starts_with('0'))
                .then(|| digits.parse().ok())??;
            (log.len() > name_at).then_some((log, number))
        });
        let (log, number) = numbered.unwrap_or((stem, 0));
        Some(Self {
            log: log.to_lowercase(),
            number,
        })
    }

    /// The name of part `number` of the log that the file named `name` is part 0 or any other part of.
    pub fn sibling(name: &str, number: u32) -> Option<String> {
        let part = Self::of(name)?;
        let stem = name.get(..name.len().checked_sub(ENDING.len())?)?;
        let ending = name.get(stem.len()..)?;
        let log = match part.number {
            0 => stem,
            _ => stem.rsplit_once('-')?.0,
        };
        let file = log.rfind(['/', '\\']).map_or(log, |at| &log[at + 1..]);
        Some(match number {
            0 => format!("{file}{ending}"),
            number => format!("{file}-{number}{ending}"),
        })
    }
}

const ENDING: &str = ".pml";

#[cfg(test)]
mod tests {
    use super::*;

    fn part(path: &str) -> Option<(String, u32)> {
        PartName::of(path).map(|part| (part.log, part.number))
    }

    #[test]
    fn numbers_are_read_as_procmon_writes_them() {
        let is = |log: &str, number| Some((log.to_owned(), number));
        assert_eq!(part("case/Boot_Log.PML"), is("case/boot_log", 0));
        assert_eq!(part("case/Boot_Log-1.PML"), is("case/boot_log", 1));
        assert_eq!(part("a.zip/b\\boot-10.pml"), is("a.zip/b\\boot", 10));
        // A date, a machine, no name before the number, a number of another form.
        assert_eq!(part("log-20200712.pml"), is("log-20200712", 0));
        assert_eq!(part("PC-007.pml"), is("pc-007", 0));
        assert_eq!(part("a-b/-1.pml"), is("a-b/-1", 0));
        assert_eq!(part("a-0.pml"), is("a-0", 0));
        assert_eq!(part("a-.pml"), is("a-", 0));
        assert_eq!(part("a-x1.pml"), is("a-x1", 0));
        assert_eq!(part("a-1/b.pml"), is("a-1/b", 0));
        assert_eq!(part("trace-1.etl"), None);
        assert_eq!(part("ä.pm"), None);
        assert_eq!(part(""), None);
    }

    #[test]
    fn a_missing_part_has_a_name() {
        let sibling = |name, number| PartName::sibling(name, number).unwrap();
        assert_eq!(sibling("case/Boot-1.PML", 0), "Boot.PML");
        assert_eq!(sibling("case/Boot.PML", 3), "Boot-3.PML");
        assert_eq!(sibling("Boot-12.pml", 2), "Boot-2.pml");
    }
}
