//! From lines to sections.

use super::line::{Body, Content, Exit, Line, Severity};
use super::section::{LoggedError, Node, Pass, Section, SectionFailure};
use crate::codes::hresult;
use crate::servicing::code::{find_code, is_failure};
use crate::servicing::local_time::LocalTime;
use crate::servicing::mark::{LineRef, Mark, behind, kept, until};
use crate::trace::time::{TICKS_PER_DAY, TICKS_PER_SECOND};
use std::collections::{HashMap, VecDeque};

/// Sections of updates kept: the last ones.
const SECTIONS: usize = 1_000;
/// Other sections kept, if they failed: the last ones. The rest is only counted.
const OTHERS: usize = 200;
/// Boots kept: the last ones.
const BOOTS: usize = 1_000;
/// Scopes inside scopes that are followed: real ones go seven deep.
const DEEPEST: usize = 16;
/// Scopes of a section that end with an error, and codes of its error lines, that are kept.
const FAILED_SCOPES: usize = 16;
const CODES: usize = 16;
/// Packages whose place in the driver database is kept: Windows has some 700.
const PACKAGES: usize = 8_192;
/// Lines with a time around an error that lie further apart do not place it.
const COARSE: u64 = TICKS_PER_SECOND;
/// The scope of the last pass, one for each INF that changed.
const UPDATE_DEVICE_DRIVERS: &str = "Update Device Drivers";
/// Longer names are no package's: a file name has 255 characters at most.
const LONGEST_NAME: usize = 300;

/// What has been found so far.
#[derive(Debug, Default)]
pub(super) struct Collector {
    pub sections: VecDeque<Section>,
    pub sections_total: u64,
    pub sections_dropped: u64,
    pub others: VecDeque<Section>,
    pub boots: VecDeque<(LineRef, LocalTime)>,
    pub os_version: Option<String>,
    boot: Option<LocalTime>,
    open: Option<Open>,
    /// The section that the log before ended in.
    cut: Option<Open>,
    nodes: HashMap<String, Node>,
}

/// A section whose end is not met yet.
#[derive(Debug, Default)]
struct Open {
    section: Section,
    /// The clock of the section: body lines have the time of the day only.
    now: Option<LocalTime>,
    scopes: Vec<Scope>,
    /// Scopes beyond the deepest that is followed.
    deeper: u64,
    /// Where the first error line stands.
    place: Option<Place>,
    /// The codes in the error lines.
    codes: Vec<u32>,
    failed_scopes: Vec<FailedScope>,
    /// The last change of an active package: from, to.
    change: Option<(String, String)>,
    /// The path of an INF in a warning, where nothing but warnings stands behind it.
    warned: Option<String>,
    /// Packages by INF in small letters, as the paths of scopes tell.
    packages: HashMap<String, String>,
    /// The last package that was put into the database in the outermost scope.
    registered: Option<String>,
    /// Its end was met; its exit status is still to come.
    ended: bool,
    /// A line behind its start had a time.
    timed: bool,
    /// See [`FailedScope::untimed`].
    untimed: Option<bool>,
}

/// A scope that ended with an error.
#[derive(Debug)]
struct FailedScope {
    error: LoggedError,
    place: Place,
    /// The line has no time of its own, and none behind it yet: with whether there was one before.
    untimed: Option<bool>,
}

#[derive(Debug, Clone, Default)]
struct Scope {
    name: String,
    about: String,
}

/// What was being worked on.
#[derive(Debug, Clone, Default)]
struct Place {
    path: Option<String>,
    /// Package of that INF, where its path names none.
    package: Option<String>,
    /// The INF whose devices are updated, which other packages may include.
    queued: Option<String>,
    pass: Option<Pass>,
    scope: Option<String>,
}

impl Collector {
    /// Takes in a line; whether it lies in a section, or needs none.
    pub fn take(&mut self, at: LineRef, line: &Line<'_>) -> bool {
        match line {
            Line::Blank => {}
            Line::Header(text) => {
                self.end_section();
                if let Some(version) = text.strip_prefix("OS Version = ") {
                    self.os_version = Some(kept(version));
                }
            }
            Line::Boot(time) => {
                self.end_section();
                self.settle_cut(Some(*time));
                self.boot = Some(*time);
                if self.boots.len() == BOOTS {
                    self.boots.pop_front();
                }
                self.boots.push_back((at, *time));
            }
            Line::Open(title, instance) => {
                self.end_section();
                self.settle_cut(None);
                self.open = Some(Open {
                    section: Section {
                        title: kept(title),
                        instance: instance.map(kept),
                        first: at,
                        last: at,
                        boot: self.boot,
                        ..Section::default()
                    },
                    ..Open::default()
                });
            }
            _ => return self.take_inner(at, line),
        }
        true
    }

