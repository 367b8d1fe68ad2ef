//! Findings against faults.

use std::ops::Range;

use super::inject::{Fault, FaultKind, Injected};
use crate::book::RelayIdx;
use crate::detector::Detector;
use crate::incident::Kind;
use crate::scope::Scope;
use crate::settings::Settings;

/// An event that a method reports.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Index of the list that showed it.
    pub list: usize,
    /// Its kind.
    pub kind: Kind,
    /// The scopes it may have happened in, most probable first.
    pub scopes: Vec<Scope>,
    /// The relays concerned, sorted.
    pub relays: Vec<RelayIdx>,
    /// Relays of the first scope to whom it could have happened.
    pub n_at_risk: usize,
}

/// Findings of our detector in these lists, after having learned from those before.
pub fn findings(injected: &Injected, lists: Range<usize>, settings: &Settings) -> Vec<Finding> {
    let mut detector = Detector::new(settings.clone(), injected.record.relays.clone());
    injected.walk(0..lists.end, |_, list| {
        detector.step(list);
    });
    let index_of = |hour| injected.record.hours.partition_point(|(known, _)| *known < hour);
    let finding = |incident: crate::Incident| Finding {
        list: index_of(incident.detected_at),
        kind: incident.kind,
        scopes: incident.causes.iter().map(|cause| cause.scope.clone()).collect(),
        relays: incident.relays.iter().filter_map(|fingerprint| detector.find(fingerprint)).collect(),
        n_at_risk: incident.n_at_risk,
    };
    let mut findings: Vec<Finding> = detector.incidents().map(finding).filter(|finding| lists.contains(&finding.list)).collect();
    findings.iter_mut().for_each(|finding| finding.relays.sort_unstable());
    findings
}

/// Faults by the number of their relays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SizeClass(pub usize);

impl SizeClass {
    /// Smallest sizes of the classes.
    pub const FROM: [usize; 9] = [5, 8, 12, 16, 20, 35, 50, 100, 200];

    /// The class of a size.
    pub fn of(n: usize) -> Self {
        Self(Self::FROM.iter().rposition(|from| n >= *from).unwrap_or(0))
    }

    /// The smallest size of the class.
    pub fn from(self) -> usize {
        Self::FROM[self.0]
    }

    /// Such as `8–11`.
    pub fn label(self) -> String {
        let from = Self::FROM[self.0];
        Self::FROM.get(self.0 + 1).map_or_else(|| format!("{from}+"), |end| format!("{from}–{}", end - 1))
    }
}

/// The detection of the faults of one class.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Faults.
    pub n: usize,
    /// Matched.
    pub n_found: usize,
    /// Matched, with the right scope first.
    pub n_top1: usize,
    /// Matched, with the right scope among the first three.
    pub n_top3: usize,
    /// Lists from the first that shows half of the loss, of those matched; sorted.
    pub delays: Vec<i64>,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.n += other.n;
        self.n_found += other.n_found;
        self.n_top1 += other.n_top1;
        self.n_top3 += other.n_top3;
        self.delays.extend(&other.delays);
        self.delays.sort_unstable();
    }

    /// Share of faults that were matched; `None` without faults.
    pub fn recall(&self) -> Option<f64> {
        (self.n > 0).then(|| self.n_found as f64 / self.n as f64)
    }

    /// The delay that this share of matched faults does not exceed.
    pub fn delay(&self, share: f64) -> Option<i64> {
        let last = self.delays.len().checked_sub(1)?;
        self.delays.get((share * last as f64).round() as usize).copied()
    }
}

/// The scores of a method.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scores {
    /// By kind of fault, kind of scope and size.
    pub tallies: Vec<(FaultKind, crate::ScopeKind, SizeClass, Tally)>,
    /// Findings that match a fault.
    pub n_true: usize,
    /// Findings that match none and are not made without faults.
    pub n_false: usize,
    /// Findings during missing or repeated lists that are not made without faults.
    pub n_from_lists: usize,
}

impl Scores {
    /// The sum over classes of faults.
    pub fn sum(&self, include: impl Fn(FaultKind, crate::ScopeKind, SizeClass) -> bool) -> Tally {
        let mut sum = Tally::default();
        self.tallies.iter().filter(|(kind, scope, size, _)| include(*kind, *scope, *size)).for_each(|(.., tally)| sum.add(tally));
        sum
    }

