//! The columns of an event table. Names and order are a promise (`docs/events.md`): new ones are only appended.

/// Type of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text; empty means absent.
    Text,
    /// Unsigned 64-bit number.
    U64,
    /// Unsigned 32-bit number.
    U32,
    /// Microseconds with a tenth of a microsecond.
    Micros,
    /// A point in time, 100 ns.
    Time,
    /// True or false.
    Bool,
}

macro_rules! columns {
    ($($variant:ident $name:literal $kind:ident $doc:literal,)*) => {
        /// A column of the event table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Column {
            $(#[doc = $doc] $variant,)*
        }

        impl Column {
            /// All columns, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Type of its values.
            pub fn kind(self) -> ColumnType {
                match self {
                    $(Self::$variant => ColumnType::$kind,)*
                }
            }

            /// What it holds.
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => $doc,)*
                }
            }
        }
    };
}

columns! {
    Event "event" U64 "Index of the record in its file, from 0.",
    Time "time" Time "Start of the operation.",
    Source "source" Text "Kind of the trace: `pml` or `etl`.",
    Class "class" Text "Event class, as `File System`.",
    Operation "operation" Text "Operation as Procmon prints it, `<Unknown>` included.",
    Path "path" Text "Path as traced.",
    TargetPath "target_path" Text "Target of a rename or link, new name of a key, file of a loaded hive.",
    Result "result" Text "Result as Procmon prints it; absent while pending.",
    Status "status" U32 "NTSTATUS; absent while pending.",
    DurationUs "duration_us" Micros "Duration; absent while pending.",
    Process "process" Text "Image file name of the process.",
    Pid "pid" U32 "Process id.",
    Tid "tid" U32 "Thread id.",
    Detail "detail" Text "Parameters and results of the operation, `Name: value` with `, ` between them.",
    Category "category" Text "Read, Write, Read Metadata, Write Metadata.",
    Drivers "drivers" Text "Third-party drivers on the stack, innermost first, or the filter of the callback; `;` between them; observers are left out.",
    Input "input" Text "The file the event comes from.",
    RelativeUs "relative_us" Micros "Time since the first event of the file.",
    CompletionTime "completion_time" Time "Start plus duration; absent while pending.",
    ProcessPath "process_path" Text "Image path of the process.",
    CommandLine "command_line" Text "Command line of the process.",
    User "user" Text "Account of the process.",
    Company "company" Text "Company in the version information of the process image.",
    Description "description" Text "Description in the version information of the process image.",
    Version "version" Text "File version of the process image.",
    Integrity "integrity" Text "Integrity level of the process.",
    ParentPid "parent_pid" U32 "Process id of the parent.",
    Session "session" U32 "Terminal session of the process.",
    AuthId "auth_id" Text "Logon session (LUID) of the process, `high:low` in hexadecimal.",
    Virtualized "virtualized" Bool "UAC virtualisation of the process.",
    Architecture "architecture" Text "`64-bit` or `32-bit` process.",
    OperationFull "operation_full" Text "Operation, named also where Procmon prints `<Unknown>`: `SetLinkInformationEx`.",
    Stack "stack" Text "Return addresses, innermost first, as `driver.sys+0x1234`, `;` between them. Only with `--stacks` or when named.",
    Filter "filter" Text "Minifilter whose callback ran: the driver its routine lies in, third party or not.",
    Callback "callback" Text "Which callback of the minifilter: `pre` or `post`.",
    FilterDurationUs "filter_duration_us" Micros "Time the callback itself took; absent where its start or end was not traced.",
    MajorFunction "major_function" Text "Major function the callback was called for, as `IRP_MJ_CREATE`.",
    Provider "provider" Text "Provider of a self-describing event: its name, or its GUID where the trace names none.",
}

impl Column {
    /// Whether its value depends on the process of the event alone.
    pub fn is_of_process(self) -> bool {
        matches!(
            self,
            Self::Process
                | Self::Pid
                | Self::ProcessPath
                | Self::CommandLine
                | Self::User
                | Self::Company
                | Self::Description
                | Self::Version
                | Self::Integrity
                | Self::ParentPid
                | Self::Session
                | Self::AuthId
                | Self::Virtualized
                | Self::Architecture
        )
    }

    /// Whether its texts are few: names from lists, not paths.
    pub fn is_of_few_texts(self) -> bool {
        matches!(
            self,
            Self::Source
                | Self::Class
                | Self::Operation
                | Self::OperationFull
                | Self::Result
                | Self::Category
                | Self::Drivers
                | Self::Input
                | Self::Filter
                | Self::Callback
                | Self::MajorFunction
                | Self::Provider
        )
    }

    /// The columns of a table without `--columns`.
    pub fn defaults(stacks: bool) -> Vec<Self> {
        Self::ALL
            .iter()
            .copied()
            .filter(|column| stacks || *column != Self::Stack)
            .collect()
    }

    /// A column by name, case ignored.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|column| column.name().eq_ignore_ascii_case(name.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_columns_are_fixed() {
        let names: Vec<&str> = Column::ALL.iter().map(|column| column.name()).collect();
        assert_eq!(
            names[..16],
            [
                "event",
                "time",
                "source",
                "class",
                "operation",
                "path",
                "target_path",
                "result",
                "status",
                "duration_us",
                "process",
                "pid",
                "tid",
                "detail",
                "category",
                "drivers",
            ]
        );
    }

    #[test]
    fn every_column_is_documented() {
        let page = include_str!("../../docs/events.md");
        for column in Column::ALL {
            let row = format!("| `{}` |", column.name());
            assert!(page.contains(&row), "docs/events.md lacks {row}");
        }
    }
}
