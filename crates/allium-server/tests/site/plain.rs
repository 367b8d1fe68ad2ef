//! Answers as plain text, for snapshots: pages by a reader that knows our own regular markup, JSON and CSV cut to what shows their form.
//!
//! A link is `[text](/address)`, a row `a | b | c`, a picture `(picture: its alt text)`, a form field `[name: value]`. Long tables,
//! lists and choices end with the number of what is left out.

/// Rows of a table and items of a list that are shown.
const N_ROWS: usize = 8;

/// Lines of a snapshot.
const N_LINES: usize = 420;

/// A whole page.
pub(crate) fn page_text(html: &str) -> String {
    let mut reader = Reader::default();
    html.split('<').skip(1).filter_map(|rest| rest.split_once('>')).for_each(|(tag, text)| reader.read(tag, text));
    reader.break_line();
    cut_lines(&reader.lines.join("\n"))
}

/// A page without what it shares with all others: navigation and foot.
pub(crate) fn main_text(html: &str) -> String {
    let (head, body) = html.split_once("<body>").unwrap();
    let main = body.split_once("</header>").unwrap().1.split("<footer>").next().unwrap();
    page_text(&format!("{head}{main}"))
}

/// Cuts a text, telling how much is left out.
pub(crate) fn cut_lines(text: &str) -> String {
    let n = text.lines().count();
    let mut lines: Vec<&str> = text.lines().take(N_LINES - 2).map(str::trim_end).collect();
    let rest = format!("… {} more lines", n.saturating_sub(lines.len()));
    if n > lines.len() {
        lines.push(&rest);
    }
    lines.join("\n")
}

/// The value of an attribute of a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(unescaped(&without_hash(rest.split('"').next()?)))
}

/// An address of a file that pages load, without the hash of its contents.
fn without_hash(address: &str) -> String {
    if address.starts_with("data:") {
        return "data:#".to_owned();
    }
    match address.strip_prefix("/assets/").and_then(|name| Some((name.split_once('-')?.0, name.rsplit_once('.')?.1))) {
        Some((name, ending)) => format!("/assets/{name}-#.{ending}"),
        None => address.to_owned(),
    }
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split('&');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let known = part.split_once(';').and_then(|(name, rest)| Some((character(name)?, rest)));
        match known {
            Some((c, rest)) => out.extend([c.to_string().as_str(), rest]),
            None => out.extend(["&", part]),
        }
    }
    out
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "nbsp" => Some('\u{a0}'),
        _ => char::from_u32(name.strip_prefix('#')?.parse().ok()?),
    }
}

/// An element whose children are counted.
struct Counted {
    child: &'static str,
    n: usize,
    n_hidden: usize,
}

/// The text read so far.
#[derive(Default)]
struct Reader {
    lines: Vec<String>,
    line: String,
    links: Vec<String>,
    counted: Vec<Counted>,
    in_row: bool,
    n_cells: usize,
    /// The element of which nothing is shown, and how often it stands within itself.
    hidden: Option<(String, usize)>,
}

impl Reader {
    fn read(&mut self, tag: &str, text: &str) {
        let name: String = tag.chars().take_while(|c| !c.is_whitespace()).collect();
        if self.is_hidden(&name) {
            return;
        }
        match name.strip_prefix('/') {
            Some(name) => self.close(name),
            None => self.open(&name, tag),
        }
        if self.hidden.is_none() {
            self.text(&unescaped(text));
        }
    }

    /// True within an element that is not shown, and at its end.
    fn is_hidden(&mut self, name: &str) -> bool {
        let Some((hidden, depth)) = &mut self.hidden else { return false };
        if name == hidden.as_str() {
            *depth += 1;
        } else if name.strip_prefix('/') == Some(hidden.as_str()) {
            *depth -= 1;
        }
        if *depth == 0 {
            self.hidden = None;
        }
        true
    }

    fn text(&mut self, text: &str) {
        for word in text.split_inclusive([' ', '\n', '\t']) {
            let trimmed = word.trim_matches([' ', '\n', '\t']);
            self.line.push_str(trimmed);
            if trimmed.len() < word.len() {
                self.space();
            }
        }
    }

    fn space(&mut self) {
        if !self.line.is_empty() && !self.line.ends_with(' ') {
            self.line.push(' ');
        }
    }

