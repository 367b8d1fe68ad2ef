//! Consensus weights and bandwidths: how large relays and groups of them were, by the hour.
//!
//! Question: which weight, which probability to be chosen and which bandwidth had a relay on each day, or a network, country, AS or flag
//! at each hour? Input: the weights in consensuses and details documents, the bandwidths in details documents. Kept are these
//! numbers for each relay and hour, one compact blob per day, and for each hour the sums from which probabilities follow. Groups
//! are made when they are asked for, from the states of that time, so it does not matter in which order things become known.
//!
//! Method (dir-spec, section 3.8.3): a relay is chosen for a position with probability w·W / Σ w·W, where w is its consensus
//! weight and W the bandwidth weight of the consensus for that position and its flags: Wgg and Wmg for Guard, Wme and Wee for
//! Exit, Wgd, Wmd and Wed for both, Wmm for neither. Only guards are chosen as guards, only exits as exits; BadExit is no exit.
//! Where the source tells no bandwidth weights (details documents do not), probabilities are unknown.

use std::collections::{BTreeMap, HashMap};

use allium_model::{ConsensusHour, Fingerprint, Fraction, Relay, RelayFlag, RelayFlags, RelayState};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::blob::{Reader, put_varint};
use crate::error::Failure;
use crate::history::{ConsensusSource, ConsensusWeights, GroupHour, GroupKey, Grouping, RelayDay};
use crate::relays::{RelayIds, hour};
use crate::spans::{newest_hour, states};

const DAY_HOURS: i32 = 24;
const VERSION: u8 = 1;
const LEVEL: i32 = 3;
const MAX_RAW_LEN: usize = 64 << 20;
/// Every hour of a day.
const WHOLE_DAY: u32 = (1 << DAY_HOURS) - 1;

/// What is measured, by its place in [`Measured`].
const WEIGHT: usize = 0;
const ADVERTISED: usize = 1;
const OBSERVED: usize = 2;

/// The values of one quantity on one day: those of the hours in the mask, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Hourly {
    mask: u32,
    values: Vec<u64>,
}

impl Hourly {
    fn place(&self, hour: u32) -> usize {
        (self.mask & ((1 << hour) - 1)).count_ones() as usize
    }

    fn get(&self, hour: u32) -> Option<u64> {
        if self.mask & (1 << hour) == 0 { None } else { self.values.get(self.place(hour)).copied() }
    }

    fn set(&mut self, hour: u32, value: Option<u64>) {
        let (place, is_set) = (self.place(hour), self.mask & (1 << hour) != 0);
        match value {
            Some(value) if is_set => self.values[place] = value,
            Some(value) => {
                self.values.insert(place, value);
                self.mask |= 1 << hour;
            }
            None if is_set => {
                self.values.remove(place);
                self.mask &= !(1 << hour);
            }
            None => {}
        }
    }
}

type Measured = [Hourly; 3];

/// A day of all relays, by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Day(BTreeMap<i64, Measured>);

impl Day {
    fn set(&mut self, relay_id: i64, quantity: usize, hour: u32, value: Option<u64>) {
        self.0.entry(relay_id).or_default()[quantity].set(hour, value);
    }

    fn clear(&mut self, quantity: usize, hour: u32) {
        self.0.values_mut().for_each(|measured| measured[quantity].set(hour, None));
    }

    fn forget_before(&mut self, hour: u32) {
        for hourly in self.0.values_mut().flatten() {
            (0..hour).for_each(|hour| hourly.set(hour, None));
        }
        self.0.retain(|_, measured| measured.iter().any(|hourly| hourly.mask != 0));
    }

    fn encode(&self) -> Vec<u8> {
        let mut raw = Vec::with_capacity(self.0.len() * 48);
        put_varint(&mut raw, self.0.len() as u64);
        let mut before = 0;
        for (relay_id, measured) in &self.0 {
            put_varint(&mut raw, relay_id.abs_diff(before));
            before = *relay_id;
            measured.iter().for_each(|hourly| put_hourly(&mut raw, hourly));
        }
        let mut blob = vec![VERSION];
        blob.extend((raw.len() as u32).to_le_bytes());
        blob.extend(zstd::bulk::compress(&raw, LEVEL).expect("the output buffer is as large as zstd asks for"));
        blob
    }

