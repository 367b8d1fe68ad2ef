//! Incidents, as the detector reports them.

use allium_model::{ConsensusHour, Fingerprint};
use serde::{Deserialize, Serialize};

use crate::roles::Roles;
use crate::scope::Scope;

/// The kind of what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Relays left together.
    Outage,
    /// Relays that nobody had seen before joined together.
    Surge,
    /// Relays leave and return together, again and again.
    Flap,
    /// Relays lost a flag together while they kept running.
    FlagLoss,
    /// The network has fewer exits, guards or less weight than in the recent past.
    Capacity,
    /// A published list cannot be what the network was.
    DataQuality,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Outage, Self::Surge, Self::Flap, Self::FlagLoss, Self::Capacity, Self::DataQuality];

    /// The name in JSON and addresses, such as `flag_loss`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outage => "outage",
            Self::Surge => "surge",
            Self::Flap => "flap",
            Self::FlagLoss => "flag_loss",
            Self::Capacity => "capacity",
            Self::DataQuality => "data_quality",
        }
    }
}

/// The status of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Fewer than half of its relays are back.
    Active,
    /// At least half of its relays are back, fewer than 90 %.
    Recovering,
    /// At least 90 % of its relays are back; for a surge, gone again.
    Resolved,
    /// Its relays stayed away for so long that they are considered gone; for a surge, stayed for so long that they belong.
    Permanent,
    /// It turned out to be part of another incident.
    Merged,
}

impl Status {
    /// The name in JSON, such as `active`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Recovering => "recovering",
            Self::Resolved => "resolved",
            Self::Permanent => "permanent",
            Self::Merged => "merged",
        }
    }

    /// True if it goes on.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Active | Self::Recovering)
    }
}

/// The severity of an incident; see [`Incident::severity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// Worth knowing for those concerned.
    Minor,
    /// At least 1 % of the relays or of the weight, 50 relays, or 2.5 % of the exits or guards.
    Moderate,
    /// At least 2.5 % of the relays or 2 % of the weight, 150 relays, or 5 % of the exits or guards.
    Major,
    /// At least 5 % of the relays or of the weight, or 10 % of the exits or guards.
    Critical,
}

impl Severity {
    /// All, the least first.
    pub const ALL: [Self; 4] = [Self::Minor, Self::Moderate, Self::Major, Self::Critical];

    /// The name in JSON, such as `major`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Moderate => "moderate",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }

    /// By the number of relays, their share of the network, of path selection, and of exits and guards.
    pub(crate) fn of(n: usize, share: f64, weight: Option<f64>, roles: &Roles) -> Self {
        let weight = weight.unwrap_or(0.0);
        let role = roles.exit_share.max(roles.guard_share);
        match () {
            () if share >= 0.05 || weight >= 0.05 || role >= 0.1 => Self::Critical,
            () if n >= 150 || share >= 0.025 || weight >= 0.02 || role >= 0.05 => Self::Major,
            () if n >= 50 || share >= 0.01 || weight >= 0.01 || role >= 0.025 => Self::Moderate,
            () => Self::Minor,
        }
    }
}

/// A possible cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    /// The scope that the relays concerned share and the others lack.
    pub scope: Scope,
    /// Its probability among the causes considered, 0 to 1.
    pub probability: f64,
    /// Relays of the incident that belong to the scope.
    pub n_affected: usize,
    /// Relays of the scope that could have been affected.
    pub n_at_risk: usize,
    /// Its meaning, in words.
    pub cause: String,
    /// Why it is considered, in words.
    pub evidence: String,
}

/// A share of an incident: so many of the relays of a country or AS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The country or AS.
    pub scope: Scope,
    /// Relays of the incident in it.
    pub n_affected: u32,
    /// Relays in it that could have been affected.
    pub n_at_risk: u32,
}

