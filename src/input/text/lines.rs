//! Lines of a text file, read piece by piece.
//!
//! A line ends with LF, in all encodings; a CR before it is no part of the line. So the line numbers are those
//! of `grep -n`. Lines are found in the raw bytes and decoded one by one, so that the place of each is known.

use super::encoding::{self, LogEncoding};
use super::report::{EncodingBasis, TextReport};
use crate::input::view::{Source, View};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use memchr::{memchr, memchr2};
use std::io;
use std::ops::Range;

/// How a text is read.
#[derive(Debug, Clone, Copy)]
pub struct TextOptions {
    /// The encoding of the whole file; `None`: found out.
    pub encoding: Option<LogEncoding>,
    /// Bytes of a line that are taken at most, 64 KiB unless told; up to 1 MiB.
    pub longest: usize,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self {
            encoding: None,
            longest: 64 << 10,
        }
    }
}

/// A line, or the part of one before or behind a block of NUL bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number in the file, from 1.
    pub number: u64,
    /// Where it starts, in bytes from the start of the file.
    pub offset: u64,
    /// Its text without the line end.
    pub text: &'a str,
}

/// Bytes mapped at a time.
const PIECE: u64 = 4 << 20;
/// Bytes looked at to tell the encoding.
const HEAD: u64 = 64 << 10;
/// Bytes searched for lines that are not UTF-8, and how many bytes of such lines a guess is made from.
const SAMPLED: u64 = 1 << 20;
const SAMPLE: usize = 64 << 10;
const LONGEST: usize = 1 << 20;

/// What a line is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Bytes, ASCII among them as it is; the encoding where one is given, else UTF-8 or a code page, line by line.
    Bytes(Option<&'static Encoding>),
    /// 16-bit units, low or high byte first.
    Utf16(&'static Encoding),
}

/// The lines of a text file, in order.
#[derive(Debug)]
pub struct Lines<'s> {
    source: &'s Source,
    form: Form,
    longest: usize,
    view: View,
    /// Where the view starts in the file.
    start: u64,
    /// Where in the view the next line starts.
    at: usize,
    /// Number of that line.
    number: u64,
    /// The bytes before it are NULs.
    behind_nuls: bool,
    /// It is the rest of a line that was cut.
    in_rest: bool,
    code_page: Option<&'static Encoding>,
    decoded: String,
    report: TextReport,
}

/// A line in the view.
struct Raw {
    bytes: Range<usize>,
    number: u64,
    cut: bool,
}

/// Bytes between two calls of `tick`.
const TICK: u64 = 4 << 20;

impl<'s> Lines<'s> {
    /// Starts at the first line of `source`.
    ///
    /// # Errors
    /// When the file cannot be mapped.
    pub fn open(source: &'s Source, options: &TextOptions) -> io::Result<Self> {
        let head = source.view(0..HEAD)?;
        let mark = encoding::of_mark(&head);
        let (found, basis) = match (options.encoding, mark) {
            (Some(given), _) => (Some(given.encoding()), EncodingBasis::Given),
            (None, Some((marked, _))) => (Some(marked), EncodingBasis::Mark),
            (None, None) => (encoding::looks_like_utf16(&head), EncodingBasis::Content),
        };
        let form = match found {
            Some(found) if encoding::is_utf16(found) => Form::Utf16(found),
            // A mark is no promise that all lines are UTF-8: other programs may have added theirs.
            Some(found) if basis == EncodingBasis::Given => Form::Bytes(Some(found)),
            _ => Form::Bytes(None),
        };
        // A mark of another encoding than the given one is text like any other.
        let at = match mark {
            Some((marked, len)) if found.is_none_or(|found| found == marked) => len,
            _ => 0,
        };
        Ok(Self {
            source,
            form,
            longest: options.longest.clamp(2, LONGEST) & !1,
            view: source.view(0..PIECE)?,
            start: 0,
            at,
            number: 1,
            behind_nuls: false,
            in_rest: false,
            code_page: None,
            decoded: String::new(),
            report: TextReport {
                encoding: found.unwrap_or(UTF_8).name(),
                basis,
                bytes: source.len(),
                ..TextReport::default()
            },
        })
    }