    fn decode(blob: &[u8]) -> Result<Self, &'static str> {
        let mut reader = Reader(blob);
        if reader.byte()? != VERSION {
            return Err("unknown version");
        }
        let raw_len = reader.u32()? as usize;
        if raw_len > MAX_RAW_LEN {
            return Err("too long");
        }
        let raw = zstd::bulk::decompress(reader.0, raw_len).map_err(|_| "cannot be decompressed")?;
        if raw.len() != raw_len {
            return Err("of another length than it says");
        }
        Self::read(Reader(&raw))
    }

    fn read(mut reader: Reader<'_>) -> Result<Self, &'static str> {
        let mut day = BTreeMap::new();
        let mut relay_id: i64 = 0;
        for _ in 0..reader.varint()? {
            let step = i64::try_from(reader.varint()?).ok().filter(|step| *step > 0).ok_or("relays out of order")?;
            relay_id = relay_id.checked_add(step).ok_or("a number of a relay out of range")?;
            day.insert(relay_id, [hourly(&mut reader)?, hourly(&mut reader)?, hourly(&mut reader)?]);
        }
        if reader.0.is_empty() { Ok(Self(day)) } else { Err("longer than its relays") }
    }
}

fn put_hourly(out: &mut Vec<u8>, hourly: &Hourly) {
    match hourly.mask {
        0 => return out.push(0),
        WHOLE_DAY => out.push(1),
        mask => {
            out.push(2);
            out.extend(&mask.to_le_bytes()[..3]);
        }
    }
    let mut before = 0u64;
    for value in &hourly.values {
        let step = value.wrapping_sub(before).cast_signed();
        put_varint(out, ((step << 1) ^ (step >> 63)).cast_unsigned());
        before = *value;
    }
}

fn hourly(reader: &mut Reader<'_>) -> Result<Hourly, &'static str> {
    let mask = match reader.byte()? {
        0 => 0,
        1 => WHOLE_DAY,
        2 => {
            let [a, b, c] = reader.array()?;
            u32::from_le_bytes([a, b, c, 0])
        }
        _ => return Err("unknown form of hours"),
    };
    let mut values = Vec::with_capacity(mask.count_ones() as usize);
    let mut before = 0u64;
    for _ in 0..mask.count_ones() {
        let step = reader.varint()?;
        before = before.wrapping_add((step >> 1) ^ (step & 1).wrapping_neg());
        values.push(before);
    }
    Ok(Hourly { mask, values })
}

/// The day of an hour, and its hour within.
fn day_of(hour: i32) -> (i32, u32) {
    (hour.div_euclid(DAY_HOURS), hour.rem_euclid(DAY_HOURS).unsigned_abs())
}

/// The day that is written to; stored when another one is.
struct Editor<'a> {
    conn: &'a Connection,
    open: Option<(i32, Day)>,
}

impl<'a> Editor<'a> {
    fn new(conn: &'a Connection) -> Self {
        Self { conn, open: None }
    }

    fn day(&mut self, day: i32) -> Result<&mut Day, Failure> {
        if self.open.as_ref().is_none_or(|(open, _)| *open != day) {
            self.store()?;
            self.open = Some((day, read_day(self.conn, day)?));
        }
        Ok(&mut self.open.as_mut().expect("just opened").1)
    }

    fn store(&mut self) -> Result<(), Failure> {
        if let Some((day, content)) = self.open.take() {
            let mut insert = self.conn.prepare_cached("INSERT OR REPLACE INTO measures (day, figures) VALUES (?, ?)")?;
            insert.execute(params![day, content.encode()])?;
        }
        Ok(())
    }
}

fn read_day(conn: &Connection, day: i32) -> Result<Day, Failure> {
    let mut statement = conn.prepare_cached("SELECT figures FROM measures WHERE day = ?")?;
    let blob: Option<Vec<u8>> = statement.query_row([day], |row| row.get(0)).optional()?;
    blob.map_or_else(|| Ok(Day::default()), |blob| decoded(&blob, day))
}

fn decoded(blob: &[u8], day: i32) -> Result<Day, Failure> {
    Day::decode(blob).map_err(|reason| Failure::Corrupt(format!("figures of day {day}: {reason}")))
}

