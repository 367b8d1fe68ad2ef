//! Ranks of operators in the leaderboards at earlier times.
//!
//! What comes in: the record of an earlier consensus, as it was known then, with its report and its operators: nothing of what came
//! later. What goes out: [`Standings`], the rank of every operator in every category at that time, by the same formulas as today's;
//! and [`PastStandings`], several of them, which answer how far an operator moved and what its best rank was.
//!
//! A category in which nobody could be ranked then, because the record did not reach back far enough or did not hold what the category
//! counts, has no ranks. Then nothing is known of it, which is not the same as a rank behind all others.

use std::collections::BTreeMap;
use std::sync::Arc;

use allium_model::time::HOUR_SECS;
use allium_model::{ConsensusHour, NetworkRecord, OperatorId};
use jiff::ToSpan as _;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::leaderboards::Category;
use crate::operators::{OperatorReport, platform};
use crate::report::NetworkReport;

/// Days over which movements are reported.
pub const MOVEMENT_DAYS: i32 = 30;

/// Number of beginnings of months that are searched for the best rank.
const MONTHS: i64 = 12;

/// Hours within which a consensus must be known before the instant that is asked for.
const NEAR_HOURS: i32 = 24;

const CATEGORIES: usize = Category::ALL.len();

/// The rank of every operator in every category at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standings {
    /// The consensus that they are as of.
    pub as_of: ConsensusHour,
    ranks: BTreeMap<OperatorId, [u32; CATEGORIES]>,
    n_ranked: [usize; CATEGORIES],
}

impl Standings {
    /// The ranks as of a record; report and operators must be those of the record.
    pub fn of(record: &NetworkRecord, report: &NetworkReport, operators: &OperatorReport) -> Self {
        let mut ranks: BTreeMap<OperatorId, [u32; CATEGORIES]> = BTreeMap::new();
        let mut n_ranked = [0; CATEGORIES];
        for (i, category) in Category::ALL.into_iter().enumerate().filter(|(_, category)| is_told(*category, record, report)) {
            let ranking = operators.leaderboards.ranking(category);
            n_ranked[i] = ranking.len();
            for ranked in ranking {
                let id = &operators.list()[ranked.operator_idx as usize].id;
                ranks.entry(id.clone()).or_default()[i] = u32::try_from(ranked.rank).unwrap_or(u32::MAX);
            }
        }
        Self { as_of: record.as_of, ranks, n_ranked }
    }

    /// The rank of an operator; `None` where it had none, or where nobody had.
    pub fn rank(&self, id: &OperatorId, category: Category) -> Option<usize> {
        self.ranks.get(id).map(|ranks| ranks[index(category)] as usize).filter(|rank| *rank > 0)
    }

    /// The number of operators that had a rank; 0 where the record of that time does not show it.
    pub fn n_ranked(&self, category: Category) -> usize {
        self.n_ranked[index(category)]
    }
}

fn index(category: Category) -> usize {
    Category::ALL.iter().position(|other| *other == category).unwrap_or_default()
}

/// True if a record holds what a category counts: lists of running relays name no operating systems, and without them the diversity
/// of an operator is another figure.
fn is_told(category: Category, record: &NetworkRecord, report: &NetworkReport) -> bool {
    if !matches!(category, Category::MostDiverse | Category::PlatformDiversity) {
        return true;
    }
    let running = || record.relays.iter().zip(&report.relays).filter(|(relay, report)| report.current && relay.relay.running);
    2 * running().filter(|(relay, _)| platform(&relay.relay).is_some()).count() >= running().count()
}

/// The instants at which ranks are looked up as of a consensus: the day [`MOVEMENT_DAYS`] before, and the beginnings of the last twelve
/// months; earliest first. They change once a day, and those of months stay.
pub fn instants_before(as_of: ConsensusHour) -> Vec<ConsensusHour> {
    let month = as_of.civil().date().first_of_month();
    let months = (0..MONTHS).filter_map(|back| month.checked_sub(back.months()).ok());
    let mut instants: Vec<ConsensusHour> = months.filter_map(|date| start_of(date.to_datetime(jiff::civil::Time::midnight()))).collect();
    instants.push(movement_instant(as_of));
    instants.retain(|instant| *instant < as_of);
    instants.sort_unstable();
    instants.dedup();
    instants
}

