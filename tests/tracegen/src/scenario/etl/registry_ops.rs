//! Registry operations as the kernel records them.

use super::keys::Kcb;
use super::paths;
use super::recorder::Recorder;
use super::truth::{Group, Operation};
use crate::etl::event::{Event, Registry, RegistryOp};
use crate::pml;
use crate::pml::op::{KeyInfo, RegOp};

/// What a caller names: a key, a value of a key, or a key by base and path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Opening,
    Key,
    Value,
}

/// The event of an operation; none for those the kernel has no event for.
fn event_of(op: &RegOp) -> Option<(RegistryOp, u32, Names)> {
    Some(match op {
        RegOp::OpenKey { .. } => (RegistryOp::Open, 0, Names::Opening),
        RegOp::CreateKey { disposition, .. } => (RegistryOp::Create, *disposition, Names::Opening),
        RegOp::CloseKey => (RegistryOp::Close, 0, Names::Key),
        RegOp::QueryKey { info, .. } => (RegistryOp::Query, class(info), Names::Key),
        RegOp::EnumKey { index, .. } => (RegistryOp::EnumerateKey, *index, Names::Key),
        RegOp::EnumValue { index, .. } => (RegistryOp::EnumerateValue, *index, Names::Key),
        RegOp::SetValue(_) => (RegistryOp::SetValue, 0, Names::Value),
        RegOp::QueryValue { .. } => (RegistryOp::QueryValue, 2, Names::Value),
        RegOp::DeleteValue => (RegistryOp::DeleteValue, 0, Names::Value),
        RegOp::DeleteKey => (RegistryOp::Delete, 0, Names::Key),
        RegOp::FlushKey => (RegistryOp::Flush, 0, Names::Key),
        RegOp::QueryMultipleValue => (RegistryOp::QueryMultipleValue, 0, Names::Key),
        RegOp::SetInfoKey { class, .. } => (RegistryOp::SetInformation, *class, Names::Key),
        RegOp::SetKeySecurity => (RegistryOp::SetSecurity, 0, Names::Key),
        RegOp::QueryKeySecurity => (RegistryOp::QuerySecurity, 0, Names::Key),
        _ => return None,
    })
}

fn class(info: &KeyInfo) -> u32 {
    match info {
        KeyInfo::Basic { .. } => 0,
        KeyInfo::Node { .. } => 1,
        KeyInfo::Full { .. } => 2,
        KeyInfo::Name(_) => 3,
        KeyInfo::Cached { .. } => 4,
        KeyInfo::HandleTags(_) => 7,
        KeyInfo::Failed(class) => *class,
    }
}

impl Recorder<'_> {
    /// Records a registry operation.
    pub(super) fn registry(&mut self, event: &pml::Event, path: &str, op: &RegOp) {
        let Some((kind, index, names)) = event_of(op) else {
            return;
        };
        let by = self.actor(event.process, event.tid);
        let asked_for = paths::key_asked_for(path);
        let real = paths::key(&asked_for);
        let start = event.time;
        let end = start + event.duration.max(4);
        let gone = matches!(op, RegOp::DeleteKey);
        let (kcb, name): (Kcb, String) = match names {
            Names::Opening => self.base_of(&asked_for),
            Names::Key => (self.key_in_use(by, &real, start, gone), String::new()),
            Names::Value => {
                let (key, value) = real.rsplit_once('\\').unwrap_or((&real, ""));
                let value = if value == "(Default)" { "" } else { value };
                (self.key_in_use(by, key, start, false), value.to_owned())
            }
        };
        let record = Event::Registry(Registry {
            op: kind,
            initial: Some(start),
            status: event.status,
            index,
            kcb: kcb.address,
            name: &name,
        });
        let cpu = self.cpu_during(by.tid, start, end - start, end);
        self.put(cpu, end, by, record);
        let stack_id = self.stack(cpu, end, by, &event.stack);
        if event.status == 0 {
            match op {
                RegOp::OpenKey { .. } | RegOp::CreateKey { .. } => {
                    self.key_opened(by, &real, start);
                }
                RegOp::CloseKey => self.key_closed(by, &real, end),
                RegOp::DeleteKey => self.end_block(by, &real, end),
                _ => {}
            }
        }
        self.operations.push(Operation {
            pid: by.pid,
            tid: by.tid,
            group: Group::Registry,
            time: start,
            record_time: end,
            path: real,
            named: kcb.named || self.options.finalised,
            target: None,
            recorded: true,
            status: Some(event.status),
            duration: Some(end - start),
            waits: false,
            stack: event.stack.clone(),
            stack_id,
            callbacks: Vec::new(),
        });
    }
}
