//! Payloads of real kernel events, each with the values another decoder's tests expect of it: processes,
//! threads, images, files and the registry.

use crate::common::real_traces;
use fltscope::etl::Guid;
use fltscope::etl::hooks::hook_of_class;
use fltscope::etl::kernel::file_name::hook as name_hook;
use fltscope::etl::kernel::process::ProcessRow;
use fltscope::etl::kernel::thread::ThreadRow;
use fltscope::etl::kernel::{
    Fields, FileIo, FileName, FileRequest, ImageEvent, OPERATION_END, OperationEnd, ProcessEvent,
    RegistryEvent, ThreadEvent,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// A decoded field.
#[derive(Debug, PartialEq)]
enum Found {
    Number(i128),
    Text(String),
}

/// The fields of an event, by the names of the expected ones.
#[derive(Default)]
struct Named(BTreeMap<&'static str, Found>);

impl Named {
    fn number(&mut self, name: &'static str, value: impl Into<i128>) {
        self.0.insert(name, Found::Number(value.into()));
    }

    fn some(&mut self, name: &'static str, value: Option<impl Into<i128>>) {
        if let Some(value) = value {
            self.number(name, value);
        }
    }

    fn text(&mut self, name: &'static str, value: impl ToString) {
        self.0.insert(name, Found::Text(value.to_string()));
    }
}

fn process_row(row: &ProcessRow<'_>, version: u16, out: &mut Named) {
    out.some("UniqueProcessKey", row.key);
    out.number("ProcessId", row.pid);
    out.number("ParentId", row.parent_pid);
    out.some("SessionId", row.session);
    out.some("ExitStatus", row.exit_status);
    let directory = if version == 1 {
        "PageDirectoryBase"
    } else {
        "DirectoryTableBase"
    };
    out.some(directory, row.directory_base);
    out.some("Flags", row.flags);
    out.text("ImageFileName", row.image);
    out.text("CommandLine", row.command_line);
    out.text("PackageFullName", row.package);
    out.text("ApplicationId", row.application);
    out.some("ExitTime", row.exit_time.map(|time| time.0));
}

fn process(hook: u16, version: u16, fields: &mut Fields<'_>, out: &mut Named) -> Option<()> {
    match ProcessEvent::parse(hook, version, fields)? {
        ProcessEvent::Row(row) => process_row(&row, version, out),
        ProcessEvent::Terminate { pid } => out.number("ProcessId", pid),
        ProcessEvent::Counters(counters) => {
            out.number("ProcessId", counters.pid);
            out.number("PageFaultCount", counters.page_faults);
            out.number("HandleCount", counters.handles);
            out.number("PeakVirtualSize", counters.peak_virtual);
            out.number("PeakWorkingSetSize", counters.peak_working_set);
            out.number("PeakPagefileUsage", counters.peak_page_file);
            out.number("QuotaPeakPagedPoolUsage", counters.peak_paged_pool);
            out.number("QuotaPeakNonPagedPoolUsage", counters.peak_non_paged_pool);
            out.number("VirtualSize", counters.virtual_size);
            out.number("WorkingSetSize", counters.working_set);
            out.number("PagefileUsage", counters.page_file);
            out.number("QuotaPagedPoolUsage", counters.paged_pool);
            out.number("QuotaNonPagedPoolUsage", counters.non_paged_pool);
            out.number("PrivatePageCount", counters.private);
        }
    }
    Some(())
}

fn thread_row(row: &ThreadRow<'_>, out: &mut Named) {
    out.number("ProcessId", row.pid);
    out.number("TThreadId", row.tid);
    let Some(at) = row.addresses else {
        return;
    };
    out.number("StackBase", at.stack_base);
    out.number("StackLimit", at.stack_limit);
    out.number("UserStackBase", at.user_stack_base);
    out.number("UserStackLimit", at.user_stack_limit);
    out.some("StartAddr", at.start);
    out.some("Affinity", at.affinity);
    out.number("Win32StartAddr", at.win32_start);
    out.some("TebBase", at.teb);
    out.some("SubProcessTag", at.service_tag);
    out.some("WaitMode", at.wait_mode);
    if let Some(priorities) = at.priorities {
        out.number("BasePriority", priorities.base);
        out.number("PagePriority", priorities.page);
        out.number("IoPriority", priorities.io);
        out.number("ThreadFlags", priorities.flags);
    }
}

fn thread(hook: u16, version: u16, fields: &mut Fields<'_>, out: &mut Named) -> Option<()> {
    match ThreadEvent::parse(hook, version, fields)? {
        ThreadEvent::Row(row) => thread_row(&row, out),
        ThreadEvent::ContextSwitch(switch) => {
            out.number("NewThreadId", switch.new_tid);
            out.number("OldThreadId", switch.old_tid);
            out.number("NewThreadPriority", switch.new_priority);
            out.number("OldThreadPriority", switch.old_priority);
            out.number("PreviousCState", switch.previous_c_state);
            out.number("SpareByte", switch.spare);
            out.number("OldThreadWaitReason", switch.wait_reason);
            out.number("OldThreadWaitMode", switch.wait_mode);
            out.number("OldThreadState", switch.old_state);
            out.number("OldThreadWaitIdealProcessor", switch.ideal_processor);
            out.number("NewThreadWaitTime", switch.new_wait_time);
            out.number("Reserved", switch.reserved);
        }
        ThreadEvent::Ready(ready) => {
            out.number("TThreadId", ready.tid);
            out.number("AdjustReason", ready.adjust_reason);
            out.number("AdjustIncrement", ready.adjust_increment);
            out.number("Flag", ready.flags);
            out.number("Reserved", ready.reserved);
        }
        ThreadEvent::Name(named) => out.text("ThreadName", named.name),
        ThreadEvent::SpinLock(lock) => {
            out.number("SpinLockAddress", lock.lock);
            out.number("CallerAddress", lock.caller);
            out.number("AcquireTime", lock.acquired);
            out.number("ReleaseTime", lock.released);
            out.number("WaitTimeInCycles", lock.wait_cycles);
            out.number("SpinCount", lock.spins);
            out.number("ThreadId", lock.tid);
            out.number("InterruptCount", lock.interrupts);
            out.number("Irql", lock.irql);
            out.number("AcquireDepth", lock.depth);
            out.number("Flag", lock.flags);
        }
        ThreadEvent::IoPriority(change) => {
            out.number("ThreadId", change.tid);
            out.number("OldPriority", change.old);
            out.number("NewPriority", change.new);
            out.number("Reserved", change.reserved);
        }
    }
    Some(())
}

fn image(hook: u16, version: u16, fields: &mut Fields<'_>, out: &mut Named) -> Option<()> {
    match ImageEvent::parse(hook, version, fields)? {
        ImageEvent::Row(row) => {
            out.number("BaseAddress", row.base);
            out.number("ModuleSize", row.size);
            out.some("ProcessId", row.pid);
            out.number("ImageCheckSum", row.checksum);
            out.number("TimeDateStamp", row.time_stamp);
            out.some("SignatureLevel", row.signature.map(|how| how.level));
            out.some("SignatureType", row.signature.map(|how| how.kind));
            out.number("DefaultBase", row.default_base);
            out.text("ImageFileName", row.path);
        }
        ImageEvent::KernelBase(base) => out.number("BaseAddress", base),
        ImageEvent::HypercallPage(page) => out.number("BaseAddress", page),
    }
    Some(())
}

fn file(hook: u16, version: u16, fields: &mut Fields<'_>, out: &mut Named) -> Option<()> {
    if hook == OPERATION_END {
        let end = OperationEnd::parse(fields)?;
        out.number("IrpPtr", end.irp);
        out.number("ExtraInfo", end.information);
        out.number("NtStatus", end.status);
        return Some(());
    }
    if hook <= name_hook::RUNDOWN {
        let name = FileName::parse(hook, fields)?;
        out.number("FileObject", name.key);
        out.text("FileName", name.path);
        return Some(());
    }
    let event = FileIo::parse(hook, version, fields)?;
    out.number("IrpPtr", event.irp);
    out.number("TTID", event.tid);
    out.number("FileObject", event.file_object);
    out.some("FileKey", event.file_key);
    match event.request {
        FileRequest::Create {
            disposition,
            options,
            attributes,
            share,
            path,
        } => {
            out.number("CreateOptions", u32::from(disposition) << 24 | options);
            out.number("FileAttributes", attributes);
            out.number("ShareAccess", share);
            out.text("OpenPath", path);
        }
        FileRequest::Transfer {
            offset,
            size,
            flags,
            extra_flags: _,
        } => {
            out.number("Offset", offset);
            out.number("IoSize", size);
            out.number("IoFlags", flags);
        }
        FileRequest::Information { class, extra, path } => {
            out.number("InfoClass", class);
            out.number("ExtraInfo", extra);
            out.text("FileName", path);
        }
        FileRequest::Control { code, extra } => {
            out.number("InfoClass", code);
            out.number("ExtraInfo", extra);
        }
        FileRequest::Listing {
            length,
            class: class_or_filter,
            index,
            pattern,
        }
        | FileRequest::Notification {
            length,
            filter: class_or_filter,
            index,
            pattern,
        } => {
            out.number("Length", length);
            out.number("InfoClass", class_or_filter);
            out.number("FileIndex", index);
            out.text("FileName", pattern);
        }
        FileRequest::Plain => {}
    }
    Some(())
}

fn registry(hook: u16, version: u16, fields: &mut Fields<'_>, out: &mut Named) -> Option<()> {
    match RegistryEvent::parse(hook, version, fields)? {
        RegistryEvent::Key(event) => {
            out.number("InitialTime", event.start_time.unwrap_or(0));
            out.number("Status", event.status);
            out.number("Index", event.index);
            out.number("KeyHandle", event.kcb);
            out.text("KeyName", event.name);
        }
        RegistryEvent::Counters(counters) => {
            out.number("Counter1", counters.opened_keys);
            out.number("Counter2", counters.delay_close_kcbs);
            out.number("Counter3", counters.private_alloc_pages);
            out.number("Counter4", counters.private_alloc_free);
            out.number("Counter5", counters.private_alloc_used);
            out.number("Counter6", counters.lookup_cache_hit);
            out.number("Counter7", counters.lookup_cache_miss_found);
            out.number("Counter8", counters.lookup_cache_miss_not_found);
            out.number("Counter9", counters.view_map);
            out.number("Counter10", counters.view_unmap);
            out.number("Counter11", counters.hive_shrink);
        }
        RegistryEvent::ControlSet(number) => out.number("CurrentControlSet", number),
        other => panic!("{other:?}"),
    }
    Some(())
}

/// The vectors, or `None` where they are not at hand: then the test says so and ends.
fn vectors(test: &str) -> Option<Vec<Value>> {
    let path = real_traces(test)?.join("kernel_payload_vectors.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {test}: no vectors at {}", path.display());
        return None;
    };
    let lines = text.lines().map(serde_json::from_str);
    Some(lines.collect::<Result<_, _>>().unwrap())
}

fn number(text: &str) -> i128 {
    let text = text.trim_end_matches(['U', 'L', 'u', 'l']);
    match text.strip_prefix("0x") {
        Some(digits) => i128::from_str_radix(digits, 16).unwrap(),
        None => text.parse().unwrap(),
    }
}

/// Whether an expected text is the name of a constant of the other decoder's tests: its value is not given.
fn is_constant(text: &str) -> bool {
    let mut chars = text.chars();
    (chars.next() == Some('k') && chars.next().is_some_and(char::is_uppercase))
        || matches!(text, "filename" | "commandline")
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks_exact(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn every_expected_field_is_found() {
    let Some(vectors) = vectors("every_expected_field_is_found") else {
        return;
    };
    let mut covered = BTreeMap::new();
    let (mut compared, mut constants, mut reserved) = (0, 0, 0);
    for vector in &vectors {
        let text = |key: &str| vector[key].as_str().unwrap();
        let decode = match text("category") {
            "Process" => process,
            "Thread" => thread,
            "Image" => image,
            "FileIO" => file,
            "Registry" => registry,
            _ => continue,
        };
        let name = text("name");
        let digits = text("provider").replace('-', "");
        let class = Guid::new(u128::from_str_radix(&digits, 16).unwrap());
        let opcode = vector["opcode"].as_u64().unwrap() as u8;
        let version = vector["version"].as_u64().unwrap() as u16;
        let hook = hook_of_class(class, opcode).unwrap();
        let payload = bytes(text("payload_hex"));
        let wide = vector["pointer_size"] == 8;
        let mut fields = Fields::new(&payload, wide);
        let mut found = Named::default();
        decode(hook, version, &mut fields, &mut found).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(fields.rest(), b"", "{name}");
        for expected in vector["expected"].as_array().unwrap() {
            let [field, kind, value] = [0, 1, 2].map(|at| expected[at].as_str().unwrap());
            let Some(found) = found.0.get(field) else {
                assert!(field.starts_with("Reserved"), "{name}: {field}");
                reserved += 1;
                continue;
            };
            match (kind, found) {
                ("String" | "WString", Found::Text(text)) if is_constant(value) => {
                    let printable = text.chars().all(|char| !char.is_control());
                    assert!(printable, "{name}: {field}: {text:?}");
                    constants += 1;
                }
                ("String" | "WString", Found::Text(text)) => {
                    assert_eq!(text, value, "{name}: {field}");
                    compared += 1;
                }
                (_, Found::Number(found)) => {
                    assert_eq!(*found, number(value), "{name}: {field}");
                    compared += 1;
                }
                other => panic!("{name}: {field}: {other:?}"),
            }
        }
        *covered.entry(text("category")).or_insert(0) += 1;
        // No shorter copy of it may do any harm, nor any other version.
        for len in 0..payload.len() {
            for version in 0..=6 {
                let mut fields = Fields::new(&payload[..len], wide);
                let _ = decode(hook, version, &mut fields, &mut Named::default());
            }
        }
    }
    let expected = [
        ("FileIO", 35),
        ("Image", 10),
        ("Process", 12),
        ("Registry", 14),
        ("Thread", 10),
    ];
    assert_eq!(covered, BTreeMap::from(expected));
    assert_eq!((compared, constants, reserved), (513, 18, 32));
}

#[test]
fn users_of_processes() {
    let Some(vectors) = vectors("users_of_processes") else {
        return;
    };
    for (name, sid) in [
        // Written by a test program, with a zeroed TOKEN_USER.
        (
            "ProcessStart32bitsV1",
            "S-1-5-21-753675414-103939432-3550797041-1000",
        ),
        (
            "ProcessStartV2",
            "S-1-5-21-753675414-103939432-3550797041-1000",
        ),
        ("ProcessDCStartV4", "S-1-5-16"),
        ("ProcessDefunctV3", "S-1-5-16"),
    ] {
        let vector = vectors
            .iter()
            .find(|vector| vector["name"] == name)
            .unwrap();
        let payload = bytes(vector["payload_hex"].as_str().unwrap());
        let version = vector["version"].as_u64().unwrap() as u16;
        let mut fields = Fields::new(&payload, vector["pointer_size"] == 8);
        let Some(ProcessEvent::Row(row)) = ProcessEvent::parse(0x0301, version, &mut fields) else {
            panic!("{name}");
        };
        assert_eq!(
            row.sid.map(|sid| sid.to_string()).as_deref(),
            Some(sid),
            "{name}"
        );
    }
}
