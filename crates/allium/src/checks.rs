//! Values of settings that have a form of their own: a value that cannot be used is an error at the start of the program that says what is
//! expected, not one of the first request that needs it.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr as _;

use allium_model::DocumentKind;
use allium_server::{Listen, Proxies, Proxy};
use allium_service::SiteAddress;
use allium_sources::address;
use allium_sources::consensus::verify::TrustedAuthority;
use anyhow::{Context as _, bail};
use toml::Value;

/// Sources that can be visited.
const SOURCES: [&str; 3] = ["directory", "collector", "onionoo"];

/// Checks the value of the setting with this key.
pub(crate) fn check(key: &str, value: &Value) -> anyhow::Result<()> {
    match key {
        "store" if matches!(text(value), "" | "sqlite:") => bail!("expected a path, found {value}"),
        "listen" => listen(text(value)).map(drop),
        "address" => site_address(text(value)).map(drop),
        "trusted_proxies" => proxies(&texts(value)).map(drop),
        "sources" => each(value, |name| one_of(name, &SOURCES)),
        "onionoo.documents" => each(value, |name| document_kind(name).map(drop)),
        "onionoo.url" | "collector.url" => Ok(address::check_base(text(value), false)?),
        "directory.urls" => each(value, |url| Ok(address::check_base(url, true)?)),
        "directory.authorities" => each(value, |authority| Ok(TrustedAuthority::from_str(authority).map(drop)?)),
        "onionoo.proxy" if text(value).is_empty() => Ok(()),
        "onionoo.proxy" => Ok(address::check_proxy(text(value))?),
        "proofs.resolvers" => each(value, |text| resolver(text).map(drop)),
        "onionoo.max_bytes" | "proofs.concurrency" | "collector.max_consensuses" => positive(value),
        "serve.exports_mb" | "serve.memory_mb" => megabytes(value),
        key if key.starts_with("serve.max_") => positive(value),
        key if [".timeout_secs", ".poll_secs", ".visit_secs"].iter().any(|end| key.ends_with(end)) => positive(value),
        _ => Ok(()),
    }
}

/// The places to listen at, between commas.
pub(crate) fn listen(text: &str) -> anyhow::Result<Vec<Listen>> {
    text.split(',').map(|place| Ok(place.trim().parse()?)).collect()
}

/// The beginning of the service's addresses; `None` for the empty text.
pub(crate) fn site_address(text: &str) -> anyhow::Result<Option<SiteAddress>> {
    (!text.is_empty()).then(|| Ok(text.parse()?)).transpose()
}

/// The proxies that are believed.
pub(crate) fn proxies(texts: &[&str]) -> anyhow::Result<Proxies> {
    let proxies: Vec<Proxy> = texts.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    Ok(Proxies::new(proxies))
}

/// The kind of document with this name.
pub(crate) fn document_kind(name: &str) -> anyhow::Result<DocumentKind> {
    let known = || format!("expected some of {}; found {name:?}", DocumentKind::ALL.map(DocumentKind::name).join(", "));
    DocumentKind::from_name(name).with_context(known)
}

/// The address of a resolver, with or without a port.
pub(crate) fn resolver(text: &str) -> anyhow::Result<SocketAddr> {
    let plain = || text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 53));
    text.parse().ok().or_else(plain).with_context(|| format!("expected ADDRESS or ADDRESS:PORT, found {text:?}"))
}

fn one_of(name: &str, known: &[&str]) -> anyhow::Result<()> {
    if !known.contains(&name) {
        bail!("expected some of {}; found {name:?}", known.join(", "));
    }
    Ok(())
}

/// Largest number of megabytes: a terabyte.
const MOST_MEGABYTES: i64 = 1 << 20;

fn megabytes(value: &Value) -> anyhow::Result<()> {
    if value.as_integer().is_some_and(|number| !(1..=MOST_MEGABYTES).contains(&number)) {
        bail!("expected megabytes from 1 to {MOST_MEGABYTES}, found {value}");
    }
    Ok(())
}

