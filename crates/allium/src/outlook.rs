//! Forecasts beside a running service: a model trained on the store once a day, and asked again with each new view.
//!
//! The work runs on a thread of its own, one piece after the other, so that at most one history lies in memory and no page waits;
//! afterwards it rests three times as long as it took, up to an hour. What fails is logged and tried again with the next view.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use allium_forecast::network::Daily;
use allium_forecast::totals::likeness;
use allium_forecast::{Forecast, HORIZON_DAYS, Model, Past};
use allium_history::{History as _, SqliteHistory};
use allium_model::{ConsensusHour, NetworkRecord, PublishedGraph, Quantity};
use allium_views::text::inert;
use allium_views::{Basis, Forecasts, GroupLikeness, ModelFacts, NetworkOutlook, Outlook, Scoreboard, Site, View};
use tokio::sync::oneshot;

use crate::commands::forecast::{MIN_OWN_CONSENSUSES, accept, of_graphs, of_history, weights};

/// Hours after which a model is trained again.
const TRAIN_EVERY_HOURS: i32 = 24;
/// Fewest known consensuses to forecast from where no graphs are published: a week of them.
const LEAST_CONSENSUSES: usize = 168;
/// How many days apart the past forecasts are that tell how far relays fare alike, and how many there are.
const LIKENESS_STEP_DAYS: i32 = 30;
const LIKENESS_ORIGINS: i32 = 4;
/// The longest rest after work.
const LONGEST_REST: Duration = Duration::from_secs(3_600);

/// Keeps the forecasts of a site up to date with its view, for as long as the site is served.
///
/// `scoreboard` is the file of an evaluation, which is read again with each view.
pub(crate) async fn keep(site: Site, store: PathBuf, scoreboard: PathBuf) {
    let mut views = site.changes();
    let mut trained = None;
    loop {
        views.mark_unchanged();
        if let Some(view) = site.view() {
            let begun = Instant::now();
            site.set_scoreboard(read_scoreboard(&scoreboard));
            trained = step(&site, trained, view, store.clone()).await;
            tokio::time::sleep((begun.elapsed() * 3).min(LONGEST_REST)).await;
        }
        if views.changed().await.is_err() {
            return;
        }
    }
}

/// A model and the consensus as of which the latest one was trained, whether or not that one was taken into use.
struct Trained {
    model: Arc<Model>,
    basis: Basis,
    tried_as_of: ConsensusHour,
}

/// One round: publishes forecasts, or why there are none. Gives the model for the next round.
async fn step(site: &Site, trained: Option<Trained>, view: Arc<View>, store: PathBuf) -> Option<Trained> {
    let (done, outcome) = oneshot::channel();
    // Training takes minutes. A thread of the runtime's own would keep the program from ending meanwhile.
    let thread = std::thread::Builder::new().name("outlook".to_owned());
    let spawned = thread.spawn(move || {
        // Nobody waits any more when the program ends.
        let _ = done.send(worked_out(trained, &view, &store));
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "no thread for forecasts");
    }
    match outcome.await {
        Ok(Ok((outlook, trained))) => {
            site.set_outlook(outlook);
            trained
        }
        Ok(Err(error)) => {
            let reason = inert(&format!("{error:#}"));
            tracing::error!(%reason, "no forecast made");
            None
        }
        Err(_) => None,
    }
}

/// The scores that an evaluation wrote; `None` where there is no such file, or none that can be read, which is logged.
fn read_scoreboard(file: &Path) -> Option<Scoreboard> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "no scoreboard");
            return None;
        }
    };
    let read = Scoreboard::from_json(&text);
    read.inspect_err(|error| tracing::warn!(file = %file.display(), %error, "no scoreboard")).ok()
}

