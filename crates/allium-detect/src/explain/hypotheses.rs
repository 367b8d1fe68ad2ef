//! Hypotheses about what happened, ranked by evidence.
//!
//! Each hypothesis begins with a weight for the kind of scope and gains or loses with every piece of evidence that bears on it.
//! Weights are natural logarithms of how much likelier the evidence is under the hypothesis than under any other cause; their
//! softmax, with a last hypothesis "something else" of weight 0, is the probability. The weights were set by hand from what each
//! cause does to relays, not fitted: nobody publishes the true causes. They say which way the evidence points and how clearly.

use super::evidence::{Evidence, Share};
use crate::incident::Status;
use crate::scope::ScopeKind;

/// A kind of cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CauseKind {
    /// The hosting provider failed or cut the relays off.
    Provider,
    /// Whoever runs the relays did something, or something happened to them.
    Operator,
    /// Packets did not reach relays that were on.
    Routing,
    /// Machines lost power, or their hosts went down.
    Power,
    /// The directory authorities refused the relays.
    Rejection,
    /// A version of Tor, or an update of it.
    Software,
    /// Planned work, which comes again at the same time.
    Maintenance,
    /// None of these.
    Other,
}

impl CauseKind {
    const ALL: [Self; 8] =
        [Self::Provider, Self::Operator, Self::Routing, Self::Power, Self::Rejection, Self::Software, Self::Maintenance, Self::Other];

    /// The name in JSON, such as `provider`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Operator => "operator",
            Self::Routing => "routing",
            Self::Power => "power",
            Self::Rejection => "rejection",
            Self::Software => "software",
            Self::Maintenance => "maintenance",
            Self::Other => "other",
        }
    }

    /// Its meaning, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Provider => "trouble at the hosting provider, or it cut the relays off",
            Self::Operator => "something that the operator did or that happened to it",
            Self::Routing => "routing: the relays were on and could not be reached",
            Self::Power => "loss of power, or of the machines",
            Self::Rejection => "rejection by the directory authorities",
            Self::Software => "a version of Tor, or an update of it",
            Self::Maintenance => "a maintenance window",
            Self::Other => "something else",
        }
    }

    /// The weight that the kind of scope gives.
    const fn prior(self, scope: ScopeKind) -> f64 {
        use ScopeKind::{As, Country, Family, Network, Nickname, Operator, Prefix, Version};
        match (self, scope) {
            (Self::Other, _) => 0.0,
            (Self::Provider, As) => 1.5,
            (Self::Provider, Prefix) => 1.0,
            (Self::Provider, Country) => -0.5,
            (Self::Operator, Operator | Family) => 1.5,
            (Self::Operator, Nickname) => 1.0,
            (Self::Operator, As | Prefix) => -0.5,
            (Self::Routing, Country | Prefix) => 0.8,
            (Self::Routing, As) => 0.5,
            (Self::Routing, Network) => 0.0,
            (Self::Power, Country) => 1.0,
            (Self::Power, As | Prefix) => 0.0,
            (Self::Rejection, Nickname) => 0.5,
            (Self::Rejection, Family | Network | Operator) => -0.5,
            (Self::Software, Version) => 2.0,
            (Self::Software, Network) => -0.5,
            (Self::Maintenance, As | Operator | Family | Prefix) => -0.3,
            _ => -1.8,
        }
    }
}

/// A cause with its probability among those considered.
#[derive(Debug, Clone, PartialEq)]
pub struct Hypothesis {
    /// Its kind.
    pub kind: CauseKind,
    /// Its probability, 0 to 1.
    pub probability: f64,
    /// The evidence for it and against it, in words.
    pub evidence: Vec<String>,
}

/// A piece of evidence that holds, with what it weighs for whom.
struct Clue {
    words: String,
    weights: &'static [(CauseKind, f64)],
}

