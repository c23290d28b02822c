//! Host and port names, and the account names that a log explains by itself.

use super::error::{PmlError, Table};
use crate::bytes::{push_utf16, slice_at, u16_at, u32_at};
use crate::say;
use std::collections::HashMap;

/// Names of network addresses and ports, as Procmon resolved them.
#[derive(Debug, Default, Clone)]
pub struct Hosts {
    hosts: HashMap<[u8; 16], Box<str>>,
    ports: HashMap<(u16, bool), Box<str>>,
}

impl Hosts {
    /// Reads both tables from `bytes`, which start at file offset `offset`.
    ///
    /// # Errors
    /// [`PmlError::Table`] where an entry does not fit; what was read before it is in the first part of the pair.
    pub fn parse(bytes: &[u8], offset: u64) -> (Self, Option<PmlError>) {
        let mut out = Self::default();
        let complete = out.read(bytes);
        let error = complete.is_none().then(|| PmlError::Table {
            table: Table::Hosts,
            offset,
            expected: say!(
                en: "whole entries of address or port, size and name",
                zh: "完整的条目（地址或端口、大小、名称）",
            ),
            found: say!(
                en: "{bytes} bytes, enough for {hosts} hosts and {ports} ports",
                zh: "{bytes} 个字节，只够 {hosts} 个主机和 {ports} 个端口",
                bytes = bytes.len(),
                hosts = out.hosts.len(),
                ports = out.ports.len(),
            ),
        });
        (out, error)
    }

    fn read(&mut self, bytes: &[u8]) -> Option<()> {
        let mut at = 0;
        let hosts = u32_at(bytes, at)?;
        at += 4;
        for _ in 0..hosts {
            let address: [u8; 16] = slice_at(bytes, at, 16)?.try_into().ok()?;
            let (name, next) = sized_name(bytes, at + 16)?;
            self.hosts.insert(address, name);
            at = next;
        }
        let ports = u32_at(bytes, at)?;
        at += 4;
        for _ in 0..ports {
            let port = u16_at(bytes, at)?;
            let tcp = u16_at(bytes, at + 2)? == 1;
            let (name, next) = sized_name(bytes, at + 4)?;
            self.ports.insert((port, tcp), name);
            at = next;
        }
        Some(())
    }

    /// Name of an address (IPv4: the first 4 bytes, the rest 0). Empty where the log says that it has none, `None` where it says nothing.
    pub fn host(&self, address: &[u8; 16]) -> Option<&str> {
        self.hosts.get(address).map(|name| &**name)
    }

    /// Name of a port.
    pub fn port(&self, port: u16, tcp: bool) -> Option<&str> {
        self.ports.get(&(port, tcp)).map(|name| &**name)
    }
}

/// u32 size in bytes and a UTF-16 name (its NUL counted or not); also where the next entry starts.
fn sized_name(bytes: &[u8], at: usize) -> Option<(Box<str>, usize)> {
    let size = u32_at(bytes, at)? as usize;
    let text = slice_at(bytes, at + 4, size)?;
    let mut name = String::new();
    push_utf16(text, &mut name);
    while name.ends_with('\0') {
        name.pop();
    }
    Some((name.into(), at + 4 + size))
}

/// Account names by SID, learned from the log: a Process Create event carries the user's SID, the process table the name.
#[derive(Debug, Default, Clone)]
pub struct Accounts {
    names: HashMap<Box<[u8]>, Box<str>>,
}

impl Accounts {
    /// Notes that the account with this binary SID is shown as `name`.
    pub fn learn(&mut self, sid: &[u8], name: &str) {
        if !sid.is_empty() && !name.is_empty() && !self.names.contains_key(sid) {
            self.names.insert(sid.into(), name.into());
        }
    }

    /// Takes over what `other` knows and this does not.
    pub fn learn_all(&mut self, other: &Self) {
        for (sid, name) in &other.names {
            self.learn(sid, name);
        }
    }

    /// Name of a binary SID, if it is well known or the log explains it.
    pub fn name(&self, sid: &[u8]) -> Option<&str> {
        const NT_AUTHORITY: [u8; 8] = [1, 1, 0, 0, 0, 0, 0, 5];
        if let Some(name) = self.names.get(sid) {
            return Some(name);
        }
        if sid.len() == 12 && sid[..8] == NT_AUTHORITY {
            return match u32_at(sid, 8)? {
                18 => Some("NT AUTHORITY\\SYSTEM"),
                19 => Some("NT AUTHORITY\\LOCAL SERVICE"),
                20 => Some("NT AUTHORITY\\NETWORK SERVICE"),
                _ => None,
            };
        }
        None
    }
}
