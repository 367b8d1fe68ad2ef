//! Tables of anything: one definition of columns gives the page, the JSON and the CSV.
//!
//! What comes in: rows of any type in their own order, and a [`Table`] that says which columns they have, how a row is named,
//! and what the form offers. The whole state of a table is in its address: `q` finds text, the table's own choices filter,
//! `sort` orders (with `-` for the largest first), `limit` and `cursor` page, `columns=all` shows every column. Rows that are
//! equal in the sorted column keep their own order, so equal input gives equal bytes.
//!
//! On narrow screens a row becomes a card with the columns that are marked for it; the CSV always has every row that fits.

mod cell;
mod data;
mod html;
mod state;

pub(crate) use cell::Cell;
pub(crate) use html::TableHtml;
pub(crate) use state::TableState;

/// A table of rows `R`.
pub(crate) struct Table<'a, R> {
    /// Address of the page that shows it, such as `/as`.
    pub(crate) path: String,
    /// Address of its JSON, such as `/api/v1/as`; CSV is at the same with `.csv`.
    pub(crate) api: String,
    /// What it shows, for readers that cannot see it.
    pub(crate) caption: String,
    /// What a row is: one and many, such as `("country", "countries")`.
    pub(crate) noun: (&'static str, &'static str),
    /// Its columns; one of them should be the [title](Column::title_of_card).
    pub(crate) columns: Vec<Column<'a, R>>,
    /// What the form offers beside the text.
    pub(crate) choices: Vec<Choice<'a, R>>,
    /// The name of a row in addresses: unique, without meaning for the order.
    pub(crate) key: Box<dyn Fn(&R) -> String + 'a>,
    /// The order unless the address says otherwise: a column's name, with `-` for the largest first.
    pub(crate) default_sort: &'static str,
}

/// A column of a table.
pub(crate) struct Column<'a, R> {
    name: &'static str,
    label: String,
    about: String,
    method: Option<&'static str>,
    card: Card,
    is_more: bool,
    is_numeric: bool,
    is_sortable: bool,
    is_searched: bool,
    cell: Box<dyn Fn(&R) -> Cell + 'a>,
}

/// The part of a column on the card of a narrow screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Card {
    /// The heading.
    Title,
    /// Beside the heading.
    Badge,
    /// Across the whole card.
    Across,
    /// One of the figures that matter, with its label.
    Figure,
    /// Not on it.
    Hidden,
}

impl<'a, R> Column<'a, R> {
    /// A column of numbers, right-aligned, that sorts with the largest first.
    ///
    /// `name` is its name in addresses, JSON and CSV and says the unit where one is needed; `label` is its heading on the page,
    /// with the unit in which the page shows it.
    pub(crate) fn number(name: &'static str, label: impl Into<String>, cell: impl Fn(&R) -> Cell + 'a) -> Self {
        let label = label.into();
        Self {
            name,
            about: label.clone(),
            label,
            method: None,
            card: Card::Hidden,
            is_more: false,
            is_numeric: true,
            is_sortable: true,
            is_searched: false,
            cell: Box::new(cell),
        }
    }

    /// A column of texts, left-aligned, that sorts with the first of the alphabet first and is searched.
    pub(crate) fn text(name: &'static str, label: impl Into<String>, cell: impl Fn(&R) -> Cell + 'a) -> Self {
        Self { is_numeric: false, is_searched: true, ..Self::number(name, label, cell) }
    }

    /// What it says in a few more words.
    pub(crate) fn about(self, words: impl Into<String>) -> Self {
        Self { about: words.into(), ..self }
    }

    /// The heading in `docs/methods.md` that defines it.
    pub(crate) fn method(self, anchor: &'static str) -> Self {
        Self { method: Some(anchor), ..self }
    }

    /// Shown only with all columns, or where the table is sorted by it.
    pub(crate) fn more(self) -> Self {
        Self { is_more: true, ..self }
    }

    /// Cannot be sorted by.
    pub(crate) fn unsorted(self) -> Self {
        Self { is_sortable: false, ..self }
    }

    /// Is the heading of a card on narrow screens, and of the row.
    pub(crate) fn title_of_card(self) -> Self {
        Self { card: Card::Title, ..self }
    }

    /// Stands beside the heading of a card.
    pub(crate) fn badge_of_card(self) -> Self {
        Self { card: Card::Badge, ..self }
    }

    /// Stands across the whole card.
    pub(crate) fn across_card(self) -> Self {
        Self { card: Card::Across, ..self }
    }

    /// Is one of the figures on a card; three fit.
    pub(crate) fn on_card(self) -> Self {
        Self { card: Card::Figure, ..self }
    }
}

/// Something to choose in the form of a table.
pub(crate) struct Choice<'a, R> {
    /// Its name in addresses.
    pub(crate) name: &'static str,
    /// Its label.
    pub(crate) label: &'static str,
    /// Values with their labels; the first is the one without which nothing stands in the address. None for a free text, which the
    /// page itself has looked at.
    pub(crate) options: Vec<(String, String)>,
    /// Whether a row fits a value other than the first; `None` where the page itself acts on the value.
    pub(crate) fits: Option<RowTest<'a, R>>,
}