fn positive(value: &Value) -> anyhow::Result<()> {
    if value.as_integer().is_some_and(|number| number < 1) {
        bail!("expected a whole number from 1 on, found {value}");
    }
    Ok(())
}

fn each(value: &Value, check: impl Fn(&str) -> anyhow::Result<()>) -> anyhow::Result<()> {
    texts(value).into_iter().try_for_each(check)
}

/// The text of a setting whose type has been checked already.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use super::*;

    #[test]
    fn resolvers_may_leave_out_the_port() {
        assert_eq!(resolver("192.0.2.1").unwrap().to_string(), "192.0.2.1:53");
        assert_eq!(resolver("[2001:db8::1]:5353").unwrap().to_string(), "[2001:db8::1]:5353");
        assert!(resolver("resolver.example").unwrap_err().to_string().starts_with("expected ADDRESS or ADDRESS:PORT"));
    }

    #[test]
    fn values_that_cannot_be_used_are_refused_with_what_is_expected() {
        let list = |text: &str| Value::Array(vec![Value::String(text.to_owned())]);
        let text = |text: &str| Value::String(text.to_owned());
        for (key, value, expected) in [
            ("address", text("tor.example"), "expected an address such as https://tor.example"),
            ("store", text("sqlite:"), "expected a path"),
            ("listen", text("127.0.0.1:8080, 8081"), "expected ADDRESS:PORT"),
            ("trusted_proxies", list("proxy.example"), "expected an address, a prefix"),
            ("sources", list("onionoo.torproject.org"), "expected some of directory, collector, onionoo"),
            ("onionoo.documents", list("clients"), "expected some of summary, details"),
            ("onionoo.url", text("onionoo.example"), "expected https://HOST"),
            ("onionoo.url", text("http://onionoo.example"), "plain HTTP is for this machine only"),
            ("onionoo.url", text("https://onionoo.example/?a=b"), "no query"),
            ("collector.url", text("ftp://collector.example"), "expected https://HOST"),
            ("collector.url", text(""), "expected https://HOST"),
            ("directory.urls", list("193.23.244.244:80"), "expected https://HOST"),
            ("directory.urls", list("http://"), "expected https://HOST"),
            ("directory.authorities", list("moria1"), "expected"),
            ("onionoo.proxy", text("127.0.0.1:9050"), "expected socks5h://HOST:PORT"),
            ("onionoo.proxy", text("http://127.0.0.1:8118"), "expected socks5h://HOST:PORT"),
            ("onionoo.proxy", text("socks5h://"), "expected socks5h://HOST:PORT"),
            ("onionoo.proxy", text("socks5h://127.0.0.1:port"), "expected socks5h://HOST:PORT"),
            ("proofs.resolvers", list("dns.example"), "expected ADDRESS"),
            ("proofs.concurrency", Value::Integer(0), "expected a whole number from 1 on, found 0"),
            ("onionoo.timeout_secs", Value::Integer(0), "expected a whole number from 1 on"),
            ("serve.max_connections", Value::Integer(0), "expected a whole number from 1 on"),
            ("serve.memory_mb", Value::Integer(1 << 40), "expected megabytes from 1 to 1048576"),
        ] {
            let error = check(key, &value).unwrap_err().to_string();
            assert!(error.contains(expected), "{key}: {error}");
        }
        for (key, value) in [
            ("address", text("")),
            ("listen", text("localhost:8080, unix:/run/allium.sock")),
            ("onionoo.url", text("http://127.0.0.1:8000")),
            ("onionoo.proxy", text("")),
            ("onionoo.proxy", text("socks5://localhost:9050")),
            ("directory.urls", list("http://193.23.244.244:80")),
            ("trusted_proxies", Value::Array(Vec::new())),
        ] {
            check(key, &value).unwrap();
        }
    }
}
