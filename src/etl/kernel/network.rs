//! TCP (hooks 0x06xx) and UDP (0x08xx), over IPv4 and IPv6.
//!
//! Of a TCP event the source is this machine's end, whichever way the bytes go. Of a UDP event it is the
//! datagram's: of one that is received, the other machine.

use super::Fields;
use super::pairs::Pairs;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What happened. The names are Procmon's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkOperation {
    /// Bytes were sent.
    Send,
    /// Bytes were received.
    Receive,
    /// A connection was made from here.
    Connect,
    /// A connection ended.
    Disconnect,
    /// Bytes were sent again.
    Retransmit,
    /// A connection was made from there.
    Accept,
    /// A connection was tried again.
    Reconnect,
    /// Received bytes were copied to the process.
    Copy,
}

/// Which way bytes or a connection go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To this machine.
    In,
    /// From this machine.
    Out,
}

/// Terms of a new TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Largest segment in bytes.
    pub mss: u16,
    /// Whether single segments may be acknowledged.
    pub sack: u16,
    /// Whether segments have time stamps.
    pub time_stamps: u16,
    /// Whether windows are scaled.
    pub window_scaling: u16,
    /// Window for receiving, in bytes.
    pub receive_window: u32,
    /// Scale of the window for receiving.
    pub receive_scale: i16,
    /// Scale of the window for sending.
    pub send_scale: i16,
}

/// An event of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkEvent {
    /// What happened.
    pub operation: NetworkOperation,
    /// UDP, else TCP.
    pub udp: bool,
    /// Process.
    pub pid: u32,
    /// Bytes.
    pub size: u32,
    /// Source of the event; see [`NetworkEvent::local`].
    pub source: SocketAddr,
    /// Destination of the event; see [`NetworkEvent::remote`].
    pub destination: SocketAddr,
    /// Start and end of sending, in ticks of the system's timer; of a TCP send.
    pub times: Option<(u32, u32)>,
    /// Terms of a new connection; of connect and accept.
    pub terms: Option<Terms>,
    /// Sequence number; 0 in real files.
    pub sequence: u32,
    /// Id of the connection; 0 in real files.
    pub connection: u64,
}

const TCP: u16 = 0x06;
const UDP: u16 = 0x08;
/// The hooks of IPv6 are so much higher than those of IPv4.
const V6: u16 = 0x10;

impl NetworkEvent {
    /// Reads the payload of a hook; `None` for other hooks and where the payload ends too early.
    /// Version 1 was not met in real files; version 0 (Windows 2000, XP) is not read.
    #[inline]
    pub fn parse(hook: u16, version: u16, fields: &mut Fields<'_>) -> Option<Self> {
        let group = hook >> 8;
        if version == 0 || (group != TCP && group != UDP) {
            return None;
        }
        let udp = group == UDP;
        let code = hook & 0xFF;
        let v6 = code >= 0x0A + V6;
        let operation = match if v6 { code - V6 } else { code } {
            0x0A => NetworkOperation::Send,
            0x0B => NetworkOperation::Receive,
            0x0C if !udp => NetworkOperation::Connect,
            0x0D if !udp => NetworkOperation::Disconnect,
            0x0E if !udp => NetworkOperation::Retransmit,
            0x0F if !udp => NetworkOperation::Accept,
            0x10 if !udp => NetworkOperation::Reconnect,
            0x12 if !udp => NetworkOperation::Copy,
            _ => return None,
        };
        let pid = fields.u32()?;
        let size = fields.u32()?;
        let destination = address(v6, fields)?;
        let source = address(v6, fields)?;
        let destination_port = port(fields)?;
        let source_port = port(fields)?;
        let times = match operation {
            NetworkOperation::Send if !udp => Some((fields.u32()?, fields.u32()?)),
            _ => None,
        };
        let terms = match operation {
            NetworkOperation::Connect | NetworkOperation::Accept => Some(Terms::parse(fields)?),
            _ => None,
        };
        let (sequence, connection) = match (version, udp) {
            (1, true) => (0, 0),
            (1, false) => {
                let connection = fields.u32()?.into();
                (fields.u32()?, connection)
            }
            _ => (fields.u32()?, fields.ptr()?),
        };
        Some(Self {
            operation,
            udp,
            pid,
            size,
            source: SocketAddr::new(source, source_port),
            destination: SocketAddr::new(destination, destination_port),
            times,
            terms,
            sequence,
            connection,
        })
    }

    /// Whether this machine is the destination.
    fn is_to_here(&self) -> bool {
        self.udp && self.operation == NetworkOperation::Receive
    }

    /// This machine's end. Of a UDP datagram to a group or to all it is their address.
    pub fn local(&self) -> SocketAddr {
        if self.is_to_here() {
            self.destination
        } else {
            self.source
        }
    }

