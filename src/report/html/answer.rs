//! The answer in a sentence, what it proves and what it does not, and what to try next.

use super::super::style::{duration, plural};
use super::driver::counts;
use crate::drivers::Role;
use crate::findings::schema::{DriverFinding, WindowSource};
use crate::findings::{Findings, Verdict};
use serde::Serialize;

/// Drivers named in a sentence.
const NAMED: usize = 6;

/// The top of the page.
#[derive(Debug, Serialize)]
pub struct Answer {
    class: &'static str,
    word: &'static str,
    names: Vec<String>,
    more: usize,
    /// What follows the names.
    rest: String,
    also: Option<String>,
    shows: Vec<String>,
    does_not_show: Vec<&'static str>,
}

/// A thing to try.
#[derive(Debug, Serialize)]
pub struct Step {
    title: &'static str,
    text: Vec<String>,
    commands: Vec<&'static str>,
}

impl Step {
    fn new(title: &'static str, text: impl Into<String>) -> Self {
        Self {
            title,
            text: vec![text.into()],
            commands: Vec::new(),
        }
    }
}

impl Answer {
    /// The answer of these findings.
    pub fn new(findings: &Findings, flagged: &[&DriverFinding]) -> Self {
        let of = |verdict| {
            flagged
                .iter()
                .filter(move |driver| driver.verdict == verdict)
                .copied()
                .collect::<Vec<_>>()
        };
        let (implicated, touched) = (of(Verdict::Implicated), of(Verdict::Touched));
        match (implicated.is_empty(), touched.is_empty()) {
            (false, _) => Self::named(
                "implicated",
                "Implicated",
                implicated,
                "in callbacks or on stacks of driver-store operations that failed or were slow",
            )
            .also(touched.len())
            .limits(
                &[
                    "So much is certain: their code was on the kernel stack of that many operations on driver-store paths in the window, or their callbacks were called for them. The failures ended in a result that is not benign; the delays lasted as long as the delay bound or longer. A callback fails by its own status.",
                ],
                &[
                    "That the driver caused the result. A frame shows that it was in the call, not who decided; another filter, an access list or an open handle may have.",
                    match findings.failure {
                        None => "That the update failed because of it. No log that names the failure was read.",
                        Some(_) => "That the update failed because of it: compare the object that the log names with the paths below.",
                    },
                ],
                findings,
            ),
            (true, false) => Self::named(
                "touched",
                "Touched, not implicated",
                touched,
                "in callbacks or on stacks of driver-store operations, none of which failed or was slow",
            )
            .limits(
                &[
                    "So much is certain: their code was on the kernel stack of that many operations on driver-store paths in the window, and none of these failed or was slow.",
                ],
                &[
                    "Any interference. Filters are called for every file operation: touching is their work.",
                    "That they are clear of blame: what happened outside these stacks is not in the trace.",
                ],
                findings,
            ),
            (true, true) if findings.traces().next().is_none() => Self::named(
                "none",
                "No trace was given: logs alone name no driver",
                Vec::new(),
                "",
            )
            .limits(
                &["When the update failed, and with what."],
                &["Which drivers took part: that takes a trace of the boot that failed."],
                findings,
            ),
            (true, true) => Self::named(
                "none",
                "No third-party driver is seen on a driver-store operation in the window",
                Vec::new(),
                findings.blind().map(|why| why.to_string()).unwrap_or_default(),
            )
            .limits(
                &["No operation on a driver-store path in the window has a frame of a third-party driver on its stack."],
                &["That no third-party driver took part. No frame clears nobody; see what these traces cannot show."],
                findings,
            ),
        }
    }

