//! Altitudes by driver file name.
//!
//! The origin of the rows is told at the head of `altitudes.tsv`.

use std::sync::LazyLock;

use super::altitude::group_of;
use super::name::{cmp_ignore_case, fits};

static TEXT: &str = include_str!("altitudes.tsv");

static ROWS: LazyLock<Vec<Candidate>> =
    LazyLock::new(|| rows().filter_map(Candidate::parse).collect());

/// Those of them whose file names have a place for any character.
static OPEN_NAMES: LazyLock<Vec<&Candidate>> = LazyLock::new(|| {
    let open = ROWS.iter().filter(|row| row.file_name.contains('?'));
    open.collect()
});

/// One driver a file name may stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The file name as the list spells it.
    pub file_name: &'static str,
    /// The altitude given out for it, as written; `None` where the driver is known but no altitude is.
    pub altitude: Option<&'static str>,
    /// The load order group of the altitude; empty where neither list nor range tells it.
    pub group: &'static str,
    /// Who it was given to; empty where the list does not say.
    pub vendor: &'static str,
    /// The product it belongs to, or for Microsoft's own what it does; empty where unknown.
    pub product: &'static str,
    /// Whether it is Microsoft's.
    pub microsoft: bool,
}

impl Candidate {
    fn parse(row: &'static str) -> Option<Self> {
        let mut fields = row.split('\t');
        let mut next = || fields.next();
        let (file_name, altitude, vendor, product, group) =
            (next()?, next()?, next()?, next()?, next()?);
        if next().is_some() || file_name.is_empty() || vendor.is_empty() {
            return None;
        }
        let altitude = (!altitude.is_empty()).then_some(altitude);
        Some(Self {
            file_name,
            altitude,
            group: if group.is_empty() {
                altitude.and_then(group_of).unwrap_or_default()
            } else {
                group
            },
            vendor: if vendor == "?" { "" } else { vendor },
            product,
            microsoft: vendor == "Microsoft",
        })
    }
}

fn rows() -> impl Iterator<Item = &'static str> {
    TEXT.lines().filter(|line| !line.starts_with('#'))
}

/// Every driver known under a file name, highest altitude first, those without an altitude last.
///
/// File names are not unique: one library is sold to many vendors under one name, and plain words were taken twice.
/// None of the rows is the driver of the trace unless something else says so.
pub fn altitude_candidates(file_name: &str) -> &'static [Candidate] {
    let named = block(file_name);
    if !named.is_empty() {
        return named;
    }
    OPEN_NAMES
        .iter()
        .find(|row| fits(row.file_name, file_name))
        .map_or(&[], |row| block(row.file_name))
}

fn block(file_name: &str) -> &'static [Candidate] {
    let from = ROWS.partition_point(|row| cmp_ignore_case(row.file_name, file_name).is_lt());
    let to = ROWS.partition_point(|row| cmp_ignore_case(row.file_name, file_name).is_le());
    ROWS.get(from..to).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::super::altitude::{altitude_cmp, is_altitude};
    use super::*;

    fn altitudes(file_name: &str) -> Vec<&'static str> {
        altitude_candidates(file_name)
            .iter()
            .filter_map(|row| row.altitude)
            .collect()
    }

    #[test]
    fn every_row_parses() {
        assert_eq!(rows().count(), 2231);
        assert_eq!(ROWS.len(), 2231);
        assert_eq!(ROWS.iter().filter(|row| row.microsoft).count(), 175);
        assert_eq!(ROWS.iter().filter(|row| row.vendor.is_empty()).count(), 2);
        for row in ROWS.iter() {
            assert!(!row.file_name.is_empty());
            for field in [row.file_name, row.vendor, row.product, row.group] {
                assert!(field.trim() == field && !field.contains("&#"), "{row:?}");
            }
            assert!(row.altitude.is_none_or(is_altitude), "{row:?}");
            assert!(row.file_name.contains('.'), "{row:?}");
            assert!(!row.file_name.contains(['\\', '/', '*']), "{row:?}");
        }
    }

    #[test]
    fn rows_are_sorted_by_name_then_altitude() {
        let order = |a: &Candidate, b: &Candidate| {
            cmp_ignore_case(a.file_name, b.file_name).then_with(|| match (a.altitude, b.altitude) {
                (Some(a), Some(b)) => altitude_cmp(b, a),
                (a, b) => b.is_some().cmp(&a.is_some()),
            })
        };
        for pair in ROWS.windows(2) {
            assert_ne!(order(&pair[0], &pair[1]), Ordering::Greater, "{pair:?}");
            assert_ne!(pair[0], pair[1]);
        }
    }

    #[test]
    fn nearly_every_altitude_has_a_group() {
        let odd: Vec<_> = ROWS
            .iter()
            .filter(|row| row.altitude.is_some() && row.group.is_empty())
            .map(|row| row.file_name)
            .collect();
        assert_eq!(odd, ["bfs.sys"]);
    }

    #[test]
    fn known_drivers() {
        let found = altitude_candidates("wdfilter.sys");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].altitude, Some("328010"));
        assert_eq!(found[0].group, "FSFilter Anti-Virus");
        assert!(found[0].microsoft);

        let found = altitude_candidates("KLIF.SYS");
        assert!(found.len() > 1);
        assert!(found.iter().all(|row| !row.microsoft));
        assert_eq!(altitudes("ucpd.sys"), ["385250.5"]);
        assert_eq!(altitudes("sysmondrv.sys"), ["385201"]);
        assert_eq!(altitudes("procmon24.sys"), ["385200"]);
    }

    #[test]
    fn all_altitudes_of_a_name_highest_first() {
        assert_eq!(altitudes("FileInfo.sys"), ["360500.5", "45000", "40500"]);
        assert_eq!(altitudes("bfs.sys"), ["150000", "100010"]);
    }

    #[test]
    fn drivers_without_an_altitude() {
        let found = altitude_candidates("mfeaack.sys");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].altitude, None);
        assert_eq!(found[0].vendor, "McAfee/Trellix");
        let group = altitude_candidates("ntfs.sys")[0].group;
        assert_eq!(group, "Boot File System");
    }

    #[test]
    fn names_with_a_placeholder() {
        let found = altitude_candidates("pfmfs_640.sys");
        assert_eq!(found.len(), 3);
        assert_eq!(altitude_candidates("pfmfs_64.sys"), []);
    }

    #[test]
    fn unknown_names() {
        assert_eq!(altitude_candidates("tmsflt.sys"), []);
        assert_eq!(altitude_candidates(""), []);
    }
}
