//! The tables behind the events: string table, hosts and ports.

use super::bytes::Out;
use std::collections::HashMap;

/// Strings by number, each stored once. Number 0 is the empty string.
#[derive(Debug, Default)]
pub(crate) struct Strings {
    texts: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Strings {
    pub(crate) fn new() -> Self {
        let mut strings = Self::default();
        strings.number("");
        strings
    }

    pub(crate) fn number(&mut self, text: &str) -> u32 {
        if let Some(n) = self.numbers.get(text) {
            return *n;
        }
        let n = self.texts.len() as u32;
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), n);
        n
    }

    /// Offsets count from the table's start; sizes are in bytes and include the NUL, but the empty string has none.
    pub(crate) fn write(&self, out: &mut Out) {
        let start = out.len();
        out.u32(self.texts.len() as u32);
        let offsets = out.len();
        for _ in &self.texts {
            out.u32(0);
        }
        for (i, text) in self.texts.iter().enumerate() {
            let at = out.len() - start;
            out.patch_u32(offsets + 4 * i, at as u32);
            sized(out, text);
        }
    }
}

fn sized(out: &mut Out, text: &str) {
    if text.is_empty() {
        out.u32(0);
    } else {
        out.u32(2 * (text.encode_utf16().count() as u32 + 1));
        out.utf16(text);
        out.u16(0);
    }
}

/// A host name; an empty one stands for "print the address".
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub(crate) address: [u8; 16],
    pub(crate) name: String,
}

/// A port name.
#[derive(Debug, Clone)]
pub(crate) struct Port {
    pub(crate) port: u16,
    pub(crate) tcp: bool,
    pub(crate) name: String,
}

pub(crate) fn write_hosts(out: &mut Out, hosts: &[Host], ports: &[Port]) {
    out.u32(hosts.len() as u32);
    for host in hosts {
        out.raw(&host.address);
        sized(out, &host.name);
    }
    out.u32(ports.len() as u32);
    for port in ports {
        out.u16(port.port);
        out.u16(port.tcp.into());
        sized(out, &port.name);
    }
}
