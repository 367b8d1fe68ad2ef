//! `/explore/image`: relays × hours for any list of relays, ordered so that relays that move together lie together.

use allium_analysis::uptime_image;
use allium_charts::{Chart, Heat, HeatRow, Kind};
use allium_model::Timestamp;
use allium_service::{Snapshot, View};
use allium_words::format;
use allium_words::inert::inert;
use askama::Template;

use super::charts::note;
use super::state::Range;
use super::subjects::Subject;
use super::{CHARTS, PATH};
use crate::error::RequestError;
use crate::figure::Figure;
use crate::page::{Frame, PageHtml, framed, render};
use crate::params::{Params, query_string};
use crate::relay_query::{QUERY_NAMES, query_pairs, relay_query};
use crate::route::href;

/// The name of the chart.
pub(super) const NAME: &str = "image";

/// Rows of the picture.
const MOST_RELAYS: usize = 300;

/// The ranges that can be shown hour by hour.
const RANGES: [Range; 2] = [Range::Days7, Range::Days30];

#[derive(Template)]
#[template(path = "explore_image.html")]
struct ImagePage {
    page: Frame,
    figure: String,
    ranges: Vec<(&'static str, String, bool)>,
    /// Address and name of a list of the same relays.
    list: (String, String),
    text: String,
}

framed!(ImagePage);

/// The relays that are drawn.
struct Asked {
    /// Indices of the relays in the record, in the order of the list.
    found: Vec<usize>,
    /// The parameters that say which, without the range.
    pairs: Vec<(&'static str, String)>,
    /// Name of the relays, for the sentence; empty for all that a search finds.
    label: String,
    list: (String, String),
}

impl Asked {
    /// Reads either `of`, a group as in [`super::subjects`], or what the list of relays takes.
    fn of(view: &View, params: &Params) -> Result<Self, RequestError> {
        if let Some(word) = params.one("of")? {
            params.only(&["of", "range"])?;
            let subject = Subject::of(view, word)?;
            let name = format!("{} {}", subject.noun, subject.label);
            let list = (subject.href, format!("Page of {name}"));
            return Ok(Self { found: subject.members, pairs: vec![("of", subject.word)], label: format!(" of {name}"), list });
        }
        let names: Vec<&str> = QUERY_NAMES.into_iter().chain(["range"]).collect();
        params.only(&names)?;
        let query = relay_query(view, params)?;
        let pairs = query_pairs(&query);
        let list = (format!("/relays{}", query_string(&pairs)), "The same relays as a list".to_owned());
        Ok(Self { found: view.select(&query), pairs, label: String::new(), list })
    }

    /// The canonical query part.
    fn query(&self, range: Range) -> String {
        let pairs: Vec<_> = self.pairs.iter().cloned().chain([("range", range.name().to_owned())]).collect();
        query_string(&pairs)
    }
}

/// Renders the page.
pub(crate) fn html(snapshot: &Snapshot, view: &View, now: Timestamp, params: &Params) -> Result<PageHtml, RequestError> {
    let (asked, chosen) = (Asked::of(view, params)?, range(params)?);
    let chart = drawn(view, &asked, chosen);
    let query = asked.query(chosen);
    let link = |range: Range| (range.label(), format!("{PATH}/image{}", asked.query(range)), range == chosen);
    let page = ImagePage {
        page: Frame::of(snapshot, view, now, PATH).with_charts(),
        figure: Figure::of(&chart, CHARTS, &query).with_rows(200).to_string(),
        ranges: RANGES.map(link).to_vec(),
        list: asked.list.clone(),
        text: inert(params.one("q")?.unwrap_or_default()),
    };
    render(&page)
}

/// The image of the relays that the address selects.
pub(super) fn chart(view: &View, params: &Params) -> Result<Chart, RequestError> {
    Ok(drawn(view, &Asked::of(view, params)?, range(params)?))
}

fn drawn(view: &View, asked: &Asked, range: Range) -> Chart {
    let members: Vec<_> = asked.found.iter().take(MOST_RELAYS).filter_map(|i| view.record.relays.get(*i)).collect();
    let (from, to) = range.hours(view);
    let image = uptime_image(&members, &view.record.known, from, to);
    let row = |row: allium_analysis::ImageRow| {
        let relay = &members[row.member].relay;
        let mut digits = relay.fingerprint.to_string();
        digits.truncate(8);
        HeatRow {
            label: format!("{digits} {}", relay.display_name()),
            href: Some(href::relay(&relay.fingerprint)),
            cells: row.running.into_iter().map(|runs| runs.map(|runs| if runs { 1.0 } else { 0.0 })).collect(),
        }
    };
    let edges = image.hours.iter().map(|hour| hour.start_secs()).chain([to.start_secs()]).collect();
    let rows: Vec<HeatRow> = image.rows.into_iter().map(row).collect();
    let shown = format::counted(rows.len(), "relay");
    let title = match rows.is_empty() {
        true => "No relay fits.".to_owned(),
        false => format!("{shown}{} hour by hour over {}: relays that went up and down together lie together.", asked.label, range.words()),
    };
    let of = if rows.len() < asked.found.len() {
        format!("The first {} of {} in the order of the list. ", rows.len(), format::count(asked.found.len() as u64))
    } else {
        String::new()
    };
    let rest = format!("{of}Yellow: down; dark: up; hatched: no consensus known. By our own consensuses.");
    Chart::new(NAME, title, note(view, &rest), Kind::Heat(Heat { of: "Relay".to_owned(), what: "Uptime".to_owned(), edges, rows }))
}

fn range(params: &Params) -> Result<Range, RequestError> {
    match params.one("range")? {
        None | Some("7d") => Ok(Range::Days7),
        Some("30d") => Ok(Range::Days30),
        Some(other) => Err(RequestError::bad("range", other, "7d or 30d")),
    }
}
