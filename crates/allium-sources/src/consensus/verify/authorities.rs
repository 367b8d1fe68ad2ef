//! The directory authorities that are trusted.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use allium_model::Fingerprint;
use allium_model::identity::ParseError;

/// An authority that is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedAuthority {
    /// Its nickname.
    pub name: String,
    /// Digest of its identity key, which certifies the keys that it signs with.
    pub identity: Fingerprint,
    /// Address at which it serves documents over HTTP.
    pub directory: Option<SocketAddr>,
}

impl FromStr for TrustedAuthority {
    type Err = ParseError;

    /// Reads `NAME FINGERPRINT [ADDRESS:PORT]`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new("expected NAME FINGERPRINT [ADDRESS:PORT]", text);
        let words: Vec<&str> = text.split_whitespace().collect();
        let (name, identity, directory) = match words[..] {
            [name, identity] => (name, identity, None),
            [name, identity, directory] => (name, identity, Some(directory.parse().map_err(|_| error())?)),
            _ => return Err(error()),
        };
        Ok(Self { name: name.to_owned(), identity: identity.parse().map_err(|_| error())?, directory })
    }
}

/// Digest of identity key and directory port of each authority, as the consensuses of January 2026 name them.
const PUBLIC_NETWORK: [(&str, &str, [u8; 4], u16); 9] = [
    ("dannenberg", "0232AF901C31A04EE9848595AF9BB7620D4C5B2E", [193, 23, 244, 244], 80),
    ("longclaw", "23D15D965BC35114467363C165C4F724B64B4F66", [199, 58, 81, 140], 80),
    ("bastet", "27102BC123E7AF1D4741AE047E160C91ADC76B21", [204, 13, 164, 118], 80),
    ("tor26", "2F3DF9CA0E5D36F2685A2DA67184EB8DCB8CBA8C", [217, 196, 147, 77], 80),
    ("maatuska", "49015F787433103580E3B66A1707A00E60F2D15B", [171, 25, 193, 9], 443),
    ("faravahar", "70849B868D606BAECFB6128C5E3D782029AA394F", [216, 218, 219, 41], 80),
    ("dizum", "E8A9C45EDE6D711294FADF8E7951F4DE6CA56B58", [45, 66, 35, 11], 80),
    ("gabelmoo", "ED03BB616EB2F60BEC80151114BB25CEF515B226", [131, 188, 40, 189], 80),
    ("moria1", "F533C81CEF0BC0267857C99B2F471ADF249FA232", [128, 31, 0, 39], 9231),
];

/// The authorities of the public Tor network, as of January 2026.
///
/// Consensuses of earlier years are signed by other identity keys too: of those of 2014 only four of these are on it, so
/// it does not verify with this list.
pub fn public_network() -> Vec<TrustedAuthority> {
    let authority = |(name, identity, address, port): (&str, &str, [u8; 4], u16)| TrustedAuthority {
        name: name.to_owned(),
        identity: identity.parse().expect("written with 40 digits above"),
        directory: Some((Ipv4Addr::from(address), port).into()),
    };
    PUBLIC_NETWORK.map(authority).to_vec()
}