    fn take_inner(&mut self, at: LineRef, line: &Line<'_>) -> bool {
        // Behind its end nothing but the exit status belongs to a section.
        let ended = self.open.as_ref().is_some_and(|open| open.ended);
        if ended && !matches!(line, Line::Exit(_)) {
            self.end_section();
        }
        let Some(open) = &mut self.open else {
            return false;
        };
        open.section.last = at;
        match line {
            Line::Start(time) => {
                open.section.start = Some(*time);
                open.now = Some(*time);
            }
            Line::End(time) => {
                open.section.end = Some(*time);
                open.now = Some(*time);
                open.ended = true;
                open.time_errors();
            }
            Line::Exit(exit) => {
                open.section.exit = Some(*exit);
                self.end_section();
            }
            Line::Body(body) => {
                open.body(at, body);
                if let Some((package, node)) = database_node(body) {
                    open.registered = Some(package.to_owned());
                    if self.nodes.len() < PACKAGES || self.nodes.contains_key(package) {
                        self.nodes.insert(package.to_owned(), node);
                    }
                }
            }
            _ => {}
        }
        true
    }

    /// The log is over, or another one begins; the title of the section that it ends in. That one may go on, or its end be
    /// cut off: it did not fail for that, unless the next log shows that the machine went down in it.
    pub fn close(&mut self) -> Option<String> {
        if self.open.is_some() {
            self.settle_cut(None);
        }
        let open = self.open.take()?;
        if open.ended || !open.section.is_broken_off() {
            self.keep(open.finish(false));
            return None;
        }
        let title = open.section.title.clone();
        self.cut = Some(open);
        Some(title)
    }

    /// What comes behind the section that the log before ended in: the start of the kernel, or anything else.
    fn settle_cut(&mut self, boot: Option<LocalTime>) {
        if let Some(open) = self.cut.take() {
            let went_down = boot.is_some_and(|boot| open.now.is_none_or(|now| now <= boot));
            self.keep(open.finish(!went_down));
        }
    }

    /// A section ends before a line that is no part of it.
    fn end_section(&mut self) {
        if let Some(open) = self.open.take() {
            self.keep(open.finish(false));
        }
    }

    fn keep(&mut self, section: Section) {
        self.sections_total += 1;
        let (kept, most) = if section.is_servicing() {
            (&mut self.sections, SECTIONS)
        } else if section.failure.is_some() {
            (&mut self.others, OTHERS)
        } else {
            return;
        };
        if kept.len() == most {
            kept.pop_front();
            self.sections_dropped += 1;
        }
        kept.push_back(section);
    }

    /// All logs are over.
    pub fn finish(&mut self) {
        self.close();
        self.settle_cut(None);
        for section in self.sections.iter_mut().chain(&mut self.others) {
            let Some(failure) = &mut section.failure else {
                continue;
            };
            let package = failure.package.as_ref();
            failure.node = package.and_then(|package| self.nodes.get(package).copied());
        }
    }
}

impl Open {
    fn body(&mut self, at: LineRef, body: &Body<'_>) {
        if let Some(time) = body.time {
            self.now = self.now.map(|now| with_time_of_day(now, time));
            self.timed = true;
            self.time_errors();
        }
        self.section.last_time = self.now.or(self.section.last_time);
        match body.content {
            Content::Command(command) => {
                if self.section.command.is_none() {
                    self.section.command = Some(kept(command));
                }
            }
            Content::Enter { name, about } => self.enter(name, about),
            Content::Leave { name, code } => self.leave(at, body, name, code),
            Content::Text(text) => {
                let value = |key: &str| {
                    let rest = text.strip_prefix(key)?.trim_ascii_start();
                    rest.strip_prefix('=').map(str::trim_ascii)
                };
                if let Some(transaction) = value("Transaction") {
                    self.section.transaction = Some(kept(transaction));
                } else if let Some(updates) = value("Driver Updates") {
                    self.section.updates = updates.parse().ok();
                } else if let Some((from, to)) = package_change(text) {
                    self.change = Some((kept(from), kept(to)));
                }
            }
        }
        match body.severity {
            Severity::Information => self.warned = None,
            Severity::Warning => {
                self.section.warnings += 1;
                // Sections without fault are full of warnings that name an INF or a package, other ones among them.
                if let Some(path) = inf_path(body.text).filter(|path| path.contains('\\')) {
                    self.warned = Some(kept(path));
                }
            }
            Severity::Error => self.error(at, body),
        }
    }

