//! Text that strangers wrote, in HTML: escaped, isolated with `<bdi>`, deceptive characters visible, cut at a length.

use std::fmt::{self, Write};

use allium_words::inert::is_deceptive;
use askama::filters::HtmlSafe;

/// Characters after which a long text is cut in tables.
const SHORT: usize = 48;

/// Characters after which any text is cut on a page; the API has the whole text.
const LONG: usize = 4_000;

/// A stranger's text as it stands in HTML.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Foreign<'a> {
    text: &'a str,
    limit: usize,
}

impl<'a> Foreign<'a> {
    /// The text, cut only where it is longer than a page should be.
    pub(crate) const fn long(text: &'a str) -> Self {
        Self { text, limit: LONG }
    }

    /// The text, cut to what fits in a table.
    pub(crate) const fn short(text: &'a str) -> Self {
        Self { text, limit: SHORT }
    }
}

impl HtmlSafe for Foreign<'_> {}

impl fmt::Display for Foreign<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<bdi>")?;
        let mut chars = self.text.chars();
        for c in chars.by_ref().take(self.limit) {
            write_char(f, c)?;
        }
        if chars.next().is_some() {
            f.write_str("<span class=\"cut\" title=\"shortened; the API has all of it\">…</span>")?;
        }
        f.write_str("</bdi>")
    }
}

fn write_char(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '<' => f.write_str("&lt;"),
        '>' => f.write_str("&gt;"),
        '&' => f.write_str("&amp;"),
        '"' => f.write_str("&quot;"),
        '\'' => f.write_str("&#39;"),
        c if is_deceptive(c) => write!(f, "<span class=\"cp\">U+{:04X}</span>", u32::from(c)),
        c => f.write_char(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_deceptive_characters_become_visible_text() {
        let shown = Foreign::long("<b>\u{202E}\u{0}é'\"&").to_string();
        assert_eq!(shown, "<bdi>&lt;b&gt;<span class=\"cp\">U+202E</span><span class=\"cp\">U+0000</span>é&#39;&quot;&amp;</bdi>");
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        let shown = Foreign::short(&"é".repeat(100)).to_string();
        assert_eq!(shown.matches('é').count(), SHORT);
        assert!(shown.contains("class=\"cut\""));
    }
}