    /// The next line, or `None` behind the last one.
    ///
    /// # Errors
    /// When the file can no longer be mapped.
    #[allow(clippy::should_implement_trait)] // lines borrow from the reader
    pub fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let Some(raw) = self.next_raw()? else {
            return Ok(None);
        };
        self.report.lines += 1;
        let (number, offset) = (raw.number, self.start + raw.bytes.start as u64);
        let text = self.text(raw)?;
        Ok(Some(Line {
            number,
            offset,
            text,
        }))
    }

    /// Bytes read so far.
    pub fn position(&self) -> u64 {
        self.start + self.at as u64
    }

    /// What was met so far.
    pub fn report(&self) -> &TextReport {
        &self.report
    }

    /// Goes through all lines; `tick` hears of the bytes read, from time to time.
    ///
    /// # Errors
    /// When the file can no longer be mapped.
    pub fn for_each(
        mut self,
        tick: &dyn Fn(u64),
        mut visit: impl FnMut(Line<'_>),
    ) -> io::Result<TextReport> {
        let mut told = 0;
        loop {
            let position = self.position();
            if position - told >= TICK {
                tick(position - told);
                told = position;
            }
            let Some(line) = self.next()? else { break };
            visit(line);
        }
        tick(self.position() - told);
        Ok(self.report)
    }

    fn next_raw(&mut self) -> io::Result<Option<Raw>> {
        loop {
            let rest = self.view.get(self.at..).unwrap_or_default();
            if rest.is_empty() {
                if self.position() >= self.source.len() {
                    return Ok(None);
                }
                self.go_on()?;
                if self.view.is_empty() {
                    return Ok(None);
                }
                continue;
            }
            if self.in_rest {
                let end = self.find_line_end(rest);
                let past = end.map_or(rest.len(), |end| end + self.width());
                self.report.cut_bytes += end.unwrap_or(rest.len()) as u64;
                self.number += u64::from(end.is_some());
                self.in_rest = end.is_none();
                self.at += past;
                continue;
            }
            let nuls = self.leading_nuls(rest);
            if nuls > 0 {
                self.report.nul_bytes += nuls as u64;
                self.report.nul_blocks += u64::from(!self.behind_nuls);
                self.behind_nuls = true;
                self.at += nuls;
                continue;
            }
            let Some((end, is_line_end)) = self.find_end(rest) else {
                if rest.len() > self.longest {
                    // More of it follows, here or behind the view: that is counted, not kept.
                    self.in_rest = true;
                    self.report.cut_lines += 1;
                    return Ok(Some(self.take(self.longest, 0, true)));
                }
                if self.start + self.view.len() as u64 >= self.source.len() {
                    return Ok(Some(self.take(rest.len(), 0, false)));
                }
                self.go_on()?;
                continue;
            };
            let past = if is_line_end { self.width() } else { 0 };
            if end == 0 && self.behind_nuls {
                // The line was handed out before the NULs.
                self.at += past;
                self.number += u64::from(is_line_end);
                self.behind_nuls = false;
                continue;
            }
            let cut = end > self.longest;
            if cut {
                self.report.cut_lines += 1;
                self.report.cut_bytes += (end - self.longest) as u64;
            }
            let mut raw = self.take(end, past, cut);
            raw.bytes.end = raw.bytes.end.min(raw.bytes.start + self.longest);
            self.number += u64::from(is_line_end);
            return Ok(Some(raw));
        }
    }

    /// The next `len` bytes as a line; `past` more are passed over.
    fn take(&mut self, len: usize, past: usize, cut: bool) -> Raw {
        let bytes = self.at..self.at + len;
        self.at += len + past;
        self.behind_nuls = false;
        Raw {
            bytes,
            number: self.number,
            cut,
        }
    }

    /// Maps the file from the next line on.
    fn go_on(&mut self) -> io::Result<()> {
        self.start = self.position();
        self.at = 0;
        self.view = self.source.view(self.start..self.start + PIECE)?;
        Ok(())
    }

    fn width(&self) -> usize {
        match self.form {
            Form::Bytes(_) => 1,
            Form::Utf16(_) => 2,
        }
    }

    /// Where the first line end or NUL of `rest` is, and whether it is a line end.
    fn find_end(&self, rest: &[u8]) -> Option<(usize, bool)> {
        if let Form::Bytes(_) = self.form {
            let end = memchr2(b'\n', 0, rest)?;
            return Some((end, rest.get(end) == Some(&b'\n')));
        }
        let line_end = self.find_line_end(rest);
        // As far as a line can be taken, a NUL ends it.
        let reach = line_end.unwrap_or(rest.len()).min(self.longest);
        let head = rest.get(..reach).unwrap_or(rest);
        let nul = head.chunks_exact(2).position(|unit| unit == [0, 0]);
        nul.map(|unit| (2 * unit, false))
            .or(line_end.map(|end| (end, true)))
    }

    fn find_line_end(&self, rest: &[u8]) -> Option<usize> {
        let Form::Utf16(encoding) = self.form else {
            return memchr(b'\n', rest);
        };
        // The byte of the line feed that is not zero, seen from the start of its unit.
        let inner = usize::from(encoding == UTF_16BE);
        let mut from = 0;
        loop {
            let at = from + memchr(b'\n', rest.get(from..)?)?;
            let unit = at & !1;
            let pair = rest.get(unit..unit + 2)?;
            if at - unit == inner && pair.get(1 - inner) == Some(&0) {
                return Some(unit);
            }
            from = at + 1;
        }
    }

    fn leading_nuls(&self, rest: &[u8]) -> usize {
        let nuls = rest
            .iter()
            .position(|byte| *byte != 0)
            .unwrap_or(rest.len());
        match self.form {
            Form::Bytes(_) => nuls,
            // The high byte of the next character may be zero too. A last odd zero is no character.
            Form::Utf16(_) if nuls == rest.len() => nuls,
            Form::Utf16(_) => nuls & !1,
        }
    }

    /// The text of a line in the view.
    fn text(&mut self, raw: Raw) -> io::Result<&str> {
        let start = self.start + raw.bytes.start as u64;
        let bytes = self.view.get(raw.bytes).unwrap_or_default();
        let (encoding, bytes) = match self.form {
            Form::Utf16(encoding) => (encoding, trim_utf16(bytes, encoding)),
            Form::Bytes(given) => {
                let bytes = trim_bytes(bytes);
                let other = given.filter(|given| !encoding::is_utf8(given));
                let plain = match other {
                    Some(_) if !bytes.is_ascii() => None,
                    _ => utf8(bytes, raw.cut),
                };
                if let Some(text) = plain {
                    return Ok(text);
                }
                let encoding = match (given, self.code_page) {
                    (Some(given), _) => given,
                    (None, Some(page)) => page,
                    (None, None) => guess(self.source, start)?,
                };
                if given.is_none() {
                    self.code_page = Some(encoding);
                    self.report.code_page = Some(encoding.name());
                    self.report.code_page_lines += 1;
                }
                (encoding, bytes)
            }
        };
        let mut decoder = encoding.new_decoder_without_bom_handling();
        let room = decoder.max_utf8_buffer_length(bytes.len());
        self.decoded.clear();
        self.decoded.reserve(room.unwrap_or_default());
        let (_, _, replaced) = decoder.decode_to_string(bytes, &mut self.decoded, true);
        // What a cut leaves of its last character is not the fault of the file.
        self.report.replaced_lines += u64::from(replaced && !raw.cut);
        Ok(&self.decoded)
    }
}