    fn enter(&mut self, name: &str, about: &str) {
        if self.scopes.is_empty() {
            self.registered = None;
        }
        if let Some(pass) = Pass::of_scope(name) {
            self.section.pass = Some(pass);
        }
        if self.scopes.len() == DEEPEST {
            self.deeper += 1;
            return;
        }
        if let Some(path) = inf_path(about)
            && let Some(package) = package_of(path)
            && self.packages.len() < PACKAGES
        {
            let inf = file_name(path).to_ascii_lowercase();
            self.packages.insert(inf, kept(package));
        }
        self.scopes.push(Scope {
            name: kept(name),
            about: kept(about),
        });
    }

    fn leave(&mut self, at: LineRef, body: &Body<'_>, name: &str, code: Option<u32>) {
        let failed = code
            .map(hresult::canonical)
            .filter(|code| is_failure(*code));
        if let Some(code) = failed
            && self.failed_scopes.len() < FAILED_SCOPES
        {
            let mark = self.mark(at, body.text);
            let error = LoggedError {
                earliest: mark.time,
                mark,
                code: Some(code),
            };
            let mut place = self.place(body.text);
            place.scope = Some(kept(name));
            self.failed_scopes.push(FailedScope {
                error,
                place,
                untimed: body.time.is_none().then_some(self.timed),
            });
        }
        if self.deeper > 0 {
            self.deeper -= 1;
            return;
        }
        // A scope may end without its own end line when what is around it ends.
        let opened = self.scopes.iter().rposition(|scope| scope.name == name);
        if let Some(opened) = opened {
            self.scopes.truncate(opened);
        } else {
            self.scopes.pop();
        }
    }

    fn error(&mut self, at: LineRef, body: &Body<'_>) {
        self.section.errors += 1;
        let mark = self.mark(at, body.text);
        let error = LoggedError {
            earliest: mark.time,
            mark,
            code: find_code(body.text)
                .filter(|code| code.is_failure())
                .map(|code| code.hresult),
        };
        if let Some(code) = error.code.filter(|_| self.codes.len() < CODES) {
            self.codes.push(code);
        }
        if self.section.first_error.is_none() {
            self.place = Some(self.place(body.text));
            self.section.first_error = Some(error.clone());
            self.untimed = body.time.is_none().then_some(self.timed);
        }
        self.section.last_error = Some(error);
    }

    /// Places what failed before this time and has none of its own.
    fn time_errors(&mut self) {
        let Some(now) = self.now else { return };
        let first = self.section.first_error.as_mut();
        let first = first.map(|error| (error, &mut self.untimed));
        let scopes = self.failed_scopes.iter_mut();
        let scopes = scopes.map(|scope| (&mut scope.error, &mut scope.untimed));
        for (error, untimed) in first.into_iter().chain(scopes) {
            if let Some(timed) = untimed.take()
                && (!timed || now.distance(error.earliest) > COARSE)
            {
                error.mark.time = now;
            }
        }
    }

    fn mark(&self, at: LineRef, text: &str) -> Mark {
        let time = self.now.or(self.section.start).unwrap_or_default();
        Mark {
            time,
            at,
            text: kept(text),
        }
    }