/// Takes in the weights of consensuses whose weights are not known, or only from details documents; returns of how many.
pub(crate) fn add_weights(conn: &Connection, relay_ids: &mut RelayIds, consensuses: &[ConsensusWeights]) -> Result<usize, Failure> {
    let mut editor = Editor::new(conn);
    let mut n_added = 0;
    for ConsensusWeights { hour, source, listed, bandwidth_weights } in consensuses {
        let stored: Option<String> =
            conn.prepare_cached("SELECT source FROM hour_weights WHERE hour = ?")?.query_row([hour.get()], |row| row.get(0)).optional()?;
        let (details, is_details) = (ConsensusSource::Details.name(), *source == ConsensusSource::Details);
        if listed.is_empty() || stored.as_deref().is_some_and(|stored| stored != details || is_details) {
            continue;
        }
        let (day, place) = day_of(hour.get());
        let day = editor.day(day)?;
        if stored.is_some() {
            day.clear(WEIGHT, place);
        }
        // Of a relay listed twice the later entry counts.
        let listed: BTreeMap<Fingerprint, (RelayFlags, u64)> =
            listed.iter().map(|(fingerprint, flags, weight)| (*fingerprint, (*flags, *weight))).collect();
        let mut sums = ClassWeights::default();
        for (fingerprint, (flags, weight)) in listed {
            day.set(relay_ids.id(conn, &fingerprint)?, WEIGHT, place, Some(weight));
            sums.0[Class::of(flags) as usize] += u128::from(weight);
        }
        store_sums(conn, *hour, *source, &sums, bandwidth_weights)?;
        n_added += 1;
    }
    editor.store()?;
    Ok(n_added)
}

fn store_sums(
    conn: &Connection,
    hour: ConsensusHour,
    source: ConsensusSource,
    sums: &ClassWeights,
    bandwidth_weights: &BTreeMap<String, i64>,
) -> Result<(), Failure> {
    let [guard, exit, both, middle] = sums.0.map(|sum| i64::try_from(sum).unwrap_or(i64::MAX));
    let weights = (!bandwidth_weights.is_empty()).then(|| serde_json::json!(bandwidth_weights).to_string());
    conn.prepare_cached(
        "INSERT OR REPLACE INTO hour_weights (hour, source, guard_weight, exit_weight, both_weight, middle_weight, bandwidth_weights)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![hour.get(), source.name(), guard, exit, both, middle, weights])?;
    Ok(())
}

/// Takes in the bandwidths that a details document tells.
pub(crate) fn add_bandwidths(conn: &Connection, relay_ids: &mut RelayIds, hour: ConsensusHour, relays: &[&Relay]) -> Result<(), Failure> {
    let told: Vec<_> = relays
        .iter()
        .filter(|relay| relay.running && (relay.advertised_bandwidth.is_some() || relay.observed_bandwidth.is_some()))
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    let (mut editor, (day, place)) = (Editor::new(conn), day_of(hour.get()));
    let day = editor.day(day)?;
    for relay in told {
        let relay_id = relay_ids.id(conn, &relay.fingerprint)?;
        day.set(relay_id, ADVERTISED, place, relay.advertised_bandwidth);
        day.set(relay_id, OBSERVED, place, relay.observed_bandwidth);
    }
    editor.store()
}

/// Relays by the flags that decide for which positions they are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Guard,
    Exit,
    Both,
    Middle,
}

impl Class {
    fn of(flags: RelayFlags) -> Self {
        let is_exit = flags.contains(RelayFlag::Exit) && !flags.contains(RelayFlag::BadExit);
        match (flags.contains(RelayFlag::Guard), is_exit) {
            (true, true) => Self::Both,
            (true, false) => Self::Guard,
            (false, true) => Self::Exit,
            (false, false) => Self::Middle,
        }
    }
}

/// Sums of consensus weight by [`Class`].
#[derive(Debug, Clone, Copy, Default)]
struct ClassWeights([u128; 4]);

/// From weights to probabilities, at one hour: guard, middle, exit.
#[derive(Debug, Clone)]
struct Chances {
    /// By position, then class.
    factors: [[f64; 4]; 3],
    totals: [f64; 3],
    /// Consensus weight of the network.
    weight: f64,
    /// Whether the source tells bandwidth weights.
    are_told: bool,
}

