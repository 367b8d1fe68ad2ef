//! How large relays and groups of them were, by the hour and the day.
//!
//! Question: which weight, which probability to be chosen and which bandwidth had a relay on each day, or a network, country, AS or flag
//! at each hour? Input: what [`crate::measures`] keeps, and the states of relays at these hours. Days of a relay are means over the
//! consensuses that list it, hours of a group are sums over the relays that the consensus lists in it.

use std::collections::{BTreeMap, HashMap};
use std::ops::{ControlFlow, Range};

use allium_model::{ConsensusHour, Fingerprint, Fraction, RelayFlags, RelayState};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::chances::{Chances, Class, chances};
use crate::day::{ADVERTISED, DAY_HOURS, Measured, OBSERVED, WEIGHT};
use crate::error::Failure;
use crate::history::{GroupHour, GroupKey, Grouping, RelayDay};
use crate::measures::each_day;
use crate::spans::{newest_hour, states};

/// Places of the hours of a day.
const PLACES: Range<u32> = 0..DAY_HOURS.unsigned_abs();

/// What a relay or group was at which hours is answered from.
struct Past {
    asked: Range<i32>,
    chances: HashMap<i32, Chances>,
    states: Vec<RelayState>,
    /// By the number of the relay, earliest first: hours, and the place of a state.
    spans: HashMap<i64, Vec<(Range<i32>, usize)>>,
}

impl Past {
    /// The past of one relay or all at the hours `[from, to)`.
    fn load(conn: &Connection, from: ConsensusHour, to: ConsensusHour, relay_id: Option<i64>) -> Result<Self, Failure> {
        let open_end = newest_hour(conn)?.map_or(i32::MIN, |newest| newest + 1);
        let (ids, states): (Vec<i64>, Vec<RelayState>) = states(conn)?.into_iter().unzip();
        let mut statement = conn.prepare(
            "SELECT relay_id, start_hour, end_hour, state_id FROM spans
             WHERE start_hour < ?2 AND ifnull(end_hour > ?1, 1) AND relay_id = ifnull(?3, relay_id) ORDER BY relay_id, start_hour",
        )?;
        let mut rows = statement.query(params![from.get(), to.get(), relay_id])?;
        let mut spans: HashMap<i64, Vec<_>> = HashMap::new();
        while let Some(row) = rows.next()? {
            let end = row.get::<_, Option<i32>>(2)?.unwrap_or(open_end);
            let state = ids.binary_search(&row.get(3)?).map_err(|_| Failure::Corrupt("a span whose state is missing".into()))?;
            spans.entry(row.get(0)?).or_default().push((row.get(1)?..end, state));
        }
        Ok(Self { asked: from.get()..to.get(), chances: chances(conn, from, to)?, states, spans })
    }

    /// The hours of a day that are asked for and list a relay: their places, and the places of its states.
    fn listed(&self, relay_id: i64, first: i32) -> impl Iterator<Item = (u32, i32, usize)> {
        let spans = self.spans.get(&relay_id).map_or(&[][..], Vec::as_slice);
        PLACES.filter_map(move |place| {
            let hour = first.saturating_add_unsigned(place);
            let (_, state) = spans.get(spans.partition_point(|(hours, _)| hours.end <= hour)).filter(|(hours, _)| hours.start <= hour)?;
            self.asked.contains(&hour).then_some((place, hour, *state))
        })
    }