    /// What an error line and the open scopes say about the place they are at.
    fn place(&self, text: &str) -> Place {
        let inner = self.scopes.iter().rev();
        let by_scope = || {
            inner
                .clone()
                .find_map(|scope| inf_path(&scope.about))
                .map(kept)
        };
        let named = inf_path(text).map(kept).or_else(by_scope);
        // An error may name the INF alone, or nothing, where the warning before it had the whole path.
        let warned = self.warned.as_ref().filter(|_| !text.is_empty());
        let warned = warned.filter(|warned| {
            named.as_deref().is_none_or(|path| {
                package_of(path).is_none()
                    && file_name(path).eq_ignore_ascii_case(file_name(warned))
            })
        });
        let path = warned.cloned().or(named);
        let inf = path.as_deref().map(file_name);
        let registered = self
            .registered
            .as_ref()
            .filter(|package| inf.is_some_and(|inf| file_name(package).eq_ignore_ascii_case(inf)));
        let known = || self.packages.get(&inf?.to_ascii_lowercase());
        let mut outer = self.scopes.iter();
        let updated = outer.find(|scope| scope.name == UPDATE_DEVICE_DRIVERS);
        let updated = updated.and_then(|scope| inf_path(&scope.about));
        Place {
            package: registered.or_else(known).cloned(),
            queued: updated.map(file_name).map(str::to_owned),
            path,
            pass: match updated {
                // It reflects packages that include the INF anew.
                Some(_) => Some(Pass::Update),
                None => inner.clone().find_map(|scope| Pass::of_scope(&scope.name)),
            },
            scope: inner.clone().next().map(|scope| scope.name.clone()),
        }
    }

    /// The section, which may be `unfinished`: not broken off, but not whole either.
    fn finish(mut self, unfinished: bool) -> Section {
        let place = self.place("");
        let mut section = self.section;
        section.open_scopes = self.scopes.into_iter().map(|scope| scope.name).collect();
        let exit = match section.exit {
            Some(Exit::Failure(code)) => Some(hresult::canonical(code)),
            _ => None,
        };
        // What went wrong on the way is of no consequence where the whole went well.
        let went_well = matches!(section.exit, Some(Exit::Success | Exit::RestartRequired));
        let failed = exit.is_some_and(is_failure)
            || section.errors > 0 && !(went_well && section.is_driver_update())
            || section.is_broken_off() && !unfinished && section.is_driver_update();
        if !failed {
            return section;
        }
        // The exit status keeps the low word at least; an error with that word is the one.
        let matches =
            |code: Option<u32>| code.zip(exit).is_none_or(|(a, b)| a & 0xFFFF == b & 0xFFFF);
        let scope = self
            .failed_scopes
            .iter()
            .position(|scope| exit.is_some() && matches(scope.error.code))
            .or(self.failed_scopes.len().checked_sub(1))
            .map(|at| self.failed_scopes.swap_remove(at));
        let (mark, earliest, place) = match (&section.first_error, &scope) {
            (Some(error), _) => {
                let mut place = self.place.take().unwrap_or(place);
                // It may stand behind the scope that failed, which names what it does not.
                if let Some(scope) = scope.as_ref().filter(|_| place.path.is_none()) {
                    place = scope.place.clone();
                }
                (error.mark.clone(), error.earliest, place)
            }
            (None, Some(scope)) => {
                let mark = scope.error.mark.clone();
                (mark, scope.error.earliest, scope.place.clone())
            }
            (None, None) => {
                let time = section.span().map_or(LocalTime::default(), |span| span.1);
                let mark = Mark {
                    time,
                    at: section.last,
                    text: match section.exit {
                        Some(_) => format!("{} failed", section.title),
                        None => format!("{} broke off", section.title),
                    },
                };
                (mark, time, place)
            }
        };
        self.codes.extend(scope.and_then(|scope| scope.error.code));
        let code = match self.codes.iter().find(|code| matches(Some(**code))) {
            Some(code) => Some(*code),
            None => exit.or(self.codes.first().copied()),
        };
        let path = place.path;
        let package = path.as_deref().and_then(package_of);
        let package = package.or(place.package.as_deref());
        let inf = place
            .queued
            .or_else(|| path.as_deref().map(file_name).map(str::to_owned));
        let replaces = self
            .change
            .filter(|(_, to)| package == Some(&**to))
            .map(|(from, _)| from);
        section.failure = Some(SectionFailure {
            mark,
            earliest,
            code,
            inf,
            package: package.map(str::to_owned),
            replaces,
            path,
            pass: place.pass.or(section.pass),
            scope: place.scope,
            node: None,
        });
        section
    }
}

/// The time of the day on the day of `now`, or on the next day where midnight has passed since.
fn with_time_of_day(now: LocalTime, time: u64) -> LocalTime {
    let same_day = now.midnight().plus(time);
    if same_day.plus(TICKS_PER_DAY / 2) < now {
        same_day.plus(TICKS_PER_DAY)
    } else {
        same_day
    }
}

