//! `/explore/image`: relays × hours for any list of relays, ordered so that relays that move together lie together.

use allium_analysis::uptime_image;
use allium_model::Timestamp;
use askama::Template;

use super::charts::note;
use super::state::Range;
use super::{CHARTS, PATH};
use crate::charts::{Chart, Figure, Heat, HeatRow, Kind};
use crate::error::RequestError;
use crate::format;
use crate::list::{QUERY_NAMES, query_pairs, relay_query};
use crate::page::{Page, render};
use crate::params::{Params, query_string};
use crate::site::Site;
use crate::text::inert;
use crate::view::View;

/// The name of the chart.
pub(super) const NAME: &str = "image";

/// Rows of the picture.
const MOST_RELAYS: usize = 300;

/// The ranges that can be shown hour by hour.
const RANGES: [Range; 2] = [Range::Days7, Range::Days30];

#[derive(Template)]
#[template(path = "explore_image.html")]
struct ImagePage {
    page: Page,
    figure: String,
    ranges: Vec<(&'static str, String, bool)>,
    list: String,
    text: String,
}

/// Renders the page.
pub(crate) fn html(site: &Site, view: &View, now: Timestamp, params: &Params) -> Result<String, RequestError> {
    let chart = chart(view, params)?;
    let (query, pairs) = (address(params)?, query_pairs(&relay_query(params)?));
    let chosen = range(params)?;
    let link = |range: Range| {
        let mut pairs = pairs.clone();
        pairs.push(("range", range.name().to_owned()));
        (range.label(), format!("{PATH}/image{}", query_string(&pairs)), range == chosen)
    };
    let page = ImagePage {
        page: Page::of(site, view, now, PATH),
        figure: Figure::of(&chart, CHARTS, &query).with_rows(200).to_string(),
        ranges: RANGES.map(link).to_vec(),
        list: format!("/relays{}", query_string(&pairs)),
        text: inert(params.one("q")?.unwrap_or_default()),
    };
    render(&page)
}

/// The image of the relays that the address selects.
pub(super) fn chart(view: &View, params: &Params) -> Result<Chart, RequestError> {
    let names: Vec<&str> = QUERY_NAMES.into_iter().chain(["range"]).collect();
    params.only(&names)?;
    let (range, found) = (range(params)?, view.select(&relay_query(params)?));
    let members: Vec<_> = found.iter().take(MOST_RELAYS).filter_map(|i| view.record.relays.get(*i)).collect();
    let (from, to) = range.hours(view);
    let image = uptime_image(&members, &view.record.known, from, to);
    let row = |row: allium_analysis::ImageRow| {
        let relay = &members[row.member].relay;
        let mut digits = relay.fingerprint.to_string();
        digits.truncate(8);
        HeatRow {
            label: format!("{digits} {}", relay.display_name()),
            href: Some(format!("/relay/{}", relay.fingerprint)),
            cells: row.running.into_iter().map(|runs| runs.map(|runs| if runs { 1.0 } else { 0.0 })).collect(),
        }
    };
    let edges = image.hours.iter().map(|hour| hour.start_secs()).chain([to.start_secs()]).collect();
    let rows: Vec<HeatRow> = image.rows.into_iter().map(row).collect();
    let shown = format::counted(rows.len(), "relay");
    let title = format!("{shown} hour by hour over {}: relays that went up and down together lie together.", range.words());
    let of = if rows.len() < found.len() {
        format!("The first {} of {} in the order of the list. ", rows.len(), format::count(found.len() as u64))
    } else {
        String::new()
    };
    let rest = format!("{of}Yellow: down; dark: up; hatched: no consensus known. By our own consensuses.");
    Ok(Chart::new(NAME, title, note(view, &rest), Kind::Heat(Heat { of: "Relay".to_owned(), edges, rows })))
}

fn range(params: &Params) -> Result<Range, RequestError> {
    match params.one("range")? {
        None | Some("7d") => Ok(Range::Days7),
        Some("30d") => Ok(Range::Days30),
        Some(other) => Err(RequestError::bad("range", other, "7d or 30d")),
    }
}

/// The canonical query part.
fn address(params: &Params) -> Result<String, RequestError> {
    let mut pairs = query_pairs(&relay_query(params)?);
    pairs.push(("range", range(params)?.name().to_owned()));
    Ok(query_string(&pairs))
}