    /// What is known of a relay on the day that begins with an hour.
    fn relay_day(&self, relay_id: i64, first: i32, measured: &Measured) -> Option<RelayDay> {
        let (mut weight, mut fraction, mut positions, mut bandwidths) =
            (Mean::default(), Mean::default(), [Mean::default(); 3], [Mean::default(); 2]);
        for (place, hour, state) in self.listed(relay_id, first) {
            bandwidths[0].add(measured[ADVERTISED].get(place).map(|value| value as f64));
            bandwidths[1].add(measured[OBSERVED].get(place).map(|value| value as f64));
            let (Some(value), Some(chances)) = (measured[WEIGHT].get(place).map(|value| value as f64), self.chances.get(&hour)) else {
                continue;
            };
            weight.add(Some(value));
            fraction.add((chances.weight > 0.0).then(|| value / chances.weight));
            let mut by_class = [0.0; 4];
            by_class[Class::of(self.states[state].flags) as usize] = value;
            positions.iter_mut().zip(chances.of(by_class)).for_each(|(mean, chance)| mean.add(chance));
        }
        (weight.1 > 0 || bandwidths.iter().any(|mean| mean.1 > 0)).then(|| RelayDay {
            start: ConsensusHour::new(first),
            n_weighed: weight.1,
            consensus_weight: weight.get(),
            consensus_weight_fraction: fraction.share(),
            guard_probability: positions[0].share(),
            middle_probability: positions[1].share(),
            exit_probability: positions[2].share(),
            advertised_bandwidth: bandwidths[0].get(),
            observed_bandwidth: bandwidths[1].get(),
        })
    }
}

/// Sum and number of some values.
#[derive(Debug, Clone, Copy, Default)]
struct Mean(f64, u32);

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            *self = Self(self.0 + value, self.1 + 1);
        }
    }

    fn get(self) -> Option<f64> {
        (self.1 > 0).then(|| self.0 / f64::from(self.1))
    }

    fn share(self) -> Option<Fraction> {
        self.get().and_then(Fraction::clamped)
    }
}

