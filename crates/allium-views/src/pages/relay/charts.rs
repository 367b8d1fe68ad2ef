//! The charts of a relay's page.

use allium_analysis::strip;
use allium_model::{Fraction, Period};

use crate::charts::{Chart, Kind, Line, Time, Unit};
use crate::error::RequestError;
use crate::params::Params;
use crate::view::View;

/// The chart of that name of the relay at this place.
pub(crate) fn chart(view: &View, params: &Params, relay_idx: usize, name: &str) -> Result<Chart, RequestError> {
    let (record, _) = view.relay(relay_idx).ok_or(RequestError::NoSuchPage)?;
    let period = params.one("period")?.map_or(Some(Period::OneYear), Period::from_name);
    let period = period.ok_or_else(|| RequestError::bad("period", "", Period::ALL.map(Period::name).join(", ")))?;
    if name != "uptime" {
        return Err(RequestError::NoSuchPage);
    }
    let strip = strip(record, &view.record.known, view.as_of(), period);
    let edges = strip.cells.iter().map(|cell| cell.start_secs).chain(strip.cells.last().map(|cell| cell.end_secs)).collect();
    let line = Line { label: "This relay".to_owned(), values: strip.cells.iter().map(|cell| cell.uptime.map(Fraction::get)).collect() };
    let title = format!("Uptime over {}.", period.label());
    Ok(Chart::new(name, title, String::new(), Kind::Time(Time::new(Unit::Share, edges, vec![line]))))
}
