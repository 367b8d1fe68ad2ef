//! `Accept` and `Accept-Encoding`: lists of what a client takes, each with a weight (RFC 9110, 12.4.2).

use axum::http::header::{HeaderMap, HeaderName};

/// True if the client names this in a header and does not refuse it with a weight of 0. Wildcards are not looked at.
pub(crate) fn accepts(headers: &HeaderMap, header: &HeaderName, name: &str) -> bool {
    let values = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|offered| offered.eq_ignore_ascii_case(name));
        is_named && !parts.any(is_refusal)
    })
}

fn is_refusal(parameter: &str) -> bool {
    let weight = parameter.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    weight.and_then(|(_, weight)| weight.trim().parse().ok()) == Some(0.0)
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    #[test]
    fn a_weight_of_zero_refuses() {
        let takes = |value: &str, name: &str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT, value.parse().expect("a header"))]);
            accepts(&headers, &header::ACCEPT, name)
        };
        for value in ["text/csv", "Text/CSV", "application/json, text/csv;q=0.5", "text/csv; header=present; q=1"] {
            assert!(takes(value, "text/csv"), "{value}");
        }
        for value in ["", "*/*", "text/csv-schema", "text/csv;q=0", "text/csv; q=0.000", "text/csv;header=present;q=0.0"] {
            assert!(!takes(value, "text/csv"), "{value}");
        }
        assert!(takes("gzip, br;q=0", "gzip") && !takes("gzip, br;q=0", "br"));
    }
}
