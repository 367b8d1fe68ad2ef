//! The table of spans: which relay was listed when, in which state.

use std::ops::Range;

use allium_history::{IndexSpan, RelayTimeline, Timeline};
use allium_model::{ConsensusHour, Known, RelayFlag, RelayState};

use super::month::{Month, Stretch};
use super::output::Table;
use super::table::{Cell, Column, Kind};

pub(super) const COLUMNS: &[Column] = &[
    Column::required("fingerprint", Kind::Text),
    Column::required("start_at", Kind::Time),
    Column::required("end_at", Kind::Time),
    Column::required("running", Kind::Flag),
    Column::required("guard", Kind::Flag),
    Column::required("exit", Kind::Flag),
    Column::optional("authority", Kind::Flag),
    Column::optional("bad_exit", Kind::Flag),
    Column::optional("fast", Kind::Flag),
    Column::optional("hs_dir", Kind::Flag),
    Column::optional("middle_only", Kind::Flag),
    Column::optional("no_ed_consensus", Kind::Flag),
    Column::optional("stable", Kind::Flag),
    Column::optional("stale_desc", Kind::Flag),
    Column::optional("sybil", Kind::Flag),
    Column::optional("v2_dir", Kind::Flag),
    Column::optional("valid", Kind::Flag),
    Column::optional("country", Kind::Text),
    Column::optional("asn", Kind::Number),
    Column::optional("version", Kind::Text),
];

/// The flags in the order of their columns: first those that every source states.
const FLAGS: [RelayFlag; 14] = [
    RelayFlag::Running,
    RelayFlag::Guard,
    RelayFlag::Exit,
    RelayFlag::Authority,
    RelayFlag::BadExit,
    RelayFlag::Fast,
    RelayFlag::HSDir,
    RelayFlag::MiddleOnly,
    RelayFlag::NoEdConsensus,
    RelayFlag::Stable,
    RelayFlag::StaleDesc,
    RelayFlag::Sybil,
    RelayFlag::V2Dir,
    RelayFlag::Valid,
];

/// Writes the spans of a month by relay and time, cut at its borders and where it changes which flags are known.
pub(super) fn write(timeline: &Timeline, month: &Month<'_>, table: &mut Table<'_>) -> anyhow::Result<()> {
    for relay in timeline.relays() {
        let fingerprint = relay.fingerprint.to_string();
        for span in spans_in(relay, &month.indices) {
            for (indices, has_all_flags) in cut(span, &month.stretches) {
                table.row(&row(&fingerprint, interval(timeline.known(), &indices), timeline.state(span), has_all_flags))?;
            }
        }
    }
    Ok(())
}

/// The spans of a relay with a consensus at these indices.
fn spans_in<'a>(relay: &'a RelayTimeline, indices: &Range<u32>) -> &'a [IndexSpan] {
    let from = relay.spans.partition_point(|span| span.end <= indices.start);
    let to = relay.spans.partition_point(|span| span.start < indices.end);
    relay.spans.get(from..to).unwrap_or_default()
}

/// The parts of a span, and whether all flags are known in each.
fn cut(span: &IndexSpan, stretches: &[Stretch]) -> impl Iterator<Item = (Range<u32>, bool)> {
    let first = stretches.partition_point(|stretch| stretch.indices.end <= span.start);
    let touched = stretches[first..].iter().take_while(|stretch| stretch.indices.start < span.end);
    touched.map(|stretch| (span.start.max(stretch.indices.start)..span.end.min(stretch.indices.end), stretch.has_all_flags))
}

/// From the first consensus to the hour after the last.
fn interval(known: &Known, indices: &Range<u32>) -> (ConsensusHour, ConsensusHour) {
    let hours = known.hours();
    (hours[indices.start as usize], hours[indices.end as usize - 1].next())
}

fn row<'a>(
    fingerprint: &'a str,
    (start, end): (ConsensusHour, ConsensusHour),
    state: &'a RelayState,
    has_all_flags: bool,
) -> [Cell<'a>; COLUMNS.len()] {
    let mut row = [Cell::Null; COLUMNS.len()];
    row[0] = Cell::Text(fingerprint);
    row[1] = Cell::Time(start);
    row[2] = Cell::Time(end);
    for (cell, flag) in row[3..].iter_mut().zip(FLAGS) {
        if has_all_flags || Known::LISTED_FLAGS.contains(&flag) {
            *cell = Cell::Flag(state.flags.contains(flag));
        }
    }
    let after_flags = 3 + FLAGS.len();
    row[after_flags] = Cell::text(state.country.as_ref().map(allium_model::CountryCode::as_str));
    row[after_flags + 1] = Cell::number(state.asn.map(|asn| asn.0));
    row[after_flags + 2] = Cell::text(state.version.as_deref());
    row
}
