//! The service as seen from outside: the address under which clients know it.
//!
//! Input: the configured address, and what a proxy says in `Forwarded` (RFC 7239), `X-Forwarded-Proto`, `X-Forwarded-Host` and
//! `X-Forwarded-Prefix`. The configured address decides alone. A proxy is believed only if it is trusted, and only where what it says can
//! be part of an address; of a list the last value counts, because a trusted proxy wrote that one itself. Otherwise the header `Host` is
//! the host, and the scheme is http.

use std::net::IpAddr;

use allium_service::{SiteInfo, folder, host_and_port, web_scheme};
use axum::http::header::{self, HeaderMap};

use crate::proxies::{Peer, Proxies};

/// Beginning of the service's addresses as a client knows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Outside {
    /// Scheme, host and port; empty where no host is known.
    origin: String,
    /// Empty, or a path such as `/allium` below which the service lies.
    path: String,
}

impl Outside {
    /// The address of the service in a request of this peer with these headers.
    pub(crate) fn of(info: &SiteInfo, proxies: &Proxies, peer: Option<Peer>, headers: &HeaderMap) -> Self {
        if let Some(address) = &info.address {
            return Self { origin: address.origin().to_owned(), path: address.path().to_owned() };
        }
        let said = if peer.is_some_and(|peer| proxies.trust(peer)) { Said::of(headers, proxies) } else { Said::default() };
        let host = said.host.or_else(|| host_and_port(text(headers, header::HOST.as_str())?));
        let scheme = said.scheme.unwrap_or("http");
        Self { origin: host.map_or_else(String::new, |host| format!("{scheme}://{host}")), path: said.path.unwrap_or_default() }
    }

    /// Beginning of absolute addresses: `https://tor.example/allium`.
    pub(crate) fn base(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }

    /// The path below which the service lies; empty for the top.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The path behind the one below which the service lies; `None` where a proxy has taken that off already.
    pub(crate) fn inner<'a>(&self, path: &'a str) -> Option<&'a str> {
        let rest = path.strip_prefix(&self.path).filter(|_| !self.path.is_empty())?;
        if rest.is_empty() { Some("/") } else { rest.starts_with('/').then_some(rest) }
    }
}

/// The statements of a proxy on the request that it passes on.
#[derive(Debug, Default)]
struct Said {
    scheme: Option<&'static str>,
    host: Option<String>,
    path: Option<String>,
}

impl Said {
    fn of(headers: &HeaderMap, proxies: &Proxies) -> Self {
        let last = |name: &str| Some(text(headers, name)?.rsplit(',').next()?.trim().to_owned());
        let forwarded = forwarded(headers, proxies).unwrap_or_default();
        Self {
            scheme: forwarded.scheme.or_else(|| web_scheme(&last("x-forwarded-proto")?)),
            host: forwarded.host.or_else(|| host_and_port(&last("x-forwarded-host")?)),
            path: last("x-forwarded-prefix").and_then(|path| folder(&path)),
        }
    }
}

/// The address of the client as trusted proxies say: the last one in `Forwarded`, else in `X-Forwarded-For`, that is no proxy itself.
pub(crate) fn forwarded_for(headers: &HeaderMap, proxies: &Proxies) -> Option<IpAddr> {
    let values = |name: &str| -> Option<String> {
        let values: Option<Vec<&str>> = headers.get_all(name).iter().map(|value| value.to_str().ok()).collect();
        values.filter(|values| !values.is_empty()).map(|values| values.join(","))
    };
    let nodes: Vec<Option<IpAddr>> = match values(header::FORWARDED.as_str()) {
        Some(text) => elements(&text)?.iter().map(|element| value(element, "for").and_then(node)).collect(),
        None => values("x-forwarded-for")?.split(',').map(|part| node(part.trim())).collect(),
    };
    nodes.into_iter().rev().find(|node| node.is_none_or(|node| !proxies.trust(Peer::At(node)))).flatten()
}

/// The last value of a header, where it is text.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    values.next_back()?.to_str().ok()
}

/// The element of `Forwarded` that the outermost of the trusted proxies wrote; nothing where the header is malformed.
fn forwarded(headers: &HeaderMap, proxies: &Proxies) -> Option<Said> {
    let values: Option<Vec<&str>> = headers.get_all(header::FORWARDED).iter().map(|value| value.to_str().ok()).collect();
    let elements = elements(&values?.join(","))?;
    let is_of_proxy = |element: &Element| value(element, "for").and_then(node).is_some_and(|node| proxies.trust(Peer::At(node)));
    let mut outermost = elements.last()?;
    for element in elements.iter().rev() {
        outermost = element;
        if !is_of_proxy(element) {
            break;
        }
    }
    Some(Said {
        scheme: value(outermost, "proto").and_then(web_scheme),
        host: value(outermost, "host").and_then(host_and_port),
        path: None,
    })
}

/// The pairs that one proxy adds.
type Element = Vec<(String, String)>;

fn value<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    element.iter().find(|(of, _)| of.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The address in `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn node(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => text.split(':').next()?,
    };
    bare.parse().ok()
}

/// The elements of a header: pairs `name=value` between semicolons, elements between commas, values plain or in quotes.
fn elements(mut rest: &str) -> Option<Vec<Element>> {
    let mut elements = vec![Element::new()];
    loop {
        let (name, behind) = rest.split_once('=')?;
        let (value, behind) = quoted(behind).or_else(|| plain(behind))?;
        let is_token = !name.trim().is_empty() && name.trim().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        elements.last_mut().filter(|_| is_token)?.push((name.trim().to_owned(), value));
        let behind = behind.trim_start();
        rest = match behind.split_at_checked(1) {
            None => return Some(elements),
            Some((";", more)) => more,
            Some((",", more)) => {
                elements.push(Element::new());
                more
            }
            Some(_) => return None,
        };
    }
}

/// A value in quotes, in which a backslash stands before a character that is meant as it is; and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut chars = text.strip_prefix('"')?.char_indices();
    let mut value = String::new();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 2..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

fn plain(text: &str) -> Option<(String, &str)> {
    let (value, behind) = text.split_at(text.find([';', ',']).unwrap_or(text.len()));
    let value = value.trim_end();
    (!value.is_empty() && !value.contains([' ', '"'])).then(|| (value.to_owned(), behind))
}
