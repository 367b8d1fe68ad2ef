//! Operators and families: who runs how much, how reliably, and whether that can be proven.
//!
//! Figures are over current relays (seen in the last 7 days); weight, bandwidth and roles over those of them that run. Who is an
//! operator is defined in [`allium_model::operator`]. An operator whose relays have all left keeps its id and has no figures.

mod achievements;
mod advice;
mod members;
mod peers;
mod portfolio;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use allium_model::{
    AroiContact, AroiDomain, AroiResult, NetworkRecord, Operator, OperatorId, Operators, Period, ProofMethod, Relay, Timestamp,
};

pub use self::achievements::{Achievements, Benchmark, LastIssue, achievements};
pub use self::advice::{Advice, Advised, Priority, advice};
pub use self::members::{FamilyState, MemberFigures, MemberUptime};
pub use self::peers::{MIN_PEERS, PeerRank, SIZE_CLASSES, SizeClass};
pub use self::portfolio::{
    BandwidthFigures, FlagShare, LEAST_MAD, MIN_SIBLINGS, OfflineRelays, Portfolio, RelevantFlag, Sibling, UNLIKE_Z, UnlikeSibling,
    VersionFigures, portfolio,
};

pub(crate) use self::members::{Network, platform};
use self::peers::rank_peers;
pub(crate) use self::portfolio::{bandwidth, effective_number};
use crate::leaderboards::{Leaderboards, leaderboards};
use crate::report::NetworkReport;

/// Every operator and family of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct OperatorReport {
    /// The operators and families, and the one of each relay by its index in `NetworkRecord::relays`.
    pub directory: Arc<Operators>,
    /// Figures of each operator, in the order of [`OperatorReport::list`].
    pub figures: Vec<OperatorFigures>,
    /// Figures of each family, in the order of `directory.families.families`.
    pub families: Vec<MemberFigures>,
    /// The state of each relay's claim, in the order of `NetworkRecord::relays`.
    pub aroi: Vec<AroiState>,
    /// Claimed domains by name, proven or not.
    pub domains: BTreeMap<AroiDomain, DomainFigures>,
    /// Current relays whose operator is not known.
    pub n_unknown: usize,
    /// The rankings of operators.
    pub leaderboards: Leaderboards,
}

/// Figures of one operator.
#[derive(Debug, Clone, PartialEq)]
pub struct OperatorFigures {
    /// Figures of its relays.
    pub members: MemberFigures,
    /// Its relays by what their claim is worth, in the order of [`AroiState::ALL`].
    pub by_aroi: [usize; 6],
    /// The domain that most of its relays claim; the first by name of equals. Proven only if the operator's id says so.
    pub claimed_domain: Option<AroiDomain>,
    /// The index of the relay whose contact speaks for it: the heaviest current one with a contact.
    pub contact_of: Option<u32>,
    /// The rank of its uptime among operators of like size, in the order of [`Period::ALL`].
    pub peers: [Option<PeerRank>; 7],
}

/// The state of the claim in a relay's contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AroiState {
    /// The domain names the relay.
    Validated,
    /// The domain's proof does not name the relay.
    Unauthorised,
    /// The domain's proof cannot be had as it should.
    Misconfigured,
    /// The claim is complete and nobody has checked it, or its method cannot be checked from public documents.
    Unchecked,
    /// Parts of the claim are missing or wrong.
    Incomplete,
    /// There is no claim.
    NotConfigured,
}

impl AroiState {
    /// All states, best first.
    pub const ALL: [Self; 6] =
        [Self::Validated, Self::Unauthorised, Self::Misconfigured, Self::Unchecked, Self::Incomplete, Self::NotConfigured];

    /// The word in tables, JSON and CSV.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Validated => "validated",
            Self::Unauthorised => "unauthorised",
            Self::Misconfigured => "misconfigured",
            Self::Unchecked => "unchecked",
            Self::Incomplete => "incomplete",
            Self::NotConfigured => "not configured",
        }
    }

    /// The state of a relay's claim.
    pub fn of(relay: &Relay) -> Self {
        Self::of_contact(relay, &AroiContact::of(relay.contact.as_deref().unwrap_or_default()))
    }

    fn of_contact(relay: &Relay, contact: &AroiContact) -> Self {
        let claim = match contact {
            AroiContact::NotConfigured => return Self::NotConfigured,
            AroiContact::Incomplete { .. } => return Self::Incomplete,
            AroiContact::Claim(claim) => claim,
        };
        match relay.aroi_check.as_ref().filter(|check| check.is_of(claim)).map(|check| check.result) {
            None => Self::Unchecked,
            Some(AroiResult::Validated) => Self::Validated,
            Some(AroiResult::Unauthorised) => Self::Unauthorised,
            Some(AroiResult::Misconfigured) => Self::Misconfigured,
        }
    }
}

/// Relays that claim a domain.
#[derive(Debug, Clone, PartialEq)]
pub struct DomainFigures {
    /// Figures of all current relays that claim it.
    pub claimed: MemberFigures,
    /// Of these, relays that it names.
    pub n_validated: usize,
    /// All of them by what their claim is worth, in the order of [`AroiState::ALL`].
    pub by_aroi: [usize; 6],
    /// The ways in which they say that it can be asked.
    pub methods: BTreeSet<ProofMethod>,
    /// The time at which it was last asked with a result.
    pub checked_at: Option<Timestamp>,
    /// Why relays are not validated, each reason with its number of relays; the most frequent first, then by words.
    pub reasons: Vec<(String, usize)>,
}

