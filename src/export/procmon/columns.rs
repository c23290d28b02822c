//! The columns that Procmon offers, by the names it prints.

macro_rules! columns {
    ($($variant:ident $name:literal $of:ident,)*) => {
        /// A column of Procmon's event list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProcmonColumn {
            $(#[doc = concat!("`", $name, "`.")] $variant,)*
        }

        impl ProcmonColumn {
            /// All columns, in the order that Procmon exports when the user has not moved any.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name, as in the header line.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What its value depends on.
            pub(super) fn of(self) -> Of {
                match self {
                    $(Self::$variant => Of::$of,)*
                }
            }
        }
    };
}

/// What the value of a column depends on: what does not depend on the event is rendered once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// The event.
    Event,
    /// The event's process, or nothing at all.
    Process,
}

columns! {
    TimeOfDay "Time of Day" Event,
    ProcessName "Process Name" Process,
    Pid "PID" Process,
    Operation "Operation" Event,
    Path "Path" Event,
    Result "Result" Event,
    Detail "Detail" Event,
    DateTime "Date & Time" Event,
    RelativeTime "Relative Time" Event,
    Duration "Duration" Event,
    CompletionTime "Completion Time" Event,
    EventClass "Event Class" Event,
    Sequence "Sequence" Process,
    ImagePath "Image Path" Process,
    Company "Company" Process,
    Description "Description" Process,
    Version "Version" Process,
    User "User" Process,
    AuthenticationId "Authentication ID" Process,
    Session "Session" Process,
    CommandLine "Command Line" Process,
    Tid "TID" Event,
    Virtualized "Virtualized" Process,
    Integrity "Integrity" Process,
    Category "Category" Event,
    ParentPid "Parent PID" Process,
    Architecture "Architecture" Process,
}

impl ProcmonColumn {
    /// The columns that Procmon shows before the user chooses any.
    pub const SHOWN: [Self; 7] = [
        Self::TimeOfDay,
        Self::ProcessName,
        Self::Pid,
        Self::Operation,
        Self::Path,
        Self::Result,
        Self::Detail,
    ];

    /// A column by name, case ignored.
    pub fn by_name(name: &str) -> Option<Self> {
        let name = name.trim();
        Self::ALL
            .iter()
            .copied()
            .find(|column| column.name().eq_ignore_ascii_case(name))
    }

    /// The name of its element in the XML export: what cannot stand in a name is an underscore.
    pub fn element(self) -> String {
        let letter = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        self.name().chars().map(letter).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_without_regard_to_case() {
        assert_eq!(ProcmonColumn::ALL.len(), 27);
        for column in ProcmonColumn::ALL {
            let name = column.name().to_uppercase();
            assert_eq!(ProcmonColumn::by_name(&name), Some(*column));
        }
        assert_eq!(ProcmonColumn::by_name(" pid "), Some(ProcmonColumn::Pid));
        assert_eq!(ProcmonColumn::by_name("path2"), None);
    }

    #[test]
    fn element_names_have_no_blanks() {
        assert_eq!(ProcmonColumn::TimeOfDay.element(), "Time_of_Day");
        assert_eq!(ProcmonColumn::DateTime.element(), "Date___Time");
    }

    #[test]
    fn every_column_is_documented() {
        let page = include_str!("../../../docs/procmon-csv.md");
        for column in ProcmonColumn::ALL {
            let row = format!("| {} |", column.name());
            assert!(page.contains(&row), "docs/procmon-csv.md lacks {row}");
        }
    }
}