/// All hypotheses, the most probable first.
pub fn hypotheses(evidence: &Evidence) -> Vec<Hypothesis> {
    let clues = clues(evidence);
    let weight_in = |clue: &Clue, kind| clue.weights.iter().find(|(of, _)| *of == kind).map(|(_, weight)| *weight);
    let weight = |kind: CauseKind| kind.prior(evidence.scope) + clues.iter().filter_map(|clue| weight_in(clue, kind)).sum::<f64>();
    let total: f64 = CauseKind::ALL.iter().map(|kind| weight(*kind).exp()).sum();
    let hypothesis = |kind: CauseKind| {
        let bears = |clue: &Clue| {
            let weight = weight_in(clue, kind)?;
            Some(format!("{}: {}", if weight > 0.0 { "for" } else { "against" }, clue.words))
        };
        Hypothesis { kind, probability: weight(kind).exp() / total, evidence: clues.iter().filter_map(bears).collect() }
    };
    let mut all: Vec<Hypothesis> = CauseKind::ALL.into_iter().map(hypothesis).collect();
    all.sort_by(|a, b| b.probability.total_cmp(&a.probability).then_with(|| a.kind.cmp(&b.kind)));
    all
}

fn of(share: Share) -> String {
    format!("{} of {}", share.n, share.of)
}

