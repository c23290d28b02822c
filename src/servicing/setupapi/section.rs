//! A section of the log: one operation of device installation, and what became of it.

use super::line::Exit;
use crate::servicing::local_time::LocalTime;
use crate::servicing::mark::{LineRef, Mark};

/// What is done to a driver package: an update goes through stage, publish, reflect and update in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Its files are put into the driver store.
    Stage,
    /// It becomes the active package of its INF: files in `Windows\INF`, keys in the driver database.
    Publish,
    /// Its services and classes are written, its files put into place.
    Reflect,
    /// The devices that use it are updated.
    Update,
    /// It is no longer the active package.
    Unpublish,
    /// Its files are taken out of the driver store.
    Unstage,
}

impl Pass {
    /// As findings write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stage => "stage",
            Self::Publish => "publish",
            Self::Reflect => "reflect",
            Self::Update => "update",
            Self::Unpublish => "unpublish",
            Self::Unstage => "unstage",
        }
    }

    /// The pass a scope belongs to.
    pub(super) fn of_scope(name: &str) -> Option<Self> {
        Some(match name {
            "Stage Driver Package" | "Register Driver Package" => Self::Stage,
            "Publish Driver Package" => Self::Publish,
            "Reflect Driver Package" | "Configure Driver Package" => Self::Reflect,
            "Update Device Drivers" | "Update Device" => Self::Update,
            "Unpublish Driver Package" => Self::Unpublish,
            "Unstage Driver Package" | "Unregister Driver Package" => Self::Unstage,
            _ => return None,
        })
    }
}

/// The part of the driver database an object lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// `HKLM\SYSTEM\DriverDatabase`, in the hive SYSTEM.
    System,
    /// `HKLM\DRIVERS\DriverDatabase`, in the hive DRIVERS, which is loaded on demand.
    Drivers,
}

impl Node {
    /// Name of the hive.
    pub fn hive(self) -> &'static str {
        match self {
            Self::System => "SYSTEM",
            Self::Drivers => "DRIVERS",
        }
    }
}

/// A line with the mark of an error, or the end of a scope with one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedError {
    /// The line; its time is its own or, as most error lines have none, that of the last line before with one. Where
    /// only the start of the section stands before the error, or where the lines with a time around it lie more than a
    /// second apart, it is that of the next one: what led to the error lies between the two. (The whole pass Reflect
    /// has no times: 7 s of an update of 297 packages on Windows 10 1809.)
    pub mark: Mark,
    /// The code in it, as HRESULT.
    pub code: Option<u32>,
    /// Its own time, or that of the last line before with one.
    pub earliest: LocalTime,
}

/// Why and where a section failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionFailure {
    /// The first error line; without one, the end of the scope that failed, or of the section.
    pub mark: Mark,
    /// The earliest it can have been: see [`LoggedError::earliest`].
    pub earliest: LocalTime,
    /// Why, as HRESULT: the code of the error lines and scopes, of which the section keeps only a part.
    pub code: Option<u32>,
    /// The INF: `oposdrv.inf`. Where devices are updated, that whose devices these are.
    pub inf: Option<String>,
    /// Path of the INF that was worked on, as the log has it: where devices are updated, it may include the other one.
    pub path: Option<String>,
    /// The package that was worked on, in the driver store: `oposdrv.inf_amd64_5f2c6d1e8a9b7c34`.
    pub package: Option<String>,
    /// The package that was active for the INF before, where it was just to be replaced.
    pub replaces: Option<String>,
    /// The pass it was in.
    pub pass: Option<Pass>,
    /// The innermost scope that was open.
    pub scope: Option<String>,
    /// Where the package lies in the driver database, if any line of the logs says it.
    pub node: Option<Node>,
}

impl SectionFailure {
    /// The line, at the earliest time it can have been written.
    pub fn earliest_mark(&self) -> Mark {
        Mark {
            time: self.earliest,
            ..self.mark.clone()
        }
    }
}

/// A section.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section {
    /// `Install Driver Updates`
    pub title: String,
    /// What it is about: an INF, a device.
    pub instance: Option<String>,
    /// Its first line.
    pub first: LineRef,
    /// Its last line.
    pub last: LineRef,
    /// When it began.
    pub start: Option<LocalTime>,
    /// When it ended; `None` where it was never closed, because the machine went down.
    pub end: Option<LocalTime>,
    /// The last time in it.
    pub last_time: Option<LocalTime>,
    /// How it ended.
    pub exit: Option<Exit>,
    /// The command line of the process that wrote it.
    pub command: Option<String>,
    /// Driver packages to be updated, where it says so.
    pub updates: Option<u32>,
    /// The transaction it is part of: `CbsDriversAndPrimitives`.
    pub transaction: Option<String>,
    /// Lines with `!!!`.
    pub errors: u64,
    /// Lines with `!`.
    pub warnings: u64,
    /// The first line with `!!!`.
    pub first_error: Option<LoggedError>,
    /// The last line with `!!!`.
    pub last_error: Option<LoggedError>,
    /// The last pass a scope of it belongs to.
    pub pass: Option<Pass>,
    /// Scopes open at its end, outermost first.
    pub open_scopes: Vec<String>,
    /// When the kernel of that boot started.
    pub boot: Option<LocalTime>,
    /// Why it failed; `None` where it did not.
    pub failure: Option<SectionFailure>,
}

/// Titles of the sections an update of Windows writes.
const UPDATES: [&str; 4] = [
    "Stage Driver Updates",
    "Install Driver Updates",
    "Uninstall Driver Updates",
    "Unstage Driver Updates",
];

/// Processes whose sections are those of an update of Windows.
const SERVICING: [&str; 3] = ["tiworker.exe", "trustedinstaller.exe", "dismhost.exe"];

impl Section {
    /// Whether an update of Windows worked on driver packages in it: by the process that wrote it or, where it does
    /// not say, by its title.
    pub fn is_driver_update(&self) -> bool {
        let by_servicing = self.command.as_ref().map(|command| {
            let command = command.to_ascii_lowercase();
            SERVICING.iter().any(|name| command.contains(name))
        });
        // The check of the driver store is none, whoever asks for it.
        let checks = self.title.starts_with("Verify ");
        !self.is_frame() && !checks && by_servicing.unwrap_or(UPDATES.contains(&&*self.title))
    }

    /// Whether drivers are brought in, not taken away.
    pub fn brings_drivers(&self) -> bool {
        !matches!(
            &*self.title,
            "Uninstall Driver Updates" | "Unstage Driver Updates"
        )
    }

    /// Whether it belongs to an update of Windows, the lines around the work included.
    pub fn is_servicing(&self) -> bool {
        self.is_driver_update() || self.is_frame()
    }

    /// What an update begins and ends with.
    fn is_frame(&self) -> bool {
        matches!(
            &*self.title,
            "Disable Device Install" | "Enable Device Install"
        )
    }

    /// Whether its end is missing.
    pub fn is_broken_off(&self) -> bool {
        self.end.is_none() && self.exit.is_none()
    }

    /// From its start to its end, or to the last time in it. `None` where it has no time at all.
    pub fn span(&self) -> Option<(LocalTime, LocalTime)> {
        let start = self.start.or(self.end).or(self.last_time)?;
        let end = self.end.or(self.last_time).unwrap_or(start);
        Some((start, end.max(start)))
    }
}