/// Something that was seen of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It was noticed, with so many relays.
    Detected(u32),
    /// So many more relays followed.
    Grew(u32),
    /// At least half of its relays are back.
    HalfBack,
    /// It resolved.
    Resolved,
    /// So many of its relays left again.
    Reopened(u32),
    /// It happened so often that it is flapping.
    Flapping,
    /// Its relays are considered gone, or a lasting part of the network.
    Permanent,
}

/// An incident as far as it is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// 16 hexadecimal digits that stay the same for the incident's life: a hash of its first kind, scope and start.
    pub id: String,
    /// The kind of what happened.
    pub kind: Kind,
    /// The flag that was lost, `decline` for a slow outage, what is short of capacity, what is wrong with the data.
    pub detail: Option<String>,
    /// The scope it happened in.
    pub scope: Scope,
    /// Its status.
    pub status: Status,
    /// The last known consensus before.
    pub started_at: ConsensusHour,
    /// The consensus that showed it.
    pub detected_at: ConsensusHour,
    /// The consensus in which it was over; `None` while it goes on or where it became permanent.
    pub resolved_at: Option<ConsensusHour>,
    /// All relays concerned, sorted.
    pub relays: Vec<Fingerprint>,
    /// The number that would have been lost (joined) by chance alone.
    pub n_expected: f64,
    /// The number of relays concerned.
    pub n_affected: usize,
    /// Relays of the scope that could have been affected.
    pub n_at_risk: usize,
    /// Their share of the relays of the network, 0 to 1.
    pub network_share: f64,
    /// Their share of path selection, 0 to 1; `None` where no weight is known.
    pub weight_share: Option<f64>,
    /// Exits and guards among them.
    pub roles: Roles,
    /// By the number of relays and their shares of the network, of path selection, of exits and of guards: see [`Severity`].
    pub severity: Severity,
    /// The probability of at least so many by chance alone.
    pub p_value: f64,
    /// The most probable first.
    pub causes: Vec<Cause>,
    /// Relays by country, most affected first.
    pub countries: Vec<Part>,
    /// Relays by AS, most affected first.
    pub systems: Vec<Part>,
    /// Its events, earliest first.
    pub timeline: Vec<(ConsensusHour, Event)>,
    /// Earlier incidents of the same scope or with at least half of the same relays, newest first.
    pub similar: Vec<String>,
}

impl Incident {
    /// The same with another share of path selection, and the severity that follows from it.
    pub fn weighed(self, weight_share: Option<f64>) -> Self {
        let severity = Severity::of(self.n_affected, self.network_share, weight_share, &self.roles);
        Self { weight_share, severity, ..self }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::scope::ScopeKind;

    /// An outage without relays, of which nothing else is known.
    pub(crate) fn incident() -> Incident {
        let hour = ConsensusHour::new(0);
        Incident {
            id: "0000000000000001".to_owned(),
            kind: Kind::Outage,
            detail: None,
            scope: Scope { kind: ScopeKind::Network, key: "*".to_owned() },
            status: Status::Active,
            started_at: hour,
            detected_at: hour,
            resolved_at: None,
            relays: Vec::new(),
            n_expected: 0.0,
            n_affected: 0,
            n_at_risk: 0,
            network_share: 0.0,
            weight_share: None,
            roles: Roles::default(),
            severity: Severity::Minor,
            p_value: 1.0,
            causes: Vec::new(),
            countries: Vec::new(),
            systems: Vec::new(),
            timeline: Vec::new(),
            similar: Vec::new(),
        }
    }

    #[test]
    fn severity_follows_from_relays_weight_and_roles() {
        let of = |n, share, weight, exit_share| Severity::of(n, share, weight, &Roles { exit_share, ..Roles::default() });
        assert_eq!(of(20, 0.002, None, 0.0), Severity::Minor);
        assert_eq!(of(20, 0.002, Some(0.01), 0.0), Severity::Moderate);
        assert_eq!(of(20, 0.002, None, 0.05), Severity::Major);
        assert_eq!(of(20, 0.002, None, 0.1), Severity::Critical);
        assert_eq!(incident().weighed(Some(0.05)).severity, Severity::Critical);
    }
}
