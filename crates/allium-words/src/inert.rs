//! Text that strangers wrote, made inert for wherever it is shown.
//!
//! Nicknames, contacts, platforms, host names and names of autonomous systems may hold control characters, characters
//! that turn or hide the text around them, and formulas. In plain text such characters appear as their code point; in CSV
//! the same, and no cell starts like a formula; in JSON they are exact but escaped ([`crate::json`]). HTML is written elsewhere.

use std::fmt::Write;

/// True for a character that is invisible or changes how its neighbours are shown.
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}')
}

/// The text with deceptive characters as their code points, such as `[U+202E]`; for attributes, headings and CSV.
pub fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_deceptive(c) {
            let _ = write!(out, "[U+{:04X}]", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// The text as [`inert`] gives it, cut to `limit` characters with an ellipsis where there are more; for labels of charts and forms.
pub fn inert_short(text: &str, limit: usize) -> String {
    let mut chars = text.chars();
    let mut out = inert(&chars.by_ref().take(limit).collect::<String>());
    if chars.next().is_some() {
        out.push('…');
    }
    out
}

/// Characters with which some spreadsheet begins a formula, in full width and in small form too: programs of East Asia take these for
/// the same.
const FORMULA: [char; 14] = ['=', '+', '-', '@', '|', '%', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫'];

/// The text as a CSV cell that no spreadsheet takes for a formula: inert, with a leading `'` where one is needed. What a spreadsheet may
/// trim off the beginning, as white space and characters that nobody sees, does not count.
pub fn csv_cell(text: &str) -> String {
    let text_inert = inert(text);
    let first = text.chars().find(|c| !c.is_whitespace() && !is_deceptive(*c));
    let may_act = first.is_some_and(|c| FORMULA.contains(&c)) || text.starts_with(['\t', '\r', '\n']);
    if may_act { format!("'{text_inert}") } else { text_inert }
}

/// A text percent-encoded for the query or a path segment of a URL.
pub fn url_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deceptive_characters_become_visible_text() {
        assert_eq!(inert("a\u{200B}b\nc"), "a[U+200B]b[U+000A]c");
    }

    #[test]
    fn no_csv_cell_is_a_formula() {
        for (text, expected) in
            [("=1+1", "'=1+1"), ("-1", "'-1"), ("+1", "'+1"), ("@a", "'@a"), ("\tx", "'[U+0009]x"), ("a=1", "a=1"), ("", "")]
        {
            assert_eq!(csv_cell(text), expected);
        }
        let blanks = ["", " ", "  ", "\t", "\u{a0}", "\u{2003}", "\u{3000}", "\u{200b}", "\u{feff}", "\u{ad}", "\u{2060} \u{a0}\t"];
        for blank in blanks {
            for sign in ["=", "+", "-", "@", "|", "%", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫"] {
                let text = format!("{blank}{sign}cmd");
                assert_eq!(csv_cell(&text), format!("'{}", inert(&text)), "{text:?}");
            }
            assert_eq!(csv_cell(&format!("a{blank}=1")), inert(&format!("a{blank}=1")));
        }
        assert_eq!(csv_cell(" plain words = more"), " plain words = more");
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        assert_eq!(inert_short(&"é\u{202E}".repeat(100), 3), "é[U+202E]é…");
        assert_eq!(inert_short("abc", 3), "abc");
        assert_eq!(url_encoded("a b/é"), "a%20b%2F%C3%A9");
    }
}