impl Chances {
    fn new(sums: [i64; 4], bandwidth_weights: Option<&HashMap<String, i64>>) -> Self {
        let w = |name: &str| bandwidth_weights.and_then(|weights| weights.get(name)).map_or(0.0, |w| *w as f64 / 10_000.0);
        let factors = [[w("Wgg"), 0.0, w("Wgd"), 0.0], [w("Wmg"), w("Wme"), w("Wmd"), w("Wmm")], [0.0, w("Wee"), w("Wed"), 0.0]];
        let sums = sums.map(|sum| sum as f64);
        let totals = factors.map(|factors| factors.iter().zip(sums).map(|(factor, sum)| factor * sum).sum());
        Self { factors, totals, weight: sums.iter().sum(), are_told: bandwidth_weights.is_some() }
    }

    /// The probability of relays with these weights by class, for each position.
    fn of(&self, weights: [f64; 4]) -> [Option<f64>; 3] {
        let part = |position: usize| self.factors[position].iter().zip(weights).map(|(factor, weight)| factor * weight).sum::<f64>();
        [0, 1, 2].map(|position| (self.are_told && self.totals[position] > 0.0).then(|| part(position) / self.totals[position]))
    }
}

/// What probabilities follow from at the hours `[from, to)`.
fn chances(conn: &Connection, from: ConsensusHour, to: ConsensusHour) -> Result<HashMap<i32, Chances>, Failure> {
    let mut statement = conn.prepare(
        "SELECT hour, guard_weight, exit_weight, both_weight, middle_weight, bandwidth_weights FROM hour_weights WHERE hour >= ? AND hour < ?",
    )?;
    let mut rows = statement.query([from.get(), to.get()])?;
    let mut chances = HashMap::new();
    while let Some(row) = rows.next()? {
        let at = hour(row, 0)?.get();
        let weights: Option<String> = row.get(5)?;
        let weights: Option<HashMap<String, i64>> = weights
            .map(|json| serde_json::from_str(&json).map_err(|_| Failure::Corrupt(format!("bandwidth weights of hour {at}"))))
            .transpose()?;
        chances.insert(at, Chances::new([row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?], weights.as_ref()));
    }
    Ok(chances)
}

/// Calls `take` with each day that touches the hours `[from, to)` and its first hour.
fn each_day(
    conn: &Connection,
    from: ConsensusHour,
    to: ConsensusHour,
    mut take: impl FnMut(i32, &Day) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut statement = conn.prepare("SELECT day, figures FROM measures WHERE day >= ? AND day <= ? ORDER BY day")?;
    let last = to.get().saturating_sub(1);
    let mut rows = statement.query([day_of(from.get()).0, day_of(last).0])?;
    while let Some(row) = rows.next()? {
        let day: i32 = row.get(0)?;
        let blob = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        take(day.saturating_mul(DAY_HOURS), &decoded(blob, day)?)?;
    }
    Ok(())
}

/// The states of relays at hours: spans as plain hours.
struct States {
    states: BTreeMap<i64, RelayState>,
    spans: HashMap<i64, Vec<(i32, i32, i64)>>,
}

impl States {
    fn load(conn: &Connection, from: ConsensusHour, to: ConsensusHour, relay_id: Option<i64>) -> Result<Self, Failure> {
        let open_end = newest_hour(conn)?.map_or(i32::MIN, |newest| newest + 1);
        let mut statement = conn.prepare(
            "SELECT relay_id, start_hour, end_hour, state_id FROM spans
             WHERE start_hour < ?2 AND ifnull(end_hour > ?1, 1) AND relay_id = ifnull(?3, relay_id) ORDER BY relay_id, start_hour",
        )?;
        let mut rows = statement.query(params![from.get(), to.get(), relay_id])?;
        let mut spans: HashMap<i64, Vec<_>> = HashMap::new();
        while let Some(row) = rows.next()? {
            let end = row.get::<_, Option<i32>>(2)?.unwrap_or(open_end);
            spans.entry(row.get(0)?).or_default().push((row.get(1)?, end, row.get(3)?));
        }
        Ok(Self { states: states(conn)?, spans })
    }

