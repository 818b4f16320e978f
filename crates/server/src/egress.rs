//! Which addresses tasks and deliveries may ask: public ones, over TLS, unless whoever starts the server says otherwise.
//!
//! A task names an address itself, so it might name one that only this machine or its network should reach. A host is
//! resolved once, and the connection goes to the very address that was judged.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// A range of addresses: `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    bits: u8,
}

/// What tasks may ask beside public addresses. Addresses in it may be asked without TLS too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Egress(Vec<Cidr>);

/// Ranges of IPv4 that are not public. Source: IANA, IPv4 Special-Purpose Address Registry, and multicast.
const CLOSED_V4: &[(Ipv4Addr, u8)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// What is public of IPv6, and what of that is not: tunnels that may lead to any IPv4 address, and examples.
const OPEN_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const CLOSED_V6: &[(Ipv6Addr, u8)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

impl Egress {
    /// One that also lets tasks ask these.
    pub fn allowing(ranges: Vec<Cidr>) -> Egress {
        Egress(ranges)
    }

    /// Whether this address may be asked in this way.
    pub(crate) fn allows(&self, address: IpAddr, is_secure: bool) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|range| range.contains(address)) || is_secure && is_public(address)
    }

    /// The addresses of a host, as far as they may be asked. Refuses a host that could be read in two ways, and one
    /// none of whose addresses is allowed.
    pub(crate) async fn resolve(&self, authority: &str, is_secure: bool) -> Result<Vec<SocketAddr>, Unresolved> {
        let (host, port) = host_of(authority, is_secure).map_err(Unresolved::Refused)?;
        let found: Vec<SocketAddr> = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => tokio::net::lookup_host((host.as_str(), port))
                .await
                .map_err(|fault| Unresolved::Unknown(format!("{host}: {fault}")))?
                .collect(),
        };
        if found.is_empty() {
            return Err(Unresolved::Unknown(format!("{host}: no address is known")));
        }
        let allowed: Vec<SocketAddr> =
            found.iter().copied().filter(|address| self.allows(address.ip(), is_secure)).collect();
        match (allowed.is_empty(), found.first()) {
            (false, _) | (true, None) => Ok(allowed),
            (true, Some(first)) if self.allows(first.ip(), true) => {
                Err(Unresolved::Refused(format!("{host} may be asked over https only")))
            }
            (true, Some(first)) => Err(Unresolved::Refused(format!(
                "{host} is {}, which is no public address; start the server with --egress-allow {}/{} to let it be asked",
                first.ip(),
                first.ip(),
                if first.is_ipv4() { 32 } else { 128 },
            ))),
        }
    }
}

/// Why a host has no address that may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unresolved {
    /// It may not be asked.
    Refused(String),
    /// Nobody knows it.
    Unknown(String),
}

/// Host and port of `host:port`. A host that ends in a number is an address in its usual form or nothing: the octal,
/// decimal and shortened forms that resolvers take would hide where it leads.
fn host_of(authority: &str, is_secure: bool) -> Result<(String, u16), String> {
    let default = if is_secure { 443 } else { 80 };
    let port_of = |text: &str| text.parse::<u16>().map_err(|_| format!("'{text}' is no port"));
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("an address without its bracket")?;
        host.parse::<Ipv6Addr>().map_err(|_| format!("'{host}' is no address"))?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host.to_owned(), port_of(port)?)),
            None if rest.is_empty() => Ok((host.to_owned(), default)),
            None => Err(format!("'{authority}' is no host")),
        };
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, port_of(port)?),
        None => (authority, default),
    };
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    if last.is_empty() || is_number && host.parse::<Ipv4Addr>().is_err() {
        return Err(format!("'{host}' is no host: write an address as four decimal numbers"));
    }
    Ok((host.to_owned(), port))
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !CLOSED_V4.iter().any(|(range, bits)| range_v4(*range, *bits).contains(address.into())),
        IpAddr::V6(address) => {
            let is_in = |(range, bits): (Ipv6Addr, u8)| range_v6(range, bits).contains(address.into());
            is_in(OPEN_V6) && !CLOSED_V6.iter().any(|range| is_in(*range))
        }
    }
}

fn range_v4(address: Ipv4Addr, bits: u8) -> Cidr {
    Cidr { address: address.into(), bits }
}