/// Whether a row fits a value.
pub(crate) type RowTest<'a, R> = Box<dyn Fn(&R, &str) -> bool + 'a>;

#[cfg(test)]
mod tests {
    use allium_model::Fraction;

    use super::*;
    use crate::api::Form;
    use crate::params::Params;

    type Row = (&'static str, Option<f64>, usize);

    const ROWS: [Row; 5] =
        [("b", Some(0.5), 1), ("a", None, 2), ("=1+1", Some(1.0), 3), ("<i>", Some(0.5), 4), ("\u{202E}d", Some(0.0), 5)];

    fn table() -> Table<'static, Row> {
        Table {
            path: "/things".to_owned(),
            api: "/api/v1/things".to_owned(),
            caption: "Things".to_owned(),
            noun: ("thing", "things"),
            columns: vec![
                Column::text("name", "Name", |row: &Row| Cell::link(row.0, "/thing/x?a=1&b=2")).title_of_card(),
                Column::number("uptime", "Uptime, %", |row: &Row| Cell::share(row.1.and_then(Fraction::new), 1)).method("uptime").on_card(),
                Column::number("n", "Number", |row: &Row| Cell::count(row.2)).more(),
            ],
            choices: vec![Choice {
                name: "min",
                label: "At least",
                options: vec![("1".to_owned(), "1".to_owned()), ("3".to_owned(), "3".to_owned())],
                fits: Some(Box::new(|row, value| value.parse().is_ok_and(|min: usize| row.2 >= min))),
            }],
            key: Box::new(|row| row.2.to_string()),
            default_sort: "-uptime",
        }
    }

    fn as_of() -> allium_model::ConsensusHour {
        "2026-02-15T18:00:00Z".parse().unwrap()
    }

    fn params(query: &str) -> Params {
        Params::read(query).unwrap()
    }

    fn order(query: &str) -> String {
        let table = table();
        let state = table.state(&params(query)).unwrap();
        table.select(&ROWS, &state).iter().map(|row| row.2.to_string()).collect()
    }

    #[test]
    fn rows_are_found_and_ordered_with_what_is_missing_last() {
        let cases = [
            ("", "31452"),
            ("sort=uptime", "51432"),
            ("sort=name", "43215"),
            ("sort=-n&min=3", "543"),
            ("q=B", "1"),
            ("q=nothing", ""),
            ("min=1", "31452"),
        ];
        for (query, expected) in cases {
            assert_eq!(order(query), expected, "{query}");
        }
    }

    #[test]
    fn wrong_addresses_are_refused() {
        for query in ["sort=size", "limit=0", "limit=1001", "cursor=9", "columns=some", "min=2", "q=a&q=b"] {
            let table = table();
            assert!(table.data(as_of(), &ROWS, &params(query), Form::Json).is_err(), "{query}");
        }
        assert!(table().strict_state(&params("colour=red")).is_err());
    }

    #[test]
    fn cursors_reach_every_row_once() {
        let table = table();
        let (mut seen, mut query) = (String::new(), "limit=2".to_owned());
        for _ in 0..3 {
            let json: serde_json::Value = serde_json::from_str(&table.data(as_of(), &ROWS, &params(&query), Form::Json).unwrap()).unwrap();
            json["rows"].as_array().unwrap().iter().for_each(|row| seen.push_str(&row["n"].to_string()));
            match json["next_cursor"].as_str() {
                Some(cursor) => query = format!("limit=2&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen, "31452");
    }

    #[test]
    fn csv_is_whole_and_inert() {
        let table = table();
        let csv = table.data(as_of(), &ROWS, &params(""), Form::Csv).unwrap();
        assert_eq!(csv, "name,uptime,n\n'=1+1,1,3\nb,0.5,1\n<i>,0.5,4\n[U+202E]d,0,5\na,,2\n");
    }

    #[test]
    fn pages_are_escaped_and_keep_their_state_in_every_link() {
        let table = table();
        let html = table.html(&ROWS, &table.state(&params("min=3&limit=2&sort=name")).unwrap()).unwrap().to_string();
        for part in [
            "aria-sort=\"ascending\"><a href=\"/things?min=3&#38;sort=-name&#38;limit=2\"",
            "href=\"/things?min=3&#38;sort=name&#38;limit=2&#38;cursor=3\" rel=\"next\"",
            "&lt;i&gt;",
            "data-l=\"Uptime, %\"",
            "href=\"/methods#uptime\"",
            "href=\"/thing/x?a=1&amp;b=2\"",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains("Number</a></th>") && !html.contains("<i>"));
        let all = table.html(&ROWS, &table.state(&params("columns=all")).unwrap()).unwrap().to_string();
        assert!(all.contains("title=\"Number\">Number</a></th>"), "{all}");
    }

    #[test]
    fn short_tables_have_no_form() {
        let html = table().plain(&ROWS, 2, Some(("/more".to_owned(), "All".to_owned()))).to_string();
        assert!(html.contains("The first 2 of 5 things") && html.contains("href=\"/more\"") && !html.contains("<form"));
    }
}