    fn at(&self, relay_id: i64, hour: i32) -> Option<&RelayState> {
        let spans = self.spans.get(&relay_id)?;
        let (_, end, state) = spans.get(spans.partition_point(|(start, ..)| *start <= hour).checked_sub(1)?)?;
        if hour < *end { self.states.get(state) } else { None }
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
    let (chances, states) = (chances(conn, from, to)?, States::load(conn, from, to, Some(relay_id))?);
    let mut days = Vec::new();
    each_day(conn, from, to, |first, day| {
        let Some(measured) = day.0.get(&relay_id) else { return Ok(()) };
        let (mut weight, mut fraction, mut positions, mut bandwidths) =
            (Mean::default(), Mean::default(), [Mean::default(); 3], [Mean::default(); 2]);
        for place in 0..24 {
            let at = first + place as i32;
            let state = states.at(relay_id, at).filter(|_| (from.get()..to.get()).contains(&at));
            let Some(state) = state else { continue };
            bandwidths[0].add(measured[ADVERTISED].get(place).map(|value| value as f64));
            bandwidths[1].add(measured[OBSERVED].get(place).map(|value| value as f64));
            let (Some(value), Some(chances)) = (measured[WEIGHT].get(place).map(|value| value as f64), chances.get(&at)) else { continue };
            weight.add(Some(value));
            fraction.add((chances.weight > 0.0).then(|| value / chances.weight));
            let mut by_class = [0.0; 4];
            by_class[Class::of(state.flags) as usize] = value;
            positions.iter_mut().zip(chances.of(by_class)).for_each(|(mean, chance)| mean.add(chance));
        }
        if weight.1 > 0 || bandwidths.iter().any(|mean| mean.1 > 0) {
            days.push(RelayDay {
                start: ConsensusHour::new(first),
                n_weighed: weight.1,
                consensus_weight: weight.get(),
                consensus_weight_fraction: fraction.share(),
                guard_probability: positions[0].share(),
                middle_probability: positions[1].share(),
                exit_probability: positions[2].share(),
                advertised_bandwidth: bandwidths[0].get(),
                observed_bandwidth: bandwidths[1].get(),
            });
        }
        Ok(())
    })?;
    Ok(days)
}

/// Sums of one group at one hour.
#[derive(Debug, Clone, Default)]
struct Sums {
    n_weighed: u32,
    weights: [f64; 4],
    advertised: Option<u64>,
    observed: Option<u64>,
}

/// Each group's hours in `[from, to)`; hours of which nothing is known are missing.
pub(crate) fn group_hours(
    conn: &Connection,
    by: Grouping,
    from: ConsensusHour,
    to: ConsensusHour,
) -> Result<BTreeMap<GroupKey, Vec<GroupHour>>, Failure> {
    let (chances, states) = (chances(conn, from, to)?, States::load(conn, from, to, None)?);
    let mut groups: BTreeMap<GroupKey, Vec<GroupHour>> = BTreeMap::new();
    each_day(conn, from, to, |first, day| {
        for place in 0..24 {
            let at = first + place as i32;
            if !(from.get()..to.get()).contains(&at) {
                continue;
            }
            let mut sums: BTreeMap<GroupKey, Sums> = BTreeMap::new();
            for (relay_id, measured) in &day.0 {
                let values = [WEIGHT, ADVERTISED, OBSERVED].map(|quantity| measured[quantity].get(place));
                let Some(state) = states.at(*relay_id, at).filter(|_| values.iter().any(Option::is_some)) else { continue };
                for key in by.keys(state) {
                    add(sums.entry(key).or_default(), state.flags, values);
                }
            }
            for (key, sums) in sums {
                groups.entry(key).or_default().push(group_hour(ConsensusHour::new(at), &sums, chances.get(&at)));
            }
        }
        Ok(())
    })?;
    Ok(groups)
}

fn add(sums: &mut Sums, flags: RelayFlags, [weight, advertised, observed]: [Option<u64>; 3]) {
    if let Some(weight) = weight {
        sums.n_weighed += 1;
        sums.weights[Class::of(flags) as usize] += weight as f64;
    }
    let plus = |sum: Option<u64>, value: Option<u64>| value.map(|value| sum.unwrap_or(0).saturating_add(value)).or(sum);
    (sums.advertised, sums.observed) = (plus(sums.advertised, advertised), plus(sums.observed, observed));
}

fn group_hour(hour: ConsensusHour, sums: &Sums, chances: Option<&Chances>) -> GroupHour {
    let weight: f64 = sums.weights.iter().sum();
    let [guard, middle, exit] =
        chances.map_or([None; 3], |chances| chances.of(sums.weights)).map(|chance| chance.and_then(Fraction::clamped));
    GroupHour {
        hour,
        n_weighed: sums.n_weighed,
        consensus_weight: (sums.n_weighed > 0).then_some(weight),
        consensus_weight_fraction: chances.filter(|_| sums.n_weighed > 0).and_then(|chances| Fraction::of(weight, chances.weight)),
        guard_probability: guard,
        middle_probability: middle,
        exit_probability: exit,
        advertised_bandwidth: sums.advertised,
        observed_bandwidth: sums.observed,
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

/// Forgets what lies before an hour.
pub(crate) fn prune(conn: &Connection, before: i32) -> Result<(), Failure> {
    let (day, place) = day_of(before);
    conn.execute("DELETE FROM hour_weights WHERE hour < ?", [before])?;
    conn.execute("DELETE FROM measures WHERE day < ?", [day])?;
    let mut kept = read_day(conn, day)?;
    if !kept.0.is_empty() {
        kept.forget_before(place);
        let mut editor = Editor { conn, open: Some((day, kept)) };
        editor.store()?;
    }
    Ok(())
}

/// Every blob decodes, names relays that exist, and has weights at exactly the hours that are in `hour_weights`; says what is wrong.
pub(crate) fn problems(conn: &Connection) -> Result<Vec<String>, Failure> {
    let relay_ids: std::collections::HashSet<i64> =
        conn.prepare("SELECT id FROM relays")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut expected: std::collections::BTreeSet<i32> =
        conn.prepare("SELECT hour FROM hour_weights")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut problems = Vec::new();
    let (first, last) = (ConsensusHour::new(-90_000_000), ConsensusHour::new(90_000_000));
    chances(conn, first, last)?;
    each_day(conn, first, last, |first, day| {
        if let Some(unknown) = day.0.keys().find(|id| !relay_ids.contains(id)) {
            problems.push(format!("figures of the day from hour {first}: relay {unknown} does not exist"));
        }
        let mask = day.0.values().fold(0, |mask, measured| mask | measured[WEIGHT].mask);
        for place in (0..24).filter(|place| mask & (1 << place) != 0) {
            if !expected.remove(&(first + place)) {
                problems.push(format!("figures of hour {}: weights without their sums", first + place));
            }
        }
        Ok(())
    })?;
    problems.extend(expected.iter().map(|hour| format!("figures of hour {hour}: sums without weights")));
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hourly() -> impl Strategy<Value = Hourly> {
        prop::collection::btree_map(0..24u32, any::<u64>(), 0..24).prop_map(|values| {
            let mut hourly = Hourly::default();
            values.into_iter().for_each(|(hour, value)| hourly.set(hour, Some(value)));
            hourly
        })
    }

    fn day() -> impl Strategy<Value = Day> {
        prop::collection::btree_map(1..i64::MAX, [hourly(), hourly(), hourly()], 0..6).prop_map(Day)
    }

    proptest! {
        #[test]
        fn days_come_back_exactly(day in day()) {
            prop_assert_eq!(Day::decode(&day.encode()), Ok(day));
        }

        #[test]
        fn damage_is_an_error_or_another_day_and_never_a_panic(day in day(), at in any::<prop::sample::Index>(), mask in 1..=255u8) {
            let mut blob = day.encode();
            let place = at.index(blob.len());
            blob[place] ^= mask;
            let _ = Day::decode(&blob);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Day::decode(&bytes);
            let _ = Day::read(Reader(&bytes));
        }
    }

    /// Stores hold exactly these bytes. If this fails, introduce a version 2 beside it.
    #[test]
    fn version_1_is_pinned() {
        let mut day = Day::default();
        (0..24).for_each(|hour| day.set(3, WEIGHT, hour, Some(300)));
        day.set(3, OBSERVED, 1, Some(7));
        day.set(5, ADVERTISED, 23, Some(u64::MAX));
        let raw = [&[2, 3, 1, 0xd8, 4][..], &[0; 23], &[0, 2, 2, 0, 0, 14], &[2, 0, 2, 0, 0, 128, 1, 0]].concat();
        let blob = day.encode();
        assert_eq!(zstd::bulk::decompress(&blob[5..], 1000).unwrap(), raw);
        assert_eq!(blob[..5], [1, raw.len() as u8, 0, 0, 0]);
    }
}
