//! JSON whose strings hold no hidden character as it is: an escape in its place means the same to every reader.

use super::{is_hidden, is_plain_ascii};
use memchr::memmem;
use rayon::prelude::*;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::io::{self, BufWriter, Write};

/// How JSON is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One line.
    Line,
    /// A line for each value, with indentation.
    Pretty,
}

/// Bytes that go to the output at a time.
const BUFFER: usize = 1 << 16;

/// Writes `value` and the end of the line. Findings take megabytes: they go out as they are made.
///
/// # Errors
/// When the output cannot be written, or the value says that it has no JSON.
pub fn write(value: &impl Serialize, layout: Layout, out: impl Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER, out);
    value.serialize(&mut Serializer::with_formatter(
        &mut out,
        Shown::new(layout),
    ))?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Items that are in memory as text at a time.
const GROUP: usize = 64;

/// [`write()`] for an object with a list that takes most of it: `shell` is the object with nothing in that list, which is its
/// field `field`, and `items` are what is in it. They are made side by side.
///
/// # Errors
/// As [`write()`], and where `shell` has no such list.
pub fn write_with_list<T: Serialize + Sync>(
    shell: &impl Serialize,
    (field, items): (&str, &[T]),
    out: impl Write,
) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER, out);
    let shell = text(shell, 0)?;
    // A field of the outermost object begins a line, and no text has an end of line as it is.
    let list = format!("\n  \"{field}\": [");
    let at = memmem::find(&shell, list.as_bytes()).map(|at| at + list.len());
    let at = at.filter(|at| shell[*at..].starts_with(b"]"));
    let (before, behind) = shell.split_at(at.ok_or(io::ErrorKind::InvalidInput)?);
    out.write_all(before)?;
    let mut sign = "\n    ";
    for group in items.chunks(GROUP) {
        let texts: Vec<io::Result<Vec<u8>>> = group.par_iter().map(|item| text(item, 2)).collect();
        for text in texts {
            out.write_all(sign.as_bytes())?;
            out.write_all(&text?)?;
            sign = ",\n    ";
        }
    }
    if !items.is_empty() {
        out.write_all(b"\n  ")?;
    }
    out.write_all(behind)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// A value on lines of its own, inside of so many objects and lists.
fn text(value: &impl Serialize, depth: usize) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let layout = Shown {
        depth,
        ..Shown::new(Layout::Pretty)
    };
    value.serialize(&mut Serializer::with_formatter(&mut out, layout))?;
    Ok(out)
}

/// Hides no character, and lays out as `layout` says: on one line as [`serde_json::ser::CompactFormatter`] does, or as
/// [`serde_json::ser::PrettyFormatter`], with indentation in one piece.
struct Shown {
    layout: Layout,
    depth: usize,
    /// Whether the innermost array or object has anything in it.
    filled: bool,
}

/// The end of a line, and indentation.
const INDENT: &str = "\n                                                                ";

impl Shown {
    fn new(layout: Layout) -> Self {
        Self {
            layout,
            depth: 0,
            filled: false,
        }
    }

    fn begin<W: ?Sized + Write>(&mut self, out: &mut W, sign: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        out.write_all(sign)
    }

    fn end<W: ?Sized + Write>(&mut self, out: &mut W, sign: &[u8]) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        if self.filled {
            self.line(out, "")?;
        }
        self.filled = true;
        out.write_all(sign)
    }

    fn item<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.line(out, if first { "" } else { "," })
    }

    /// Begins a line, behind `sign`.
    fn line<W: ?Sized + Write>(&mut self, out: &mut W, sign: &str) -> io::Result<()> {
        out.write_all(sign.as_bytes())?;
        if self.layout == Layout::Line {
            return Ok(());
        }
        let len = 1 + 2 * self.depth;
        let (whole, rest) = (len.min(INDENT.len()), len.saturating_sub(INDENT.len()));
        out.write_all(&INDENT.as_bytes()[..whole])?;
        (0..rest).try_for_each(|_| out.write_all(b" "))
    }
}

impl Formatter for Shown {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if is_plain_ascii(fragment) {
            return out.write_all(fragment.as_bytes());
        }
        write_shown(fragment, out)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.item(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.item(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(match self.layout {
            Layout::Line => b":",
            Layout::Pretty => b": ",
        })
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }
}

#[cold]
fn write_shown<W: ?Sized + Write>(fragment: &str, out: &mut W) -> io::Result<()> {
    let mut rest = fragment;
    while let Some(at) = rest.find(is_hidden) {
        let (before, from) = rest.split_at(at);
        out.write_all(before.as_bytes())?;
        let Some(hidden) = from.chars().next() else {
            break;
        };
        for unit in hidden.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}")?;
        }
        rest = &from[hidden.len_utf8()..];
    }
    out.write_all(rest.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::tests::texts;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn written(value: &impl Serialize, layout: Layout) -> String {
        let mut out = Vec::new();
        write(value, layout, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn plain_json_is_laid_out_as_everybody_does() {
        let value = serde_json::json!({"a": [1, 2.5, null, "\r\n\u{8}\"x\\"], "b": {}, "c": [], "d": {"银": [true]}});
        let value = (0..40).fold(value, |value, _| serde_json::json!([value, [], {}]));
        let line = serde_json::to_string(&value).unwrap();
        assert_eq!(written(&value, Layout::Line), line + "\n");
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        assert_eq!(written(&value, Layout::Pretty), pretty + "\n");
    }

    #[test]
    fn a_list_that_is_made_side_by_side_is_the_same_as_any() {
        let items: Vec<serde_json::Value> = (0..2 * GROUP)
            .map(|n| serde_json::json!({"n": n, "list": [], "texts": ["\n  \"list\": []"]}))
            .collect();
        for items in [&items[..], &items[..1], &[]] {
            let object = |list: &[serde_json::Value]| serde_json::json!({"a": {"list": []}, "b": "\n  \"list\": []", "list": list, "z": [[]]});
            let mut out = Vec::new();
            write_with_list(&object(&[]), ("list", items), &mut out).unwrap();
            assert!(String::from_utf8(out).unwrap() == written(&object(items), Layout::Pretty));
        }
        for other in [serde_json::json!({"list": [1]}), serde_json::json!([])] {
            write_with_list(&other, ("list", &items), io::sink()).unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn json_means_the_same(text in texts(), key in texts()) {
            let value = BTreeMap::from([(key, vec![text])]);
            for layout in [Layout::Line, Layout::Pretty] {
                let shown = written(&value, layout);
                prop_assert!(!shown.contains(|c| c != '\n' && is_hidden(c)));
                let back: BTreeMap<String, Vec<String>> = serde_json::from_str(&shown).unwrap();
                prop_assert_eq!(&back, &value);
            }
        }
    }
}