fn clues(e: &Evidence) -> Vec<Clue> {
    use CauseKind::{Maintenance, Operator, Power, Provider, Rejection, Routing, Software};
    let mut clues = Vec::new();
    let mut hold = |holds: bool, words: String, weights| {
        if holds {
            clues.push(Clue { words, weights });
        }
    };
    hold(
        e.kept_running.is_at_least(0.5),
        format!("{} that are back had not been restarted, so they were on", of(e.kept_running)),
        &[(Routing, 2.0), (Provider, 0.5), (Power, -3.0), (Maintenance, -1.5), (Software, -2.0), (Operator, -0.5)],
    );
    hold(
        e.restarted.is_at_least(0.5),
        format!("{} that are back were restarted meanwhile", of(e.restarted)),
        &[(Power, 1.5), (Maintenance, 1.0), (Operator, 0.5), (Software, 0.5), (Routing, -2.5)],
    );
    hold(
        e.in_one_system.is_at_least(0.9),
        format!("{} are in one autonomous system", of(e.in_one_system)),
        &[(Provider, 0.5), (Power, -0.3)],
    );
    hold(
        e.n_systems >= 5 && !e.in_one_system.is_at_least(0.5),
        format!("they are in {} autonomous systems and no one has half of them", e.n_systems),
        &[(Power, 1.0), (Routing, 0.3), (Software, 0.5), (Provider, -1.5)],
    );
    hold(
        e.of_one_operator.is_at_least(0.8),
        format!("{} are one operator's", of(e.of_one_operator)),
        &[(Operator, 2.5), (Rejection, 0.5), (Provider, -0.5)],
    );
    hold(
        e.of_one_operator.of >= 6 && !e.of_one_operator.is_at_least(0.5),
        format!("no operator has half of them (the largest {})", of(e.of_one_operator)),
        &[(Operator, -2.0), (Provider, 0.3), (Power, 0.3)],
    );
    hold(
        e.together.is_at_least(0.8),
        format!("{} left in one consensus", of(e.together)),
        &[(Routing, 0.5), (Power, 0.5), (Provider, 0.3), (Rejection, 0.5), (Software, -0.5)],
    );
    hold(
        e.together.get(3).is_some_and(|share| share < 0.8),
        format!("they left in waves, {} in the first", of(e.together)),
        &[(Software, 0.8), (Operator, 0.3), (Maintenance, 0.3), (Power, -0.5)],
    );
    hold(
        e.back_together.is_at_least(0.6),
        format!("{} came back in one consensus", of(e.back_together)),
        &[(Routing, 0.7), (Maintenance, 0.5), (Provider, 0.3), (Power, 0.2), (Rejection, -1.0)],
    );
    let is_over = e.status == Status::Resolved;
    hold(
        is_over && e.lasted_hours <= 3,
        format!("it was over after {} h", e.lasted_hours),
        &[(Maintenance, 0.7), (Routing, 0.5), (Rejection, -2.0)],
    );
    hold(
        !is_over && e.lasted_hours > 7 * 24,
        format!("it has lasted {} days", e.lasted_hours / 24),
        &[(Rejection, 1.0), (Operator, 0.7), (Provider, 0.3), (Routing, -1.5), (Power, -1.5), (Maintenance, -2.0)],
    );
    hold(
        e.other_version.is_at_least(0.5),
        format!("{} came back with another version of Tor", of(e.other_version)),
        &[(Software, 1.0), (Maintenance, 1.0), (Operator, 0.5), (Routing, -0.5)],
    );
    hold(e.marked.is_at_least(0.3), format!("the authorities had marked {}", of(e.marked)), &[(Rejection, 2.5)]);
    hold(e.young.is_at_least(0.5), format!("{} were younger than 14 days", of(e.young)), &[(Rejection, 1.0), (Operator, 0.3)]);
    hold(
        e.n_same_time_of_day >= 2,
        format!("{} earlier outages of the same scope began at this time of day", e.n_same_time_of_day),
        &[(Maintenance, 1.5)],
    );
    hold(
        e.n_before >= 3,
        format!("{} outages of the same scope before", e.n_before),
        match e.scope {
            ScopeKind::As | ScopeKind::Prefix => &[(Provider, 0.4)],
            ScopeKind::Operator | ScopeKind::Family | ScopeKind::Nickname => &[(Operator, 0.4)],
            _ => &[],
        },
    );
    clues
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(scope: ScopeKind) -> Evidence {
        let none = Share::default();
        Evidence {
            scope,
            status: Status::Resolved,
            together: Share { n: 30, of: 30 },
            back_together: none,
            kept_running: none,
            restarted: none,
            other_version: none,
            marked: none,
            young: none,
            in_one_system: none,
            n_systems: 1,
            of_one_operator: none,
            lasted_hours: 10,
            n_before: 0,
            n_same_time_of_day: 0,
        }
    }

    fn first(evidence: &Evidence) -> CauseKind {
        let all = hypotheses(evidence);
        let total: f64 = all.iter().map(|hypothesis| hypothesis.probability).sum();
        assert!((total - 1.0).abs() < 1e-12 && all.len() == 8, "{all:?}");
        all[0].kind
    }

    #[test]
    fn evidence_decides_between_causes_of_the_same_scope() {
        let of = |n| Share { n, of: 30 };
        let system = Evidence { in_one_system: of(30), of_one_operator: of(4), ..evidence(ScopeKind::As) };
        assert_eq!(first(&system), CauseKind::Provider);
        assert_eq!(
            first(&Evidence { kept_running: of(28), restarted: of(2), back_together: of(29), ..system.clone() }),
            CauseKind::Routing
        );
        assert_eq!(first(&Evidence { of_one_operator: of(30), restarted: of(20), ..system.clone() }), CauseKind::Operator);
        let window = Evidence { restarted: of(30), back_together: of(30), lasted_hours: 1, n_same_time_of_day: 4, n_before: 4, ..system };
        assert_eq!(first(&window), CauseKind::Maintenance);
        assert_eq!(first(&Evidence { n_systems: 12, in_one_system: of(5), ..evidence(ScopeKind::Country) }), CauseKind::Power);
        assert_eq!(first(&evidence(ScopeKind::Version)), CauseKind::Software);
        let gone =
            Evidence { status: Status::Permanent, lasted_hours: 400, marked: of(20), young: of(30), ..evidence(ScopeKind::Nickname) };
        assert_eq!(first(&gone), CauseKind::Rejection);
    }

    #[test]
    fn without_evidence_nothing_is_more_likely_than_not_across_the_network() {
        assert!(hypotheses(&evidence(ScopeKind::Network)).iter().all(|hypothesis| hypothesis.probability < 0.5));
    }
}