/// Reads the store, trains where it is time to, and forecasts.
fn worked_out(trained: Option<Trained>, view: &View, store: &Path) -> anyhow::Result<(Outlook, Option<Trained>)> {
    let as_of = view.as_of();
    let store = SqliteHistory::open_read_only(store)?;
    let own = of_history(&store.exact_as_of(as_of)?);
    let (past, basis) = match ground(own, &view.record) {
        Ok(ground) => ground,
        Err(reason) => return Ok((Outlook::Missing(reason), trained)),
    };
    let begun = Instant::now();
    let trained = fresh(trained, &past, basis, as_of);
    let training = begun.elapsed();
    let relays = trained.model.forecast(&past, as_of);
    let millis = (begun.elapsed() - training).as_millis();
    tracing::info!(%as_of, relays = relays.len(), millis, training_millis = training.as_millis(), basis = ?basis, "forecasts made");
    // Graphs tell only of relays that still exist: no ground for counts of the past.
    let network = match basis {
        Basis::OwnRecord => NetworkOutlook::of(Daily::of(&past, as_of, &weights(&store, as_of)?)),
        Basis::PublishedGraphs => NetworkOutlook::default(),
    };
    let forecasts = Forecasts::new(as_of, trained.model.horizon_days(), ModelFacts::from(trained.model.as_ref()), relays)
        .resting_on(basis)
        .with_network(network)
        .with_likeness(alike(&trained.model, &past, view))
        .with_habits(&past)
        .with_explainer(Arc::clone(&trained.model), &past);
    tracing::info!(%as_of, millis = begun.elapsed().as_millis(), "outlook published");
    Ok((Outlook::Known(Arc::new(forecasts)), Some(trained)))
}

/// What forecasts rest on: our own record once it is long enough, published graphs before that, and where there are none even a
/// short record. Says what is missing where that is less than a week.
fn ground(own: Past, record: &NetworkRecord) -> Result<(Past, Basis), String> {
    let n_known = own.hours().len();
    if n_known >= MIN_OWN_CONSENSUSES {
        return Ok((own, Basis::OwnRecord));
    }
    let is_uptime = |graph: &PublishedGraph| graph.quantity == Quantity::Uptime;
    if record.relays.iter().any(|relay| relay.published.iter().any(is_uptime)) {
        return Ok((of_graphs(record, record.as_of), Basis::PublishedGraphs));
    }
    if n_known >= LEAST_CONSENSUSES {
        return Ok((own, Basis::OwnRecord));
    }
    Err(format!(
        "our own record holds {n_known} of the {LEAST_CONSENSUSES} consensuses, a week of them, that it takes at least, and there are no published graphs of uptime"
    ))
}

/// How far relays of one operator, AS and country fared alike, by forecasts of the last months whose outcome is known. Operators
/// are those of today.
fn alike(model: &Model, past: &Past, view: &View) -> GroupLikeness {
    let origins = (1..=LIKENESS_ORIGINS).map(|i| view.as_of().plus(-24 * LIKENESS_STEP_DAYS * i));
    let forecasts: Vec<Forecast> = origins.flat_map(|origin| model.forecast(past, origin)).collect();
    let relay = |forecast: &Forecast| view.find(&forecast.fingerprint).map(|record| &record.relay);
    let operator = |forecast: &Forecast| view.operators.directory.of_relay.get(view.relay_idx(&forecast.fingerprint)?).copied().flatten();
    let country =
        |forecast: &Forecast| relay(forecast)?.country.map(|country| country.as_str().bytes().fold(0, |n, b| n * 256 + u32::from(b)));
    GroupLikeness {
        operator: likeness(past, &forecasts, operator),
        autonomous_system: likeness(past, &forecasts, |forecast| relay(forecast)?.asn.map(|asn| asn.0)),
        country: likeness(past, &forecasts, country),
    }
}

