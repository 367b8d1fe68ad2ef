//! An incident as the detector keeps it: relays by number, hours as numbers.

use allium_model::{ConsensusHour, RelayFlag};
use serde::{Deserialize, Serialize};

use crate::book::{Book, RelayIdx};
use crate::incident::{Cause, Event, Incident, Kind, Part, Severity, Status};
use crate::roles::Roles;
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
    pub(crate) parts: [Vec<Part>; 2],
    pub(crate) network_share: f64,
    pub(crate) weight_share: Option<f64>,
    pub(crate) roles: Roles,
    pub(crate) timeline: Vec<(i32, Event)>,
    pub(crate) similar: Vec<u64>,
    /// Step at which it was opened.
    pub(crate) opened_step: u32,
    /// Hour of its last wave.
    pub(crate) last_wave: i32,
    /// How often its relays left together.
    pub(crate) n_drops: u32,
    /// Largest share that was back since the last drop.
    pub(crate) back_max: f64,
}

/// How unusual it is.
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

/// A hash that stays the same on every machine (FNV-1a, 64 bits).
pub(crate) fn stable_hash(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.iter().chain(std::iter::once(&0xff)));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Case {
    /// Whether its relays are those that are missing or flapping.
    pub(crate) fn is_loss(&self) -> bool {
        matches!(self.kind, Kind::Outage | Kind::Flap)
    }

    pub(crate) fn incident(&self, book: &Book) -> Incident {
        let mut relays: Vec<_> = self.relays.iter().map(|relay| book.info(*relay).fingerprint).collect();
        relays.sort_unstable();
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
            network_share: self.network_share,
            weight_share: self.weight_share,
            roles: self.roles,
            severity: Severity::of(self.relays.len(), self.network_share, self.weight_share, &self.roles),
            p_value: self.reading.ln_p.exp().clamp(f64::MIN_POSITIVE, 1.0),
            causes: self.causes(),
            countries: self.parts[0].clone(),
            systems: self.parts[1].clone(),
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

/// What a common fault of this scope would mean.
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