    /// The other end.
    pub fn remote(&self) -> SocketAddr {
        if self.is_to_here() {
            self.source
        } else {
            self.destination
        }
    }

    /// Which way it goes; `None` for the end of a connection.
    pub fn direction(&self) -> Option<Direction> {
        Some(match self.operation {
            NetworkOperation::Send
            | NetworkOperation::Connect
            | NetworkOperation::Retransmit
            | NetworkOperation::Reconnect => Direction::Out,
            NetworkOperation::Receive | NetworkOperation::Accept | NetworkOperation::Copy => {
                Direction::In
            }
            NetworkOperation::Disconnect => return None,
        })
    }

    /// Name of the operation, as Procmon prints it.
    pub fn operation(&self) -> &'static str {
        match (self.udp, self.operation) {
            (true, NetworkOperation::Send) => "UDP Send",
            // A decoder makes no other operation of UDP.
            (true, _) => "UDP Receive",
            (false, NetworkOperation::Send) => "TCP Send",
            (false, NetworkOperation::Receive) => "TCP Receive",
            (false, NetworkOperation::Connect) => "TCP Connect",
            (false, NetworkOperation::Disconnect) => "TCP Disconnect",
            (false, NetworkOperation::Retransmit) => "TCP Retransmit",
            (false, NetworkOperation::Accept) => "TCP Accept",
            (false, NetworkOperation::Reconnect) => "TCP Reconnect",
            (false, NetworkOperation::Copy) => "TCP TCPCopy",
        }
    }

    /// Appends `local:port -> remote:port`, in Procmon's form: IPv6 addresses have all their parts.
    pub fn push_path(&self, out: &mut String) {
        push_end(self.local(), out);
        out.push_str(" -> ");
        push_end(self.remote(), out);
    }

    /// Appends what the event says besides the addresses, with Procmon's names.
    pub fn push_detail(&self, out: &mut String) {
        let mut pairs = Pairs::new(out);
        pairs.id("Length", self.size);
        if let Some((start, end)) = self.times {
            pairs.id("startime", start).id("endtime", end);
        }
        if let Some(terms) = self.terms {
            pairs
                .id("mss", terms.mss)
                .id("sackopt", terms.sack)
                .id("tsopt", terms.time_stamps)
                .id("wsopt", terms.window_scaling)
                .id("rcvwin", terms.receive_window)
                .signed("rcvwinscale", terms.receive_scale)
                .signed("sndwinscale", terms.send_scale);
        }
        pairs
            .id("seqnum", self.sequence)
            .id("connid", self.connection);
    }
}

fn push_end(end: SocketAddr, out: &mut String) {
    // Writing to a string does not fail.
    let _ = match end.ip() {
        IpAddr::V4(ip) => write!(out, "{ip}"),
        IpAddr::V6(ip) => {
            let [a, b, c, d, e, f, g, h] = ip.segments();
            write!(out, "{a:x}:{b:x}:{c:x}:{d:x}:{e:x}:{f:x}:{g:x}:{h:x}")
        }
    };
    let _ = write!(out, ":{}", end.port());
}

#[inline]
fn address(v6: bool, fields: &mut Fields<'_>) -> Option<IpAddr> {
    if v6 {
        let bytes: [u8; 16] = fields.bytes(16)?.try_into().ok()?;
        Some(IpAddr::V6(Ipv6Addr::from(bytes)))
    } else {
        let bytes: [u8; 4] = fields.bytes(4)?.try_into().ok()?;
        Some(IpAddr::V4(Ipv4Addr::from(bytes)))
    }
}

/// Ports are in the byte order of the network.
#[inline]
fn port(fields: &mut Fields<'_>) -> Option<u16> {
    fields.u16().map(u16::swap_bytes)
}