/// The beginning of the day from which movements are reported.
fn movement_instant(as_of: ConsensusHour) -> ConsensusHour {
    let day = as_of.get().div_euclid(24) - MOVEMENT_DAYS;
    ConsensusHour::new(day * 24)
}

fn start_of(civil: DateTime) -> Option<ConsensusHour> {
    let secs = Offset::UTC.to_timestamp(civil).ok()?.as_second();
    i32::try_from(secs.div_euclid(HOUR_SECS)).ok().map(ConsensusHour::new)
}

/// The known consensus that speaks for an instant: the newest one up to it, at most a day before.
pub fn consensus_at(known: &[ConsensusHour], instant: ConsensusHour) -> Option<ConsensusHour> {
    let last = known.partition_point(|hour| *hour <= instant).checked_sub(1)?;
    Some(known[last]).filter(|hour| instant.hours_since(*hour) <= NEAR_HOURS)
}

/// Ranks at several earlier times.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PastStandings {
    /// Earliest first.
    standings: Vec<Arc<Standings>>,
}

impl PastStandings {
    /// Puts standings in the order of their times.
    pub fn new(mut standings: Vec<Arc<Standings>>) -> Self {
        standings.sort_by_key(|standings| standings.as_of);
        Self { standings }
    }

    /// Number of known times before `as_of` at which a category ranked somebody.
    pub fn n_times(&self, category: Category, as_of: ConsensusHour) -> usize {
        self.ranking(category, as_of).count()
    }

    /// The earliest of these times.
    pub fn first(&self, category: Category, as_of: ConsensusHour) -> Option<ConsensusHour> {
        self.ranking(category, as_of).next().map(|standings| standings.as_of)
    }

    /// The standings a month before `as_of`, where the category ranked somebody then.
    pub fn month_ago(&self, category: Category, as_of: ConsensusHour) -> Option<&Standings> {
        let instant = movement_instant(as_of);
        let near = |standings: &&Standings| (0..=NEAR_HOURS).contains(&instant.hours_since(standings.as_of));
        self.ranking(category, as_of).rfind(near)
    }

    /// The best rank that an operator had before `as_of`, and when it had it first.
    pub fn best(&self, id: &OperatorId, category: Category, as_of: ConsensusHour) -> Option<(usize, ConsensusHour)> {
        let ranks = self.ranking(category, as_of).filter_map(|standings| Some((standings.rank(id, category)?, standings.as_of)));
        ranks.min()
    }

    fn ranking(&self, category: Category, as_of: ConsensusHour) -> impl DoubleEndedIterator<Item = &Standings> {
        let before = self.standings.iter().map(Arc::as_ref).filter(move |standings| standings.as_of < as_of);
        before.filter(move |standings| standings.n_ranked(category) > 0)
    }
}

#[cfg(test)]
mod tests {
    use allium_model::{Fingerprint, Known, Relay, RelayFlag, RelayFlags, RelayRecord};

    use super::*;

    fn hour(text: &str) -> ConsensusHour {
        text.parse().unwrap_or_else(|_| unreachable!("{text} is an hour"))
    }

