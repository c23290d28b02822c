//! Traces written by a script, so that a mutation hits a hook, a version or a payload and not the sizes around it.
//!
//! A script is a row of commands: nine bytes of head, then the payload. Records stand in several buffers.

use crate::around::{clock_start, head, push_buffer};
use fltscope::etl::hooks::{group_of, hook_name};
use fltscope::etl::layout::header_type as ty;
use std::sync::OnceLock;

/// What a script starts with; no record does.
pub const MARK: [u8; 2] = [0xFF, b'S'];
/// Bytes before the payload of a command.
const HEAD: usize = 9;
/// Records of the kernel logger in the forms that a command names.
const FORMS: [u8; 8] = [
    ty::SYSTEM64,
    ty::PERFINFO64,
    ty::SYSTEM32,
    ty::PERFINFO32,
    ty::COMPACT64,
    ty::FULL64,
    ty::FULL32,
    ty::EVENT64,
];
/// Flag of a command: its record is the first of a buffer.
const NEW_BUFFER: u8 = 1;

/// Hooks that have a name.
fn hooks() -> &'static [u16] {
    static HOOKS: OnceLock<Vec<u16>> = OnceLock::new();
    HOOKS.get_or_init(|| {
        let named = |hook: &u16| hook_name(*hook).is_some();
        (0..=u16::MAX).filter(named).collect()
    })
}

/// A record, as a command of a script.
#[derive(Debug, Clone, Copy)]
pub struct Command<'a> {
    /// Hook.
    pub hook: u16,
    /// Version.
    pub version: u8,
    /// Type byte of its header.
    pub form: u8,
    /// Ticks since the record before, in hundreds.
    pub wait: u8,
    /// Which thread.
    pub who: u8,
    /// Whether it begins a buffer.
    pub new_buffer: bool,
    /// What is behind the header.
    pub payload: &'a [u8],
}

impl Command<'_> {
    /// Appends it to a script; nothing where a script has no words for it.
    pub fn push(&self, out: &mut Vec<u8>) {
        let Ok(hook) = hooks().binary_search(&self.hook) else {
            return;
        };
        let Some(form) = FORMS.iter().position(|form| *form == self.form) else {
            return;
        };
        if out.is_empty() {
            out.extend(MARK);
        }
        let payload = &self.payload[..self.payload.len().min(2_000)];
        out.extend((hook as u16).to_le_bytes());
        let flags = if self.new_buffer { NEW_BUFFER } else { 0 };
        out.extend([self.version, form as u8, self.wait, self.who, flags]);
        out.extend((payload.len() as u16).to_le_bytes());
        out.extend(payload);
    }
}

/// A GUID as records have it: the first three groups in the order of the machine.
fn guid_bytes(digits: u128) -> [u8; 16] {
    let mut out = digits.to_be_bytes();
    out[..4].reverse();
    out[4..6].reverse();
    out[6..8].reverse();
    out
}

/// The record of a command at a time.
fn record(command: &Command<'_>, time: i64) -> Vec<u8> {
    let form = command.form;
    let (pid, tid) = (
        8 + 4 * u32::from(command.who >> 4),
        100 + u32::from(command.who),
    );
    let ids = [tid.to_le_bytes(), pid.to_le_bytes()].concat();
    let class = group_of(command.hook).map_or([0; 16], |group| guid_bytes(group.guid.digits()));
    let mut out = Vec::with_capacity(80 + command.payload.len());
    let is_kernel = !matches!(form, ty::FULL64 | ty::FULL32 | ty::EVENT64);
    let size_at = if is_kernel {
        out.extend([command.version, 0, form, 0xC0, 0, 0]);
        out.extend(command.hook.to_le_bytes());
        if !matches!(form, ty::PERFINFO64 | ty::PERFINFO32) {
            out.extend(ids);
        }
        out.extend(time.to_le_bytes());
        if matches!(form, ty::SYSTEM64 | ty::SYSTEM32) {
            out.extend([0; 8]);
        }
        4
    } else if form == ty::EVENT64 {
        out.extend([0, 0, form, 0xC0, 0, 0, 0, 0]);
        out.extend(ids);
        out.extend(time.to_le_bytes());
        out.extend(class);
        out.extend(command.hook.to_le_bytes());
        out.extend([command.version, 0, 4, command.hook as u8, 0, 0]);
        out.extend([0; 32]);
        0
    } else {
        out.extend([0, 0, form, 0xC0, command.hook as u8, 0, command.version, 0]);
        out.extend(ids);
        out.extend(time.to_le_bytes());
        out.extend(class);
        out.extend([0; 8]);
        0
    };
    out.extend(command.payload);
    let len = out.len() as u16;
    out[size_at..size_at + 2].copy_from_slice(&len.to_le_bytes());
    out.resize(out.len().next_multiple_of(8), 0);
    out
}

/// The commands of a script.
fn commands(mut script: &[u8]) -> impl Iterator<Item = Command<'_>> {
    std::iter::from_fn(move || {
        let (start, rest) = script.split_at_checked(HEAD)?;
        let number = usize::from(u16::from_le_bytes([start[0], start[1]]));
        let len = usize::from(u16::from_le_bytes([start[7], start[8]]));
        let (payload, rest) = rest.split_at(len.min(2_000).min(rest.len()));
        script = rest;
        Some(Command {
            hook: hooks()[number % hooks().len()],
            version: start[2],
            form: FORMS[usize::from(start[3]) % FORMS.len()],
            wait: start[4],
            who: start[5],
            new_buffer: start[6] & NEW_BUFFER != 0,
            payload,
        })
    })
}

/// The trace of a script, which stands behind its mark.
pub fn trace(script: &[u8]) -> Vec<u8> {
    let mut out = head().to_vec();
    let (mut records, mut time) = (Vec::new(), clock_start());
    for command in commands(script) {
        if command.new_buffer || records.len() > 60_000 {
            push_buffer(&mut out, &records);
            records.clear();
        }
        time += i64::from(command.wait) * 100;
        records.extend(record(&command, time));
    }
    push_buffer(&mut out, &records);
    out
}