/// The model to use: the one at hand for a day, then a new one unless that scores worse. One that learned from other ground goes.
fn fresh(trained: Option<Trained>, past: &Past, basis: Basis, as_of: ConsensusHour) -> Trained {
    let train = || Arc::new(Model::train(past, as_of, HORIZON_DAYS));
    match trained.filter(|trained| trained.basis == basis) {
        Some(trained) if (0..TRAIN_EVERY_HOURS).contains(&as_of.hours_since(trained.tried_as_of)) => trained,
        Some(Trained { model: in_use, .. }) => {
            let model = train();
            let accepted = accept(&model, &in_use);
            if let Err(reason) = &accepted {
                tracing::warn!(%reason, "the model in use stays");
            }
            Trained { model: if accepted.is_ok() { model } else { in_use }, basis, tried_as_of: as_of }
        }
        None => Trained { model: train(), basis, tried_as_of: as_of },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use allium_forecast::{PastSpan, RelayPast};
    use allium_model::{Fingerprint, GraphPeriod, Known, Period, Relay, RelayRecord, Series};

    use super::*;

    fn past(n_hours: u32) -> Past {
        let span = PastSpan { start: 0, end: n_hours, running: true, guard: false, exit: false, asn: None, country: None };
        let relays = vec![RelayPast::new(Fingerprint::new([7; 20]), vec![span])];
        Past::new((0..n_hours as i32).map(ConsensusHour::new).collect(), relays)
    }

    #[test]
    fn a_model_is_used_for_a_day() {
        let past = past(400);
        let trained_at = |trained: Trained| (trained.tried_as_of.get(), trained.model.trained_as_of().get());
        let first = fresh(None, &past, Basis::OwnRecord, ConsensusHour::new(300));
        assert_eq!(trained_at(fresh(Some(first), &past, Basis::OwnRecord, ConsensusHour::new(323))), (300, 300));
        let first = fresh(None, &past, Basis::OwnRecord, ConsensusHour::new(300));
        assert_eq!(trained_at(fresh(Some(first), &past, Basis::OwnRecord, ConsensusHour::new(324))), (324, 324));
    }

    #[test]
    fn a_store_that_goes_back_in_time_keeps_its_newer_model() {
        let past = past(400);
        let first = fresh(None, &past, Basis::OwnRecord, ConsensusHour::new(399));
        let next = fresh(Some(first), &past, Basis::OwnRecord, ConsensusHour::new(300));
        assert_eq!((next.tried_as_of.get(), next.model.trained_as_of().get()), (300, 399));
    }

    #[test]
    fn a_model_that_learned_from_other_ground_goes() {
        let past = past(400);
        let first = fresh(None, &past, Basis::PublishedGraphs, ConsensusHour::new(300));
        let next = fresh(Some(first), &past, Basis::OwnRecord, ConsensusHour::new(301));
        assert_eq!((next.basis, next.tried_as_of.get()), (Basis::OwnRecord, 301));
    }

    fn record(published: Vec<PublishedGraph>) -> NetworkRecord {
        let as_of = ConsensusHour::new(490_000);
        let relay = Relay { last_seen: Some(as_of), running: true, ..Relay::unknown(Fingerprint::new([7; 20])) };
        let relays = vec![RelayRecord { relay, spans: Vec::new(), published }];
        NetworkRecord { as_of, known: Known::default(), relays, sources: Vec::new(), rejects: Vec::new() }
    }

    #[test]
    fn forecasts_rest_on_graphs_until_the_own_record_is_five_weeks_long() {
        let as_of = record(Vec::new()).as_of;
        let start = as_of.next().start_secs() - 180 * 14_400;
        let series = Series::from_codes(start, 14_400, 0.001, [Some(900); 180]).unwrap();
        let graph = PublishedGraph { quantity: Quantity::Uptime, period: GraphPeriod::Named(Period::OneMonth), series, completed: 0 };
        let basis = |hours, record: &NetworkRecord| ground(past(hours), record).map(|(_, basis)| basis);
        let (with, without) = (record(vec![graph]), record(Vec::new()));
        assert_eq!([0, 200, 839, 840].map(|hours| basis(hours, &with).unwrap() == Basis::PublishedGraphs), [true, true, true, false]);
        assert_eq!(basis(200, &without), Ok(Basis::OwnRecord));
        let reason = basis(100, &without).unwrap_err();
        assert!(reason.contains("100 of the 168 consensuses"), "{reason}");
        let (made, _) = ground(past(0), &with).unwrap();
        let model = Model::train(&made, as_of, HORIZON_DAYS);
        let forecasts = model.forecast(&made, as_of);
        assert!(forecasts.len() == 1 && forecasts[0].running && forecasts[0].recent.is_some(), "{forecasts:?}");
    }

    #[test]
    fn a_scoreboard_that_is_none_is_passed_over() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("forecast.json");
        assert_eq!(read_scoreboard(&file), None);
        std::fs::write(&file, "{\"horizon_days\":30,\"origins\":[]}").unwrap();
        assert_eq!(read_scoreboard(&file), None);
    }
}
