//! Driver packages whose files the component store holds damaged: what makes an update of them fail whoever touches them.

use crate::servicing::mark::{Mark, behind, kept, until};
use std::collections::HashMap;

/// What the log says of a driver package at a moment; a line that says the same once more is none of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The INF: `prncacla.inf`.
    pub inf: String,
    /// Whether a file of it was repaired, or is damaged.
    pub repaired: bool,
    /// The line that tells.
    pub mark: Mark,
}

/// What was said of packages, in order.
#[derive(Debug, Default)]
pub(super) struct Damages {
    pub list: Vec<Damage>,
    /// The last word on each, by INF in small letters.
    last: HashMap<String, bool>,
}

/// Changes kept, of as many packages at most: the first ones. Windows has some 700.
const MOST: usize = 1_000;

impl Damages {
    /// A line says that a package is damaged, or was repaired.
    pub fn add(&mut self, inf: &str, repaired: bool, mark: impl Fn() -> Mark) {
        if self.list.len() == MOST {
            return;
        }
        if self.last.insert(inf.to_ascii_lowercase(), repaired) != Some(repaired) {
            self.list.push(Damage {
                inf: kept(inf),
                repaired,
                mark: mark(),
            });
        }
    }
}

/// The INF of the driver package that a line tells to be damaged in the component store, and whether it was repaired, in the
/// wording of `sfc` and of the check of the store (Windows 8 to 11).
pub(super) fn damage(text: &str) -> Option<(&str, bool)> {
    // (p) CSI Payload Corrupt (n) amd64_dual_netwtw06.inf_31bf3856ad364e35_10.0.22621.1_none_ce08706bd9a54426\Netwtw06.sys
    if let Some(rest) = behind(text, "CSI Payload Corrupt\t") {
        let file = rest.rsplit('\t').next()?;
        let (_, component) = until(file, &['\\']).split_once('_')?;
        let (name, _) = component.split_once(".inf_")?;
        let name = component.get(..name.len() + ".inf".len())?;
        return Some((driver(name)?, rest.contains("(Fixed)")));
    }
    // [SR] Cannot repair member file [l:36{18}]"Amd64\CNBJ2530.DPB" of prncacla.inf, Version = …
    if let Some(rest) = behind(text, "[SR] Cannot repair member file ") {
        return Some((driver(until(behind(rest, " of ")?, &[',']))?, false));
    }
    // (F) Hydration failed for component dual_helloface.inf, version …
    let rest = behind(text, "Hydration failed for component ")?;
    Some((driver(until(rest, &[',']))?, false))
}

/// The INF of a component that is a driver package.
fn driver(component: &str) -> Option<&str> {
    let name = component.strip_prefix("dual_").unwrap_or(component);
    let ending = name.len().checked_sub(4).and_then(|at| name.get(at..))?;
    (ending.eq_ignore_ascii_case(".inf") && name.len() > 4).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_in_the_store() {
        for (text, inf) in [
            (
                "(p)\tCSI Payload Corrupt\t(n)\t\t\tamd64_dual_netwtw06.inf_31bf3856ad364e35_10.0.22621.1_none_ce08706bd9a54426\\Netwtw06.sys",
                Some("netwtw06.inf"),
            ),
            (
                "(p)\tCSI Payload Corrupt\t\t\tamd64_prncacla.inf_31bf3856ad364e35_6.2.9200.16384_none_fd9c01be8b864efc\\Amd64\\CNBJ2530.DPB",
                Some("prncacla.inf"),
            ),
            (
                "(p)\tCSI Payload Corrupt\t(w)\t(Fixed)\tamd64_prncacla.inf_31bf3856ad364e35_6.2.9200.16384_none_fd9c01be8b864efc\\x.dll",
                Some("prncacla.inf"),
            ),
            (
                "(p)\tCSI Payload Corrupt\t(b)\t\t\tamd64_microsoft-windows-dns-client-minwin_31bf3856ad364e35_10.0.22621.1485_none_757900759eb5b9e6\\dnsapi.dll",
                None,
            ),
            (
                "(p)\tCSI Payload Corrupt\t(n)\t\t\tamd64_mine.inf_31bf3856ad364e35_6.2.9200.16384_none_fd9c01be8b864efc\\My Driver.dll",
                Some("mine.inf"),
            ),
            ("\tCSI Payload Corruption:\t8", None),
            (
                "[SR] Cannot repair member file [l:36{18}]\"Amd64\\CNBJ2530.DPB\" of prncacla.inf, Version = 6.2.9200.16430, in the store, hash mismatch",
                Some("prncacla.inf"),
            ),
            (
                "Hydration failed for component dual_helloface.inf, version 10.0.22621.1635, arch amd64",
                Some("helloface.inf"),
            ),
            ("Hydration failed for component .inf, version", None),
            ("CSI Payload Corrupt\t", None),
        ] {
            assert_eq!(damage(text).map(|(inf, _)| inf), inf, "{text}");
            let repaired = damage(text).is_some_and(|(_, repaired)| repaired);
            assert_eq!(repaired, text.contains("(Fixed)"), "{text}");
        }
    }
}
