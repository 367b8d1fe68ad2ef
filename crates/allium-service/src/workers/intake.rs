//! From documents to what the store takes: the only module where the words of sources become those of history.

use std::net::{IpAddr, SocketAddr};

use allium_history::{
    ConsensusInfo, ConsensusSource, ConsensusWeights, Error, FullConsensus, Listed, Statement, Statements, Store, Update,
};
use allium_model::{Bounds, RelayFlag, RelayState, SourceStatus, Timestamp};
use allium_sources::consensus::{Consensus, Entry};
use allium_sources::onionoo::{Document, Header};

use super::parts::part;

/// The consensus weights of the relays that a consensus calls running.
pub fn weights(consensus: &Consensus, source: ConsensusSource) -> ConsensusWeights {
    let running = consensus.entries.iter().filter(|entry| entry.flags.contains(RelayFlag::Running));
    ConsensusWeights {
        hour: consensus.hour,
        source,
        listed: running.filter_map(|entry| Some((entry.fingerprint, entry.flags, entry.weight?))).collect(),
        bandwidth_weights: consensus.bandwidth_weights.clone().into(),
    }
}

/// A consensus whose signatures were verified, as the store takes it: the relays that it calls running.
pub fn verified_consensus(consensus: &Consensus, source: ConsensusSource, received_at: Timestamp) -> FullConsensus {
    let listed = |entry: &Entry| Listed {
        fingerprint: entry.fingerprint,
        state: RelayState { flags: entry.flags, country: None, asn: None, version: entry.version.clone() },
        address: entry.or_address.map(|address| IpAddr::V4(*address.ip())),
        weight: entry.weight,
        statement: statement(entry),
    };
    FullConsensus {
        info: ConsensusInfo { hour: consensus.hour, source, verified: true, received_at },
        listed: consensus.entries.iter().filter(|entry| entry.flags.contains(RelayFlag::Running)).map(listed).collect(),
        bandwidth_weights: consensus.bandwidth_weights.clone().into(),
    }
}

/// Adds what a consensus states of the relays that it calls running, beside state and weight, where no later consensus stated it before.
pub fn add_statements(statements: &mut Statements, consensus: &Consensus) {
    for entry in consensus.entries.iter().filter(|entry| entry.flags.contains(RelayFlag::Running)) {
        let stated = || (consensus.hour, statement(entry));
        statements
            .entry(entry.fingerprint)
            .and_modify(|(hour, newest)| {
                if *hour < consensus.hour {
                    (*hour, *newest) = (consensus.hour, statement(entry).after(newest));
                }
            })
            .or_insert_with(stated);
    }
}

fn statement(entry: &Entry) -> Statement {
    let (primary, ipv6) = (entry.or_address.map(SocketAddr::from), entry.ipv6.map(SocketAddr::from));
    Statement {
        nickname: entry.nickname.clone(),
        or_addresses: primary.into_iter().chain(ipv6).collect(),
        measured: entry.weight.map(|_| entry.is_measured),
        exit_policy_summary: entry.ports.clone(),
    }
}

/// Gathers documents into one update.
#[derive(Debug, Default)]
pub struct Intake {
    update: Update,
}

impl Intake {
    /// An intake for documents that were decoded within these bounds.
    pub fn within(bounds: Bounds) -> Self {
        Self { update: Update { bounds, ..Update::default() } }
    }

    /// Adds a document that was fetched or read at `obtained_at`. Summaries say nothing that details do not, and are passed over.
    pub fn add(&mut self, document: Document, obtained_at: Timestamp) {
        match document {
            Document::Summary(_) => {}
            Document::Details(details) => {
                let status = self.open(details.header, details.relays.len(), obtained_at);
                self.update.details = Some((status, details.relays));
            }
            Document::Histories(histories) => {
                let status = self.open(histories.header, histories.relays.len(), obtained_at);
                self.update.histories.push((status, histories.relays));
            }
        }
    }

    /// Adds a document as [`Intake::add`] does, or as a part where the store shows that it is one; returns the reason then.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn add_judged(&mut self, document: Document, obtained_at: Timestamp, store: &dyn Store) -> Result<Option<String>, Error> {
        let (kind, part) = (document.header().kind, part(&document, store)?);
        self.add(document, obtained_at);
        let reason = part.as_ref().map(|reject| reject.reason.clone());
        if let Some(reject) = part {
            self.update.parts.push(kind);
            self.update.rejects.insert(0, (kind, reject));
            let details = self.update.details.iter_mut().map(|(status, _)| status);
            let statuses = details.chain(self.update.histories.iter_mut().map(|(status, _)| status));
            statuses.filter(|status| status.kind == kind).for_each(|status| status.n_rejects += 1);
        }
        Ok(reason)
    }

    /// Everything added so far.
    pub fn into_update(self) -> Update {
        self.update
    }

    fn open(&mut self, header: Header, n_relays: usize, obtained_at: Timestamp) -> SourceStatus {
        let kind = header.kind;
        self.update.rejects.extend(header.rejects.into_iter().map(|reject| (kind, reject)));
        SourceStatus {
            kind,
            origin: header.origin,
            published: header.published,
            obtained_at,
            size_bytes: header.size_bytes,
            n_relays,
            n_rejects: header.n_rejects,
        }
    }
}
