//! Which evidence a trace can hold: by the events that are there, and by the kernel flags that were on.

use super::census::Census;
use super::dictionary::facts::Facts;
use super::file::EtlFile;
use super::hooks::hook_of_class;
use super::layout::{item, mode};
use super::masks::{FILE_IO, FILE_IO_INIT, GroupMasks, MINIFILTER, REGISTRY};
use crate::lang::Message;
use crate::say;
use crate::trace::Coverage;
use std::ops::RangeInclusive;

/// File operations and their ends.
pub const FILE_OPERATIONS: RangeInclusive<u16> = 0x0440..=0x0452;
/// Minifilter callbacks.
pub const MINIFILTER_CALLBACKS: RangeInclusive<u16> = 0x0460..=0x0465;
/// Registry operations on keys and values.
pub const REGISTRY_OPERATIONS: RangeInclusive<u16> = 0x090A..=0x0915;
/// Stacks, plain and by key.
pub const STACKS: RangeInclusive<u16> = 0x1820..=0x1826;

/// A clock that was set by less is not worth a word (100 ns).
const NOTABLE_DRIFT: u64 = 1_000_000;

impl Census {
    /// Kernel events of these hooks, with a header of the kernel logger or with their class GUID.
    pub fn count_of(&self, hooks: RangeInclusive<u16>) -> u64 {
        let kernel = self
            .hooks
            .iter()
            .map(|(hook, count)| (Some(hook.id), count));
        let classic = self.classic.iter();
        let classic = classic.map(|(c, count)| (hook_of_class(c.class, c.opcode), count));
        kernel
            .chain(classic)
            .filter(|(id, _)| id.is_some_and(|id| hooks.contains(&id)))
            .map(|(_, count)| count)
            .sum()
    }

    /// Whether any event has a stack.
    pub fn has_stacks(&self) -> bool {
        let with_event = [item::TYPE_STACK32, item::TYPE_STACK64];
        self.count_of(STACKS) > 0 || with_event.iter().any(|kind| self.items.contains_key(kind))
    }
}

/// What evidence a trace holds, and in sentences what it cannot show.
pub fn coverage(file: &EtlFile, census: &Census, facts: &Facts) -> Coverage {
    let files = census.count_of(FILE_OPERATIONS) > 0;
    let registry = census.count_of(REGISTRY_OPERATIONS) > 0;
    let minifilter = census.count_of(MINIFILTER_CALLBACKS) > 0;
    let stacks = facts.operation_stacks;
    let mut notes = Vec::new();
    if census.records.good <= 1 {
        notes.push(say!(en: "The trace holds no event.", zh: "跟踪中没有任何事件。"));
    } else {
        let masks = &census.masks;
        notes.extend(absent(
            files,
            masks.has(FILE_IO_INIT),
            &say!(en: "File-system activity", zh: "文件系统活动"),
        ));
        notes.extend(absent(
            registry,
            masks.has(REGISTRY),
            &say!(en: "Registry activity", zh: "注册表活动"),
        ));
        notes.extend(absent(
            minifilter,
            masks.has_minifilter(),
            &say!(en: "Minifilter activity", zh: "微筛选器活动"),
        ));
        notes.extend(halves(masks));
        if !stacks {
            notes.push(match census.has_stacks() {
                true => say!(
                    en: "File and registry events have no stacks, so no driver can be tied to a file or registry operation by its frames.",
                    zh: "文件和注册表事件没有堆栈，因此无法通过堆栈帧将驱动程序与文件或注册表操作对应起来。",
                ),
                false => say!(
                    en: "The events have no stacks, so no driver can be tied to a file or registry operation by its frames.",
                    zh: "事件没有堆栈，因此无法通过堆栈帧将驱动程序与文件或注册表操作对应起来。",
                ),
            });
        }
    }
    notes.extend(clock_note(file));
    if file.header().has_mode(mode::CIRCULAR) {
        notes.push(say!(
            en: "The session wrote a ring: events older than the first may have been written over.",
            zh: "会话使用循环文件：早于第一个事件的事件可能已被覆盖。",
        ));
    }
    Coverage {
        // Who knows the images sets it.
        modules: false,
        file: files,
        registry,
        minifilter,
        stacks,
        // Each bad record is one event at least.
        events_lost: file.events_lost() + census.records.bad,
        buffers_lost: file.buffers_lost() + file.missing_buffers(),
        notes,
    }
}

fn absent(there: bool, recorded: bool, what: &Message) -> Option<Message> {
    let (what, which) = (what.en(), what.zh());
    match (there, recorded) {
        (true, _) => None,
        (false, true) => Some(say!(
            en: "{what} was recorded, and none is in the trace.",
            zh: "已启用{which}的记录，但跟踪中没有这类事件。",
        )),
        (false, false) => Some(say!(en: "{what} was not recorded.", zh: "未记录{which}。")),
    }
}

/// Operations without their ends, and callbacks without theirs.
fn halves(masks: &GroupMasks) -> Vec<Message> {
    let mut out = Vec::new();
    if masks.has(FILE_IO_INIT) && !masks.has(FILE_IO) {
        out.push(say!(
            en: "Ends of file operations were not recorded, so their results are not known.",
            zh: "未记录文件操作的结束，因此不知道其结果。",
        ));
    }
    if masks.has_minifilter() && !masks.has(MINIFILTER) {
        out.push(say!(
            en: "Ends of minifilter callbacks were not recorded, so their durations are not known.",
            zh: "未记录微筛选器回调的结束，因此不知道其持续时间。",
        ));
    }
    out
}

/// Times are by the wall clock at the start of the session; Windows may have set it later.
fn clock_note(file: &EtlFile) -> Option<Message> {
    let drift = file
        .end_drift()
        .filter(|d| d.unsigned_abs() >= NOTABLE_DRIFT)?;
    let (early, way) = if drift > 0 {
        ("early", "早")
    } else {
        ("late", "晚")
    };
    let hundredths = drift.unsigned_abs() / 100_000;
    Some(say!(
        en: "By the end time of the session, times of the trace are {seconds}.{rest:02} s too {early}: the machine's clock was set after the session began.",
        zh: "按会话的结束时间计算，跟踪中的时间偏{way} {seconds}.{rest:02} 秒：会话开始后，计算机的时钟被调整过。",
        seconds = hundredths / 100,
        rest = hundredths % 100,
    ))
}
