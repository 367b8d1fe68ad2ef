//! Answers of a site that lies below a path, such as `https://tor.example/allium`.
//!
//! Pages, charts and redirects are made with addresses that begin with `/`. Here, and nowhere else, the path is put in front of them.
//! A place is found by characters that only our own markup has: strangers' text never holds a bare `"`, in HTML as in JSON.

/// The characters in front of an address of ours, by the beginning of the media type.
const FRONTS: [(&str, &[&str]); 3] = [
    ("text/html", &[" href=\"", " src=\"", " srcset=\"", " action=\"", " formaction=\"", " data-chart=\"", " data-world=\""]),
    ("application/json", &["\"href\":\""]),
    ("text/plain", &["Disallow: "]),
];

/// True if answers of this media type hold addresses that [`below`] completes.
pub fn holds_addresses(media_type: &str) -> bool {
    fronts(media_type).is_some()
}

/// The body with the path in front of every address of ours.
///
/// ```
/// use allium_views::below;
/// let page = br#"<a href="/relays">, <a href="https://elsewhere.example/">, <input value="/relays">"#;
/// let below = below("text/html; charset=utf-8", page, "/allium");
/// assert_eq!(below, br#"<a href="/allium/relays">, <a href="https://elsewhere.example/">, <input value="/relays">"#);
/// ```
pub fn below(media_type: &str, body: &[u8], path: &str) -> Vec<u8> {
    let fronts = fronts(media_type).unwrap_or_default();
    let mut out = Vec::with_capacity(body.len() + body.len() / 8);
    let mut rest = body;
    // An address begins with one slash; two would begin the address of another host.
    while let Some(at) = rest.iter().position(|byte| *byte == b'/') {
        let (before, from) = rest.split_at(at);
        out.extend_from_slice(before);
        let is_address = fronts.iter().any(|front| before.ends_with(front.as_bytes())) && from.get(1) != Some(&b'/');
        if is_address {
            out.extend_from_slice(path.as_bytes());
        }
        out.push(b'/');
        rest = &from[1..];
    }
    out.extend_from_slice(rest);
    out
}

fn fronts(media_type: &str) -> Option<&'static [&'static str]> {
    FRONTS.iter().find(|(kind, _)| media_type.starts_with(kind)).map(|(_, fronts)| *fronts)
}