/// Without the CRs of its end and a byte order mark at its start: where programs add to a file in turn, each may
/// begin with one.
fn trim_bytes(mut line: &[u8]) -> &[u8] {
    while let Some(shorter) = line.strip_suffix(b"\r") {
        line = shorter;
    }
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

fn trim_utf16<'a>(mut line: &'a [u8], encoding: &'static Encoding) -> &'a [u8] {
    let (cr, mark) = if encoding == UTF_16LE {
        (b"\r\0", b"\xff\xfe")
    } else {
        (b"\0\r", b"\xfe\xff")
    };
    while let Some(shorter) = line.strip_suffix(cr) {
        line = shorter;
    }
    line.strip_prefix(mark).unwrap_or(line)
}

/// The line as UTF-8; of a cut one, its whole characters.
fn utf8(line: &[u8], cut: bool) -> Option<&str> {
    match std::str::from_utf8(line) {
        Ok(text) => Some(text),
        Err(error) if cut && error.error_len().is_none() => {
            std::str::from_utf8(line.get(..error.valid_up_to())?).ok()
        }
        Err(_) => None,
    }
}

/// The code page of the lines from `start` on that are not UTF-8.
fn guess(source: &Source, start: u64) -> io::Result<&'static Encoding> {
    let view = source.view(start..start + SAMPLED)?;
    let mut sample = Vec::new();
    for line in view.split(|byte| matches!(byte, b'\n' | 0)) {
        if std::str::from_utf8(line).is_err() {
            let room = SAMPLE - sample.len();
            sample.extend_from_slice(line.get(..room).unwrap_or(line));
            if sample.len() == SAMPLE {
                break;
            }
            sample.push(b'\n');
        }
    }
    Ok(encoding::guess_code_page(&sample))
}