    fn break_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if !line.trim().is_empty() {
            self.lines.push(line.trim_end_matches(' ').to_owned());
        }
    }

    /// Ends the line, but within a row of a table, which is one line.
    fn block(&mut self) {
        if self.in_row || self.line == "- " { self.space() } else { self.break_line() }
    }

    fn begin(&mut self, mark: &str) {
        self.block();
        self.line.push_str(mark);
    }

    fn open(&mut self, name: &str, tag: &str) {
        if self.is_too_many(name, tag) {
            self.hidden = Some((name.to_owned(), 1));
            return;
        }
        let value = |name: &str| attribute(tag, name).unwrap_or_default();
        match name {
            "ul" if tag.contains("class=\"legend\"") => {
                self.begin("(legend of strips)");
                self.hidden = Some((name.to_owned(), 1));
                return;
            }
            "script" => self.hidden = Some((name.to_owned(), 1)),
            "title" => self.begin("title: "),
            "link" if tag.contains("rel=\"icon\"") => {}
            "link" => self.begin(&format!("{} [{}]({})", value("rel"), value("title"), value("href"))),
            "h1" | "h2" | "h3" => {
                self.break_line();
                self.lines.push(String::new());
                self.line.push_str(&format!("{} ", "#".repeat(usize::from(name.as_bytes()[1] - b'0'))));
            }
            "li" => self.begin("- "),
            "summary" => self.begin("▸ "),
            "caption" => self.begin("table: "),
            "tr" => {
                self.break_line();
                (self.in_row, self.n_cells) = (true, 0);
            }
            "th" | "td" => self.cell(tag),
            "a" => {
                let current = if tag.contains(" aria-current=") { "*" } else { "" };
                self.links.push(format!("]({}){current}", value("href")));
                self.line.push('[');
            }
            "strong" => self.line.push_str("**"),
            "img" => self.line.push_str(&format!("(picture: {})", value("alt"))),
            "span" | "div" if tag.contains(" role=\"img\"") => self.line.push_str(&format!("(picture: {})", value("aria-label"))),
            "form" => self.begin(&format!("form {} {}: ", value("method"), value("action"))),
            "input" => self.input(tag),
            "select" | "textarea" => self.line.push_str(&format!("[{}: ", value("name"))),
            "option" if tag.contains(" selected") => self.line.push_str(" *"),
            "option" => self.space(),
            "button" => self.line.push('('),
            name if is_block(name) => self.block(),
            _ => {}
        }
        self.count(name);
    }

    fn cell(&mut self, tag: &str) {
        if self.n_cells > 0 {
            self.space();
            self.line.push_str("| ");
        }
        self.n_cells += 1;
        if let Some(order) = attribute(tag, "aria-sort") {
            self.line.push_str(&format!("({order}) "));
        }
    }

    fn input(&mut self, tag: &str) {
        let [name, value] = ["name", "value"].map(|name| attribute(tag, name).unwrap_or_default());
        let mark = match (tag.contains("type=\"checkbox\"") || tag.contains("type=\"radio\""), tag.contains(" checked")) {
            (true, true) => "x ",
            (true, false) => "_ ",
            _ => "",
        };
        self.line.push_str(&format!("[{mark}{name}: {value}]"));
    }

    /// Begins to count the children of an element.
    fn count(&mut self, name: &str) {
        let child = match name {
            "tbody" => "tr",
            "ul" | "ol" => "li",
            "select" => "option",
            "fieldset" => "label",
            _ => return,
        };
        self.counted.push(Counted { child, n: 0, n_hidden: 0 });
    }

    /// True if enough elements of this kind were shown; what a visitor chose is shown in any case.
    fn is_too_many(&mut self, name: &str, tag: &str) -> bool {
        let Some(counted) = self.counted.last_mut().filter(|counted| counted.child == name) else { return false };
        counted.n += 1;
        let is_hidden = counted.n > N_ROWS && !tag.contains(" selected");
        counted.n_hidden += usize::from(is_hidden);
        is_hidden
    }

    fn close(&mut self, name: &str) {
        match name {
            "tr" => {
                self.in_row = false;
                self.break_line();
            }
            "tbody" | "ul" | "ol" | "select" | "fieldset" => self.end_count(name),
            "a" => {
                let link = self.links.pop().unwrap_or_default();
                self.line.push_str(&link);
            }
            "strong" => self.line.push_str("**"),
            "textarea" => self.line.push(']'),
            "button" => self.line.push(')'),
            "dt" => self.line.push_str(": "),
            "dd" => self.block(),
            "head" | "title" | "h1" | "h2" | "h3" | "summary" | "caption" => self.break_line(),
            name if is_block(name) => self.block(),
            _ => {}
        }
    }

    fn end_count(&mut self, name: &str) {
        let n_hidden = self.counted.pop().map_or(0, |counted| counted.n_hidden);
        if name != "select" {
            self.block();
        }
        if n_hidden > 0 {
            self.space();
            self.line.push_str(&format!("… {n_hidden} more"));
        }
        match name {
            "select" => self.line.push(']'),
            _ => self.block(),
        }
    }
}

fn is_block(name: &str) -> bool {
    let blocks = ["p", "li", "div", "section", "figure", "figcaption", "article", "nav", "header", "main", "footer", "form", "fieldset"];
    blocks.contains(&name) || ["ul", "ol", "dl", "dt", "table", "thead", "details", "pre", "legend", "br", "body"].contains(&name)
}