    #[test]
    fn instants_are_a_month_back_and_the_beginnings_of_months() {
        let instants = instants_before(hour("2026-02-15T18:00:00Z"));
        let texts: Vec<String> = instants.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), 13);
        assert_eq!((texts[0].as_str(), texts[12].as_str()), ("2025-03-01T00:00:00Z", "2026-02-01T00:00:00Z"));
        assert!(texts.contains(&"2026-01-16T00:00:00Z".to_owned()));
        assert_eq!(instants, instants_before(hour("2026-02-15T00:00:00Z")), "the same all day");
        assert!(instants_before(hour("2026-02-01T00:00:00Z")).iter().all(|instant| *instant < hour("2026-02-01T00:00:00Z")));
    }

    #[test]
    fn a_consensus_speaks_for_the_day_after_it() {
        let known = [10, 11, 40].map(ConsensusHour::new);
        let at = |instant| consensus_at(&known, ConsensusHour::new(instant)).map(ConsensusHour::get);
        assert_eq!([at(9), at(10), at(35), at(36), at(40), at(41)], [None, Some(10), Some(11), None, Some(40), Some(40)]);
    }

    /// Operators with so many running exits each, as of an hour.
    fn standings(as_of: ConsensusHour, n_exits: &[(&str, u8)]) -> Arc<Standings> {
        let mut relays = Vec::new();
        for (contact, n) in n_exits {
            for i in 0..*n {
                let mut bytes = [i; 20];
                bytes[..contact.len()].copy_from_slice(contact.as_bytes());
                let relay = Relay {
                    running: true,
                    last_seen: Some(as_of),
                    flags: RelayFlags::from_iter([RelayFlag::Running, RelayFlag::Exit]),
                    contact: Some((*contact).to_owned()),
                    ..Relay::unknown(Fingerprint::new(bytes))
                };
                relays.push(RelayRecord { relay, spans: Vec::new(), published: Vec::new() });
            }
        }
        relays.sort_by_key(|relay| relay.relay.fingerprint);
        let record = NetworkRecord { as_of, known: Known::default(), relays, sources: Vec::new(), rejects: Vec::new() };
        let report = NetworkReport::compute(&record);
        Arc::new(Standings::of(&record, &report, &OperatorReport::compute(&record, &report)))
    }

    fn id(contact: &str) -> OperatorId {
        OperatorId::of_contact(contact).unwrap_or_else(|| unreachable!("{contact} identifies somebody"))
    }

    #[test]
    fn movement_and_best_rank_look_back_and_never_ahead() {
        let as_of = hour("2026-02-15T18:00:00Z");
        let past = PastStandings::new(vec![
            standings(hour("2026-01-16T00:00:00Z"), &[("alice", 1), ("bobby", 2), ("carol", 3)]),
            standings(hour("2025-12-01T00:00:00Z"), &[("alice", 3), ("bobby", 2)]),
            standings(hour("2026-03-01T00:00:00Z"), &[("carol", 1)]),
        ]);
        let exits = Category::ExitOperators;
        let month_ago = |name| past.month_ago(exits, as_of).and_then(|standings| standings.rank(&id(name), exits));
        assert_eq!(["alice", "bobby", "carol", "dave"].map(month_ago), [Some(3), Some(2), Some(1), None]);
        let best = |name| past.best(&id(name), exits, as_of).map(|(rank, at)| (rank, at.to_string()));
        assert_eq!(best("alice"), Some((1, "2025-12-01T00:00:00Z".to_owned())));
        assert_eq!(best("bobby"), Some((2, "2025-12-01T00:00:00Z".to_owned())), "the first of equals");
        assert_eq!(best("carol"), Some((1, "2026-01-16T00:00:00Z".to_owned())), "not what came later");
        assert_eq!((past.n_times(exits, as_of), past.first(exits, as_of)), (2, Some(hour("2025-12-01T00:00:00Z"))));
    }

    #[test]
    fn what_the_record_does_not_show_has_no_ranks() {
        let as_of = hour("2026-02-15T18:00:00Z");
        let past = PastStandings::new(vec![standings(hour("2026-01-16T00:00:00Z"), &[("alice", 2)])]);
        for category in [Category::MostDiverse, Category::PlatformDiversity, Category::ConsensusWeight, Category::ReliabilityMasters] {
            assert_eq!((past.n_times(category, as_of), past.month_ago(category, as_of)), (0, None), "{category:?}");
        }
    }
}