/// The days of one relay in `[from, to)`; days of which nothing is known are missing.
pub(crate) fn relay_days(conn: &Connection, relay: &Fingerprint, from: ConsensusHour, to: ConsensusHour) -> Result<Vec<RelayDay>, Failure> {
    let mut find = conn.prepare("SELECT id FROM relays WHERE fingerprint = ?")?;
    let Some(relay_id) = find.query_row([relay.as_bytes()], |row| row.get(0)).optional()? else { return Ok(Vec::new()) };
    let past = Past::load(conn, from, to, Some(relay_id))?;
    let mut days = Vec::new();
    each_day(conn, from, to, |first, day| {
        days.extend(day.0.get(&relay_id).and_then(|measured| past.relay_day(relay_id, first, measured)));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(days)
}

/// Gives the days of every relay in `[from, to)` to `take` by day and fingerprint, until it has enough.
pub(crate) fn each_relay_day(
    conn: &Connection,
    from: ConsensusHour,
    to: ConsensusHour,
    take: &mut dyn FnMut(&Fingerprint, &RelayDay) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let mut relays = conn.prepare("SELECT fingerprint, id FROM relays ORDER BY fingerprint")?;
    let relays: Vec<(Fingerprint, i64)> =
        relays.query_map([], |row| Ok((Fingerprint::new(row.get(0)?), row.get(1)?)))?.collect::<Result<_, _>>()?;
    let past = Past::load(conn, from, to, None)?;
    each_day(conn, from, to, |first, day| {
        for (fingerprint, relay_id) in &relays {
            let told = day.0.get(relay_id).and_then(|measured| past.relay_day(*relay_id, first, measured));
            if told.is_some_and(|told| take(fingerprint, &told).is_break()) {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// Each group's hours in `[from, to)`; hours of which nothing is known are missing.
pub(crate) fn group_hours(
    conn: &Connection,
    by: Grouping,
    from: ConsensusHour,
    to: ConsensusHour,
) -> Result<BTreeMap<GroupKey, Vec<GroupHour>>, Failure> {
    let mut groups: BTreeMap<GroupKey, Vec<GroupHour>> = BTreeMap::new();
    each_group_hour(conn, by, from, to, &mut |key, hour| {
        groups.entry(*key).or_default().push(hour.clone());
        ControlFlow::Continue(())
    })?;
    Ok(groups)
}

/// Gives them to `take` by hour and group, until it has enough.
pub(crate) fn each_group_hour(
    conn: &Connection,
    by: Grouping,
    from: ConsensusHour,
    to: ConsensusHour,
    take: &mut dyn FnMut(&GroupKey, &GroupHour) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let past = Past::load(conn, from, to, None)?;
    let groups = Groups::of(by, &past.states);
    each_day(conn, from, to, |first, day| {
        let mut sums = vec![None; groups.keys.len() * PLACES.len()];
        for (relay_id, measured) in &day.0 {
            for (place, _, state) in past.listed(*relay_id, first) {
                let values = [WEIGHT, ADVERTISED, OBSERVED].map(|quantity| measured[quantity].get(place));
                if values.iter().any(Option::is_some) {
                    let of_hour = &mut sums[groups.keys.len() * place as usize..];
                    for group in &groups.of_state[state] {
                        of_hour[*group].get_or_insert_with(Sums::default).add(past.states[state].flags, values);
                    }
                }
            }
        }
        for (i, sums) in sums.iter().enumerate().filter_map(|(i, sums)| Some((i, sums.as_ref()?))) {
            let hour = ConsensusHour::new(first + (i / groups.keys.len()) as i32);
            if take(&groups.keys[i % groups.keys.len()], &sums.at(hour, past.chances.get(&hour.get()))).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// Groups in their order, and which of them a state belongs to, by the places of both.
struct Groups {
    keys: Vec<GroupKey>,
    of_state: Vec<Vec<usize>>,
}

impl Groups {
    fn of(by: Grouping, states: &[RelayState]) -> Self {
        let keys_of_state: Vec<Vec<GroupKey>> = states.iter().map(|state| by.keys(state)).collect();
        let mut keys = keys_of_state.concat();
        keys.sort_unstable();
        keys.dedup();
        let place = |key: &GroupKey| keys.binary_search(key).expect("it was put there");
        let of_state = keys_of_state.iter().map(|keys| keys.iter().map(place).collect()).collect();
        Self { of_state, keys }
    }
}

/// Sums of one group at one hour.
#[derive(Debug, Clone, Default)]
struct Sums {
    n_weighed: u32,
    weights: [f64; 4],
    advertised: Option<u64>,
    observed: Option<u64>,
}

impl Sums {
    fn add(&mut self, flags: RelayFlags, [weight, advertised, observed]: [Option<u64>; 3]) {
        if let Some(weight) = weight {
            self.n_weighed += 1;
            self.weights[Class::of(flags) as usize] += weight as f64;
        }
        let plus = |sum: Option<u64>, value: Option<u64>| value.map(|value| sum.unwrap_or(0).saturating_add(value)).or(sum);
        (self.advertised, self.observed) = (plus(self.advertised, advertised), plus(self.observed, observed));
    }

    fn at(&self, hour: ConsensusHour, chances: Option<&Chances>) -> GroupHour {
        let weight: f64 = self.weights.iter().sum();
        let chances = chances.filter(|_| self.n_weighed > 0);
        let [guard, middle, exit] =
            chances.map_or([None; 3], |chances| chances.of(self.weights)).map(|chance| chance.and_then(Fraction::clamped));
        GroupHour {
            hour,
            n_weighed: self.n_weighed,
            consensus_weight: (self.n_weighed > 0).then_some(weight),
            consensus_weight_fraction: chances.and_then(|chances| Fraction::of(weight, chances.weight)),
            guard_probability: guard,
            middle_probability: middle,
            exit_probability: exit,
            advertised_bandwidth: self.advertised,
            observed_bandwidth: self.observed,
        }
    }
}

impl Grouping {
    fn keys(self, state: &RelayState) -> Vec<GroupKey> {
        match self {
            Self::Network => vec![GroupKey::Network],
            Self::Country => state.country.map(GroupKey::Country).into_iter().collect(),
            Self::AutonomousSystem => state.asn.map(GroupKey::AutonomousSystem).into_iter().collect(),
            Self::Flag => state.flags.iter().map(GroupKey::Flag).collect(),
        }
    }
}
