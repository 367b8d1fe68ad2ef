//! [`Figures`] in SQLite.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use allium_model::{ConsensusHour, Fingerprint, Timestamp};

use super::connection::SqliteStore;
use super::relay_ids::RelayIds;
use super::{events, hour_weights, measures, sizes};
use crate::consensus::ConsensusWeights;
use crate::error::Error;
use crate::figures::{Event, GroupHour, GroupKey, Grouping, HourWeights, RelayDay};
use crate::store::Figures;

impl Figures for SqliteStore {
    fn append_weights(&mut self, consensuses: &[ConsensusWeights]) -> Result<usize, Error> {
        self.write(|conn| measures::add_weights(conn, &mut RelayIds::load(conn)?, consensuses))
    }

    fn relay_days(&self, relay: &Fingerprint, from: ConsensusHour, to: ConsensusHour) -> Result<Vec<RelayDay>, Error> {
        self.read(|conn| sizes::relay_days(conn, relay, from, to))
    }

    fn each_relay_day(
        &self,
        from: ConsensusHour,
        to: ConsensusHour,
        take: &mut dyn FnMut(&Fingerprint, &RelayDay) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.read(|conn| sizes::each_relay_day(conn, from, to, take))
    }

    fn group_hours(&self, by: Grouping, from: ConsensusHour, to: ConsensusHour) -> Result<BTreeMap<GroupKey, Vec<GroupHour>>, Error> {
        self.read(|conn| sizes::group_hours(conn, by, from, to))
    }

    fn each_group_hour(
        &self,
        by: Grouping,
        from: ConsensusHour,
        to: ConsensusHour,
        take: &mut dyn FnMut(&GroupKey, &GroupHour) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.read(|conn| sizes::each_group_hour(conn, by, from, to, take))
    }

    fn hour_weights(&self, ranges: &[(ConsensusHour, ConsensusHour)], take: &mut dyn FnMut(usize, &HourWeights)) -> Result<(), Error> {
        self.read(|conn| hour_weights::each(conn, ranges, take))
    }

    fn events(&self, relay: Option<&Fingerprint>, from: Timestamp, to: Timestamp) -> Result<Vec<Event>, Error> {
        self.read(|conn| events::load(conn, relay, from, to))
    }
}
