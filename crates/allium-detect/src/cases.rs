//! The cases: opened with a cluster, grown, widened and merged, moved along as their relays come back.
//!
//! A case has an index that stays. A relay that is missing because of a case is claimed by it ([`Track::claim`]): it belongs to one
//! open case at a time. Every change is noted until [`Cases::take_changed`].
//!
//! [`Track::claim`]: crate::track::Track::claim

use serde::{Deserialize, Serialize};

use crate::book::{Book, RelayIdx};
use crate::case::{Case, Reading, Suspect};
use crate::extent::Extent;
use crate::incident::{Event, Kind, Status};
use crate::network::Network;
use crate::scan::{Cluster, Look};
use crate::scope::Scope;
use crate::track::CaseIdx;

/// Earlier cases that a case refers to.
const MOST_SIMILAR: usize = 5;

/// All cases in the order of their detection.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Cases {
    all: Vec<Case>,
    /// Cases changed since they were last asked for.
    #[serde(skip)]
    changed: Vec<usize>,
}

/// The beginning of a case.
pub(crate) struct Start<'a> {
    pub(crate) kind: Kind,
    pub(crate) detail: Option<String>,
    /// Bit of the flag that was lost, 0 for none.
    pub(crate) flag: u32,
    pub(crate) cluster: &'a Cluster,
    /// The last list before.
    pub(crate) started: i32,
}

impl Cases {
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Case> {
        self.all.get(index)
    }

    /// A case that is known to be there: indices come from this collection.
    pub(crate) fn case(&self, index: usize) -> &Case {
        &self.all[index]
    }

    /// The case that a relay is claimed by.
    pub(crate) fn claiming(&self, claim: Option<CaseIdx>) -> Option<&Case> {
        claim.map(|index| &self.all[index as usize])
    }

    /// The index of the case that a relay is claimed by, if that is open.
    pub(crate) fn open_index(&self, claim: Option<CaseIdx>) -> Option<usize> {
        claim.map(|index| index as usize).filter(|index| self.all[*index].status.is_open())
    }

    /// The newest case that `is_it`.
    pub(crate) fn newest(&self, is_it: impl Fn(&Case) -> bool) -> Option<usize> {
        self.all.iter().rposition(is_it)
    }

    /// Indices of the cases changed since this was last called, sorted.
    pub(crate) fn take_changed(&mut self) -> Vec<usize> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed.dedup();
        changed
    }

    /// Opens a case and gives its index.
    pub(crate) fn open(&mut self, start: Start<'_>, book: &Book, network: &Network) -> usize {
        let index = self.all.len();
        let case = self.begin(start, book, network);
        self.all.push(case);
        self.changed.push(index);
        index
    }

    /// Changes a case.
    pub(crate) fn change(&mut self, index: usize, change: impl FnOnce(&mut Case)) {
        change(&mut self.all[index]);
        self.changed.push(index);
    }

    /// Shows every case with its index to `follow`, which answers whether it changed the case.
    pub(crate) fn follow(&mut self, mut follow: impl FnMut(usize, &mut Case) -> bool) {
        for (index, case) in self.all.iter_mut().enumerate() {
            if follow(index, case) {
                self.changed.push(index);
            }
        }
    }

    /// Adds relays to a case; nothing but its extent changes where it has them already.
    pub(crate) fn add(&mut self, index: usize, relays: &[RelayIdx], book: &Book, network: &Network) {
        self.change(index, |case| {
            let n_more = case.add(relays);
            if n_more > 0 {
                case.timeline.push((network.hour(), Event::Grew(n_more)));
                case.last_wave = network.hour();
            }
            case.extent = Extent::of(&case.relays, book, network);
        });
    }

    /// Adds lost relays to a case and claims them.
    pub(crate) fn grow(&mut self, index: usize, relays: &[RelayIdx], book: &Book, network: &mut Network) {
        self.add(index, relays, book, network);
        self.claim(index, network);
    }

    /// Claims the relays of a case that are down.
    pub(crate) fn claim(&self, index: usize, network: &mut Network) {
        claim(index, &self.all[index], network);
    }

    /// Gives a just opened case the scope and relays of a cluster that explains more; the cases `others` become part of it.
    pub(crate) fn widen(&mut self, index: usize, others: &[usize], cluster: &Cluster, book: &Book, network: &mut Network) {
        let mut relays = cluster.lost.clone();
        let mut started = self.all[index].started;
        for other in others {
            self.change(*other, |case| case.status = Status::Merged);
            relays.extend(&self.all[*other].relays);
            started = started.min(self.all[*other].started);
        }
        let case = &mut self.all[index];
        let ln_p = cluster.look.ln_p.min(case.reading.ln_p);
        case.scope = book.scope(cluster.look.scope).clone();
        case.reading = Reading { ln_p, ..reading(&cluster.look) };
        case.causes = suspects(cluster, book);
        case.started = started;
        self.grow(index, &relays, book, network);
    }

    fn begin(&self, start: Start<'_>, book: &Book, network: &Network) -> Case {
        let Start { kind, detail, flag, cluster, started } = start;
        let scope = book.scope(cluster.look.scope).clone();
        let mut relays = cluster.lost.clone();
        relays.sort_unstable();
        Case {
            id: Case::id(kind, detail.as_deref(), &scope, started),
            kind,
            detail,
            status: Status::Active,
            started,
            detected: network.hour(),
            resolved: None,
            flag,
            reading: reading(&cluster.look),
            causes: suspects(cluster, book),
            extent: Extent::of(&relays, book, network),
            timeline: vec![(network.hour(), Event::Detected(relays.len() as u32))],
            similar: self.similar(kind, &scope, &relays),
            opened_at_list: network.n_lists(),
            last_wave: network.hour(),
            n_drops: 1,
            back_max: 0.0,
            scope,
            relays,
        }
    }

    /// Earlier cases of the same kind and scope, or with at least half of the same relays; newest first.
    fn similar(&self, kind: Kind, scope: &Scope, relays: &[RelayIdx]) -> Vec<u64> {
        let is_similar = |case: &&Case| {
            let is_kin = case.kind == kind || case.is_loss() && matches!(kind, Kind::Outage | Kind::Flap);
            is_kin && case.status != Status::Merged && (case.scope == *scope || shares_half(&case.relays, relays))
        };
        self.all.iter().rev().filter(is_similar).take(MOST_SIMILAR).map(|case| case.id).collect()
    }
}

/// Claims the relays of a case that are down.
pub(crate) fn claim(index: usize, case: &Case, network: &mut Network) {
    case.relays.iter().for_each(|relay| network.track_mut(*relay).claim(index as CaseIdx));
}

fn reading(look: &Look) -> Reading {
    Reading { expected: look.expected, n_at_risk: look.n_at_risk, ln_p: look.ln_p }
}

/// The scope of a cluster and its rivals.
fn suspects(cluster: &Cluster, book: &Book) -> Vec<Suspect> {
    let suspect = |look: &Look| Suspect {
        scope: book.scope(look.scope).clone(),
        gain: look.gain,
        n_affected: look.n_lost,
        n_at_risk: look.n_at_risk,
        expected: look.expected,
    };
    std::iter::once(&cluster.look).chain(&cluster.rivals).map(suspect).collect()
}

/// True if at least half of the larger of two sorted sets lies in the other.
fn shares_half(a: &[RelayIdx], b: &[RelayIdx]) -> bool {
    let larger = a.len().max(b.len());
    2 * a.len().min(b.len()) >= larger && 2 * a.iter().filter(|relay| b.binary_search(relay).is_ok()).count() >= larger
}
