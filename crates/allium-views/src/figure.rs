//! A chart on a page: the sentence, the bars and strips that the stylesheet alone can draw, the picture, the table, the files.
//!
//! A page writes one function that makes its [`Chart`]s by name, shows each as `Figure::of(&chart, "/country/de/charts", &query)`,
//! where `query` is the page's own canonical query part (`""` or `"?period=1_year"`), puts `{{ figure }}` into its template, and
//! sets the script of its frame with [`crate::page::Page::with_charts`] so that the interactive view can load.

use std::fmt::{self, Write as _};

use allium_charts::{Bar, Bars, Calendar, Cell, Chart, Heat, HeatRow, Kind, Reference, Size, Table, Unit, uptime_class};
use allium_model::Fraction;
use allium_words::format;
use askama::filters::HtmlSafe;

use crate::foreign::Foreign;
use crate::markup::{Html, When};

/// Rows of a table that stand on the page; the CSV has all of them.
const SHOWN: usize = 120;

/// A chart on a page.
#[derive(Debug, Clone)]
pub(crate) struct Figure<'a> {
    chart: &'a Chart,
    /// Address of the page's charts, such as `/country/de/charts`.
    base: &'a str,
    /// The page's query part with its `?`, or nothing.
    query: &'a str,
    rows: usize,
    is_open: bool,
    visibility: Visibility,
}

/// Visibility of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visibility {
    /// In sight; where scripts run the interactive view replaces it.
    Shown,
    /// In sight only where no scripts run; where they do, a button leads to the interactive view.
    Quiet,
    /// Not on the page.
    Absent,
}

impl<'a> Figure<'a> {
    /// The chart with its picture, and its table folded.
    pub(crate) const fn of(chart: &'a Chart, base: &'a str, query: &'a str) -> Self {
        Self { chart, base, query, rows: SHOWN, is_open: false, visibility: Visibility::Shown }
    }

    /// The same with at most so many rows of the table on the page; none for no table.
    pub(crate) const fn with_rows(self, rows: usize) -> Self {
        Self { rows, ..self }
    }

    /// The same with its table unfolded.
    pub(crate) const fn open(self) -> Self {
        Self { is_open: true, ..self }
    }

    /// The same where the page already shows the values in another form: where scripts run, nothing is loaded until it is asked for.
    pub(crate) const fn quiet(self) -> Self {
        Self { visibility: Visibility::Quiet, ..self }
    }

    /// The same without its picture.
    pub(crate) const fn without_picture(self) -> Self {
        Self { visibility: Visibility::Absent, ..self }
    }

    /// The address of the chart in a form, with further parameters.
    pub(crate) fn href(&self, extension: &str, more: &str) -> String {
        let query = match (self.query, more) {
            (query, "") => query.to_owned(),
            ("", more) => format!("?{more}"),
            (query, more) => format!("{query}&{more}"),
        };
        format!("{}/{}.{extension}{query}", self.base, self.chart.name)
    }

    fn picture(&self) -> String {
        let [wide, narrow] = [Size::Wide, Size::Narrow].map(|size| (size.width(), self.chart.height(size).ceil()));
        let href = |more: &str| Html::words(self.href("png", more));
        let source = |media: &str, more: &str, (width, height): (f64, f64)| {
            format!("<source media=\"{media}\" srcset=\"{}\" width=\"{width}\" height=\"{height}\">", href(more))
        };
        format!(
            "<picture>{}{}{}<img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\" loading=\"lazy\" decoding=\"async\"></picture>",
            source("(max-width: 720px) and (prefers-color-scheme: dark)", "size=narrow&theme=dark", narrow),
            source("(max-width: 720px)", "size=narrow", narrow),
            source("(prefers-color-scheme: dark)", "theme=dark", wide),
            href(""),
            wide.0,
            wide.1,
            Html::words(self.chart.alt()),
        )
    }