fn range_v6(address: Ipv6Addr, bits: u8) -> Cidr {
    Cidr { address: address.into(), bits }
}

impl Cidr {
    fn contains(&self, address: IpAddr) -> bool {
        let same = |one: u128, other: u128, width: u32| {
            let shift = width - u32::from(self.bits);
            one.checked_shr(shift).unwrap_or(0) == other.checked_shr(shift).unwrap_or(0)
        };
        match (self.address, address) {
            (IpAddr::V4(range), IpAddr::V4(address)) => same(u32::from(range).into(), u32::from(address).into(), 32),
            (IpAddr::V6(range), IpAddr::V6(address)) => same(range.into(), address.into(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Cidr, String> {
        let fault = || format!("'{text}' is no range of addresses such as 127.0.0.0/8 or ::1/128");
        let (address, bits) = text.split_once('/').ok_or_else(fault)?;
        let (address, bits) =
            (address.parse::<IpAddr>().map_err(|_| fault())?, bits.parse::<u8>().map_err(|_| fault())?);
        let most = if address.is_ipv4() { 32 } else { 128 };
        if bits > most { Err(fault()) } else { Ok(Cidr { address, bits }) }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(egress: &Egress, authority: &str, is_secure: bool) -> Result<Vec<SocketAddr>, Unresolved> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(egress.resolve(authority, is_secure))
    }

    #[test]
    fn what_is_not_public_is_refused() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "[fc00::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:10.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[ff02::1]",
            "[2001:db8::1]",
            "[2001::1]",
            "[::7f00:1]",
        ] {
            let refused = resolved(&Egress::default(), address, true);
            assert!(matches!(refused, Err(Unresolved::Refused(_))), "{address}: {refused:?}");
        }
        for address in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "[2606:4700::1111]", "[2a00:1450::1]"] {
            assert!(resolved(&Egress::default(), address, true).is_ok(), "{address}");
            let plain = resolved(&Egress::default(), address, false);
            assert!(matches!(&plain, Err(Unresolved::Refused(reason)) if reason.contains("https only")), "{plain:?}");
        }
    }

    #[test]
    fn a_host_that_hides_an_address_is_none() {
        for host in [
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "127.0.1",
            "127.0.0.1.",
            "1.2.3.4.5",
            "0",
            "",
            ".",
            "[::1",
            "[127.0.0.1]",
            "[::1]x",
            "h:99999",
            "h:x",
            "[fe80::1%25eth0]",
        ] {
            assert!(host_of(host, true).is_err(), "{host}");
        }
        assert_eq!(host_of("a.b.example", true), Ok(("a.b.example".to_owned(), 443)));
        assert_eq!(host_of("h:81", false), Ok(("h".to_owned(), 81)));
        assert_eq!(host_of("[2001:db8::1]:8", true), Ok(("2001:db8::1".to_owned(), 8)));
        assert_eq!(host_of("1.2.3.4", false), Ok(("1.2.3.4".to_owned(), 80)));
    }

    #[test]
    fn a_name_is_judged_by_where_it_leads() {
        let refused = resolved(&Egress::default(), "localhost", true);
        assert!(
            matches!(&refused, Err(Unresolved::Refused(reason)) if reason.contains("--egress-allow")),
            "{refused:?}"
        );
        let opened =
            Egress::allowing(vec!["127.0.0.0/8".parse().expect("a range"), "::1/128".parse().expect("a range")]);
        assert!(resolved(&opened, "localhost:1", false).is_ok(), "a range that is allowed needs no TLS");
        assert!(resolved(&opened, "10.0.0.1", true).is_err());
        assert!(resolved(&opened, "[::ffff:127.0.0.1]", true).is_ok());
    }

    #[test]
    fn ranges_are_read() {
        for (text, expected) in
            [("10.0.0.0/8", true), ("::/0", true), ("1.2.3.4", false), ("1.2.3.4/33", false), ("x/8", false)]
        {
            assert_eq!(text.parse::<Cidr>().is_ok(), expected, "{text}");
        }
        let everything: Cidr = "0.0.0.0/0".parse().expect("a range");
        assert!(everything.contains(IpAddr::from([9, 9, 9, 9])) && !everything.contains(IpAddr::from([0; 16])));
        assert_eq!(everything.to_string(), "0.0.0.0/0");
    }
}
