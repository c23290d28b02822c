//! What a table shows of file operations: Procmon's operation, category and detail, from its tables.

use super::file_io::{FileIo, FileOperation as Op, FileRequest, OperationEnd};
use super::major_function::major;
use crate::pml::detail::tables::{flags, names};
use crate::pml::detail::{DetailText, FieldSink, Value, control, create, file_information, io};
use crate::pml::operations::file_operation;
use crate::pml::text::Text;
use crate::trace::time::Zone;

/// Minor functions of directory control.
mod minor {
    pub const QUERY_DIRECTORY: u8 = 1;
    pub const NOTIFY_CHANGE_DIRECTORY: u8 = 2;
}

/// `FILE_INFORMATION_CLASS` numbers that have an event of their own or say more.
mod class {
    pub const RENAME: u32 = 10;
    pub const LINK: u32 = 11;
    pub const DISPOSITION: u32 = 13;
    pub const ALLOCATION: u32 = 19;
    pub const END_OF_FILE: u32 = 20;
    pub const RENAME_BYPASS: u32 = 56;
    pub const LINK_BYPASS: u32 = 57;
    pub const DISPOSITION_EX: u32 = 64;
    pub const RENAME_EX: u32 = 65;
    pub const RENAME_EX_BYPASS: u32 = 66;
    pub const LINK_EX: u32 = 72;
    pub const LINK_EX_BYPASS: u32 = 73;
    /// Where Procmon's table of names stops being one.
    pub const NO_NAME: u32 = 70;
}

/// Name of the operation of an [`OperationEnd`] that stands alone.
pub const OPERATION_END_NAME: &str = "OperationEnd";