    fn table(&self) -> String {
        let table = self.chart.table();
        let n = table.rows.len();
        let open = if self.is_open { " open" } else { "" };
        let summary = match n {
            n if n > self.rows => format!("Table, the first {} of {} rows; the CSV has all", self.rows, format::count(n as u64)),
            n => format!("Table, {}", format::counted(n, "row")),
        };
        format!("<details{open}><summary>{summary}</summary>{}</details>", table_html(&table, &self.chart.title, self.rows))
    }

    fn files(&self) -> String {
        let file = |label: &str, extension: &str, more: &str| Html::link(&self.href(extension, more), &Html::words(label)).to_string();
        let files =
            [file("PNG", "png", "caption=yes"), file("SVG", "svg", "caption=yes"), file("CSV", "csv", ""), file("JSON", "json", "")];
        format!("<p class=\"files\">{}</p>", files.join(" "))
    }
}

impl HtmlSafe for Figure<'_> {}

impl fmt::Display for Figure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (chart, id) = (self.chart, Html::words(&self.chart.name));
        let data = Html::words(self.href("json", ""));
        let is_drawn = self.visibility == Visibility::Shown
            && matches!(chart.kind, Kind::Time(_) | Kind::Map(_) | Kind::Scatter(_) | Kind::Flow(_) | Kind::Histogram(_));
        let mut eager = if is_drawn { " data-auto".to_owned() } else { String::new() };
        if matches!(chart.kind, Kind::Map(_)) {
            eager = format!("{eager} data-world=\"{}\"", crate::assets::world_path());
        }
        write!(f, "<figure class=\"chart\" id=\"chart-{id}\" data-chart=\"{data}\"{eager}>")?;
        let note =
            if chart.note.is_empty() { String::new() } else { format!("<span class=\"small\">{}</span>", Foreign::long(&chart.note)) };
        write!(f, "<figcaption>{} {note}</figcaption>", Foreign::long(&chart.title))?;
        if chart.is_empty() {
            return write!(f, "<p class=\"none\"><span class=\"nd\">no data</span> to draw.</p></figure>");
        }
        let styled = match &chart.kind {
            Kind::Bars(bars) => css_bars(bars),
            Kind::Heat(heat) if heat.rows.len() <= 12 => css_strips(heat),
            Kind::Calendar(calendar) => css_calendar(calendar),
            _ => String::new(),
        };
        let picture = self.picture();
        match (styled.is_empty(), self.visibility) {
            (_, Visibility::Absent) => {}
            // A chart that the stylesheet draws needs no picture in sight.
            (false, _) => {
                write!(f, "<div class=\"view\">{styled}</div><details class=\"pic\"><summary>Picture</summary>{picture}</details>")?;
            }
            (true, Visibility::Shown) => write!(f, "<div class=\"view\">{picture}</div>")?,
            (true, Visibility::Quiet) => write!(f, "<div class=\"view quiet\">{picture}</div>")?,
        }
        if self.rows > 0 {
            f.write_str(&self.table())?;
        }
        write!(f, "{}</figure>", self.files())
    }
}

/// Bars drawn with the stylesheet: lengths in whole percent of the longest.
fn css_bars(bars: &Bars) -> String {
    let most = bars.top_value().max(1e-12);
    let percent = |value: f64| (value / most * 100.0).round().clamp(0.0, 100.0) as u32;
    let row = |bar: &Bar| {
        let label = match Cell::linked(&bar.label, bar.href.as_deref()) {
            Cell::Link(text, href) => Html::link(&href, &Html::safe(Foreign::short(&text))),
            _ => Html::safe(Foreign::short(&bar.label)),
        };
        let note = if bar.note.is_empty() { String::new() } else { format!(" <span class=\"small\">{}</span>", Foreign::short(&bar.note)) };
        let (class, words) = match bar.value {
            Some(value) => (format!("p{}", percent(value)), bars.unit.with_unit(value)),
            None => ("un p100".to_owned(), "no data".to_owned()),
        };
        format!(
            "<li><span class=\"lb\">{label}</span><span class=\"tr\"><i class=\"{class}\"></i></span><span class=\"vl\">{words}{note}</span></li>"
        )
    };
    let reference = |reference: &Reference| {
        let class = percent(reference.value);
        let (label, words) = (Foreign::short(&reference.label), bars.unit.with_unit(reference.value));
        format!(
            "<li class=\"ref\"><span class=\"lb\">{label}</span><span class=\"tr\"><i class=\"p{class}\"></i></span><span class=\"vl\">{words}</span></li>"
        )
    };
    let rows: String = bars.bars.iter().map(row).chain(bars.references.iter().map(reference)).collect();
    format!("<ul class=\"bars\">{rows}</ul>")
}

