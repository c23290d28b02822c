//! Whether a record may be asked for by itself: because of whose it is, or which registry key it is about.

use super::noted::Noting;
use super::reused::Tools;
use crate::etl::dictionary::facts::Facts;
use crate::etl::kernel::Fields;
use crate::etl::kernel::registry::KeyEvent;
use crate::etl::keynames::push_key;
use crate::etl::record::{Hook, Record};

/// NTSTATUS values from here on are warnings and errors.
const FAILURES: u32 = 0x8000_0000;
/// KCBs of which it is remembered that none of their events is asked for.
const KCBS: usize = 1 << 14;

/// What may be asked for, with what the last records were.
pub struct Asking<'n> {
    noting: Option<&'n Noting<'n>>,
    /// The process that was met last, and whether it may be asked what failed for it.
    last: Option<(u32, bool)>,
}

impl<'n> Asking<'n> {
    /// For what is to be noted.
    pub fn new(noting: Option<&'n Noting<'n>>) -> Self {
        Self { noting, last: None }
    }

    /// Whether something is of a process of which it may be asked what failed, by the ids of process and thread; `None`
    /// where both are unknown, or nothing is asked.
    #[inline]
    pub fn is_own(&mut self, pid: Option<u32>, tid: Option<u32>) -> Option<bool> {
        let noting = self.noting?;
        let Some(pid) = pid else {
            return noting.is_own(None, tid);
        };
        match self.last {
            Some((known, own)) if known == pid => Some(own),
            _ => {
                let own = noting.is_own(Some(pid), None) == Some(true);
                self.last = Some((pid, own));
                Some(own)
            }
        }
    }

    /// Whether an event of a registry key may be asked for, `time` being the key of its time stamp: by its key, or because
    /// it failed.
    pub fn takes_key(
        &mut self,
        facts: &Facts,
        tools: &mut Tools,
        (hook, record, time): (Hook, &Record<'_>, i64),
    ) -> bool {
        let own = self.is_own(record.pid(), record.tid());
        let Some(noting) = self.noting else {
            return false;
        };
        let known = KeyEvent::kcb_and_status(hook, record.payload(), record.wide());
        if let Some((kcb, status)) = known
            && tools.kcbs.get(place_of(kcb)) == Some(&kcb)
            && (own == Some(false) || own.is_none() && status < FAILURES)
        {
            return false;
        }
        let mut fields = Fields::new(record.payload(), record.wide());
        let Some(event) = KeyEvent::parse(hook.id, hook.version.into(), &mut fields) else {
            return true;
        };
        let path = || {
            let mut path = String::new();
            push_key(facts, time, &event, &mut path);
            path
        };
        let named = match noting.key_of(event.kcb) {
            Some(true) => true,
            Some(false) => {
                // Not the address of anything.
                tools.kcbs.resize(KCBS, u64::MAX);
                tools.kcbs[place_of(event.kcb)] = event.kcb;
                // Whatever it is called, only what the event adds to that can make a difference.
                let text = event.name.0;
                own == Some(true) && tools.keys.of_keyed(event.kcb, text, || noting.key(&path()))
            }
            // The text is all that there is of the path.
            None if event.kcb == 0 => tools.keys.of(event.name.0, || noting.key(&path())),
            None => noting.key(&path()),
        };
        named || own != Some(false) && event.status >= FAILURES
    }
}

#[inline]
fn place_of(kcb: u64) -> usize {
    (kcb.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 50) as usize % KCBS
}
