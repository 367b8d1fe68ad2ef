//! Documents of histories: uptime, bandwidth and weights, which differ only in the names of their quantities.
//!
//! An entry is `{"fingerprint": …, QUANTITY: {PERIOD: graph, …}, …}`; in uptime documents `flags` holds one more level,
//! `{FLAG: {PERIOD: graph}}`. Unknown quantities are passed over, unknown periods and flags are kept by name. A graph that
//! cannot be used costs that graph. Of a relay given twice the first entry counts. A relay without any graph (a stub: it is
//! too young, or its histories are not stored) is kept and counted.

use std::collections::HashSet;

use allium_model::{Bounds, ConsensusHour, DocumentKind, Fingerprint, GraphPeriod, Period, PublishedGraph, Quantity, RelayHistories};

use super::envelope::{Header, MAX_RELAYS, Visit, walk};
use super::frozen::{Completion, Ends};
use super::graph::graph;
use super::json::{Broken, Cursor};
use super::rejects::{FieldRejects, Rejects, quote_name};
use super::uptime;
use crate::error::Error;

/// Number of graphs that an entry may have: 14 flags and some, each in four periods.
const MAX_GRAPHS: usize = 400;

/// A decoded uptime, bandwidth or weights document.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoriesDocument {
    /// The document as a whole; its kind is one of the three.
    pub header: Header,
    /// Its relays in the order of the document.
    pub relays: Vec<RelayHistories>,
    /// Entries left out because their relay has an earlier one.
    pub n_duplicates: usize,
    /// Relays among these that have no graph at all.
    pub n_stubs: usize,
    /// Relays whose graphs stopped before the document's newest consensus and were completed.
    pub n_frozen: usize,
}

pub(super) fn decode(kind: DocumentKind, member: MemberOf, bytes: &[u8], origin: &str, bounds: Bounds) -> Result<HistoriesDocument, Error> {
    let mut rejects = Rejects::new(origin);
    let mut list = HistoryList::new(member);
    let frame = walk(bytes, bounds, &mut rejects, |cursor, visit| list.entry(cursor, visit))?;
    let HistoryList { mut relays, uncertain, n_duplicates, n_stubs, .. } = list;
    let completion = match kind {
        DocumentKind::Uptime => Ends::new(&relays, &uncertain, frame.published).complete(&mut relays, &uncertain),
        _ => Completion::default(),
    };
    if completion.n_given_up > 0 {
        let reason = format!("{} graphs stopped too long ago to be completed", completion.n_given_up);
        rejects.add(|| "relays".to_owned(), None, &reason);
    }
    let header = Header::new(kind, bytes, &frame, rejects);
    Ok(HistoriesDocument { header, relays, n_duplicates, n_stubs, n_frozen: completion.n_frozen })
}

/// Content of a member of an entry.
pub(super) enum Member {
    /// Graphs of this quantity by period.
    Graphs(Quantity),
    /// Graphs by flag and period.
    Flags,
    /// Nothing of interest.
    Other,
}

/// Content of the member of an entry that has this key.
pub(super) type MemberOf = fn(&[u8]) -> Member;

struct HistoryList {
    member: MemberOf,
    relays: Vec<RelayHistories>,
    known: HashSet<Fingerprint>,
    /// Indexes of relays with a graph whose end is not certain.
    uncertain: HashSet<usize>,
    codes: Vec<Option<u16>>,
    n_duplicates: usize,
    n_stubs: usize,
}

/// An entry that is being read.
#[derive(Default)]
struct Partial {
    fingerprint: Option<Result<Fingerprint, String>>,
    graphs: Vec<PublishedGraph>,
    ends_are_certain: bool,
    rejects: FieldRejects,
}

impl HistoryList {
    fn new(member: MemberOf) -> Self {
        let (relays, codes) = (Vec::new(), Vec::new());
        Self { member, relays, known: HashSet::new(), uncertain: HashSet::new(), codes, n_duplicates: 0, n_stubs: 0 }
    }

    fn entry(&mut self, cursor: &mut Cursor<'_>, visit: &mut Visit<'_>) -> Result<(), Broken> {
        cursor.peek();
        let start = cursor.pos();
        let mut partial = Partial { ends_are_certain: true, ..Partial::default() };
        if let Err(broken) = self.members(cursor, visit.published, &mut partial) {
            // What was read before is kept; the rest of the entry is lost.
            cursor.go_back(start);
            cursor.skip()?;
            partial.rejects.add("members", broken.reason);
        }
        self.add(partial, visit);
        Ok(())
    }