    fn named(
        class: &'static str,
        word: &'static str,
        drivers: Vec<&DriverFinding>,
        rest: impl Into<String>,
    ) -> Self {
        let more = drivers.len().saturating_sub(NAMED);
        let named = &drivers[..drivers.len() - more];
        Self {
            class,
            word,
            names: named.iter().map(|driver| driver.name.clone()).collect(),
            more,
            rest: rest.into(),
            also: None,
            shows: named.iter().map(|driver| in_numbers(driver)).collect(),
            does_not_show: Vec::new(),
        }
    }

    fn also(self, touched: usize) -> Self {
        Self {
            also: (touched > 0).then(|| {
                format!(
                    "{} touched driver-store paths without a failure or a delay.",
                    plural(touched as u64, "more third-party driver")
                )
            }),
            ..self
        }
    }

    fn limits(
        mut self,
        shows: &[&'static str],
        does_not_show: &[&'static str],
        findings: &Findings,
    ) -> Self {
        self.shows
            .extend(shows.iter().map(|text| (*text).to_owned()));
        self.does_not_show = does_not_show.to_vec();
        if findings.window.source == WindowSource::Whole {
            self.does_not_show.push("Any tie to the update: servicing is not seen at work, so the whole trace was looked at.");
        }
        if !findings.coverage.stacks {
            self.does_not_show
                .push("Any driver at all: these events have no stacks.");
        }
        self
    }
}

/// A named driver and its numbers.
fn in_numbers(driver: &DriverFinding) -> String {
    let mut text = format!("{}, {}: {}", driver.name, company(driver), counts(driver));
    if driver.delays > 0 {
        text.push_str(&format!(", the longest {}", duration(driver.delay_us_max)));
    }
    text.push('.');
    text
}

/// What to try next, the strongest first; only what applies.
pub fn next_steps(findings: &Findings, flagged: &[&DriverFinding]) -> Vec<Step> {
    let coverage = &findings.coverage;
    let events = findings.traces().any(|input| input.events > 0);
    let mut steps = Vec::new();
    if !flagged.is_empty() {
        steps.push(remove_and_repeat(findings, flagged));
    }
    let damaged = findings.traces().any(|input| !input.warnings.is_empty());
    if damaged || coverage.events_lost > 0 || coverage.buffers_lost > 0 {
        steps.push(Step::new(
            "Get the traces whole",
            "Parts of the input are damaged or missing. Copy the files again, or save the log again from Procmon: what is lost may hold the answer.",
        ));
    }
    if events && !coverage.stacks {
        steps.push(Step::new(
            "Capture with stacks",
            "Without stacks no driver can be tied to an operation. Save the log in Procmon's own format (PML) with all events, and not through a converter that drops stacks.",
        ));
    }
    if events && !(coverage.file && coverage.registry) {
        let what = if coverage.file {
            "registry"
        } else {
            "file-system"
        };
        steps.push(Step::new(
            "Capture what is missing",
            format!("Switch {what} activity on in Procmon, and save all events, not only those that its filter shows."),
        ));
    }
    if !events || findings.window.source == WindowSource::Whole {
        steps.push(Step::new(
            "Capture the right boot",
            "Servicing is not seen at work. Procmon's boot log holds one boot: enable it before the restart in which the update fails. What fails on the way down needs Procmon running through the shutdown. If the time is known, narrow the analysis with --window START..END.",
        ));
    }
    if !coverage.minifilter {
        steps.push(Step {
            title: "Record the minifilter callbacks",
            text: vec![
                "A WPR trace with the minifilter profile tells which filter refused or delayed a request, by its own callbacks. Run this as administrator, restart so that the update runs, then stop:".to_owned(),
            ],
            commands: vec![
                "wpr -boottrace -addboot CPU -addboot FileIO -addboot Registry -addboot Handle -addboot Minifilter -filemode",
                "wpr -boottrace -stopboot C:\\update.etl",
            ],
        });
    }
    if coverage.stacks {
        steps.push(Step::new(
            "Move Procmon below the suspects",
            "Filters below Procmon's altitude leave no frame on its stacks. Procmon at a lower altitude (the Altitude value of its instance, below Services\\PROCMON…\\Instances in the registry) sees those above it.",
        ));
    }
    if findings.failure.is_none() {
        steps.push(Step::new(
            "Put the logs beside it",
            "CBS.log and setupapi.dev.log name the driver package, the error code and the time of the failure. The object that failed there should be among the paths here; for HKLM\\DRIVERS check the hive files config\\DRIVERS* too.",
        ));
    }
    if flagged
        .iter()
        .all(|driver| driver.verdict != Verdict::Implicated)
    {
        steps.push(Step::new(
            "Think of causes that are no filter",
            "A missing DLL of a network notify object (0x8007007e), a failing advanced installer, a driver store damaged before this boot (PATH NOT FOUND, 0x80070003), ghost devices with full registry logs (0x800719e4).",
        ));
    }
    steps
}

/// The one proof outside the trace. The drivers of a company count as one product; those that only touched come
/// in only where nobody is implicated.
fn remove_and_repeat(findings: &Findings, flagged: &[&DriverFinding]) -> Step {
    let mut step = Step::new(
        "Remove the product and repeat the update",
        "The proof that no trace can give. Remove the product, or disable it as its vendor says: not only its service, for the filter stays loaded. Restart and repeat the update with the same logging. If it succeeds, put the product back: failing again is the proof.",
    );
    let (implicated, touched): (Vec<&DriverFinding>, Vec<&DriverFinding>) = flagged
        .iter()
        .partition(|driver| driver.verdict == Verdict::Implicated);
    let first = if implicated.is_empty() {
        &touched
    } else {
        &implicated
    };
    let mut products: Vec<String> = Vec::new();
    for driver in first {
        let product = company(driver);
        if !products.contains(&product) {
            products.push(product);
        }
    }
    for product in products.iter().take(NAMED) {
        step.text.push(product_line(findings, flagged, product));
    }
    if products.len() > NAMED {
        step.text.push(format!(
            "and {}, in the order of the findings.",
            plural((products.len() - NAMED) as u64, "more product")
        ));
    }
    if products.len() > 1 {
        step.text.push(
            "One product at a time, in this order; several at once only to save restarts."
                .to_owned(),
        );
    }
    let rest: Vec<&str> = touched
        .iter()
        .filter(|driver| !products.contains(&company(driver)))
        .map(|driver| driver.name.as_str())
        .collect();
    if !implicated.is_empty() && !rest.is_empty() {
        step.text.push(format!(
            "Only if that changes nothing, what touched without a failure or a delay: {}.",
            some_of(&rest)
        ));
    }
    step
}

/// The company, by which drivers are one product; a driver of an unknown one is a product of its own.
fn company(driver: &DriverFinding) -> String {
    match driver.company.as_deref() {
        Some(company) => company.trim().to_owned(),
        None => format!("unknown company of {}", driver.name),
    }
}

fn product_line(findings: &Findings, flagged: &[&DriverFinding], product: &str) -> String {
    let own = |driver: &&DriverFinding| company(driver) == product;
    let names: Vec<&str> = flagged
        .iter()
        .copied()
        .filter(own)
        .map(|driver| driver.name.as_str())
        .collect();
    let loaded: Vec<&str> = findings
        .drivers
        .iter()
        .filter(|driver| driver.verdict == Verdict::Loaded && driver.role == Role::Driver)
        .filter(own)
        .map(|driver| driver.name.as_str())
        .collect();
    let mut text = format!("{product}: {}", some_of(&names));
    if !loaded.is_empty() {
        text.push_str("; also loaded: ");
        text.push_str(&some_of(&loaded));
    }
    text
}

fn some_of(names: &[&str]) -> String {
    let mut text = names[..names.len().min(NAMED)].join(", ");
    if names.len() > NAMED {
        text.push_str(&format!(" and {} more", names.len() - NAMED));
    }
    text
}
