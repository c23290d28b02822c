//! Which build of Procmon exported a log.

use crate::pml::detail::Dialect;
use crate::trace::TraceInfo;
use crate::trace::path::file_name;

/// The build that most likely exports a log: the one that recorded it.
///
/// A log does not name its build. It names the driver, though, which Procmon unpacks under a name with a number:
/// the one log from the older build was recorded by `PROCMON23.SYS`, the others by `PROCMON24.SYS`. A log that
/// names no driver gets the newer build.
pub fn likely_dialect(info: &TraceInfo) -> Dialect {
    let newest = info
        .kernel_images
        .iter()
        .filter_map(|image| driver_number(file_name(&image.module.path)))
        .max();
    match newest {
        Some(..=23) => Dialect::Early2020,
        _ => Dialect::Late2020,
    }
}

/// The number in `PROCMON24.SYS`.
fn driver_number(name: &str) -> Option<u32> {
    let name = name.to_ascii_lowercase();
    let number = name.strip_prefix("procmon")?.strip_suffix(".sys")?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_are_known_by_their_number() {
        assert_eq!(driver_number("PROCMON24.SYS"), Some(24));
        assert_eq!(driver_number("procmon23.sys"), Some(23));
        assert_eq!(driver_number("procmon.sys"), None);
        assert_eq!(driver_number("procmonx.sys"), None);
        assert_eq!(driver_number("tmsflt.sys"), None);
    }
}