    fn add(&mut self, partial: Partial, visit: &mut Visit<'_>) {
        let fingerprint = match partial.fingerprint {
            Some(Ok(fingerprint)) => fingerprint,
            other => {
                let reason = other.and_then(Result::err).unwrap_or_else(|| "no fingerprint".to_owned());
                visit.rejects.add_fields(visit.entry_idx, None, partial.rejects);
                return visit.rejects.add_entry(visit.entry_idx, None, &reason);
            }
        };
        let is_whole = partial.rejects == FieldRejects::default();
        visit.rejects.add_fields(visit.entry_idx, Some(fingerprint), partial.rejects);
        if self.relays.len() >= MAX_RELAYS {
            visit.rejects.add_entry(visit.entry_idx, Some(fingerprint), "more relays than any network has");
        } else if self.known.insert(fingerprint) {
            self.n_stubs += usize::from(is_whole && partial.graphs.is_empty());
            if !partial.ends_are_certain {
                self.uncertain.insert(self.relays.len());
            }
            let mut graphs = partial.graphs;
            graphs.shrink_to_fit();
            self.relays.push(RelayHistories { fingerprint, graphs });
        } else {
            self.n_duplicates += 1;
            visit.rejects.add_entry(visit.entry_idx, Some(fingerprint), "relay given twice; the earlier entry counts");
        }
    }

    fn members(&mut self, cursor: &mut Cursor<'_>, published: ConsensusHour, partial: &mut Partial) -> Result<(), Broken> {
        cursor.expect(b'{', "expected an object")?;
        let mut first = true;
        while let Some(key) = cursor.next_key(&mut first)? {
            if key == b"fingerprint" {
                fingerprint(cursor, partial)?;
                continue;
            }
            match (self.member)(key) {
                Member::Graphs(quantity) => self.graphs(cursor, published, &quantity, key, partial)?,
                Member::Flags => self.flags(cursor, published, partial)?,
                Member::Other => drop(cursor.skip()?),
            }
        }
        Ok(())
    }

    fn flags(&mut self, cursor: &mut Cursor<'_>, published: ConsensusHour, partial: &mut Partial) -> Result<(), Broken> {
        if cursor.peek() != Some(b'{') {
            partial.rejects.add("flags", "expected an object");
            return cursor.skip().map(drop);
        }
        cursor.expect(b'{', "expected an object")?;
        let mut first = true;
        while let Some(key) = cursor.next_key(&mut first)? {
            let quantity = uptime::flag(key);
            self.graphs(cursor, published, &quantity, &[b"flags.", key].concat(), partial)?;
        }
        Ok(())
    }

    fn graphs(
        &mut self,
        cursor: &mut Cursor<'_>,
        published: ConsensusHour,
        quantity: &Quantity,
        name: &[u8],
        partial: &mut Partial,
    ) -> Result<(), Broken> {
        if cursor.peek() != Some(b'{') {
            partial.rejects.add(&quote_name(name), "expected an object");
            return cursor.skip().map(drop);
        }
        cursor.expect(b'{', "expected an object")?;
        let mut first = true;
        while let Some(key) = cursor.next_key(&mut first)? {
            cursor.peek();
            let start = cursor.pos();
            if let Err(reason) = self.graph(cursor, published, quantity, (name, key), partial) {
                partial.rejects.add(&location(name, key), reason);
                cursor.go_back(start);
                cursor.skip()?;
            }
        }
        Ok(())
    }

    fn graph(
        &mut self,
        cursor: &mut Cursor<'_>,
        published: ConsensusHour,
        quantity: &Quantity,
        (name, key): (&[u8], &[u8]),
        partial: &mut Partial,
    ) -> Result<(), String> {
        let period = graph_period(key);
        if partial.graphs.len() >= MAX_GRAPHS {
            return Err(format!("more than {MAX_GRAPHS} graphs"));
        }
        if partial.graphs.iter().any(|known| known.period == period && known.quantity == *quantity) {
            return Err("given twice; the first counts".to_owned());
        }
        let mut note = |reason: String| partial.rejects.add(&location(name, key), reason);
        let graph = graph(cursor, quantity.is_share(), published, &mut self.codes, &mut note).map_err(|e| e.reason().to_owned())?;
        partial.ends_are_certain &= graph.end_is_certain;
        partial.graphs.push(PublishedGraph { quantity: quantity.clone(), period, series: graph.series, completed: 0 });
        Ok(())
    }
}

fn fingerprint(cursor: &mut Cursor<'_>, partial: &mut Partial) -> Result<(), Broken> {
    if partial.fingerprint.is_some() {
        partial.rejects.add("fingerprint", "given twice; the first counts");
        return cursor.skip().map(drop);
    }
    if cursor.peek() != Some(b'"') {
        partial.fingerprint = Some(Err("the fingerprint is no string".to_owned()));
        return cursor.skip().map(drop);
    }
    let text = cursor.string()?;
    partial.fingerprint = Some(text.parse().map_err(|error: allium_model::identity::ParseError| error.to_string()));
    Ok(())
}

fn location(name: &[u8], period: &[u8]) -> String {
    format!("{}.{}", quote_name(name), quote_name(period))
}

fn graph_period(key: &[u8]) -> GraphPeriod {
    let name = quote_name(key);
    Period::from_name(&name).map_or(GraphPeriod::Other(name), GraphPeriod::Named)
}
