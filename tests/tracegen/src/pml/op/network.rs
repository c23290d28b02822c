//! Network events (class 5).

use crate::pml::bytes::Out;
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};

/// Network operation numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[repr(u16)]
pub enum NetworkVerb {
    /// 1.
    Other = 1,
    /// 2.
    Send = 2,
    /// 3.
    Receive = 3,
    /// 4.
    Accept = 4,
    /// 5.
    Connect = 5,
    /// 6.
    Disconnect = 6,
    /// 7.
    Reconnect = 7,
    /// 8.
    Retransmit = 8,
    /// 9.
    TcpCopy = 9,
}

/// A network event.
#[derive(Debug, Clone, Serialize)]
pub struct Network {
    /// What happened.
    pub verb: NetworkVerb,
    /// TCP, else UDP.
    pub tcp: bool,
    /// Source; Procmon prints it first.
    pub source: SocketAddr,
    /// Destination.
    pub destination: SocketAddr,
    /// Bytes.
    pub length: u32,
    /// Further pairs such as `seqnum`, printed as they are.
    pub pairs: Vec<(String, String)>,
}

/// An address fills 16 bytes; IPv4 takes the first four, the rest is zero.
pub(crate) fn address(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&v4.octets());
            bytes
        }
        IpAddr::V6(v6) => v6.octets(),
    }
}

impl Network {
    pub(crate) fn number(&self) -> u16 {
        self.verb as u16
    }

    pub(crate) fn detail(&self, out: &mut Out) {
        let flags = u16::from(self.source.is_ipv4())
            | u16::from(self.destination.is_ipv4()) << 1
            | u16::from(self.tcp) << 2;
        out.u16(flags);
        out.junk(2);
        out.u32(self.length);
        out.raw(&address(self.source.ip()));
        out.raw(&address(self.destination.ip()));
        out.u16(self.source.port());
        out.u16(self.destination.port());
        for text in self.pairs.iter().flat_map(|(k, v)| [k, v]) {
            out.utf16(text);
            out.u16(0);
        }
        out.u16(0);
        out.u16(0);
    }
}
