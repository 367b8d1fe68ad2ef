//! `Accept` and `Accept-Encoding`: lists of what a client takes, each with a weight (RFC 9110, 12.4.2).
//!
//! An offer whose weight is no number from 0 to 1 is passed over; weights are compared in thousandths, as they are written.

use std::cmp::Reverse;

use axum::http::header::{HeaderMap, HeaderName};

/// True if the client names this in a header and does not refuse it with a weight of 0. Wildcards are not looked at.
pub(crate) fn accepts(headers: &HeaderMap, header: &HeaderName, name: &str) -> bool {
    offers(headers, header).any(|offer| offer.name.eq_ignore_ascii_case(name) && offer.weight > 0)
}

/// True if the client would rather have `name` than `usual`, both media types. Where both weigh the same, the one that is named more
/// exactly comes first, then the one that is named earlier; a client that says nothing gets the usual.
pub(crate) fn prefers(headers: &HeaderMap, header: &HeaderName, name: &str, usual: &str) -> bool {
    let [wanted, usual] = [name, usual].map(|name| standing(headers, header, name));
    wanted.0 > 0 && wanted > usual
}

/// Weight of a media type by the offer that names it most exactly, how exactly that is, and its index.
fn standing(headers: &HeaderMap, header: &HeaderName, name: &str) -> (u16, u8, Reverse<usize>) {
    let exactness = |offer: &Offer<'_>| match offer.name {
        "*/*" => Some(0),
        range
            if range
                .strip_suffix("/*")
                .is_some_and(|range| name.split('/').next().is_some_and(|kind| kind.eq_ignore_ascii_case(range))) =>
        {
            Some(1)
        }
        exact => exact.eq_ignore_ascii_case(name).then_some(2),
    };
    let found = offers(headers, header).enumerate().filter_map(|(i, offer)| Some((exactness(&offer)?, offer.weight, Reverse(i))));
    found.max().map_or((0, 0, Reverse(usize::MAX)), |(exactness, weight, index)| (weight, exactness, index))
}

/// A thing that a client takes.
struct Offer<'a> {
    name: &'a str,
    /// In thousandths.
    weight: u16,
}

fn offers<'a>(headers: &'a HeaderMap, header: &HeaderName) -> impl Iterator<Item = Offer<'a>> {
    let values = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        let name = parts.next()?;
        let weight = parts.find_map(|parameter| parameter.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q")));
        Some(Offer { name, weight: weight.map_or(Some(1_000), |(_, weight)| thousandths(weight.trim()))? })
    })
}

/// A weight from 0 to 1; `None` for any other text.
fn thousandths(weight: &str) -> Option<u16> {
    let is_number = weight.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let weight = weight.parse::<f32>().ok().filter(|weight| is_number && (0.0..=1.0).contains(weight))?;
    Some((weight * 1_000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    fn said(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, value.parse().expect("a header"))])
    }

    #[test]
    fn a_weight_of_zero_refuses() {
        let takes = |value: &str, name: &str| accepts(&said(value), &header::ACCEPT, name);
        for value in ["text/csv", "Text/CSV", "application/json, text/csv;q=0.5", "text/csv; header=present; q=1"] {
            assert!(takes(value, "text/csv"), "{value}");
        }
        for value in ["", "*/*", "text/csv-schema", "text/csv;q=0", "text/csv; q=0.000", "text/csv;header=present;q=0.0", "text/csv;q=x"] {
            assert!(!takes(value, "text/csv"), "{value}");
        }
        assert!(takes("gzip, br;q=0", "gzip") && !takes("gzip, br;q=0", "br"));
    }

    #[test]
    fn the_heavier_offer_wins_then_the_more_exact_then_the_earlier() {
        let csv = |value: &str| prefers(&said(value), &header::ACCEPT, "text/csv", "application/json");
        for value in [
            "text/csv",
            "text/*",
            "text/csv, */*;q=0.1",
            "text/csv, */*",
            "*/*, text/csv",
            "application/json;q=0, */*;q=0.1",
            "application/json;q=0.5, text/csv;q=0.501",
            "text/csv, application/json",
            "application/json;q=0.9;x=y, TEXT/CSV ; Q=1.000",
            "text/*;q=0.2, application/*;q=0.1",
        ] {
            assert!(csv(value), "{value}");
        }
        for value in [
            "",
            "*/*",
            "*/*;q=0.1",
            "text/html",
            "text/html, application/xhtml+xml, */*;q=0.8",
            "text/csv;q=0",
            "text/csv;q=0, */*",
            "text/csv;q=0.1, application/json",
            "text/csv;q=0.1, */*",
            "application/json, text/csv",
            "text/csv;q=2",
            "text/csv;q=-1",
            "text/csv;q=nan",
            "text/csv;q=",
            "text/csv;q=1e0",
            "application/json;q=0, text/csv;q=0",
        ] {
            assert!(!csv(value), "{value}");
        }
    }
}