/// The operator of each relay of a record.
pub fn operators_of(record: &NetworkRecord) -> Arc<Operators> {
    let relays: Vec<&Relay> = record.relays.iter().map(|relay| &relay.relay).collect();
    Arc::new(Operators::of(&relays))
}

impl OperatorReport {
    /// Finds the operators and families of a record and computes their figures; record and report must belong together.
    pub fn compute(record: &NetworkRecord, report: &NetworkReport) -> Self {
        Self::of(record, report, operators_of(record))
    }

    /// As [`OperatorReport::compute`], with what [`operators_of`] finds in the record.
    pub fn of(record: &NetworkRecord, report: &NetworkReport, operators: Arc<Operators>) -> Self {
        let aroi: Vec<AroiState> = record
            .relays
            .iter()
            .enumerate()
            .map(|(i, recorded)| AroiState::of_contact(&recorded.relay, operators.aroi_contact(i)))
            .collect();
        let network = Network::of(record, report);
        let facts = Facts { network: &network, operators: &operators, aroi: &aroi };
        let mut figures: Vec<OperatorFigures> = operators.operators.iter().map(|operator| facts.operator(&operator.members)).collect();
        rank_peers(&mut figures);
        let families = operators.families.families.iter().map(|family| MemberFigures::of(&network, &family.members)).collect();
        let n_unknown = (0..record.relays.len()).filter(|i| operators.of_relay[*i].is_none() && report.relays[*i].current).count();
        let leaderboards = leaderboards(&network, &operators, &figures);
        let domains = facts.domains();
        Self { domains, directory: operators, figures, families, aroi, n_unknown, leaderboards }
    }

    /// All operators, by id.
    pub fn list(&self) -> &[Operator] {
        &self.directory.operators
    }

    /// The index of the operator with this id, and its figures.
    pub fn find(&self, id: &OperatorId) -> Option<(usize, &OperatorFigures)> {
        let operator_idx = self.directory.position(id)?;
        Some((operator_idx, self.figures.get(operator_idx)?))
    }

    /// The operator of the relay with this index in the record.
    pub fn id_of(&self, relay_idx: usize) -> Option<&OperatorId> {
        self.directory.operator_of(relay_idx).map(|operator| &operator.id)
    }

    /// Operators with a current relay.
    pub fn n_current(&self) -> usize {
        self.figures.iter().filter(|figures| figures.members.n_relays > 0).count()
    }
}

/// The facts that are the same for all operators.
struct Facts<'a> {
    network: &'a Network<'a>,
    operators: &'a Operators,
    aroi: &'a [AroiState],
}

impl Facts<'_> {
    fn operator(&self, members: &[u32]) -> OperatorFigures {
        let current = || members.iter().filter(|i| self.network.is_current(**i));
        let by_aroi = AroiState::ALL.map(|state| current().filter(|i| self.aroi[**i as usize] == state).count());
        let mut claims: BTreeMap<&AroiDomain, usize> = BTreeMap::new();
        for domain in current().filter_map(|i| self.operators.aroi_contact(*i as usize).domain()) {
            *claims.entry(domain).or_default() += 1;
        }
        // Of equals `max_by_key` takes the last, so the first by name is asked for backwards.
        let claimed_domain = claims.into_iter().rev().max_by_key(|(_, n)| *n).map(|(domain, _)| domain.clone());
        let with_contact = current().filter(|i| self.network.relay(**i).contact.is_some());
        let contact_of = with_contact.copied().max_by_key(|i| (self.network.relay(*i).consensus_weight, std::cmp::Reverse(*i)));
        let members = MemberFigures::of(self.network, members);
        OperatorFigures { members, by_aroi, claimed_domain, contact_of, peers: Period::ALL.map(|_| None) }
    }

    fn domains(&self) -> BTreeMap<AroiDomain, DomainFigures> {
        let mut members: BTreeMap<&AroiDomain, Vec<u32>> = BTreeMap::new();
        for relay_idx in (0..self.aroi.len() as u32).filter(|i| self.network.is_current(*i)) {
            if let Some(claim) = self.operators.aroi_contact(relay_idx as usize).claim() {
                members.entry(&claim.domain).or_default().push(relay_idx);
            }
        }
        members.into_iter().map(|(domain, members)| (domain.clone(), self.domain(&members))).collect()
    }

    fn domain(&self, members: &[u32]) -> DomainFigures {
        let by_aroi = AroiState::ALL.map(|state| members.iter().filter(|i| self.aroi[**i as usize] == state).count());
        let claim = |i: &u32| self.operators.aroi_contact(*i as usize).claim();
        let checks = || {
            members
                .iter()
                .filter_map(|i| self.network.relay(*i).aroi_check.as_ref().filter(|check| claim(i).is_some_and(|claim| check.is_of(claim))))
        };
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for check in checks().filter(|check| check.result != AroiResult::Validated) {
            *reasons.entry(&check.reason).or_default() += 1;
        }
        let mut reasons: Vec<(String, usize)> = reasons.into_iter().map(|(reason, n)| (reason.to_owned(), n)).collect();
        // The sort is stable: of equals the first by words stays first.
        reasons.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        DomainFigures {
            n_validated: by_aroi[0],
            by_aroi,
            methods: members.iter().filter_map(claim).map(|claim| claim.method).collect(),
            checked_at: checks().map(|check| check.checked_at).max(),
            reasons,
            claimed: MemberFigures::of(self.network, members),
        }
    }
}
