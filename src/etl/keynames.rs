//! Names of registry keys, as Procmon writes them.

use super::dictionary::facts::Facts;
use super::kernel::registry::{KeyEvent, KeyOperation};
use crate::trace::path::split_registry;

/// Appends the key of a registry event of time `time` (a key of times), and the value where it is about one.
pub fn push_key(facts: &Facts, time: i64, event: &KeyEvent<'_>, out: &mut String) {
    use KeyOperation as Op;
    let from = out.len();
    if !event.operation.names_kcb()
        && event.kcb != 0
        && let Some(number) = facts.keys.find(event.kcb, time)
    {
        out.push_str(facts.texts.get(number));
    }
    let value = matches!(
        event.operation,
        Op::SetValue | Op::DeleteValue | Op::QueryValue
    );
    if value || !event.name.is_empty() {
        if out.len() > from {
            out.push('\\');
        }
        match event.name.is_empty() {
            true => out.push_str("(Default)"),
            false => event.name.push_to(out),
        }
    }
    shorten_key(out, from);
}

/// Puts the short name of the root in place of the kernel's in the key that `out` ends with from `from` on.
pub fn shorten_key(out: &mut String, from: usize) {
    let (short, rest) = split_registry(&out[from..]);
    if !short.is_empty() {
        let long = out.len() - from - rest.len();
        out.replace_range(from..from + long, short);
    }
}
