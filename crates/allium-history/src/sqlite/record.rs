//! [`Record`] in SQLite.

use allium_model::{ConsensusHour, Fingerprint, NetworkRecord, Relay, RelayState, StateSpan};

use super::connection::SqliteStore;
use super::relay_ids::RelayIds;
use super::{consensuses, describe, documents, events, exact, load, measures, span_rows, statements, timeline};
use crate::consensus::{
    AppliedPack, AppliedSpans, ConsensusInfo, ConsensusWeights, ExactHistory, FullConsensus, KnownConsensus, Listed, Statements,
};
use crate::error::Error;
use crate::store::Record;
use crate::timeline::Timeline;
use crate::update::{Applied, Update};

impl Record for SqliteStore {
    fn apply(&mut self, update: &Update) -> Result<Applied, Error> {
        self.write(|conn| documents::apply(conn, update))
    }

    fn append_consensus(&mut self, info: &ConsensusInfo, listed: &[(Fingerprint, RelayState)]) -> Result<bool, Error> {
        let listed: Vec<Listed> = listed.iter().map(|(fingerprint, state)| Listed::of(*fingerprint, state.clone())).collect();
        self.write(|conn| consensuses::append_consensus(conn, &mut RelayIds::load(conn)?, info, &listed))
    }

    fn append_full_consensus(&mut self, consensus: &FullConsensus) -> Result<bool, Error> {
        self.write(|conn| {
            let (FullConsensus { info, listed, .. }, mut ids) = (consensus, RelayIds::load(conn)?);
            let is_new = consensuses::append_consensus(conn, &mut ids, info, listed)?;
            if is_new {
                events::of_consensus(conn, &mut ids, info.hour, listed)?;
            }
            let stated = listed.iter().map(|listed| (listed.fingerprint, info.hour, &listed.statement));
            statements::write(conn, &mut ids, stated)?;
            measures::add_weights(conn, &mut ids, std::slice::from_ref(&consensus.weights()))?;
            Ok(is_new)
        })
    }

    fn append_spans(
        &mut self,
        consensuses: &[ConsensusInfo],
        spans: &mut dyn Iterator<Item = (Fingerprint, StateSpan)>,
    ) -> Result<AppliedSpans, Error> {
        self.write(|conn| consensuses::append_spans(conn, consensuses, spans))
    }

    fn append_weighed_spans(
        &mut self,
        consensuses: &[ConsensusInfo],
        spans: &mut dyn Iterator<Item = (Fingerprint, StateSpan)>,
        weights: &[ConsensusWeights],
        stated: &Statements,
    ) -> Result<AppliedSpans, Error> {
        self.write(|conn| {
            let applied = consensuses::append_spans(conn, consensuses, spans)?;
            let mut ids = RelayIds::load(conn)?;
            statements::write(conn, &mut ids, stated.iter().map(|(fingerprint, (hour, statement))| (*fingerprint, *hour, statement)))?;
            measures::add_weights(conn, &mut ids, weights)?;
            Ok(applied)
        })
    }

    fn append_pack(
        &mut self,
        consensuses: &[ConsensusInfo],
        spans: &mut dyn Iterator<Item = (Fingerprint, StateSpan)>,
        relays: &[Relay],
    ) -> Result<AppliedPack, Error> {
        self.write(|conn| {
            let spans = consensuses::append_spans(conn, consensuses, spans)?;
            let newest = consensuses.iter().map(|info| info.hour).max();
            let n_described = newest.map_or(Ok(0), |newest| describe::describe(conn, newest, relays))?;
            Ok(AppliedPack { spans, n_described })
        })
    }

    fn listed_between(&self, since: ConsensusHour, until: ConsensusHour) -> Result<Vec<Fingerprint>, Error> {
        self.read(|conn| span_rows::listed_between(conn, since.get(), until.get()))
    }

    fn known(&self) -> Result<Vec<KnownConsensus>, Error> {
        self.read(|conn| exact::consensuses(conn, None))
    }

    fn timeline(&self) -> Result<Timeline, Error> {
        self.read(|conn| timeline::load(conn, None))
    }

    fn exact(&self) -> Result<ExactHistory, Error> {
        self.read(exact::load)
    }

    fn exact_as_of(&self, at: ConsensusHour) -> Result<ExactHistory, Error> {
        self.read(|conn| exact::load_as_of(conn, at))
    }

    fn load(&self) -> Result<Option<NetworkRecord>, Error> {
        self.read(load::load)
    }

    fn load_as_of(&self, at: ConsensusHour) -> Result<Option<NetworkRecord>, Error> {
        self.read(|conn| load::load_as_of(conn, at))
    }

    fn each_description(&self, until: ConsensusHour, take: &mut dyn FnMut(Option<ConsensusHour>, Relay)) -> Result<(), Error> {
        self.read(|conn| describe::each(conn, until, take))
    }
}
