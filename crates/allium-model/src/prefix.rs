//! Prefixes of addresses, such as `203.0.113.0/24`.

use std::fmt;
use std::net::IpAddr;

/// The addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IpPrefix {
    address: IpAddr,
    n_bits: u8,
}

impl IpPrefix {
    /// The addresses whose first `n_bits` bits are those of `address`; `None` for more bits than an address of its kind has.
    pub fn new(address: IpAddr, n_bits: u8) -> Option<Self> {
        (n_bits <= Self::most_bits(address)).then_some(Self { address, n_bits })
    }

    /// The address alone.
    pub fn of_one(address: IpAddr) -> Self {
        Self { address, n_bits: Self::most_bits(address) }
    }

    const fn most_bits(address: IpAddr) -> u8 {
        if address.is_ipv4() { 32 } else { 128 }
    }

    /// True for an address of the prefix; addresses of the other kind are none.
    pub const fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => (first.to_bits() ^ address.to_bits()).leading_zeros() >= self.n_bits as u32,
            (IpAddr::V6(first), IpAddr::V6(address)) => (first.to_bits() ^ address.to_bits()).leading_zeros() >= self.n_bits as u32,
            _ => false,
        }
    }
}

impl fmt::Display for IpPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.n_bits)
    }
}
