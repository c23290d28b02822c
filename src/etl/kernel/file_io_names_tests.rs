use super::*;
use crate::etl::kernel::fields::WideText;

fn event(operation: Op, request: FileRequest<'_>) -> FileIo<'_> {
    FileIo {
        operation,
        irp: 1,
        file_object: 2,
        file_key: Some(3),
        tid: 4,
        request,
    }
}

fn information(operation: Op, class: u32, extra: u64) -> FileIo<'static> {
    let path = WideText(b"C\0:\0\\\0a\0");
    let path = match operation {
        Op::DeletePath | Op::RenamePath | Op::SetLinkPath => path,
        _ => WideText::default(),
    };
    event(operation, FileRequest::Information { class, extra, path })
}

fn detail(event: &FileIo<'_>, end: Option<&OperationEnd>) -> String {
    let mut out = String::new();
    event.push_detail(end, &mut out);
    out
}

fn ended(information: u64, status: u32) -> OperationEnd {
    OperationEnd {
        irp: 1,
        information,
        status,
    }
}

#[test]
fn operations_have_procmons_names() {
    for (operation, name) in [
        (Op::Create, "CreateFile"),
        (Op::CreateNew, "CreateFile"),
        (Op::Cleanup, "CloseFile"),
        (Op::Close, "IRP_MJ_CLOSE"),
        (Op::Read, "ReadFile"),
        (Op::Write, "WriteFile"),
        (Op::Flush, "FlushBuffersFile"),
        (Op::FsControl, "FileSystemControl"),
        (Op::EnumerateDirectory, "QueryDirectory"),
        (Op::NotifyDirectory, "NotifyChangeDirectory"),
    ] {
        assert_eq!(event(operation, FileRequest::Plain).operation_name(), name);
    }
    for (operation, class, name) in [
        (Op::SetInformation, 20, "SetEndOfFileInformationFile"),
        (Op::SetInformation, 4, "SetBasicInformationFile"),
        (Op::SetInformation, 0x44, "SetInformationFile"),
        (Op::SetInformation, 0x104, "SetInformationFile"),
        (Op::QueryInformation, 4, "QueryBasicInformationFile"),
        (Op::QueryInformation, 0x46, "QueryStatLxInformation"),
        (Op::QueryInformation, 0x7F, "QueryInformationFile"),
        (Op::Delete, 13, "SetDispositionInformationFile"),
        (Op::Delete, 64, "SetDispositionInformationEx"),
        (Op::DeletePath, 0, "SetDispositionInformationFile"),
        (Op::Rename, 10, "SetRenameInformationFile"),
        (Op::RenamePath, 65, "SetRenameInformationEx"),
        (Op::SetLink, 11, "SetLinkInformationFile"),
        (Op::SetLinkPath, 72, "SetLinkInformationEx"),
    ] {
        let name_of = information(operation, class, 0).operation_name();
        assert_eq!(name_of, name, "{operation:?} {class}");
    }
}

#[test]
fn categories_are_procmons() {
    for (operation, class, extra, category) in [
        (Op::QueryInformation, 4, 0, "Read Metadata"),
        (Op::SetInformation, 20, 512, "Write Metadata"),
        (Op::SetInformation, 0x1004, 0, "Write Metadata"),
        (Op::Delete, 13, 1, "Write"),
        (Op::Delete, 13, 0, ""),
        (Op::DeletePath, 13, 0, "Write"),
        (Op::Rename, 10, 0, "Write"),
        (Op::RenamePath, 65, 0, "Write"),
        (Op::SetLinkPath, 11, 0, "Write"),
    ] {
        let found = information(operation, class, extra).category(None);
        assert_eq!(found, category, "{operation:?} {class} {extra}");
    }
    let create = |disposition| {
        let request = FileRequest::Create {
            disposition,
            options: 0x60,
            attributes: 0x80,
            share: 3,
            path: WideText::default(),
        };
        event(Op::Create, request)
    };
    assert_eq!(create(1).category(None), "");
    assert_eq!(create(2).category(None), "Write");
    assert_eq!(create(3).category(Some(&ended(1, 0))), "");
    assert_eq!(create(3).category(Some(&ended(2, 0))), "Write");
    // The name of a reparse point's tag is no result of opening.
    assert_eq!(create(1).category(Some(&ended(0xA000_0003, 0x104))), "");
    let control = |code| event(Op::FsControl, FileRequest::Control { code, extra: 0 });
    assert_eq!(control(0x900AC).category(None), "Write");
    assert_eq!(event(Op::Close, FileRequest::Plain).category(None), "");
}

