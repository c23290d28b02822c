//! Plain LZ77, the compression of ETL buffers (MS-XCA, section 2.4; without Huffman).
//!
//! The crates that read this format were looked at: they grow their output as far as the input asks,
//! one byte at a time, and return nothing when the input is cut. A trace needs a bound, speed, and
//! the intact part of a cut buffer, so the hundred lines stand here.

use crate::lang::Message;
use crate::say;

use crate::bytes::{u8_at, u16_at, u32_at};

/// What became of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The output is full.
    Full,
    /// The stream ended first: it is cut, or the header lied.
    Ended,
    /// A match reaches back before the start of the output.
    Distance,
    /// A match length in the long form that should have been in a shorter one.
    Length,
}

impl Outcome {
    /// In words, for messages.
    pub fn reason(self) -> Message {
        match self {
            Self::Full => say!(en: "the stream is whole", zh: "数据流完整"),
            Self::Ended => say!(en: "the stream ends early", zh: "数据流提前结束"),
            Self::Distance => say!(
                en: "a match reaches back before the start of the buffer",
                zh: "匹配超出了缓冲区的开头",
            ),
            Self::Length => say!(en: "a match length is not valid", zh: "匹配长度无效"),
        }
    }
}

/// The shortest match.
const SHORTEST: usize = 3;
/// Length codes in the match itself go up to 6; 7 is the sign that more bits follow.
const IN_MATCH: usize = 7;
/// So do those in a nibble, with 15.
const IN_NIBBLE: usize = 15;
/// Bytes copied at a time where there is room: longer than most matches and runs.
const STEP: usize = 16;

/// Decompresses `input` into `out` until either ends; how many bytes were written, and why it stopped.
///
/// What was written is right whatever comes behind it in the stream. Bytes of `out` behind that are
/// overwritten with anything.
pub fn decompress(input: &[u8], out: &mut [u8]) -> (usize, Outcome) {
    let mut from = 0;
    let mut done = 0;
    // Place of a byte whose high nibble is still to be used.
    let mut nibble: Option<usize> = None;
    while done < out.len() {
        let Some(mut flags) = u32_at(input, from) else {
            return (done, Outcome::Ended);
        };
        from += 4;
        let mut items = 32;
        while items > 0 && done < out.len() {
            let literals = flags.leading_zeros().min(items);
            if literals > 0 {
                let run = (literals as usize).min(out.len() - done);
                let copied = copy_literals(input, from, &mut out[done..], run);
                done += copied;
                from += copied;
                if copied < run {
                    return (done, Outcome::Ended);
                }
                items -= literals;
                // Not `<< literals`: 32 zeros would be a shift by the width.
                flags = flags.checked_shl(literals).unwrap_or(0);
                continue;
            }
            flags <<= 1;
            items -= 1;
            let Some(word) = u16_at(input, from) else {
                return (done, Outcome::Ended);
            };
            from += 2;
            let distance = usize::from(word >> 3) + 1;
            let mut length = usize::from(word & 7);
            if length == IN_MATCH {
                match long_length(input, &mut from, &mut nibble) {
                    Ok(code) => length = code,
                    Err(outcome) => return (done, outcome),
                }
            }
            if distance > done {
                return (done, Outcome::Distance);
            }
            let length = length.saturating_add(SHORTEST).min(out.len() - done);
            copy_match(out, done, distance, length);
            done += length;
        }
    }
    (done, Outcome::Full)
}

/// Copies `run` literals, at most 32; how many there were.
#[inline]
fn copy_literals(input: &[u8], from: usize, out: &mut [u8], run: usize) -> usize {
    if run <= STEP
        && let (Some(source), Some(target)) =
            (input.get(from..from + STEP), out.first_chunk_mut::<STEP>())
    {
        target.copy_from_slice(source);
        return run;
    }
    let source = input.get(from..).unwrap_or(&[]);
    let there = run.min(source.len()).min(out.len());
    out[..there].copy_from_slice(&source[..there]);
    there
}

/// Copies `length` bytes from `distance` back; both are inside `out`.
#[inline]
fn copy_match(out: &mut [u8], done: usize, distance: usize, length: usize) {
    let source = done - distance;
    if length <= STEP && distance >= STEP && done + STEP <= out.len() {
        out.copy_within(source..source + STEP, done);
        return;
    }
    // A match longer than its distance repeats itself: what was just written is the next source.
    let mut written = 0;
    let mut step = distance;
    while written < length {
        let part = step.min(length - written);
        out.copy_within(source..source + part, done + written);
        written += part;
        step = distance + written;
    }
}

/// A length code that does not fit into the match.
#[inline]
fn long_length(
    input: &[u8],
    from: &mut usize,
    nibble: &mut Option<usize>,
) -> Result<usize, Outcome> {
    let code = match nibble.take() {
        Some(at) => u8_at(input, at).map(|byte| byte >> 4),
        None => {
            *nibble = Some(*from);
            *from += 1;
            u8_at(input, *from - 1).map(|byte| byte & 0xF)
        }
    };
    let code = usize::from(code.ok_or(Outcome::Ended)?);
    if code < IN_NIBBLE {
        return Ok(code + IN_MATCH);
    }
    let byte = u8_at(input, *from).ok_or(Outcome::Ended)?;
    *from += 1;
    if byte < u8::MAX {
        return Ok(usize::from(byte) + IN_NIBBLE + IN_MATCH);
    }
    // From here on the number is the code itself, not what is added to the forms before.
    let word = u16_at(input, *from).ok_or(Outcome::Ended)?;
    *from += 2;
    let code = if word == 0 {
        let long = u32_at(input, *from).ok_or(Outcome::Ended)?;
        *from += 4;
        usize::try_from(long).unwrap_or(usize::MAX)
    } else {
        usize::from(word)
    };
    if code < IN_NIBBLE + IN_MATCH {
        return Err(Outcome::Length);
    }
    Ok(code)
}

#[cfg(test)]
#[path = "compression_tests.rs"]
mod tests;
