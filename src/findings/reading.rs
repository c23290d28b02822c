//! The reading of a trace in which touches are counted and failures are looked for: what either needs of a unit is
//! decoded at once.

use super::causes::{Survey, Surveying};
use super::onlooker::{Onlooker, Spare};
use super::tally::{Tally, UnitTally};
use super::touch::Counting;
use crate::trace::{Class, Frames, Job, Memo, Tick, for_each_unit};
use std::io;

/// Counts the touches of one trace and looks for what failed for servicing, before the eyes of an onlooker, whose makings
/// go to `take`.
///
/// # Errors
/// When the trace can no longer be read, and those of the onlooker.
pub fn read<O: Onlooker>(
    counting: &Counting<'_>,
    surveying: &Surveying<'_>,
    tick: Tick<'_>,
    onlooker: &O,
    take: &mut (dyn FnMut(usize, O::Seen) -> io::Result<()> + Send),
) -> io::Result<(Tally, Survey)> {
    let (counter, surveyor) = (counting.begin(), surveying.begin());
    let counts = |class: Class, path: &str, target: &str| counting.counts(class, path, target);
    let keys = |path: &str| counting.scope.key_or_below(path);
    let on_inf = |_: Class, path: &str, target: &str| surveying.on_inf(path, target);
    let (counted_memo, looked_memo, inf_memo) = (Memo::default(), Memo::default(), Memo::default());
    let counted = counting.select(&counts, &keys, &counted_memo);
    let looked = surveyor.select(&looked_memo);
    let worked = surveyor.select_inf(&on_inf, &inf_memo);
    let mut want = onlooker.want();
    if want.frames == Frames::None {
        want.frames = Frames::Kernel;
    }
    let look_want = surveyor.want();
    let mut tally = Tally::default();
    let mut survey = Survey {
        servicing: surveyor.finds_servicing(),
        ..Survey::default()
    };
    let trace = counting.trace;
    let spare = Spare::default();
    for_each_unit(
        0..trace.units(),
        tick,
        |unit| {
            let mut batch = onlooker.batch();
            let (mut failures, mut work) = (spare.take(), spare.take());
            let mut jobs = vec![Job {
                want: &want,
                select: &counted,
                batch: &mut batch,
            }];
            jobs.extend(looked.as_ref().map(|select| Job {
                want: &look_want,
                select,
                batch: &mut failures,
            }));
            jobs.extend(worked.as_ref().map(|select| Job {
                want: &look_want,
                select,
                batch: &mut work,
            }));
            trace.decode_all(unit, &mut jobs)?;
            let found = surveyor.look(&failures, &work);
            spare.put(failures);
            spare.put(work);
            let part = counter.count(unit, &batch);
            Ok((part, found, onlooker.see(counting.number, batch)?))
        },
        |(part, found, seen): (UnitTally, Survey, O::Seen)| {
            take(counting.number, seen)?;
            counter.take(part, &mut tally);
            survey.take(found);
            Ok(())
        },
    )?;
    tally.finish(counting.limit);
    Ok((tally, survey))
}