/// The path or name of an INF in a text: in quotes, or at its end.
fn inf_path(text: &str) -> Option<&str> {
    let is_inf = |path: &&str| {
        let ending = path.len().checked_sub(4).and_then(|at| path.get(at..));
        ending.is_some_and(|ending| ending.eq_ignore_ascii_case(".inf"))
    };
    text.split('\'')
        .skip(1)
        .step_by(2)
        .find(is_inf)
        .or(Some(text.trim_ascii()).filter(is_inf))
        .or_else(|| {
            // '…\netathrx.inf'(00000003), and packages: 'oposdrv.inf_amd64_5f2c6d1e8a9b7c34'
            let package = text
                .split('\'')
                .skip(1)
                .step_by(2)
                .find(|name| inf_of_package(name).is_some());
            package.filter(|_| !text.contains(".inf'"))
        })
}

/// `oposdrv.inf` of `oposdrv.inf_amd64_5f2c6d1e8a9b7c34`.
fn inf_of_package(name: &str) -> Option<&str> {
    let (rest, hash) = name.rsplit_once('_')?;
    let (inf, _) = rest.rsplit_once('_')?;
    let hashed = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let ending = inf.len().checked_sub(4).and_then(|at| inf.get(at..))?;
    (hashed && ending.eq_ignore_ascii_case(".inf")).then_some(inf)
}

/// The file name of an INF: of a path, or of the name of a package.
fn file_name(path: &str) -> &str {
    let name = path.rsplit(['\\', '/']).next().unwrap_or(path);
    inf_of_package(name).unwrap_or(name)
}

/// The package folder in a path of the driver store, or the package that is named itself.
fn package_of(path: &str) -> Option<&str> {
    path.rsplit(['\\', '/'])
        .find(|part| inf_of_package(part).is_some())
}

/// `Changing active driver package from 'a' to 'b'.`
fn package_change(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("Changing active driver package from '")?;
    let (from, rest) = rest.split_once("' to '")?;
    Some((from, until(rest, &['\''])))
}

/// `Created driver package object 'oposdrv.inf_…' in DRIVERS database node.`
fn database_node<'a>(body: &Body<'a>) -> Option<(&'a str, Node)> {
    if body.category != "idb" {
        return None;
    }
    let (before, rest) = body.text.rsplit_once("' in ")?;
    let node = match until(rest, &[' ']) {
        "DRIVERS" => Node::Drivers,
        "SYSTEM" => Node::System,
        _ => return None,
    };
    rest.contains("database node").then_some(())?;
    let package = behind(before, "package object '")?;
    let named = package.len() <= LONGEST_NAME && inf_of_package(package).is_some();
    named.then_some((package, node))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infs_in_texts() {
        for (text, inf, package) in [
            (
                "Failed to get version info for driver update 'C:\\W\\FileRepository\\netathrx.inf_amd64_220db23f5419ea8d\\netathrx.inf'. Error = 0x3",
                Some("netathrx.inf"),
                Some("netathrx.inf_amd64_220db23f5419ea8d"),
            ),
            (
                "Unable to load INF: 'C:\\a\\X.INF'(00000003)",
                Some("X.INF"),
                None,
            ),
            ("C:\\a b\\x.inf", Some("x.inf"), None),
            (
                "Failed to publish driver package 'oposdrv.inf_amd64_5f2c6d1e8a9b7c34'. Error = 0x3F1",
                Some("oposdrv.inf"),
                Some("oposdrv.inf_amd64_5f2c6d1e8a9b7c34"),
            ),
            (
                "Failed to import driver package into driver store",
                None,
                None,
            ),
            ("'x.sys' is missing", None, None),
            ("", None, None),
            ("'", None, None),
        ] {
            let path = inf_path(text);
            assert_eq!(path.map(file_name), inf, "{text}");
            assert_eq!(path.and_then(package_of), package, "{text}");
        }
    }

    #[test]
    fn midnight_passes() {
        let now = LocalTime::read("2026/05/12 23:59:59.990", b'/').unwrap().0;
        assert_eq!(
            with_time_of_day(now, 50_000).to_string(),
            "2026-05-13 00:00:00.005"
        );
        // A line may be stamped a little before the one above it.
        let at = now.time_of_day() - 100_000;
        assert_eq!(
            with_time_of_day(now, at).to_string(),
            "2026-05-12 23:59:59.980"
        );
    }
}
