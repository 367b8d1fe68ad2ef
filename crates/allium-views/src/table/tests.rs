//! Tables found, ordered, cut and written.

use allium_model::Fraction;

use super::*;
use crate::form::Form;
use crate::params::Params;

type Row = (&'static str, Option<f64>, usize);

const ROWS: [Row; 5] = [("b", Some(0.5), 1), ("a", None, 2), ("=1+1", Some(1.0), 3), ("<i>", Some(0.5), 4), ("\u{202E}d", Some(0.0), 5)];

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
            values: Values::OneOf(vec![("1".to_owned(), "1".to_owned()), ("3".to_owned(), "3".to_owned())]),
            fits: Some(Box::new(|row, value| value.parse().is_ok_and(|min: usize| row.2 >= min))),
        }],
        key: Box::new(|row| row.2.to_string()),
        default_sort: "-uptime",
        style: Style::default(),
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

fn numbered(finder: Finder) -> Table<'static, Row> {
    let values = Values::Several(vec!["red".to_owned(), "green".to_owned()]);
    let choices = vec![Choice { name: "colour", label: "Colours", values, fits: None }];
    let style = Style { finder, paging: Paging::Numbered(&[2, 5]), layout: &["n", "name"], is_only_form: true, ..Style::default() };
    Table { choices, style, ..table() }
}

fn page(query: &str) -> Result<String, String> {
    let table = numbered(Finder::Table);
    let state = table.state(&params(query)).map_err(|error| error.to_string())?;
    Ok(table.html(&ROWS, &state).map_err(|error| error.to_string())?.to_string())
}

#[test]
fn numbered_pages_have_every_row_once() {
    let rows = |number: usize| page(&format!("page={number}&columns=all")).unwrap().matches("<th scope=\"row\"").count();
    assert_eq!([1, 2, 3].map(rows), [2, 2, 1]);
    for query in ["page=4", "page=0", "per=3", "page=2&per=5"] {
        assert!(page(query).is_err(), "{query}");
    }
}

#[test]
fn numbered_pages_keep_rows_and_choices_in_their_links() {
    let html = page("page=2&colour=red&colour=green&sort=name").unwrap();
    for part in [
        "<a href=\"/things?colour=red&#38;colour=green&#38;sort=name\" rel=\"prev\">Previous</a>",
        "<span aria-current=\"page\">2</span>",
        "<a href=\"/things?colour=red&#38;colour=green&#38;sort=name&#38;page=3\" rel=\"next\">Next</a>",
        "<option selected>2</option><option>5</option>",
        "<label><input type=\"checkbox\" name=\"colour\" value=\"red\" checked>red</label>",
        "<input id=\"q\" type=\"search\"",
        "3 to 4 of 5, sorted by Name, smallest first",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert!(page("colour=blue").unwrap_err().contains("red, green"));
}

#[test]
fn rows_of_an_index_stay_as_they_come() {
    let order = Order { name: "luck", label: "luck".to_owned(), words: "luck".to_owned(), starts_descending: true };
    let table = Table { default_sort: "-luck", ..numbered(Finder::Index(vec![order])) };
    let state = |query: &str| table.state(&params(query));
    let found: String = table.select(&ROWS, &state("q=nothing&sort=luck").unwrap()).iter().map(|row| row.2.to_string()).collect();
    assert_eq!(found, "12345");
    assert!(state("sort=name").is_err());
}

#[test]
fn a_layout_orders_the_columns_of_the_page_only() {
    let html = page("columns=all").unwrap();
    let (number, name) = (html.find(">Number</a></th>").unwrap(), html.find(">Name</a></th>").unwrap());
    assert!(number < name && !html[html.find("<table").unwrap()..].contains("Uptime"));
    let csv = numbered(Finder::Table).data(as_of(), &ROWS, &params(""), Form::Csv).unwrap();
    assert!(csv.starts_with("name,uptime,n\n"));
}