impl Terms {
    fn parse(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            mss: fields.u16()?,
            sack: fields.u16()?,
            time_stamps: fields.u16()?,
            window_scaling: fields.u16()?,
            receive_window: fields.u32()?,
            receive_scale: fields.u16()?.cast_signed(),
            send_scale: fields.u16()?.cast_signed(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::made::{Made, decode};
    use super::*;

    /// A destination 10.0.0.2:445 and a source 10.0.0.1:50000.
    fn v4(wide: bool) -> Made {
        let made = Made::new(wide).u32(4).u32(1_372);
        let made = made.raw(&[10, 0, 0, 2, 10, 0, 0, 1]);
        made.raw(&445_u16.to_be_bytes())
            .raw(&50_000_u16.to_be_bytes())
    }

    fn v6(wide: bool) -> Made {
        let end = |last: u16| Ipv6Addr::new(0xFE80, 0, 0, 0, 0x950, 0, 0, last).octets();
        let made = Made::new(wide).u32(4).u32(372).raw(&end(2)).raw(&end(1));
        made.raw(&445_u16.to_be_bytes())
            .raw(&50_000_u16.to_be_bytes())
    }

    #[test]
    fn tcp_of_both_families_and_pointer_sizes() {
        for wide in [true, false] {
            for (hook, name) in [
                (0x060B, "TCP Receive"),
                (0x060D, "TCP Disconnect"),
                (0x060E, "TCP Retransmit"),
                (0x0610, "TCP Reconnect"),
                (0x0612, "TCP TCPCopy"),
            ] {
                let made = v4(wide).u32(0).ptr(7);
                let (event, operation, detail) = decode!(NetworkEvent, hook, 2, &made);
                assert_eq!((operation, event.pid, event.size), (name, 4, 1_372));
                assert_eq!(event.local(), "10.0.0.1:50000".parse().unwrap());
                assert_eq!(event.remote(), "10.0.0.2:445".parse().unwrap());
                assert_eq!(detail, "Length: 1372, seqnum: 0, connid: 7");
                let made = v6(wide).u32(0).ptr(0);
                let (event, operation, _) = decode!(NetworkEvent, hook + 0x10, 2, &made);
                assert_eq!((operation, event.source.port()), (name, 50_000));
                let mut path = String::new();
                event.push_path(&mut path);
                assert_eq!(
                    path,
                    "fe80:0:0:0:950:0:0:1:50000 -> fe80:0:0:0:950:0:0:2:445"
                );
            }
        }
    }

    #[test]
    fn sends_have_times_and_connections_terms() {
        for wide in [true, false] {
            let made = v4(wide).u32(1_942).u32(1_943).u32(0).ptr(0);
            let (event, operation, detail) = decode!(NetworkEvent, 0x060A, 2, &made);
            assert_eq!(operation, "TCP Send");
            assert_eq!(event.direction(), Some(Direction::Out));
            assert_eq!(
                detail,
                "Length: 1372, startime: 1942, endtime: 1943, seqnum: 0, connid: 0"
            );
            let terms = |made: Made| {
                let made = made.u16(1_440).u16(1).u16(0).u16(1).u32(66_240);
                made.u16(8).u16(0xFFFF).u32(0).ptr(0)
            };
            let (event, operation, detail) = decode!(NetworkEvent, 0x060C, 2, &terms(v4(wide)));
            assert_eq!(operation, "TCP Connect");
            assert_eq!(event.terms.unwrap().receive_window, 66_240);
            assert_eq!(
                detail,
                "Length: 1372, mss: 1440, sackopt: 1, tsopt: 0, wsopt: 1, rcvwin: 66240, \
                 rcvwinscale: 8, sndwinscale: -1, seqnum: 0, connid: 0"
            );
            let (event, operation, _) = decode!(NetworkEvent, 0x061F, 2, &terms(v6(wide)));
            assert_eq!(operation, "TCP Accept");
            assert_eq!(event.direction(), Some(Direction::In));
        }
    }

    #[test]
    fn a_received_datagram_ends_here() {
        let made = v4(true).u32(0).ptr(0);
        assert_eq!(made.bytes.len(), 32);
        let (event, operation, _) = decode!(NetworkEvent, 0x080A, 2, &made);
        assert_eq!(operation, "UDP Send");
        assert_eq!(event.local(), event.source);
        let (event, operation, detail) = decode!(NetworkEvent, 0x080B, 2, &made);
        assert_eq!(operation, "UDP Receive");
        assert_eq!(event.local(), event.destination);
        let mut path = String::new();
        event.push_path(&mut path);
        assert_eq!(path, "10.0.0.2:445 -> 10.0.0.1:50000");
        assert_eq!(detail, "Length: 1372, seqnum: 0, connid: 0");
        let made = v6(true).u32(0).ptr(0);
        assert_eq!(made.bytes.len(), 56);
        assert_eq!(decode!(NetworkEvent, 0x081B, 2, &made).1, "UDP Receive");
        assert_eq!(decode!(NetworkEvent, 0x081A, 2, &made).1, "UDP Send");
    }

    #[test]
    fn older_layouts_and_other_hooks() {
        let made = v4(true).u32(7).u32(8);
        let (event, _, _) = decode!(NetworkEvent, 0x060B, 1, &made);
        assert_eq!((event.connection, event.sequence), (7, 8));
        decode!(NetworkEvent, 0x080B, 1, &v4(true));
        let made = v6(true).u32(0).ptr(0);
        for hook in [
            0x0611, 0x0613, 0x0619, 0x0623, 0x080C, 0x081C, 0x0700, 0x06FF,
        ] {
            assert_eq!(
                NetworkEvent::parse(hook, 2, &mut made.fields()),
                None,
                "{hook:#06x}"
            );
        }
        assert_eq!(NetworkEvent::parse(0x060B, 0, &mut made.fields()), None);
    }
}
