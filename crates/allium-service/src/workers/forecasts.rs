//! Forecasts: a model trained on the store once a day, and asked again with each consensus.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{Basis, Forecasts, GroupLikeness, ModelFacts, NetworkOutlook, Outlook, Scoreboard, View};
use allium_forecast::network::Daily;
use allium_forecast::totals::likeness;
use allium_forecast::{Forecast, HORIZON_DAYS, Model, Past};
use allium_model::ConsensusHour;
use anyhow::bail;

use super::past::{Ground, ground, of_timeline, weights};
use super::{Context, Next, SharedStore, Step, Worker, network_of};
use crate::snapshot::{Patch, Snapshot};

/// Hours after which a model is trained again.
const TRAIN_EVERY_HOURS: i32 = 24;
/// Days between the past forecasts that measure how far relays fare alike, and their number.
const LIKENESS_STEP_DAYS: i32 = 30;
const LIKENESS_ORIGINS: i32 = 4;
/// The longest rest after work.
const LONGEST_REST: Duration = Duration::from_secs(3_600);
/// Factor by which a new model may score worse than the one in use: held-out origins differ from day to day.
const TOLERANCE: f64 = 1.05;

/// Keeps forecasts up to date with the network.
pub struct ForecastWorker {
    /// File of an evaluation, which is read again with each network.
    scoreboard: PathBuf,
    /// True if the scoreboard was read for the network at hand.
    has_read_scoreboard: bool,
    trained: Option<Trained>,
}

impl ForecastWorker {
    /// A worker without a model; `scoreboard` is the file of an evaluation.
    pub const fn new(scoreboard: PathBuf) -> Self {
        Self { scoreboard, has_read_scoreboard: false, trained: None }
    }
}

impl Worker for ForecastWorker {
    fn name(&self) -> &'static str {
        "forecasts"
    }

    /// Training takes minutes; the scoreboard is shown before.
    fn step(&mut self, snapshot: &Snapshot, context: &Context) -> anyhow::Result<Step> {
        let view = network_of(snapshot)?;
        if !self.has_read_scoreboard {
            self.has_read_scoreboard = true;
            let scoreboard = read_scoreboard(&self.scoreboard).map(Box::new);
            return Ok(Step::then(Next::Now).with(Patch::Scoreboard(scoreboard)));
        }
        let outlook = outlook(&mut self.trained, view, &context.store)?;
        self.has_read_scoreboard = false;
        Ok(Step::then(Next::Network).with(Patch::Outlook(outlook)))
    }

    fn rest(&self, took: Duration) -> Duration {
        (took * 3).min(LONGEST_REST)
    }

    fn only_reads(&self) -> bool {
        true
    }
}

/// A model and the consensus as of which the latest one was trained, whether or not that one was taken into use.
struct Trained {
    model: Arc<Model>,
    basis: Basis,
    tried_as_of: ConsensusHour,
}

/// Reads the scores that an evaluation wrote; `None` where there is no such file, or none that can be read, which is logged.
fn read_scoreboard(file: &Path) -> Option<Scoreboard> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "scoreboard not read");
            return None;
        }
    };
    let read = Scoreboard::from_json(&text);
    read.inspect_err(|error| tracing::warn!(file = %file.display(), %error, "scoreboard not read")).ok()
}

/// Reads the store, trains where it is time to, and forecasts.
fn outlook(trained: &mut Option<Trained>, view: &View, store: &SharedStore) -> anyhow::Result<Outlook> {
    let as_of = view.as_of();
    let own = store.read_whole(|store| Ok(of_timeline(&store.timeline()?, as_of)))?;
    let Ground { past, basis, shortage } = ground(own, as_of, || Ok(Some(&view.record)))?;
    if let Some(shortage) = shortage {
        return Ok(Outlook::Missing(shortage));
    }
    let begun = Instant::now();
    let in_use = trained.take();
    let trained = trained.insert(fresh(in_use, &past, basis, as_of));
    let training = begun.elapsed();
    let relays = trained.model.forecast(&past, as_of);
    let millis = (begun.elapsed() - training).as_millis();
    tracing::info!(%as_of, relays = relays.len(), millis, training_millis = training.as_millis(), basis = ?basis, "forecasts made");
    let forecasts = Forecasts::new(as_of, trained.model.horizon_days(), ModelFacts::from(trained.model.as_ref()), relays)
        .resting_on(basis)
        .with_network(network(&past, basis, as_of, store)?)
        .with_likeness(alike(&trained.model, &past, view))
        .with_habits(&past, &view.record)
        .with_explainer(Arc::clone(&trained.model), &past);
    tracing::info!(%as_of, millis = begun.elapsed().as_millis(), "outlook published");
    Ok(Outlook::Known(Arc::new(forecasts)))
}

/// The whole network in the months ahead. Graphs are of relays that still exist: no ground for counts of the past.
fn network(past: &Past, basis: Basis, as_of: ConsensusHour, store: &SharedStore) -> anyhow::Result<NetworkOutlook> {
    Ok(match basis {
        Basis::OwnRecord => NetworkOutlook::of(Daily::of(past, as_of, &weights(&*store.read()?, as_of)?)),
        Basis::PublishedGraphs => NetworkOutlook::default(),
    })
}

/// Correlation of relays of one operator, AS and country in forecasts of the last months whose outcome is known. Operators
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

/// Refuses a model that is older than the one in use, or scores worse by more than a twentieth.
///
/// # Errors
/// The reason of the refusal.
pub fn accept(model: &Model, in_use: &Model) -> anyhow::Result<()> {
    if model.trained_as_of() < in_use.trained_as_of() {
        bail!("the model in use learned from consensuses up to {}, later than {}", in_use.trained_as_of(), model.trained_as_of());
    }
    let (Some(score), Some(known)) = (model.score(), in_use.score()) else { return Ok(()) };
    if model.horizon_days() == in_use.horizon_days() && score.crps > known.crps * TOLERANCE {
        bail!("rejected: CRPS {:.4} on held-out origins, {:.4} for the model in use", score.crps, known.crps);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use allium_forecast::{PastSpan, RelayPast};
    use allium_model::Fingerprint;

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

    #[test]
    fn a_scoreboard_that_is_none_is_passed_over() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("forecast.json");
        assert_eq!(read_scoreboard(&file), None);
        std::fs::write(&file, "{\"horizon_days\":30,\"origins\":[]}").unwrap();
        assert_eq!(read_scoreboard(&file), None);
    }
}
