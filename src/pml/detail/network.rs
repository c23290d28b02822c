//! Network events.

use super::field::{FieldSink, Name, Value};
use super::text::push_decimal;
use crate::bytes::push_hex_digits;
use crate::bytes::{slice_at, u16_at, u32_at};
use crate::pml::hosts::Hosts;
use crate::pml::record::Record;
use crate::pml::text::Text;

/// Bits of the first word.
const SOURCE_IS_V4: u16 = 1;
const DESTINATION_IS_V4: u16 = 2;
const TCP: u16 = 4;

/// Where the pairs of texts start.
const PAIRS: usize = 44;

pub(super) fn push_path(record: &Record<'_>, hosts: &Hosts, out: &mut String) -> Option<()> {
    let block = record.detail();
    let kind = u16_at(block, 0)?;
    let tcp = kind & TCP != 0;
    let ends = [(8, 40, SOURCE_IS_V4), (24, 42, DESTINATION_IS_V4)];
    for (place, (address_at, port_at, v4)) in ends.into_iter().enumerate() {
        if place > 0 {
            out.push_str(" -> ");
        }
        let address = slice_at(block, address_at, 16)?;
        push_host(address.try_into().ok()?, kind & v4 != 0, hosts, out);
        out.push(':');
        let port = u16_at(block, port_at)?;
        match hosts.port(port, tcp) {
            Some(name) if !name.is_empty() => out.push_str(name),
            _ => push_decimal(out, port.into()),
        }
    }
    Some(())
}

fn push_host(address: &[u8; 16], v4: bool, hosts: &Hosts, out: &mut String) {
    let mut key = *address;
    if v4 {
        key[4..].fill(0);
    }
    if let Some(name) = hosts.host(&key).filter(|name| !name.is_empty()) {
        out.push_str(name);
    } else if v4 {
        for (place, &byte) in address[..4].iter().enumerate() {
            if place > 0 {
                out.push('.');
            }
            push_decimal(out, byte.into());
        }
    } else {
        for (place, pair) in address.chunks_exact(2).enumerate() {
            if place > 0 {
                out.push(':');
            }
            push_hex_digits(u64::from(pair[0]) << 8 | u64::from(pair[1]), out);
        }
    }
}

/// The length, then key and value in turns, each ended by a NUL; an empty key ends the list.
pub(super) fn detail<S: FieldSink>(record: &Record<'_>, sink: &mut S) -> Option<()> {
    let block = record.detail();
    sink.field("Length", Value::Decimal(u32_at(block, 4)?.into()));
    let mut rest = block.get(PAIRS..)?;
    loop {
        let (key, behind) = text(rest)?;
        if key.is_empty() {
            return Some(());
        }
        let (value, behind) = text(behind)?;
        sink.put(Name::Stored(key), Value::Text(value));
        rest = behind;
    }
}

/// The text up to a NUL and what follows that; `None` without one.
fn text(bytes: &[u8]) -> Option<(Text<'_>, &[u8])> {
    let units = bytes.chunks_exact(2).position(|unit| unit == [0, 0])?;
    Some((Text::Utf16(&bytes[..units * 2]), &bytes[units * 2 + 2..]))
}
