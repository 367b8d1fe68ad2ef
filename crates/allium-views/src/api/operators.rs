//! An operator for programs.

use std::collections::BTreeMap;

use allium_analysis::groups::Expansion;
use allium_analysis::leaderboards::Ranked;
use allium_analysis::operators::{Advice, Benchmark, LastIssue, OperatorFigures, Portfolio, advice, portfolio};
use allium_analysis::{AroiState, PastStandings, diagnose};
use allium_model::{Fraction, OperatorId, Period};
use allium_service::View;
use serde::Serialize;

use crate::error::RequestError;
use crate::form::to_json;
use crate::pages::earlier::Earlier;
use crate::pages::operators::{dashboard, identity};

/// An operator for programs.
#[derive(Serialize)]
struct OperatorJson {
    as_of: String,
    id: String,
    name: String,
    known_by: &'static str,
    claimed_domain: Option<String>,
    n_relays: usize,
    n_running: usize,
    n_earlier_keys: usize,
    weight_share: Option<f64>,
    advertised_bandwidth_bytes_per_sec: Option<u64>,
    aroi: BTreeMap<&'static str, usize>,
    uptime: BTreeMap<&'static str, Option<UptimeJson>>,
    offline: OfflineJson,
    issues: BTreeMap<&'static str, IssueJson>,
    rankings: BTreeMap<&'static str, RankJson>,
    standing: Option<serde_json::Value>,
    advice: Vec<serde_json::Value>,
}

#[derive(Serialize)]
struct UptimeJson {
    n_relays: usize,
    mean: f64,
    by_hours: f64,
    weighted_mean: Option<f64>,
    min: f64,
    median: f64,
    max: f64,
    std_dev: Option<f64>,
    peers_percentile: Option<f64>,
    n_peers: Option<usize>,
}

#[derive(Serialize)]
struct OfflineJson {
    relays: Vec<String>,
    consensus_weight: Option<u64>,
    share_of_operator: Option<f64>,
    share_of_network: Option<f64>,
}

#[derive(Serialize)]
struct IssueJson {
    severity: &'static str,
    n_relays: usize,
}

#[derive(Serialize)]
struct RankJson {
    rank: usize,
    rank_30_days_ago: Option<usize>,
    best_rank: Option<usize>,
    best_rank_at: Option<String>,
    score: f64,
    n_relays: usize,
}

/// `/api/v1/operators/<id>`
pub(crate) fn operator(view: &View, past: Option<&PastStandings>, id: &OperatorId) -> Result<String, RequestError> {
    let (operator_idx, figures) = view.operators.find(id).ok_or(RequestError::NoSuchPage)?;
    let members = &view.operators.list()[operator_idx].members;
    let details = portfolio(&view.record, &view.report, members);
    let of = &figures.members;
    let rankings = view.operators.leaderboards.badges(operator_idx, usize::MAX);
    to_json(&OperatorJson {
        as_of: view.as_of().to_string(),
        id: id.to_string(),
        name: view.operator_name(operator_idx),
        known_by: identity(id),
        claimed_domain: figures.claimed_domain.as_ref().map(ToString::to_string),
        n_relays: of.n_relays,
        n_running: of.n_running,
        n_earlier_keys: of.n_earlier_keys,
        weight_share: of.weight_share.map(Fraction::get),
        advertised_bandwidth_bytes_per_sec: of.advertised_bandwidth,
        aroi: AroiState::ALL.into_iter().zip(figures.by_aroi).map(|(state, n)| (state.name(), n)).collect(),
        uptime: Period::ALL.into_iter().map(|period| (period.name(), uptime_json(figures, period))).collect(),
        offline: offline_json(view, &details),
        issues: issues_json(view, members),
        standing: standing_json(view, operator_idx),
        advice: advice_json(view, operator_idx, &details),
        rankings: rankings
            .into_iter()
            .map(|(category, place)| (category.name(), rank_json(Earlier::of(view, past, category), id, &place)))
            .collect(),
    })
}

fn offline_json(view: &View, details: &Portfolio) -> OfflineJson {
    let offline = &details.offline;
    OfflineJson {
        relays: offline.relays.iter().filter_map(|(relay_idx, _)| fingerprint(view, *relay_idx)).collect(),
        consensus_weight: offline.consensus_weight,
        share_of_operator: offline.share_of_operator.map(Fraction::get),
        share_of_network: offline.share_of_network.map(Fraction::get),
    }
}

