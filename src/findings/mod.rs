//! From traces to findings: what counts, who touched it, and the judgement.

mod analyze;
mod causes;
mod clocks;
mod conflicts;
mod describe;
mod failing;
mod levels;
mod logs;
mod merge;
mod onlooker;
mod reading;
pub mod rules;
pub mod schema;
pub mod scope;
mod tally;
pub mod timeline;
mod touch;
mod window;

pub use analyze::{
    Case, CaseInput, Options, Outcome, WindowChoice, analyze, analyze_before, identify_drivers,
};
pub use clocks::{ClockFinding, ClockSource, FailureInstant, TracedBoot};
pub use conflicts::{Certainty, Conflict, Holder, Rights};
pub use failing::{FailingNote, FailingOperation, FailureHint};
pub use levels::{Product, Suspect, grade};
pub use logs::CaseLogs;
pub use onlooker::{Nobody, Onlooker};
pub use rules::Rules;
pub use schema::{Findings, Verdict};
pub use scope::TraceScope;
