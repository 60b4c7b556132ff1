//! Where a request comes from, as far as that tells one visitor from another.

use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use rocket::request::{FromRequest, Outcome, Request};

/// The address of a client: an IPv4 one whole, of an IPv6 one the first 64 bits, all of which one customer has (RFC 6177).
///
/// It is the socket's, unless the setting `ip_header` names a header that a proxy sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) struct Address(Option<IpAddr>);

impl Address {
    /// The address of the client that sent this request.
    pub(in crate::app) fn of_client(request: &Request<'_>) -> Address {
        Address::of(request.client_ip())
    }

    pub(super) fn of(address: Option<IpAddr>) -> Address {
        Address(address.map(|address| match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        }))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Address {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Address, Infallible> {
        Outcome::Success(Address::of_client(request))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(IpAddr::V4(address)) => address.fmt(f),
            Some(IpAddr::V6(network)) => write!(f, "{network}/64"),
            None => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(address: &str) -> String {
        Address::of(Some(address.parse().unwrap())).to_string()
    }

    #[test]
    fn an_ipv6_address_counts_by_its_network_and_a_mapped_one_as_ipv4() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ] {
            assert_eq!(shown(address), expected);
        }
    }
}