/// The issues of current relays, with how many relays have each.
fn issues_json(view: &View, members: &[u32]) -> BTreeMap<&'static str, IssueJson> {
    let mut issues: BTreeMap<&'static str, IssueJson> = BTreeMap::new();
    let current = members.iter().filter_map(|relay_idx| view.relay(*relay_idx as usize)).filter(|(_, report)| report.is_current_key());
    for issue in current.flat_map(|(record, report)| diagnose(record, report, view.as_of())) {
        issues.entry(issue.name()).or_insert(IssueJson { severity: issue.severity().name(), n_relays: 0 }).n_relays += 1;
    }
    issues
}

fn fingerprint(view: &View, relay_idx: u32) -> Option<String> {
    view.record.relays.get(relay_idx as usize).map(|record| record.relay.fingerprint.to_string())
}

fn rank_json(earlier: Earlier<'_>, id: &OperatorId, place: &Ranked) -> RankJson {
    let best = earlier.best(id, place.rank);
    RankJson {
        rank: place.rank,
        rank_30_days_ago: earlier.month_ago(id),
        best_rank: best.map(|(rank, _)| rank),
        best_rank_at: best.map(|(_, at)| at.to_string()),
        score: place.score,
        n_relays: place.n_relays,
    }
}

fn uptime_json(figures: &OperatorFigures, period: Period) -> Option<UptimeJson> {
    let uptime = figures.members.uptime[period.index()]?;
    let rank = figures.peers[period.index()];
    Some(UptimeJson {
        n_relays: uptime.n_relays,
        mean: uptime.mean.get(),
        by_hours: uptime.by_hours.get(),
        weighted_mean: uptime.weighted_mean.map(Fraction::get),
        min: uptime.min.get(),
        median: uptime.median.get(),
        max: uptime.max.get(),
        std_dev: uptime.std_dev,
        peers_percentile: rank.map(|rank| rank.percentile.get()),
        n_peers: rank.map(|rank| rank.n_operators - 1),
    })
}

/// A piece of advice for programs: its name, priority and the relays concerned.
fn advice_json(view: &View, operator_idx: usize, details: &Portfolio) -> Vec<serde_json::Value> {
    let json = |found: &Advice| {
        let fingerprints: Vec<String> = found.relays().iter().filter_map(|relay_idx| fingerprint(view, *relay_idx)).collect();
        let mut value = serde_json::json!({ "advice": found.name(), "priority": found.priority().name(), "relays": fingerprints });
        if let Advice::Expand { expansions, weight, .. } = found {
            value["consensus_weight"] = (*weight).into();
            value["places"] = expansions.iter().map(expansion_json).collect();
        }
        value
    };
    advice(&dashboard::advised(view, operator_idx), details).iter().map(json).collect()
}

fn expansion_json(expansion: &Expansion) -> serde_json::Value {
    serde_json::json!({
        "country": expansion.country.as_str(),
        "as": expansion.provider.map(|asn| asn.to_string()),
        "weight_share": expansion.weight_share.get(),
        "uptime": expansion.uptime.get(),
        "effective_number_of_countries": [expansion.before, expansion.after],
    })
}

/// The period of a standing for programs.
fn standing_json(view: &View, operator_idx: usize) -> Option<serde_json::Value> {
    let standing = dashboard::standing(view, operator_idx)?;
    let quantiles = standing.benchmark.as_ref().map(|found| {
        let at = |(level, quantile): (f64, Fraction)| (format!("{level}"), serde_json::Value::from(quantile.get()));
        Benchmark::LEVELS.into_iter().zip(found.quantiles).map(at).collect::<serde_json::Map<_, _>>()
    });
    let (is_out, days) = match standing.last_issue {
        None => (None, None),
        Some(LastIssue::Ongoing) => (Some(true), None),
        Some(LastIssue::Days(days)) => (Some(false), Some(days)),
        Some(LastIssue::NoneIn(_)) => (Some(false), None),
    };
    Some(serde_json::json!({
        "period": Period::name(standing.period),
        "score": standing.score.get(),
        "grade": standing.grade.name(),
        "mean": standing.mean.get(),
        "n_relays": standing.n_relays,
        "n_excellent": standing.n_excellent,
        "is_out_now": is_out,
        "days_since_issue": days,
        "peers": quantiles,
    }))
}
