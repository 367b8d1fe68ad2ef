//! A case: an incident as the detector keeps it, relays by number, hours as numbers.

use allium_model::{ConsensusHour, RelayFlag, fnv_1a};
use serde::{Deserialize, Serialize};

use crate::book::{Book, RelayIdx};
use crate::extent::Extent;
use crate::incident::{Cause, Event, Incident, Kind, Severity, Status};
use crate::scope::{Scope, ScopeKind};

/// An incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) id: u64,
    pub(crate) kind: Kind,
    pub(crate) detail: Option<String>,
    pub(crate) scope: Scope,
    pub(crate) status: Status,
    pub(crate) started: i32,
    pub(crate) detected: i32,
    pub(crate) resolved: Option<i32>,
    pub(crate) relays: Vec<RelayIdx>,
    /// Bit of the flag that was lost, 0 for none.
    pub(crate) flag: u32,
    pub(crate) reading: Reading,
    pub(crate) causes: Vec<Suspect>,
    pub(crate) extent: Extent,
    pub(crate) timeline: Vec<(i32, Event)>,
    pub(crate) similar: Vec<u64>,
    /// Number of the list at which it was opened.
    pub(crate) opened_at_list: u32,
    /// Hour of its last wave.
    pub(crate) last_wave: i32,
    /// Number of times that its relays left together.
    pub(crate) n_drops: u32,
    /// Largest share that was back since the last drop.
    pub(crate) back_max: f64,
}

/// The measure of how unusual it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reading {
    pub(crate) expected: f64,
    pub(crate) n_at_risk: u32,
    pub(crate) ln_p: f64,
}

/// A scope that may be the cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Suspect {
    pub(crate) scope: Scope,
    pub(crate) gain: f64,
    pub(crate) n_affected: u32,
    pub(crate) n_at_risk: u32,
    pub(crate) expected: f64,
}

/// Hours after which relays that are still away are considered gone.
pub(crate) const PERMANENT_HOURS: i32 = 14 * 24;

impl Case {
    /// An id that is the same on every machine: a hash of what a case begins with.
    pub(crate) fn id(kind: Kind, detail: Option<&str>, scope: &Scope, started: i32) -> u64 {
        let started = started.to_le_bytes();
        let detail = detail.unwrap_or_default();
        let parts = [kind.name().as_bytes(), detail.as_bytes(), scope.kind.name().as_bytes(), scope.key.as_bytes(), &started];
        fnv_1a(parts.iter().flat_map(|part| part.iter().copied().chain([0xff])))
    }

    /// Adds relays and gives the number of those that it did not have.
    pub(crate) fn add(&mut self, relays: &[RelayIdx]) -> u32 {
        let n_before = self.relays.len();
        self.relays.extend(relays);
        self.relays.sort_unstable();
        self.relays.dedup();
        (self.relays.len() - n_before) as u32
    }

    /// Moves it along by the share of its relays that is back to normal, and answers whether that changed its status.
    pub(crate) fn progress(&mut self, hour: i32, share: f64) -> bool {
        let (status, event) = match self.status {
            Status::Active | Status::Recovering if share >= 0.9 => (Status::Resolved, Event::Resolved),
            Status::Active if share >= 0.5 => (Status::Recovering, Event::HalfBack),
            Status::Active | Status::Recovering if hour - self.last_wave >= PERMANENT_HOURS => (Status::Permanent, Event::Permanent),
            _ => return false,
        };
        self.status = status;
        self.timeline.push((hour, event));
        self.resolved = (status == Status::Resolved).then_some(hour);
        true
    }

    /// Ends it with the list of an hour.
    pub(crate) fn end(&mut self, status: Status, hour: i32) {
        (self.status, self.resolved) = (status, Some(hour));
        self.timeline.push((hour, Event::Resolved));
    }

    /// True if its relays are those that are missing or flapping.
    pub(crate) fn is_loss(&self) -> bool {
        matches!(self.kind, Kind::Outage | Kind::Flap)
    }

