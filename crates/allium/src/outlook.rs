//! Forecasts beside a running service: a model trained on the store once a day, and asked again with each new view.
//!
//! The work runs on a thread of its own, one piece after the other, so that at most one history lies in memory and no page waits;
//! afterwards it rests three times as long as it took, up to an hour. What fails is logged and tried again with the next view.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use allium_forecast::{HORIZON_DAYS, Model, Past};
use allium_history::{History as _, SqliteHistory};
use allium_model::ConsensusHour;
use allium_views::text::inert;
use allium_views::{Forecasts, ModelFacts, Outlook, Site};
use tokio::sync::oneshot;

use crate::commands::forecast::{accept, of_history};

/// Hours after which a model is trained again.
const TRAIN_EVERY_HOURS: i32 = 24;
/// Fewest known consensuses to forecast from: a week of them.
const LEAST_CONSENSUSES: usize = 168;
/// The longest rest after work.
const LONGEST_REST: Duration = Duration::from_secs(3_600);

/// Keeps the forecasts of a site up to date with its view, for as long as the site is served.
pub(crate) async fn keep(site: Site, store: PathBuf) {
    let mut views = site.changes();
    let mut trained = None;
    loop {
        views.mark_unchanged();
        if let Some(view) = site.view() {
            let begun = Instant::now();
            trained = step(&site, trained, view.as_of(), store.clone()).await;
            tokio::time::sleep((begun.elapsed() * 3).min(LONGEST_REST)).await;
        }
        if views.changed().await.is_err() {
            return;
        }
    }
}

/// A model and the consensus as of which the latest one was trained, whether or not that one was taken into use.
struct Trained {
    model: Model,
    tried_as_of: ConsensusHour,
}

/// One round: publishes forecasts, or why there are none. Gives the model for the next round.
async fn step(site: &Site, trained: Option<Trained>, as_of: ConsensusHour, store: PathBuf) -> Option<Trained> {
    let (done, outcome) = oneshot::channel();
    // Training takes minutes. A thread of the runtime's own would keep the program from ending meanwhile.
    let thread = std::thread::Builder::new().name("outlook".to_owned());
    let spawned = thread.spawn(move || {
        // Nobody waits any more when the program ends.
        let _ = done.send(worked_out(trained, as_of, &store));
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

/// Reads the store, trains where it is time to, and forecasts.
fn worked_out(trained: Option<Trained>, as_of: ConsensusHour, store: &Path) -> anyhow::Result<(Outlook, Option<Trained>)> {
    let past = of_history(&SqliteHistory::open_read_only(store)?.exact_as_of(as_of)?);
    let n_known = past.hours().len();
    if n_known < LEAST_CONSENSUSES {
        let reason =
            format!("our own record holds {n_known} of the {LEAST_CONSENSUSES} consensuses, a week of them, that it takes at least");
        return Ok((Outlook::Missing(reason), trained));
    }
    let begun = Instant::now();
    let trained = fresh(trained, &past, as_of);
    let training = begun.elapsed();
    let relays = trained.model.forecast(&past, as_of);
    let millis = (begun.elapsed() - training).as_millis();
    tracing::info!(%as_of, relays = relays.len(), millis, training_millis = training.as_millis(), "forecasts made");
    let forecasts = Forecasts::new(as_of, trained.model.horizon_days(), ModelFacts::from(&trained.model), relays);
    Ok((Outlook::Known(Arc::new(forecasts)), Some(trained)))
}

/// The model to use: the one at hand for a day, then a new one unless that scores worse.
fn fresh(trained: Option<Trained>, past: &Past, as_of: ConsensusHour) -> Trained {
    match trained {
        Some(trained) if (0..TRAIN_EVERY_HOURS).contains(&as_of.hours_since(trained.tried_as_of)) => trained,
        Some(Trained { model: in_use, .. }) => {
            let model = Model::train(past, as_of, HORIZON_DAYS);
            let accepted = accept(&model, &in_use);
            if let Err(reason) = &accepted {
                tracing::warn!(%reason, "the model in use stays");
            }
            Trained { model: if accepted.is_ok() { model } else { in_use }, tried_as_of: as_of }
        }
        None => Trained { model: Model::train(past, as_of, HORIZON_DAYS), tried_as_of: as_of },
    }
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
        let first = fresh(None, &past, ConsensusHour::new(300));
        assert_eq!(trained_at(fresh(Some(first), &past, ConsensusHour::new(323))), (300, 300));
        let first = fresh(None, &past, ConsensusHour::new(300));
        assert_eq!(trained_at(fresh(Some(first), &past, ConsensusHour::new(324))), (324, 324));
    }

    #[test]
    fn a_store_that_goes_back_in_time_keeps_its_newer_model() {
        let past = past(400);
        let first = fresh(None, &past, ConsensusHour::new(399));
        let next = fresh(Some(first), &past, ConsensusHour::new(300));
        assert_eq!((next.tried_as_of.get(), next.model.trained_as_of().get()), (300, 399));
    }

    #[test]
    fn an_empty_store_says_how_much_is_missing() {
        let scratch = tempfile::tempdir().unwrap();
        let store = scratch.path().join("empty.db");
        drop(SqliteHistory::open(&store).unwrap());
        let (outlook, trained) = worked_out(None, ConsensusHour::new(300), &store).unwrap();
        assert!(trained.is_none());
        assert!(matches!(outlook, Outlook::Missing(reason) if reason.contains("0 of the 168 consensuses")));
    }
}
