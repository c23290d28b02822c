//! Who reads a report.

use crate::lang::Lang;
use crate::trace::Zone;

/// The reader of a report: their language, and the zone of their clock.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// Language of the words.
    pub lang: Lang,
    /// Zone of the times.
    pub zone: &'a Zone,
}
