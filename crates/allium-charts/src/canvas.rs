//! Writes SVG: shapes and words in pixels, with one decimal, in the colours of a theme.

use std::fmt::Write as _;

use crate::palette::Palette;
use crate::picture::{FONT, Look};
use allium_words::inert::inert;

/// Height of a title line and of a note line in pixels.
const CAPTION_LINE: f64 = 20.0;

/// An SVG document in the making.
pub(crate) struct Canvas {
    out: String,
    pub(crate) look: Look,
    pub(crate) palette: &'static Palette,
    pub(crate) width: f64,
    /// Height at which the drawing starts, below the caption.
    pub(crate) top: f64,
    /// Height at which the drawing ends.
    pub(crate) bottom: f64,
    alt: String,
    note: Option<String>,
}

/// Alignment of words relative to the point they are drawn at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// They start there.
    Start,
    /// Their middle is there.
    Middle,
    /// They end there.
    End,
}

/// A number of pixels as SVG has it.
struct Px(f64);

impl std::fmt::Display for Px {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tenths = (if self.0.is_finite() { self.0 } else { 0.0 } * 10.0).round() as i64;
        let sign = if tenths < 0 { "-" } else { "" };
        match (tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10) {
            (whole, 0) => write!(f, "{sign}{whole}"),
            (whole, tenth) => write!(f, "{sign}{whole}.{tenth}"),
        }
    }
}

impl Canvas {
    /// An empty drawing of a height.
    pub(crate) fn new(look: Look, height: f64, alt: &str) -> Self {
        let palette = Palette::of(look.theme);
        Self {
            out: String::with_capacity(8_192),
            look,
            palette,
            width: look.size.width(),
            top: 0.0,
            bottom: height,
            alt: alt.to_owned(),
            note: None,
        }
    }

    /// True if the drawing is for a phone.
    pub(crate) fn is_narrow(&self) -> bool {
        self.width < 600.0
    }

    /// Puts a title above and a note below, broken into lines that fit.
    pub(crate) fn caption(&mut self, title: &str, note: &str) {
        let lines = broken(title, self.width - 16.0, 15.0);
        let height = lines.len() as f64 * CAPTION_LINE + 12.0;
        (self.top, self.bottom) = (height, self.bottom + height);
        for (i, line) in lines.iter().enumerate() {
            self.words(8.0, 20.0 + i as f64 * CAPTION_LINE, Anchor::Start, 15.0, self.palette.ink, line);
        }
        self.note = (!note.is_empty()).then(|| note.to_owned());
    }

    pub(crate) fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, fill: &str) {
        let _ = write!(self.out, "<path d=\"M{} {}h{}v{}h{}z\" fill=\"{fill}\"/>", Px(x), Px(y), Px(width), Px(height), Px(-width));
    }

    /// A hatched rectangle: nobody measured.
    pub(crate) fn unknown(&mut self, x: f64, y: f64, width: f64, height: f64) {
        self.rect(x, y, width, height, "url(#un)");
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: &str) {
        let _ = write!(self.out, "<path d=\"M{} {}L{} {}\" stroke=\"{stroke}\"/>", Px(from.0), Px(from.1), Px(to.0), Px(to.1));
    }

    /// A path of our own making.
    pub(crate) fn path(&mut self, d: &str, attributes: &str) {
        let _ = write!(self.out, "<path d=\"{d}\" {attributes}/>");
    }

    pub(crate) fn circle(&mut self, x: f64, y: f64, radius: f64, attributes: &str) {
        let _ = write!(self.out, "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {attributes}/>", Px(x), Px(y), Px(radius));
    }

    pub(crate) fn words(&mut self, x: f64, y: f64, anchor: Anchor, size: f64, fill: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let _ = write!(
            self.out,
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\"{anchor} fill=\"{fill}\">{}</text>",
            Px(x),
            Px(y),
            Px(size),
            escaped(text)
        );
    }

    /// Words cut to a width.
    pub(crate) fn words_within(&mut self, (x, y): (f64, f64), anchor: Anchor, size: f64, fill: &str, text: &str, width: f64) {
        let text = fitted(text, width, size);
        self.words(x, y, anchor, size, fill, &text);
    }

    /// The document.
    pub(crate) fn finish(mut self) -> String {
        if let Some(note) = self.note.take() {
            for line in broken(&note, self.width - 16.0, 12.0) {
                self.bottom += 16.0;
                self.words(8.0, self.bottom - 4.0, Anchor::Start, 12.0, self.palette.soft, &line);
            }
            self.bottom += 4.0;
        }
        let Palette { ground, hatch, .. } = self.palette;
        let (width, height) = (Px(self.width), Px(self.bottom));
        let family = format!("'{FONT}',system-ui,sans-serif");
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
             font-family=\"{family}\"><title>{}</title><defs><pattern id=\"un\" width=\"4\" height=\"4\" patternUnits=\"userSpaceOnUse\">\
             <path d=\"M-1 1L1 -1M0 4L4 0M3 5L5 3\" stroke=\"{hatch}\"/></pattern></defs>\
             <path d=\"M0 0h{width}v{height}H0z\" fill=\"{ground}\"/>{}</svg>\n",
            escaped(&self.alt),
            self.out
        )
    }
}

/// A point as part of a path.
pub(crate) fn point(x: f64, y: f64) -> String {
    format!("{} {}", Px(x), Px(y))
}

/// About how wide a text is, in pixels.
pub(crate) fn text_width(text: &str, size: f64) -> f64 {
    text.chars()
        .map(|c| {
            if c.is_ascii_uppercase() || !c.is_ascii() {
                0.68
            } else if "iljt.,:;'| ()".contains(c) {
                0.3
            } else {
                0.57
            }
        })
        .sum::<f64>()
        * size
}

fn fitted(text: &str, width: f64, size: f64) -> String {
    let text = inert(text);
    if text_width(&text, size) <= width {
        return text;
    }
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if text_width(&kept, size) > width - size * 0.7 {
            kept.pop();
            break;
        }
    }
    kept.push('…');
    kept
}

/// A text in lines of a width, broken at spaces; at most four.
fn broken(text: &str, width: f64, size: f64) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in inert(text).split(' ') {
        let line = lines.pop().unwrap_or_default();
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if line.is_empty() || text_width(&longer, size) <= width {
            lines.push(longer);
            continue;
        }
        lines.push(line);
        if lines.len() == 4 {
            break;
        }
        lines.push(word.to_owned());
    }
    lines.into_iter().map(|line| fitted(&line, width, size)).collect()
}

/// A text as XML can hold it.
fn escaped(text: &str) -> String {
    let fits = |c: char| !matches!(c, '\u{FFFE}' | '\u{FFFF}');
    inert(text).chars().filter(|c| fits(*c)).fold(String::new(), |mut out, c| {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
        out
    })
}
