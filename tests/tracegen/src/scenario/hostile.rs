//! A machine whose owner writes names against whoever reads the trace.

use super::scene::Scene;
use super::{Case, SHORT_NOISE, START, boot_story, in_scene};
use crate::logs::Story;
use crate::pml::Bits;

/// What names are changed into: escape sequences, direction marks, markup, formulas, line ends.
pub const HOSTILE: [(&str, &str); 6] = [
    ("BANK-PC-0417", "@BANK\u{1b}]0;owned\u{7}"),
    ("tmsflt.sys", "tms\u{202e}flt\u{1b}[31m.sys"),
    (
        "TMS Security Co., Ltd.",
        "=HYPERLINK(\"http://evil\",\"x\")<script>alert(1)</script>\u{9b}2J\u{200b}",
    ),
    ("TmsSvc.exe", "+Tms\u{2066}Svc\r\nerror: forged.exe"),
    (
        "oposdrv.dll",
        "opos\u{feff}<img src=x onerror=alert(2)>\u{8}.dll",
    ),
    ("oposdrv.inf", "opos\u{1b}[2J\u{2028}drv.inf"),
];

fn spell(text: &mut String) {
    for (name, hostile) in HOSTILE {
        // A driver is looked up by its name in any case.
        if text.contains(name) {
            *text = text.replace(name, hostile);
        }
    }
}

/// [`super::short_boot_case`] with the names of [`HOSTILE`].
pub fn hostile_case() -> Case {
    in_scene(
        Scene::spelled(Bits::B64, START, 417, spell),
        true,
        SHORT_NOISE,
    )
}

/// [`boot_story`] with them.
pub fn hostile_story() -> Story {
    let mut story = boot_story();
    spell(&mut story.inf);
    story
}
