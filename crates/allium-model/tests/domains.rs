//! Domains that contacts name: whatever a parser of addresses reads in them is the domain, and nothing else is accepted.
#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use allium_model::AroiDomain;
use proptest::prelude::*;
use url::{Host, Url};

/// The domain that is accepted for a text; `None` where it is refused.
fn accepted(text: &str) -> Option<String> {
    text.parse().ok().map(|domain: AroiDomain| domain.to_string())
}

/// Checks what a request to a domain is made of: HTTPS to port 443 of that very host, without a user part.
fn check_address(domain: &AroiDomain) -> Result<(), TestCaseError> {
    let url: Url = format!("https://{domain}/path").parse().unwrap();
    prop_assert_eq!(url.host(), Some(Host::Domain(domain.as_str())));
    prop_assert_eq!((url.port(), url.port_or_known_default(), url.path()), (None, Some(443), "/path"));
    prop_assert_eq!((url.username(), url.password()), ("", None));
    prop_assert_eq!(accepted(domain.as_str()), Some(domain.to_string()));
    Ok(())
}

#[test]
fn addresses_in_any_dress_are_no_domains() {
    let addresses = [
        "127.0.0.1",
        "127.0.0.0x1",
        "127.0.0.0X1",
        "0x7f.0.0.0x1",
        "0x7f.1",
        "0x7f000001",
        "127.0x1",
        "127.0x",
        "127.1",
        "2130706433",
        "0177.0.0.1",
        "0177.1",
        "1.2.3.4.5",
        "1.2.3.0x",
        "1.2.3.08",
        "a.b.0x1",
        "a.b.1",
        "www.127.0.0.0x1",
        "１２７.0.0.1",
        "１２７．０．０．１",
        "127。0。0。1",
        "127｡0｡0｡0x1",
        "127.0.0.０ｘ１",
        "①②⑦.0.0.1",
        "127.0.0.0\u{200b}x1",
        "%31%32%37.0.0.0x1",
        "[::1]",
        "::1",
        "[::ffff:127.0.0.1]",
    ];
    for address in addresses {
        assert_eq!(accepted(address), None, "{address}");
        assert_eq!(AroiDomain::of_url(address).ok(), None, "{address}");
        assert_eq!(AroiDomain::of_url(&format!("https://{address}/x")).ok(), None, "{address}");
    }
}

#[test]
fn a_domain_is_a_host_and_nothing_beside_it() {
    for text in [
        "example.org.",
        "example.org:443",
        "me@example.org",
        "me:pw@example.org",
        "example.org/x",
        "example.org?x",
        "example.org#x",
        "example.org\\x",
        "exam%70le.org",
        "example.org ",
        "exam\tple.org",
        "exam\nple.org",
        "exa_mple.org",
        "*.example.org",
        "a..example.org",
        ".example.org",
        "-a.example.org",
        "a-.example.org",
        "localhost",
        "xn--a.example",
        "",
        ".",
    ] {
        assert_eq!(accepted(text), None, "{text:?}");
    }
    for (text, domain) in [
        ("Example.ORG", "example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("ｅｘａｍｐｌｅ。org", "example.org"),
        ("1.2.3.4x", "1.2.3.4x"),
        ("0x7f.example", "0x7f.example"),
        ("r3---sn-4g5.example", "r3---sn-4g5.example"),
    ] {
        assert_eq!(accepted(text).as_deref(), Some(domain), "{text}");
    }
}

#[test]
fn the_domain_of_a_url_is_the_host_that_a_browser_would_ask() {
    for (url, domain) in [
        ("https://user@example.org/", None),
        ("https://user:pw@example.org/", None),
        ("https://good.example:pw@evil.example/", None),
        ("https://good.example\\@evil.example/", Some("good.example")),
        ("https:good.example", Some("good.example")),
        ("https:///good.example/x", Some("good.example")),
        ("ftp://example.org/", None),
        ("javascript:alert(1)", None),
        ("https://example.org:8443/x?y#z", Some("example.org")),
        ("https://example.org:99999/", None),
        ("example.org:8443/x", Some("example.org")),
        ("www.0x7f.0x1", None),
        ("https://www.127.0.0.0x1", None),
    ] {
        assert_eq!(AroiDomain::of_url(url).ok().as_ref().map(AroiDomain::as_str), domain, "{url}");
    }
}

/// Labels and pieces of which texts are made that one parser may read as a name and another as an address.
fn text() -> impl Strategy<Value = String> {
    let label = prop_oneof![
        4 => "[a-z0-9-]{1,4}",
        2 => "0[xX][0-9a-fA-F]{0,3}",
        2 => "[0-9]{1,4}",
        1 => "[０-９ａ-ｆｘ]{1,3}",
        1 => "xn--[a-z0-9-]{1,6}",
        1 => "[ßÀ-ſ①-⑨\u{200b}-\u{200d}\u{ad}]{1,3}",
        1 => "[@:%/\\\\?#\\[\\] _]{1,2}",
        1 => "\\PC{1,3}",
    ];
    let dot = prop_oneof![8 => Just("."), 1 => Just("。"), 1 => Just("．"), 1 => Just("｡"), 1 => Just("..")];
    let rest = prop::collection::vec((dot, label.clone()), 1..5);
    (label, rest).prop_map(|(first, rest)| rest.into_iter().fold(first, |text, (dot, label)| text + dot + &label))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn every_accepted_domain_is_the_host_of_its_address(text in text()) {
        if let Ok(domain) = text.parse::<AroiDomain>() {
            check_address(&domain)?;
        }
        for url in [text.clone(), format!("https://{text}"), format!("http://www.{text}/x")] {
            if let Ok(domain) = AroiDomain::of_url(&url) {
                check_address(&domain)?;
            }
        }
    }

    #[test]
    fn ordinary_names_are_accepted(text in "[a-z][a-z0-9]{0,8}(\\.[a-z0-9]{1,8}){0,3}\\.[a-z]{2,6}") {
        prop_assert_eq!(accepted(&text), Some(text));
    }
}
