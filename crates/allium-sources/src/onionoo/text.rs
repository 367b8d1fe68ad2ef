//! Text that strangers wrote, made safe to keep.
//!
//! Lengths are cut to a cap per field. Control characters (C0 with tab and line breaks, DEL, C1) have no business in
//! any of these one-line fields and do harm in terminals, mail headers and CSV, so each becomes U+FFFD, visibly.
//! Markup and bidirectional formatting characters are kept: they may be meant, and are made inert where they are shown.
//! Each change is a reject.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};

use super::rejects::FieldRejects;

/// A field of text: its name in the document and how long it may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextField {
    pub(super) name: &'static str,
    pub(super) max_chars: usize,
}

impl TextField {
    /// The text as it is kept; `None` for an empty one.
    pub(super) fn clean(self, text: Cow<'_, str>, rejects: &mut FieldRejects) -> Option<String> {
        if text.is_empty() {
            return None;
        }
        let text = self.cut(text, rejects);
        if !text.contains(char::is_control) {
            return Some(text.into_owned());
        }
        let n_controls = text.chars().filter(|c| c.is_control()).count();
        rejects.add(self.name, format!("{n_controls} control characters, replaced by U+FFFD"));
        Some(text.replace(char::is_control, "\u{fffd}"))
    }

    /// At most `max_items` texts of a list, each cleaned; empty ones are dropped.
    pub(super) fn clean_all(self, texts: Vec<Text<'_>>, max_items: usize, rejects: &mut FieldRejects) -> Vec<String> {
        let texts = cap_list(self.name, texts, max_items, rejects);
        texts.into_iter().filter_map(|text| self.clean(text.0, rejects)).collect()
    }

    fn cut<'t>(self, text: Cow<'t, str>, rejects: &mut FieldRejects) -> Cow<'t, str> {
        // No character is shorter than a byte, so most texts need no counting.
        if text.len() <= self.max_chars {
            return text;
        }
        let Some((end, _)) = text.char_indices().nth(self.max_chars) else { return text };
        rejects.add(self.name, format!("{} bytes long, cut to {} characters", text.len(), self.max_chars));
        match text {
            Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
            Cow::Owned(text) => Cow::Owned(text[..end].to_owned()),
        }
    }
}

/// The first `max_items` of a list; a longer one is a reject.
pub(super) fn cap_list<T>(name: &str, mut items: Vec<T>, max_items: usize, rejects: &mut FieldRejects) -> Vec<T> {
    if items.len() > max_items {
        rejects.add(name, format!("{} items, cut to {max_items}", items.len()));
        items.truncate(max_items);
    }
    items
}

/// A string of the document: borrowed from it wherever it has no escapes.
#[derive(Debug, Clone, Default)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}
