//! Attributes that consensuses state of relays beside their state.

use allium_history::{ConsensusInfo, ConsensusSource, FullConsensus, Listed, Statement, Statements, Store};
use allium_model::{BandwidthWeights, PortSummary, Relay, StateSpan};

use super::Backend;
use super::packs::{relay, sound};
use crate::common::*;

fn info(at: i32) -> ConsensusInfo {
    ConsensusInfo { source: ConsensusSource::Directory, ..consensus(hour(at)) }
}

fn statement(nickname: &str, address: &str) -> Statement {
    Statement {
        nickname: Some(nickname.to_owned()),
        or_addresses: vec![address.parse().unwrap(), "[2001:db8::1]:9001".parse().unwrap()],
        measured: Some(true),
        exit_policy_summary: Some(PortSummary::Accept(vec!["80".to_owned()])),
    }
}

/// A consensus in which relay 1 has this statement.
fn stating(at: i32, statement: Statement) -> FullConsensus {
    let listed = vec![Listed { statement, ..Listed::of(fingerprint(1), state(1)) }];
    FullConsensus { info: info(at), listed, bandwidth_weights: BandwidthWeights::default() }
}

fn stated(store: &dyn Store) -> Statement {
    sound(store);
    let record = store.load().unwrap().unwrap();
    let Relay { nickname, or_addresses, measured, exit_policy_summary, .. } = relay(&record, 1).relay.clone();
    Statement { nickname, or_addresses, measured, exit_policy_summary }
}

pub(crate) fn the_newest_statement_counts_in_whatever_order_consensuses_come(backend: &dyn Backend) {
    let (old, new) = (statement("old", "192.0.2.1:1"), statement("new", "192.0.2.2:2"));
    for order in [[0, 5], [5, 0]] {
        let mut store = backend.empty();
        for at in order {
            store.append_full_consensus(&stating(at, if at == 0 { old.clone() } else { new.clone() })).unwrap();
        }
        assert_eq!(stated(&*store), new, "{order:?}");
    }
    // A consensus between two that state the same changes nothing for the present.
    let mut store = backend.empty();
    for (at, statement) in [(0, &new), (5, &new), (3, &old)] {
        store.append_full_consensus(&stating(at, statement.clone())).unwrap();
    }
    assert_eq!(stated(&*store), new);
}

pub(crate) fn what_a_consensus_leaves_out_stays_as_stated(backend: &dyn Backend) {
    let mut store = backend.empty();
    let whole = statement("name", "192.0.2.1:1");
    store.append_full_consensus(&stating(0, whole.clone())).unwrap();
    store.append_full_consensus(&stating(1, Statement { nickname: Some("other".to_owned()), ..Statement::default() })).unwrap();
    assert_eq!(stated(&*store), Statement { nickname: Some("other".to_owned()), ..whole });
}

pub(crate) fn documents_prevail_until_a_consensus_states_something_else(backend: &dyn Backend) {
    let mut store = backend.empty();
    store.append_full_consensus(&stating(0, statement("consensus", "192.0.2.1:1"))).unwrap();
    let described = Relay { nickname: Some("document".to_owned()), measured: None, ..running(1, hour(2)) };
    store.apply(&details(hour(2), vec![described])).unwrap();
    let both = Statement { nickname: Some("document".to_owned()), ..statement("", "192.0.2.1:1") };
    assert_eq!(stated(&*store), both, "the document is newer, and has no addresses");
    store.append_full_consensus(&stating(3, statement("consensus", "192.0.2.1:1"))).unwrap();
    assert_eq!(stated(&*store), both, "it says what it said before");
    store.append_full_consensus(&stating(4, statement("moved", "192.0.2.9:1"))).unwrap();
    assert_eq!(stated(&*store), statement("moved", "192.0.2.9:1"));
}

pub(crate) fn statements_of_many_consensuses_are_those_of_each(backend: &dyn Backend) {
    let mut store = backend.empty();
    let (infos, span) = ([info(0), info(1)], StateSpan { start: hour(0), end: hour(2), state: state(1) });
    let newest = Statements::from([(fingerprint(1), (hour(1), statement("name", "192.0.2.1:1")))]);
    store.append_weighed_spans(&infos, &mut std::iter::once((fingerprint(1), span)), &[], &newest).unwrap();
    assert_eq!(stated(&*store), statement("name", "192.0.2.1:1"));
    let gone = Relay { last_seen: Some(hour(-900)), ..running(2, hour(-900)) };
    store.apply(&details(hour(3), vec![gone])).unwrap();
    store.prune(hour(3)).unwrap();
    sound(&*store);
}