    /// The incident as it is reported.
    pub(crate) fn incident(&self, book: &Book) -> Incident {
        let mut relays: Vec<_> = self.relays.iter().map(|relay| book.info(*relay).fingerprint).collect();
        relays.sort_unstable();
        let extent = &self.extent;
        Incident {
            id: format!("{:016x}", self.id),
            kind: self.kind,
            detail: self.detail.clone(),
            scope: self.scope.clone(),
            status: self.status,
            started_at: ConsensusHour::new(self.started),
            detected_at: ConsensusHour::new(self.detected),
            resolved_at: self.resolved.map(ConsensusHour::new),
            n_affected: relays.len(),
            relays,
            n_expected: self.reading.expected,
            n_at_risk: self.reading.n_at_risk as usize,
            network_share: extent.network_share,
            weight_share: extent.weight_share,
            roles: extent.roles,
            severity: Severity::of(self.relays.len(), extent.network_share, extent.weight_share, &extent.roles),
            p_value: self.reading.ln_p.exp().clamp(f64::MIN_POSITIVE, 1.0),
            causes: self.causes(),
            countries: extent.countries.clone(),
            systems: extent.systems.clone(),
            timeline: self.timeline.iter().map(|(hour, event)| (ConsensusHour::new(*hour), *event)).collect(),
            similar: self.similar.iter().map(|id| format!("{id:016x}")).collect(),
        }
    }

    /// The suspects with the probability that theirs is the right explanation: gains are log-likelihoods.
    fn causes(&self) -> Vec<Cause> {
        let best = self.causes.iter().map(|suspect| suspect.gain).fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = self.causes.iter().map(|suspect| (suspect.gain - best).exp()).sum();
        self.causes.iter().map(|suspect| self.cause(suspect, (suspect.gain - best).exp() / total)).collect()
    }

    fn cause(&self, suspect: &Suspect, probability: f64) -> Cause {
        let Suspect { scope, n_affected, n_at_risk, expected, .. } = suspect;
        let share = 100.0 * f64::from(*n_affected) / f64::from((*n_at_risk).max(1));
        let verb = match self.kind {
            Kind::Surge => "first seen",
            Kind::FlagLoss => "without the flag",
            _ => "left",
        };
        let whose = if self.kind == Kind::Surge { String::new() } else { format!(" of {n_at_risk} relays ({share:.0} %)") };
        Cause {
            scope: scope.clone(),
            probability,
            n_affected: *n_affected as usize,
            n_at_risk: *n_at_risk as usize,
            cause: meaning(self.kind, self.flag, scope.kind).to_owned(),
            evidence: format!("{scope}: {n_affected}{whose} {verb} together where {expected:.1} were expected"),
        }
    }
}

/// The meaning of a common fault of this scope.
const fn meaning(kind: Kind, flag: u32, scope: ScopeKind) -> &'static str {
    match (kind, scope) {
        (Kind::Surge, ScopeKind::As) => "many relays set up at one provider",
        (Kind::Surge, ScopeKind::Operator | ScopeKind::Family | ScopeKind::Nickname) => "relays set up by one operator",
        (Kind::Surge, _) => "many relays set up in a coordinated way, such as by a botnet or a campaign",
        (Kind::FlagLoss, ScopeKind::Network) if flag & (1 << RelayFlag::Guard as u32) != 0 => {
            "thresholds of the directory authorities moved"
        }
        (Kind::FlagLoss, ScopeKind::Network) => "votes of the directory authorities changed",
        (Kind::FlagLoss, ScopeKind::Operator | ScopeKind::Family) => {
            "the operator changed the configuration, or the relays fell under a threshold together"
        }
        (Kind::FlagLoss, _) => "the relays fell under a threshold of the directory authorities together",
        (Kind::DataQuality, _) => "the list is incomplete or old",
        (Kind::Capacity, _) => "fewer relays than usual",
        (Kind::Outage | Kind::Flap, ScopeKind::Network) => {
            "directory authorities could not reach relays everywhere, or an attack on the network"
        }
        (Kind::Outage | Kind::Flap, ScopeKind::Country) => "power or connectivity in the country",
        (Kind::Outage | Kind::Flap, ScopeKind::As) => "the provider's network or data centre, its routing, or a mass suspension",
        (Kind::Outage | Kind::Flap, ScopeKind::Operator | ScopeKind::Family) => "the operator's maintenance, configuration or machines",
        (Kind::Outage | Kind::Flap, ScopeKind::Prefix) => "a host, rack or subnet of the provider",
        (Kind::Outage | Kind::Flap, ScopeKind::Version) => "this version of the software, or its rejection by the authorities",
        (Kind::Outage | Kind::Flap, ScopeKind::Nickname) => "relays that are configured alike",
    }
}
