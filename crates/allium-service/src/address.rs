//! The beginning of the service's addresses, as whoever runs it or a proxy in front of it states it.
//!
//! Input: text. Output: an origin without a slash at its end, and a path that is empty or begins with a slash and ends without one. What
//! could be taken for something else in a link (a user, a query, a fragment, spaces) is refused.

use std::fmt;
use std::str::FromStr;

/// The longest text that is looked at, in bytes.
const LONGEST: usize = 500;

/// The beginning of the service's addresses, such as `https://tor.example` or `https://tor.example/allium`.
///
/// ```
/// use allium_service::SiteAddress;
/// let address: SiteAddress = "HTTPS://Tor.Example/allium/".parse().unwrap();
/// assert_eq!((address.origin(), address.path()), ("https://tor.example", "/allium"));
/// assert!("tor.example".parse::<SiteAddress>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteAddress {
    origin: String,
    path: String,
}

/// The reason why a text is not the beginning of an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an address such as https://tor.example, found {found:?}: {reason}")]
pub struct AddressError {
    found: String,
    reason: &'static str,
}

impl SiteAddress {
    /// Scheme, host and port: `https://tor.example`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The path below which the service lies: empty, or `/allium`.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl FromStr for SiteAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let refused = |reason| AddressError { found: text.chars().take(60).collect(), reason };
        if text.len() > LONGEST {
            return Err(refused("it is longer than 500 bytes"));
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(|| refused("it does not begin with https:// or http://"))?;
        let scheme = web_scheme(scheme).ok_or_else(|| refused("its scheme is neither https nor http"))?;
        if let Some(reason) = refused_characters(rest) {
            return Err(refused(reason));
        }
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = host_and_port(host).ok_or_else(|| refused("its host is neither a name nor an address, with or without a port"))?;
        let path = folder(path).ok_or_else(|| refused("its path has empty parts, dots, or characters besides letters, digits and -._~"))?;
        Ok(Self { origin: format!("{scheme}://{host}"), path })
    }
}

impl fmt::Display for SiteAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)
    }
}

/// `https` or `http` in lower case; `None` for another scheme.
pub fn web_scheme(text: &str) -> Option<&'static str> {
    ["https", "http"].into_iter().find(|scheme| scheme.eq_ignore_ascii_case(text))
}

/// A name or an address with or without a port, in lower case: `tor.example:8080`, `[2001:db8::1]`. `None` where it is something else.
pub fn host_and_port(text: &str) -> Option<String> {
    let (host, port) = match text.rfind(':').filter(|at| !text[*at..].contains(']')) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let is_port = port.is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0));
    (text.len() <= 300 && is_port && (is_name(host) || is_bracketed(host))).then(|| text.to_ascii_lowercase())
}

fn is_name(host: &str) -> bool {
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    host.strip_suffix('.').unwrap_or(host).split('.').all(is_label)
}

fn is_bracketed(host: &str) -> bool {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
}

/// The path of a folder without the slash at its end; empty for the top. `None` where a part is empty, a dot or two, or needs encoding.
pub fn folder(path: &str) -> Option<String> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Some(String::new());
    }
    let is_part = |part: &str| {
        !matches!(part, "" | "." | "..") && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
    };
    (path.len() <= LONGEST && path.strip_prefix('/')?.split('/').all(is_part)).then(|| path.to_owned())
}

/// The reason why an address with these characters behind its scheme is refused.
fn refused_characters(rest: &str) -> Option<&'static str> {
    [
        (rest.contains(|c: char| c.is_whitespace() || c.is_control()), "it has a space or a control character"),
        (rest.contains('@'), "it has a user part"),
        (rest.contains('?'), "it has a query"),
        (rest.contains('#'), "it has a fragment"),
        (!rest.is_ascii(), "it has characters beyond ASCII; write such names as xn--…"),
    ]
    .into_iter()
    .find_map(|(is_there, reason)| is_there.then_some(reason))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use super::*;

    #[test]
    fn an_address_has_a_scheme_a_host_and_perhaps_a_path() {
        for (text, expected) in [
            ("https://tor.example", "https://tor.example"),
            ("https://tor.example/", "https://tor.example"),
            ("http://Tor.Example:8080/a/b/", "http://tor.example:8080/a/b"),
            ("http://192.0.2.1", "http://192.0.2.1"),
            ("https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443/x"),
            ("http://allium2345example.onion", "http://allium2345example.onion"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
            ("http://localhost", "http://localhost"),
            ("http://allium_web:80", "http://allium_web:80"),
        ] {
            assert_eq!(text.parse::<SiteAddress>().unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        for (text, reason) in [
            ("tor.example", "begin with https:// or http://"),
            ("tor.example:8080/allium", "begin with https:// or http://"),
            ("//tor.example", "begin with https:// or http://"),
            ("https:tor.example", "begin with https:// or http://"),
            ("ftp://tor.example", "scheme"),
            ("://tor.example", "scheme"),
            (" https://tor.example", "scheme"),
            ("https://tor.example ", "space"),
            ("https://tor example", "space"),
            ("https://tor.example\n", "space"),
            ("https://me@tor.example", "user part"),
            ("https://me:secret@tor.example", "user part"),
            ("https://tor.example?x=1", "query"),
            ("https://tor.example/#top", "fragment"),
            ("https://bücher.example", "ASCII"),
            ("https://", "host"),
            ("https:///allium", "host"),
            ("https://tor..example", "host"),
            ("https://tor.example:", "host"),
            ("https://tor.example:0", "host"),
            ("https://tor.example:65536", "host"),
            ("https://tor.example:http", "host"),
            ("https://2001:db8::1", "host"),
            ("https://[tor.example]", "host"),
            ("https://tor.example//", "path"),
            ("https://tor.example/a//b", "path"),
            ("https://tor.example/../b", "path"),
            ("https://tor.example/a%20b", "path"),
            ("https://tor.example/\"><b>", "path"),
        ] {
            let error = text.parse::<SiteAddress>().unwrap_err().to_string();
            assert!(error.starts_with("expected an address such as https://tor.example, found"), "{error}");
            assert!(error.split(": ").last().is_some_and(|end| end.contains(reason)), "{text}: {error}");
        }
        assert!(format!("https://{}.example", "x".repeat(500)).parse::<SiteAddress>().is_err());
    }
}