fn css_strips(heat: &Heat) -> String {
    let row = |row: &HeatRow| {
        let label = row
            .href
            .as_deref()
            .map_or_else(|| Html::safe(Foreign::short(&row.label)), |href| Html::link(href, &Html::safe(Foreign::short(&row.label))));
        format!(
            "<div class=\"hr\"><span class=\"lb\">{label}</span><span class=\"s line\">{}</span></div>",
            cells(row.cells.iter().copied())
        )
    };
    let day = |edge: Option<&i64>| edge.map_or_else(String::new, |secs| format::date(format::at_secs(*secs)));
    let ends = format!(
        "<div class=\"hr\"><span></span><span class=\"fax small\"><span>{}</span><span>{}</span></span></div>",
        day(heat.edges.first()),
        day(heat.edges.last())
    );
    heat.rows.iter().map(row).chain([ends]).collect()
}

fn css_calendar(calendar: &Calendar) -> String {
    let month = |days: &[(i64, Option<f64>)]| format!("<div class=\"s cal\">{}</div>", cells(days.iter().map(|(_, share)| *share)));
    calendar.days.chunks(31).map(month).collect()
}

fn cells(values: impl Iterator<Item = Option<f64>>) -> String {
    values.map(|value| format!("<i class={}></i>", uptime_class(value.and_then(Fraction::clamped)))).collect()
}

/// A table as HTML, with at most `limit` rows. Columns of numbers are set right.
fn table_html(table: &Table, caption: &str, limit: usize) -> String {
    let class = |at: usize| if table.is_numeric(at) { " class=\"n\"" } else { "" };
    let mut out = String::from("<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table class=\"k\">");
    let _ = write!(out, "<caption>{}</caption><thead><tr>", Html::words(caption));
    for (at, column) in table.columns.iter().enumerate() {
        let label = Html::safe(Foreign::long(&column.label));
        let _ = write!(out, "<th scope=\"col\"{}>{label}{}</th>", class(at), column.unit.suffix());
    }
    out.push_str("</tr></thead><tbody>");
    for row in table.rows.iter().take(limit) {
        out.push_str("<tr>");
        for (at, (cell, column)) in row.iter().zip(&table.columns).enumerate() {
            let (open, close) = if at == 0 { ("th scope=\"row\"", "th") } else { ("td", "td") };
            let _ = write!(out, "<{open}{}>{}</{close}>", class(at), cell_html(cell, column.unit));
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
    out
}

fn cell_html(cell: &Cell, unit: Unit) -> Html {
    match cell {
        Cell::Text(text) => Html::safe(Foreign::long(text)),
        Cell::Link(text, href) => Html::link(href, &Html::safe(Foreign::long(text))),
        Cell::Time(secs) => Html::safe(When(format::at_secs(*secs))),
        Cell::Number(number) => Html::words(unit.text(*number)),
        Cell::Missing => Html::unknown(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_table_and_files_and_holds_no_markup_of_strangers() {
        for chart in allium_charts::examples::examples() {
            let figure = Figure::of(&chart, "/x/charts", "?a=b").to_string();
            assert!(figure.contains("<table") && figure.contains(&format!("/x/charts/{}.png?a=b&amp;theme=dark", chart.name)));
            assert!(!figure.contains("style=") && !figure.contains("<says>") && !figure.contains("<b>"), "{figure}");
        }
    }
}
