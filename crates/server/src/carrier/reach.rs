//! Which addresses may be called: the whole outside, and of the inside only what is listed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses a carrier may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Addresses of the open internet, and the listed hosts wherever they lie, as `host` or `host:port`.
    Outside {
        /// The listed hosts: names or addresses.
        also: Vec<String>,
    },
    /// Every address: for the demo, whose nodes share one machine.
    Anywhere,
}

impl Reach {
    /// Whether this host may be called at this address, which its name has led to.
    pub fn allows(&self, host: &str, port: u16, address: IpAddr) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Outside { also } => {
                !is_inner(address) || also.iter().any(|listed| names(listed, host, port))
            }
        }
    }
}

fn names(listed: &str, host: &str, port: u16) -> bool {
    listed.eq_ignore_ascii_case(host)
        || listed.eq_ignore_ascii_case(&format!("{host}:{port}"))
        || listed.eq_ignore_ascii_case(&format!("[{host}]:{port}"))
}

/// RFC 6890 and its registries: whether an address is none of the open internet.
///
/// INVARIANT: an IPv6 address that carries an IPv4 address is inner if that one is.
pub fn is_inner(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_inner_v4(address),
        IpAddr::V6(address) => is_inner_v6(address),
    }
}

fn is_inner_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
}

fn is_inner_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let [a, b, .., g, h] = parts;
    let low = Ipv4Addr::from((u32::from(g) << 16) | u32::from(h));
    match parts {
        // Mapped, compatible and translated addresses carry one of IPv4 at their end, 6to4 after its prefix.
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            is_inner_v4(low)
        }
        [0x2002, high, next, ..] => is_inner_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(next))),
        // Only 2000::/3 is given out to the open internet; of it 2001::/23 and documentation are not.
        _ => {
            a & 0xe000 != 0x2000
                || (a == 0x2001 && b < 0x200)
                || (a == 0x2001 && b == 0xdb8)
                || (a == 0x3fff && b < 0x1000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_addresses_are_known_in_every_dress() {
        for inner in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "255.255.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "192.0.2.1",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "::ffff:0:10.0.0.1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2001::1",
            "2001:db8::1",
            "100::1",
            "3fff::1",
        ] {
            assert!(is_inner(inner.parse().unwrap()), "{inner}");
        }
        for outer in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
            "::ffff:1.1.1.1",
            "2002:101:101::",
            "2001:200::1",
        ] {
            assert!(!is_inner(outer.parse().unwrap()), "{outer}");
        }
    }

    #[test]
    fn only_what_is_listed_is_reached_inside() {
        let reach =
            Reach::Outside { also: vec!["node.internal".into(), "10.0.0.5:8443".into(), "[::1]:9".into()] };
        let inner: IpAddr = "10.0.0.5".parse().unwrap();
        assert!(reach.allows("node.internal", 1, inner));
        assert!(reach.allows("10.0.0.5", 8443, inner));
        assert!(!reach.allows("10.0.0.5", 8444, inner));
        assert!(reach.allows("::1", 9, "::1".parse().unwrap()));
        assert!(!reach.allows("evil.example", 443, inner));
        assert!(reach.allows("good.example", 443, "1.1.1.1".parse().unwrap()));
        assert!(Reach::Anywhere.allows("x", 1, inner));
    }
}