impl FileIo<'_> {
    /// Name of the operation, in Procmon's words.
    pub fn operation_name(&self) -> &'static str {
        let (major, minor) = match self.operation {
            Op::Create | Op::CreateNew => (major::CREATE, None),
            Op::Cleanup => (major::CLEANUP, None),
            Op::Close => (major::CLOSE, None),
            Op::Read => (major::READ, None),
            Op::Write => (major::WRITE, None),
            Op::Flush => (major::FLUSH_BUFFERS, None),
            Op::FsControl => (major::FILE_SYSTEM_CONTROL, None),
            Op::EnumerateDirectory => (major::DIRECTORY_CONTROL, Some(minor::QUERY_DIRECTORY)),
            Op::NotifyDirectory => {
                let minor = minor::NOTIFY_CHANGE_DIRECTORY;
                (major::DIRECTORY_CONTROL, Some(minor))
            }
            Op::QueryInformation => (major::QUERY_INFORMATION, self.class()),
            _ => (major::SET_INFORMATION, self.class()),
        };
        file_operation(major, minor)
    }

    /// Information class. An event that is for some classes only and holds another counts for the first.
    fn class(&self) -> Option<u8> {
        let FileRequest::Information { class, .. } = self.request else {
            return None;
        };
        let class = match (self.operation, class) {
            (Op::Delete | Op::DeletePath, class::DISPOSITION_EX) => class,
            (Op::Delete | Op::DeletePath, _) => class::DISPOSITION,
            (
                Op::Rename | Op::RenamePath,
                class::RENAME_BYPASS | class::RENAME_EX | class::RENAME_EX_BYPASS,
            ) => class,
            (Op::Rename | Op::RenamePath, _) => class::RENAME,
            (
                Op::SetLink | Op::SetLinkPath,
                class::LINK_BYPASS | class::LINK_EX | class::LINK_EX_BYPASS,
            ) => class,
            (Op::SetLink | Op::SetLinkPath, _) => class::LINK,
            _ => class,
        };
        u8::try_from(class).ok()
    }

    /// Category, by what came of the operation where `end` tells it.
    pub fn category(&self, end: Option<&OperationEnd>) -> &'static str {
        match self.request {
            FileRequest::Create { disposition, .. } => {
                create::request_category(disposition, open_result(end))
            }
            FileRequest::Transfer { .. } if self.operation == Op::Read => "Read",
            FileRequest::Transfer { .. } => "Write",
            FileRequest::Information { .. } if self.operation == Op::QueryInformation => {
                "Read Metadata"
            }
            FileRequest::Information { extra, .. } => {
                // Beside a delete, its path comes without the flag.
                let deletes = extra & 1 != 0 || self.operation == Op::DeletePath;
                let class = self.class();
                class.map_or("Write Metadata", |class| {
                    file_information::class_set_category(class, deletes)
                })
            }
            FileRequest::Control { code, .. } => control::code_category(code),
            FileRequest::Listing { .. } | FileRequest::Notification { .. } => "Read Metadata",
            FileRequest::Plain => "",
        }
    }

    /// Whether the operation waits by nature, so that its duration says nothing about a delay.
    #[inline]
    pub fn waits_by_nature(&self) -> bool {
        match self.request {
            FileRequest::Notification { .. } => true,
            FileRequest::Control { code, .. } => control::code_waits(code),
            _ => false,
        }
    }

    /// Hands the fields of the detail to `sink`; with `end`, what came of the operation as well.
    pub fn detail<S: FieldSink>(&self, end: Option<&OperationEnd>, sink: &mut S) {
        match self.request {
            FileRequest::Create {
                disposition,
                options,
                attributes,
                share,
                path: _,
            } => {
                create::request(disposition, options, attributes, share, sink);
                if let Some(result) = open_result(end) {
                    create::open_result(result, sink);
                }
            }
            FileRequest::Transfer {
                offset,
                size,
                flags,
                extra_flags: _,
            } => {
                sink.field("Offset", Value::GroupedSigned(offset.cast_signed()));
                let transferred = end.filter(|end| end.succeeded());
                let length = transferred.map_or(size.into(), |end| end.information);
                sink.field("Length", Value::Grouped(length));
                io::irp_flags(flags, sink);
            }
            FileRequest::Information { class, extra, path } => {
                sink.field("FileInformationClass", class_value(class));
                match (self.operation, class) {
                    (Op::Delete, _) => sink.field("Delete", Value::Bool(extra & 1 != 0)),
                    (Op::SetInformation, class::ALLOCATION) => {
                        sink.field("AllocationSize", Value::GroupedSigned(extra.cast_signed()));
                    }
                    (Op::SetInformation, class::END_OF_FILE) => {
                        sink.field("EndOfFile", Value::GroupedSigned(extra.cast_signed()));
                    }
                    (Op::RenamePath | Op::SetLinkPath, _) => {
                        sink.field("FileName", Value::Text(Text::Utf16(path.0)));
                    }
                    _ => {}
                }
            }
            FileRequest::Control { code, .. } => sink.field("Control", Value::Control(code)),
            FileRequest::Listing { class, pattern, .. } => {
                sink.field("FileInformationClass", class_value(class));
                if !pattern.is_empty() {
                    sink.field("Filter", Value::Text(Text::Utf16(pattern.0)));
                }
            }
            FileRequest::Notification { filter, .. } => {
                sink.field("Filter", Value::Flags(filter, &flags::NOTIFY_FILTER));
            }
            FileRequest::Plain => {}
        }
    }

    /// Appends the detail; with `end`, what came of the operation as well.
    pub fn push_detail(&self, end: Option<&OperationEnd>, out: &mut String) {
        self.detail(end, &mut DetailText::new(out, &Zone::UTC));
    }
}

impl OperationEnd {
    /// Hands the fields of the detail to `sink`, for an end whose start was not traced.
    pub fn detail<S: FieldSink>(&self, sink: &mut S) {
        sink.field("IRP", Value::Hex(self.irp));
        sink.field("Information", Value::Hex(self.information));
    }

    /// Appends the detail, for an end whose start was not traced.
    pub fn push_detail(&self, out: &mut String) {
        self.detail(&mut DetailText::new(out, &Zone::UTC));
    }
}

/// What a create did, where it did something. Other statuses give the information another meaning.
fn open_result(end: Option<&OperationEnd>) -> Option<u32> {
    let end = end.filter(|end| end.status == 0)?;
    u32::try_from(end.information).ok()
}

/// An information class by name. The last names of Procmon's table are none.
fn class_value(class: u32) -> Value<'static> {
    if class < class::NO_NAME {
        Value::Named(class, &names::INFORMATION_CLASSES)
    } else {
        Value::Decimal(class.into())
    }
}

#[cfg(test)]
#[path = "file_io_names_tests.rs"]
mod tests;
