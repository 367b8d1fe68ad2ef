//! A day of weights and bandwidths as the store keeps it. A damaged one is an error or other figures, never a panic.

use std::ops::ControlFlow;

use allium_history::{ConsensusInfo, ConsensusSource, FullConsensus, Grouping, Listed, Store as AnyStore};
use allium_model::{ConsensusHour, Fingerprint, RelayFlag, RelayState};

use super::altered::Altered;
use super::common::stored_form;

/// Raw figures above this are refused.
const MAX_RAW_BYTES: usize = 64 << 20;
const RELAYS: [Fingerprint; 2] = [Fingerprint::new([3; 20]), Fingerprint::new([7; 20])];
/// The first hour of a day.
const FIRST: ConsensusHour = ConsensusHour::new(492_000);

thread_local! {
    static STORE: Store = Store::new();
}

/// A store of two relays on one day, whose figures are replaced behind its back.
struct Store {
    altered: Altered,
    history: Box<dyn AnyStore>,
}

/// The raw figures in the store's form, and the bytes as if they had that form.
pub(crate) fn day_figures(bytes: &[u8]) {
    let blob = stored_form(bytes);
    STORE.with(|store| [&blob, bytes].into_iter().for_each(|blob| store.check(blob)));
}

impl Store {
    fn new() -> Self {
        let altered = Altered::new(fill);
        Self { history: altered.history(), altered }
    }

    fn check(&self, blob: &[u8]) {
        self.altered.replace("UPDATE measures SET figures = ?1", blob);
        let (counts, report) = (counts(&*self.history), self.history.check().expect("a check ends"));
        assert_eq!(counts, self::counts(&*self.history), "the same bytes");
        let Ok((days, hours)) = counts else {
            assert!(!report.is_sound(), "what cannot be read is not sound");
            return;
        };
        assert!(days <= RELAYS.len() && hours <= 24 * Grouping::ALL.len(), "one day of two relays with one flag and no location");
    }
}

/// Number of days of relays and of hours of groups; each sorted, and with finite shares.
fn counts(store: &dyn AnyStore) -> Result<(usize, usize), String> {
    let (from, to, mut days, mut hours) = (FIRST, FIRST.plus(24), Vec::new(), Vec::new());
    let mut day = |relay: &Fingerprint, day: &allium_history::RelayDay| {
        assert!(day.start == FIRST && day.n_weighed <= 24);
        assert!([day.consensus_weight, day.advertised_bandwidth, day.observed_bandwidth].iter().flatten().all(|mean| mean.is_finite()));
        days.push(*relay);
        ControlFlow::Continue(())
    };
    store.each_relay_day(from, to, &mut day).map_err(|error| error.to_string())?;
    assert!(days.is_sorted());
    for relay in RELAYS {
        let alone = store.relay_days(&relay, from, to).map_err(|error| error.to_string())?;
        assert_eq!(alone.len(), days.iter().filter(|listed| **listed == relay).count(), "one relay and all");
    }
    for by in Grouping::ALL {
        for group in store.group_hours(by, from, to).map_err(|error| error.to_string())?.into_values() {
            assert!(group.is_sorted_by(|a, b| a.hour < b.hour) && group.iter().all(|at| at.n_weighed <= 2));
            hours.extend(group);
        }
    }
    Ok((days.len(), hours.len()))
}

/// Two relays with weights, at every hour of the day.
fn fill(store: &mut dyn AnyStore) {
    for n in 0..24 {
        let flags = [RelayFlag::Running].into_iter().collect();
        let listed = |(i, fingerprint)| Listed {
            weight: Some(1000 + 7 * n + i as u64),
            ..Listed::of(fingerprint, RelayState { flags, ..RelayState::default() })
        };
        let hour = FIRST.plus(n as i32);
        let consensus = FullConsensus {
            info: ConsensusInfo { hour, source: ConsensusSource::Collector, verified: true, received_at: hour.start() },
            listed: RELAYS.into_iter().enumerate().map(listed).collect(),
            bandwidth_weights: [("Wmm", 10_000)].into(),
        };
        assert!(store.append_full_consensus(&consensus).expect("a store takes it"));
    }
}

/// The raw figures of such a day.
pub(crate) fn raw() -> Vec<u8> {
    Altered::new(fill).raw("SELECT figures FROM measures", MAX_RAW_BYTES)
}
