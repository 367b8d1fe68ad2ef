//! The same as CSV: one header line, `,` between and `"` around where needed, an empty cell for what is absent.
//! Strangers' text is inert (see [`allium_words::inert::csv_cell`]); lists are joined with spaces.

use allium_model::Period;
use allium_service::View;
use allium_words::inert::csv_cell;

use super::network::{NetworkJson, PeriodJson};
use super::{DataQualityJson, RelayDetail};
use crate::error::RequestError;
use crate::form::write_csv;

/// One line per group of relays and period.
pub(super) fn network(view: &View) -> Result<String, RequestError> {
    const HEADER: [&str; 11] = ["relays", "period", "n_relays", "mean", "weighted_mean", "q05", "q25", "median", "q75", "q95", "std_dev"];
    let network = NetworkJson::of(view);
    let groups = std::iter::once(("all", &network.uptime)).chain(network.by_flag.iter().map(|flag| (flag.flag, &flag.uptime)));
    let lines = groups.flat_map(|(name, uptime)| Period::ALL.map(|period| period_line(name, period, uptime[period.name()].as_ref())));
    write_csv(HEADER.map(str::to_owned).to_vec(), lines)
}

fn period_line(name: &str, period: Period, figures: Option<&PeriodJson>) -> Vec<String> {
    let start = vec![name.to_owned(), period.name().to_owned()];
    let Some(f) = figures else { return start.into_iter().chain(std::iter::repeat_n(String::new(), 9)).collect() };
    let numbers = [Some(f.mean), f.weighted_mean, Some(f.q05), Some(f.q25), Some(f.median), Some(f.q75), Some(f.q95), f.std_dev];
    start.into_iter().chain([f.n_relays.to_string()]).chain(numbers.map(or_empty)).collect()
}

/// One line per interval of each strip.
pub(super) fn strips(detail: &RelayDetail<'_>) -> Result<String, RequestError> {
    let lines = Period::ALL.into_iter().flat_map(|period| {
        let cells = detail.strips[period.name()].iter();
        cells.map(move |cell| vec![period.name().to_owned(), cell.start.clone(), cell.end.clone(), or_empty(cell.uptime)])
    });
    write_csv(["period", "start", "end", "uptime"].map(str::to_owned).to_vec(), lines)
}

/// One line per document in use.
pub(super) fn sources(quality: &DataQualityJson<'_>) -> Result<String, RequestError> {
    const HEADER: [&str; 7] = ["kind", "origin", "published", "obtained_at", "size_bytes", "n_relays", "n_rejects"];
    let lines = quality.sources.iter().map(|s| {
        let numbers = [s.size_bytes, s.n_relays as u64, s.n_rejects as u64].map(|n| n.to_string());
        [s.kind.to_owned(), csv_cell(s.origin), s.published.clone(), s.obtained_at.clone()].into_iter().chain(numbers).collect()
    });
    write_csv(HEADER.map(str::to_owned).to_vec(), lines)
}

fn or_empty(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
