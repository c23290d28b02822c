//! Network addresses in payloads.

use super::value::push_unsigned;
use crate::bytes::{slice_at, u16_at, u32_at};
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// `AF_INET`.
const FAMILY_IPV4: u16 = 2;
/// `AF_INET6`.
const FAMILY_IPV6: u16 = 23;

/// Appends four bytes in network order as `192.168.0.1`.
pub(super) fn push_ipv4(bytes: [u8; 4], out: &mut String) {
    let _ = write!(out, "{}", Ipv4Addr::from(bytes));
}

/// Appends sixteen bytes in network order as `fe80::1`.
pub(super) fn push_ipv6(bytes: [u8; 16], out: &mut String) {
    let _ = write!(out, "{}", Ipv6Addr::from(bytes));
}

/// Appends a `SOCKADDR` as `192.168.0.1:53` or `[fe80::1%4]:53`, without a port of 0. `None`, and nothing
/// is written, for bytes that are none.
pub(super) fn push_socket_address(bytes: &[u8], out: &mut String) -> Option<()> {
    let family = u16_at(bytes, 0)?;
    let port = u16_at(bytes, 2)?.swap_bytes();
    match family {
        FAMILY_IPV4 => push_ipv4(slice_at(bytes, 4, 4)?.try_into().ok()?, out),
        FAMILY_IPV6 => {
            let address = slice_at(bytes, 8, 16)?.try_into().ok()?;
            let scope = u32_at(bytes, 24).unwrap_or(0);
            out.push('[');
            push_ipv6(address, out);
            if scope != 0 {
                out.push('%');
                push_unsigned(scope.into(), out);
            }
            out.push(']');
        }
        _ => return None,
    }
    if port != 0 {
        out.push(':');
        push_unsigned(port.into(), out);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(bytes: &[u8]) -> Option<String> {
        let mut out = String::new();
        push_socket_address(bytes, &mut out)?;
        Some(out)
    }

    #[test]
    fn sockets() {
        let v4 = [2, 0, 0, 53, 192, 168, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(socket(&v4).unwrap(), "192.168.0.1:53");
        assert_eq!(socket(&[2, 0, 0, 0, 10, 0, 0, 1]).unwrap(), "10.0.0.1");
        let mut v6 = vec![23, 0, 1, 187, 0, 0, 0, 0, 0xFE, 0x80];
        v6.resize(23, 0);
        v6.extend([1, 4, 0, 0, 0]);
        assert_eq!(socket(&v6).unwrap(), "[fe80::1%4]:443");
        assert_eq!(socket(&v6[..24]).unwrap(), "[fe80::1]:443");
        for len in 0..8 {
            assert_eq!(socket(&v4[..len]), None);
        }
        assert_eq!(socket(&v6[..23]), None);
        assert_eq!(socket(&[1, 0, 0, 0, 0, 0, 0, 0]), None);
    }
}