    /// Share of findings that match a fault; `None` without findings.
    pub fn precision(&self) -> Option<f64> {
        let n = self.n_true + self.n_false;
        (n > 0).then(|| self.n_true as f64 / n as f64)
    }
}

/// Lists after a fault's end in which it can still be found.
const GRACE: usize = 3;

/// Scores findings; `usual` are those that the method makes in the record without faults.
pub fn score(injected: &Injected, found: &[Finding], usual: &[Finding]) -> Scores {
    let mut scores = Scores::default();
    let mut is_true = vec![false; found.len()];
    for fault in injected.faults.iter().filter(|fault| !matches!(fault.kind, FaultKind::Missing | FaultKind::Stale)) {
        let mut tally = Tally { n: 1, ..Tally::default() };
        let matching: Vec<usize> = (0..found.len()).filter(|i| matches(&found[*i], fault)).collect();
        matching.iter().for_each(|i| is_true[*i] = true);
        let best = matching.iter().map(|i| &found[*i]).min_by_key(|finding| (finding.kind != right_kind(fault.kind), finding.list));
        if let Some(finding) = best.filter(|finding| finding.kind == right_kind(fault.kind)) {
            tally.n_found = 1;
            tally.n_top1 = usize::from(finding.scopes.first() == Some(&fault.scope));
            tally.n_top3 = usize::from(finding.scopes.iter().take(3).any(|scope| *scope == fault.scope));
            tally.delays.push((finding.list as i64 - fault.half_at as i64).max(0));
        }
        let class = (fault.kind, fault.scope.kind, SizeClass::of(fault.relays.len()));
        match scores.tallies.iter_mut().find(|(kind, scope, size, _)| (*kind, *scope, *size) == class) {
            Some((.., sum)) => sum.add(&tally),
            None => scores.tallies.push((class.0, class.1, class.2, tally)),
        }
    }
    let is_usual = |finding: &Finding| usual.iter().any(|other| is_same(finding, other));
    for (i, finding) in found.iter().enumerate() {
        let is_additional = !is_true[i] && !is_usual(finding);
        scores.n_true += usize::from(is_true[i]);
        scores.n_false += usize::from(is_additional);
        let near = |fault: &Fault| matches!(fault.kind, FaultKind::Missing | FaultKind::Stale) && reaches(fault, finding.list);
        scores.n_from_lists += usize::from(is_additional && injected.faults.iter().any(near));
    }
    scores.tallies.sort_by_key(|(kind, scope, size, _)| (*kind, *scope, *size));
    scores
}

const fn right_kind(kind: FaultKind) -> Kind {
    match kind {
        FaultKind::Outage => Kind::Outage,
        FaultKind::Flap => Kind::Flap,
        FaultKind::FlagLoss => Kind::FlagLoss,
        FaultKind::Join => Kind::Surge,
        FaultKind::Missing | FaultKind::Stale => Kind::DataQuality,
    }
}

fn reaches(fault: &Fault, index: usize) -> bool {
    (fault.lists.start..fault.lists.end + GRACE).contains(&index)
}

/// True if it matches the fault: at the time, with half of its relays; a loss for a loss.
fn matches(finding: &Finding, fault: &Fault) -> bool {
    let n = fault.relays.iter().filter(|relay| finding.relays.binary_search(relay).is_ok()).count();
    let is_loss = |kind: Kind| matches!(kind, Kind::Outage | Kind::Flap);
    let is_kin = finding.kind == right_kind(fault.kind) || is_loss(finding.kind) && is_loss(right_kind(fault.kind));
    is_kin && reaches(fault, finding.list) && 2 * n >= fault.relays.len()
}

/// True if two findings are of the same event: within six lists, most relays in common.
fn is_same(a: &Finding, b: &Finding) -> bool {
    let n = a.relays.iter().filter(|relay| b.relays.binary_search(relay).is_ok()).count();
    a.list.abs_diff(b.list) <= 2 * GRACE && 2 * n >= a.relays.len().min(b.relays.len())
}