#[test]
fn what_waits_by_nature() {
    let control = |code| event(Op::FsControl, FileRequest::Control { code, extra: 0 });
    // An oplock, a pipe that listens, and reading a reparse point.
    assert!(control(0x90240).waits_by_nature() && control(0x11_0008).waits_by_nature());
    assert!(!control(0x900A8).waits_by_nature());
    let request = FileRequest::Notification {
        length: 32,
        filter: 27,
        index: 0,
        pattern: WideText::default(),
    };
    let notification = event(Op::NotifyDirectory, request);
    assert!(notification.waits_by_nature());
    assert_eq!(notification.category(None), "Read Metadata");
    assert_eq!(
        detail(&notification, None),
        "Filter: FILE_NOTIFY_CHANGE_FILE_NAME, FILE_NOTIFY_CHANGE_DIR_NAME, \
         FILE_NOTIFY_CHANGE_SIZE, FILE_NOTIFY_CHANGE_LAST_WRITE"
    );
}

#[test]
fn details_are_procmons() {
    let request = FileRequest::Create {
        disposition: 5,
        options: 0x60,
        attributes: 0x80,
        share: 3,
        path: WideText::default(),
    };
    let create = event(Op::Create, request);
    let asked = "Disposition: OverwriteIf, Options: Synchronous IO Non-Alert, Non-Directory File, \
                 Attributes: N, ShareMode: Read, Write";
    assert_eq!(detail(&create, None), asked);
    let opened = detail(&create, Some(&ended(3, 0)));
    assert_eq!(opened, format!("{asked}, OpenResult: Overwritten"));
    assert_eq!(detail(&create, Some(&ended(0, 0xC000_0022))), asked);

    let request = FileRequest::Transfer {
        offset: 65_536,
        size: 4_096,
        flags: 0x60043,
        extra_flags: None,
    };
    let read = event(Op::Read, request);
    let flags = "I/O Flags: Non-cached, Paging I/O, Synchronous Paging I/O, Priority: Normal";
    assert_eq!(
        detail(&read, None),
        format!("Offset: 65,536, Length: 4,096, {flags}")
    );
    let part = detail(&read, Some(&ended(224, 0)));
    assert_eq!(part, format!("Offset: 65,536, Length: 224, {flags}"));
    let failed = detail(&read, Some(&ended(0, 0xC000_0011)));
    assert_eq!(failed, format!("Offset: 65,536, Length: 4,096, {flags}"));
    let request = FileRequest::Transfer {
        offset: u64::MAX,
        size: 1,
        flags: 0,
        extra_flags: None,
    };
    assert_eq!(
        detail(&event(Op::Write, request), None),
        "Offset: -1, Length: 1"
    );

    for (operation, class, extra, expected) in [
        (
            Op::SetInformation,
            20,
            524_288,
            "FileInformationClass: FileEndOfFileInformation, EndOfFile: 524,288",
        ),
        (
            Op::SetInformation,
            19,
            1,
            "FileInformationClass: FileAllocationInformation, AllocationSize: 1",
        ),
        (
            Op::Delete,
            13,
            1,
            "FileInformationClass: FileDispositionInformation, Delete: True",
        ),
        (
            Op::Delete,
            64,
            0,
            "FileInformationClass: FileDispositionInformationEx, Delete: False",
        ),
        (
            Op::DeletePath,
            13,
            0,
            "FileInformationClass: FileDispositionInformation",
        ),
        (
            Op::RenamePath,
            10,
            0,
            r"FileInformationClass: FileRenameInformation, FileName: C:\a",
        ),
        (Op::SetLink, 72, 0, "FileInformationClass: 72"),
    ] {
        assert_eq!(
            detail(&information(operation, class, extra), None),
            expected
        );
    }
    let control = event(
        Op::FsControl,
        FileRequest::Control {
            code: 0x900F4,
            extra: 0,
        },
    );
    assert_eq!(detail(&control, None), "Control: FSCTL_QUERY_USN_JOURNAL");
    let request = FileRequest::Listing {
        length: 632,
        class: 37,
        index: 0,
        pattern: WideText(b"*\0"),
    };
    let listing = event(Op::EnumerateDirectory, request);
    assert_eq!(
        detail(&listing, None),
        "FileInformationClass: FileIdBothDirectoryInformation, Filter: *"
    );
    let mut out = String::new();
    ended(58, 0).push_detail(&mut out);
    assert_eq!(out, "IRP: 0x1, Information: 0x3a");
}
