//! The consensus weights of all relays at single hours.

use std::collections::HashMap;

use allium_model::{ConsensusHour, Fingerprint, RelayFlags};
use rusqlite::{Connection, OptionalExtension as _};

use crate::chances::{Chances, Class, chances};
use crate::day::{WEIGHT, day_of};
use crate::error::{Error, Failure};
use crate::measures::read_day;
use crate::relays::fingerprints;
use crate::sqlite::SqliteHistory;

/// What the relays of one consensus weighed.
#[derive(Debug, Clone)]
pub struct HourWeights {
    /// The hour.
    pub hour: ConsensusHour,
    /// Consensus weight of every relay that has one, by fingerprint.
    pub relays: Vec<(Fingerprint, u64)>,
    chances: Chances,
}

impl HourWeights {
    /// The consensus weight of a relay; `None` where it has none at this hour.
    pub fn of(&self, relay: &Fingerprint) -> Option<u64> {
        let place = self.relays.binary_search_by_key(relay, |(fingerprint, _)| *fingerprint).ok()?;
        Some(self.relays[place].1)
    }

    /// The consensus weight of the network.
    pub fn total(&self) -> f64 {
        self.chances.weight
    }

    /// The probability that a relay with these flags and this weight is chosen as guard, middle and exit; `None` where the source
    /// tells no bandwidth weights.
    pub fn probabilities(&self, flags: RelayFlags, weight: u64) -> [Option<f64>; 3] {
        let mut by_class = [0.0; 4];
        by_class[Class::of(flags) as usize] = weight as f64;
        self.chances.of(by_class)
    }
}

impl SqliteHistory {
    /// The weights at the latest weighed hour of each of these ranges of hours, both ends included; ranges without one are left out.
    /// `take` is handed the place of the range.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn hour_weights(&self, ranges: &[(ConsensusHour, ConsensusHour)], mut take: impl FnMut(usize, &HourWeights)) -> Result<(), Error> {
        self.read(|conn| {
            let mut wanted: Vec<(i32, usize)> = Vec::new();
            let mut latest = conn.prepare("SELECT max(hour) FROM hour_weights WHERE hour BETWEEN ? AND ?")?;
            for (place, (from, to)) in ranges.iter().enumerate() {
                let hour: Option<Option<i32>> = latest.query_row([from.get(), to.get()], |row| row.get(0)).optional()?;
                wanted.extend(hour.flatten().map(|hour| (hour, place)));
            }
            wanted.sort_unstable();
            let names = if wanted.is_empty() { HashMap::new() } else { fingerprints(conn)? };
            for same in wanted.chunk_by(|a, b| a.0 == b.0) {
                let Some(weights) = at(conn, same[0].0, &names)? else { continue };
                same.iter().for_each(|(_, place)| take(*place, &weights));
            }
            Ok(())
        })
    }
}

fn at(conn: &Connection, hour: i32, names: &HashMap<i64, Fingerprint>) -> Result<Option<HourWeights>, Failure> {
    let start = ConsensusHour::new(hour);
    let Some(chances) = chances(conn, start, start.next())?.remove(&hour) else { return Ok(None) };
    let (day, place) = day_of(hour);
    let day = read_day(conn, day)?;
    let weights = day.0.iter().filter_map(|(id, measured)| Some((*names.get(id)?, measured[WEIGHT].get(place)?)));
    let mut relays: Vec<(Fingerprint, u64)> = weights.collect();
    relays.sort_unstable();
    Ok(Some(HourWeights { hour: start, relays, chances }))
}
