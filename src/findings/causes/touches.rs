//! What touched an object last, so that it is at hand when the object turns out to have failed.

use crate::codes::procmon::write_result;
use crate::findings::failing::{Relation, TouchBefore};
use std::collections::{HashMap, VecDeque};

/// Touches kept of one object; as many callbacks besides.
const MOST: usize = 10;

/// The last touches of objects, by name.
#[derive(Debug, Default)]
pub struct LastTouches {
    of: HashMap<String, Last>,
    /// Of the hive's files together.
    hive: Last,
}

/// The last touches of one object.
#[derive(Debug, Default)]
struct Last {
    touches: VecDeque<TouchBefore>,
    /// Callbacks that refused nothing: every filter has them for every operation, so one each says as much as all.
    callbacks: VecDeque<TouchBefore>,
}

impl Last {
    fn push(&mut self, touch: TouchBefore) {
        let plain = touch.callback.is_some() && !touch.refused;
        if plain {
            self.callbacks
                .retain(|known| known.drivers != touch.drivers);
        }
        let list = match plain {
            true => &mut self.callbacks,
            false => &mut self.touches,
        };
        if list.len() >= MOST {
            list.pop_front();
        }
        list.push_back(touch);
    }

    fn all(&self) -> impl Iterator<Item = &TouchBefore> {
        self.touches.iter().chain(&self.callbacks)
    }
}

impl LastTouches {
    /// Notes a touch of an object.
    pub fn add(&mut self, name: &str, touch: TouchBefore) {
        match self.of.get_mut(name) {
            Some(last) => last.push(touch),
            None => self.of.entry(name.to_owned()).or_default().push(touch),
        }
    }

    /// Notes a touch of one of the hive's files.
    pub fn add_hive(&mut self, touch: TouchBefore) {
        self.hive.push(touch);
    }

    /// The last touches of objects and what they are to the one who asks, latest first.
    pub fn of(&self, names: &[(&str, Relation)], hive: bool) -> Vec<TouchBefore> {
        let mut out = Vec::new();
        for (name, relation) in names {
            let list = self.of.get(*name).into_iter().flat_map(Last::all);
            out.extend(list.cloned().map(|touch| TouchBefore {
                relation: *relation,
                ..touch
            }));
        }
        if hive {
            out.extend(self.hive.all().cloned());
        }
        out.sort_by(|a, b| {
            let key = |touch: &TouchBefore| (touch.time, touch.event);
            key(b).cmp(&key(a)).then(a.relation.cmp(&b.relation))
        });
        // The hive itself may be what failed: then it is here twice.
        out.dedup_by(|a, b| a.event == b.event && a.input == b.input);
        out
    }
}

/// A result as Procmon prints it.
pub fn words(status: u32) -> String {
    let mut out = String::new();
    write_result(status, &mut out);
    out
}

/// A text, if it is one.
pub fn text(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Filetime, Phase};

    fn touch(event: u64, callback: Option<Phase>, refused: bool) -> TouchBefore {
        TouchBefore {
            time: Filetime(event),
            input: "a".into(),
            event,
            relation: Relation::HiveFile,
            operation: "CreateFile",
            callback,
            path: "\\a".into(),
            result: None,
            status: None,
            refused,
            process: None,
            pid: None,
            tid: Some(1),
            company: None,
            third_party: false,
            drivers: vec!["x.sys".into()],
        }
    }

    #[test]
    fn the_last_ones_latest_first() {
        let mut last = LastTouches::default();
        for event in 0..15 {
            last.add("\\a", touch(event, None, false));
        }
        last.add("\\b", touch(20, Some(Phase::Pre), false));
        last.add("\\b", touch(21, Some(Phase::Post), false));
        last.add("\\b", touch(22, Some(Phase::Pre), true));
        last.add_hive(touch(14, None, false));
        last.add_hive(touch(30, None, false));
        let all = last.of(&[("\\a", Relation::Path), ("\\b", Relation::Target)], true);
        let events: Vec<u64> = all.iter().map(|touch| touch.event).collect();
        assert_eq!(events, [30, 22, 21, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5]);
        assert_eq!(all[3].relation, Relation::Path);
        assert_eq!(last.of(&[("\\c", Relation::Path)], false), []);
    }
}
