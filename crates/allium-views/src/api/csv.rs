//! The same as CSV: one header line, `,` between and `"` around where needed, an empty cell for what is absent.
//! Strangers' text is inert (see [`allium_words::inert::csv_cell`]); lists are joined with spaces.

use std::collections::BTreeMap;

use allium_model::Period;
use allium_service::View;
use allium_words::inert::csv_cell;

use super::network::{NetworkJson, PeriodJson};
use super::{DataQualityJson, RelayDetail, RelaySummary, write_csv};
use crate::error::RequestError;

/// One line per relay.
pub(super) fn relays<'a>(relays: impl Iterator<Item = RelaySummary<'a>>) -> Result<String, RequestError> {
    const FIRST: [&str; 5] = ["fingerprint", "nickname", "running", "current", "since"];
    const LAST: [&str; 24] = [
        "flags",
        "consensus_weight",
        "consensus_weight_fraction",
        "guard_probability",
        "middle_probability",
        "exit_probability",
        "advertised_bandwidth_bytes_per_sec",
        "country",
        "country_name",
        "as",
        "as_name",
        "or_addresses",
        "version",
        "version_status",
        "platform",
        "contact",
        "first_seen",
        "last_seen",
        "last_restarted",
        "uptime_source_1_month",
        "uptime_source_6_months",
        "uptime_source_1_year",
        "aroi",
        "aroi_domain",
    ];
    let uptime = Period::ALL.map(|period| format!("uptime_{}", period.name()));
    let published = Period::ALL.map(|period| format!("uptime_as_published_{}", period.name()));
    let header = FIRST.map(str::to_owned).into_iter().chain(uptime).chain(published).chain(LAST.map(str::to_owned));
    write_csv(header.collect(), relays.map(|relay| relay_line(&relay)))
}

fn relay_line(relay: &RelaySummary<'_>) -> Vec<String> {
    let foreign = |text: Option<&str>| text.map_or_else(String::new, csv_cell);
    let source = |period: Period| relay.uptime_source[period.name()].as_ref().map_or_else(String::new, |source| source.kind.to_owned());
    let mut line = vec![
        relay.fingerprint.clone(),
        foreign(relay.nickname),
        relay.running.to_string(),
        relay.current.to_string(),
        relay.since.as_ref().map_or_else(String::new, |since| since.since.clone()),
    ];
    line.extend(in_order(&relay.uptime));
    line.extend(in_order(&relay.uptime_as_published));
    line.extend([
        csv_cell(&relay.flags.join(" ")),
        or_empty(relay.consensus_weight),
        or_empty(relay.consensus_weight_fraction),
        or_empty(relay.guard_probability),
        or_empty(relay.middle_probability),
        or_empty(relay.exit_probability),
        or_empty(relay.advertised_bandwidth_bytes_per_sec),
        or_empty(relay.country.as_ref()),
        foreign(relay.country_name),
        or_empty(relay.asn.as_ref()),
        foreign(relay.as_name),
        relay.or_addresses.join(" "),
        foreign(relay.version),
        foreign(relay.version_status),
        foreign(relay.platform),
        foreign(relay.contact),
        or_empty(relay.first_seen.as_ref()),
        or_empty(relay.last_seen.as_ref()),
        or_empty(relay.last_restarted.as_ref()),
        source(Period::OneMonth),
        source(Period::SixMonths),
        source(Period::OneYear),
        relay.aroi.as_ref().map_or_else(String::new, |aroi| aroi.state.to_owned()),
        or_empty(relay.aroi.as_ref().and_then(|aroi| aroi.domain.as_ref())),
    ]);
    line
}

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

fn in_order(values: &BTreeMap<&'static str, Option<f64>>) -> [String; 7] {
    Period::ALL.map(|period| or_empty(values[period.name()]))
}

fn or_empty(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
