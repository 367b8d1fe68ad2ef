//! The exact history in the form that the detector walks.

use std::collections::BTreeMap;
use std::sync::Arc;

use allium_detect::{Presence, Record, RelayInfo};
use allium_history::ExactHistory;
use allium_model::{
    ConsensusHour, Fingerprint, Fraction, Known, NetworkRecord, OperatorId, Operators, Relay, RelayFlag, RelayFlags, RelayRecord,
    RelayState,
};

/// Every relay that a known consensus lists, with what is known of it, and when it was running.
pub fn of(history: &ExactHistory) -> Record {
    let directory = Directory::of(history.relays.iter().collect());
    let timeline = &history.timeline;
    let mut record = Record { hours: hours(timeline.known()), ..Record::default() };
    for relay in timeline.relays() {
        let Some(last) = relay.spans.last() else { continue };
        record.relays.push(directory.info(relay.fingerprint, timeline.state(last)));
        let mut presence: Vec<Presence> = Vec::with_capacity(relay.spans.len());
        for span in &relay.spans {
            let flags = timeline.state(span).flags;
            match presence.last_mut() {
                _ if !flags.contains(RelayFlag::Running) => {}
                Some(last) if last.places.end == span.start && last.flags == flags => last.places.end = span.end,
                _ => presence.push(Presence { places: span.start..span.end, flags }),
            }
        }
        record.presence.push(presence);
    }
    record
}

/// What is known of each relay of a network that a known consensus lists, in the network's order.
pub fn infos(network: &NetworkRecord) -> Vec<Option<RelayInfo>> {
    let directory = Directory::of(network.relays.iter().map(|record| &record.relay).collect());
    let info = |record: &RelayRecord| Some(directory.info(record.relay.fingerprint, &record.spans.last()?.state));
    network.relays.iter().map(info).collect()
}

/// Who relays are as documents tell it.
struct Directory<'a> {
    described: Vec<&'a Relay>,
    operators: Operators,
    places: BTreeMap<Fingerprint, usize>,
}

impl<'a> Directory<'a> {
    fn of(described: Vec<&'a Relay>) -> Self {
        let operators = Operators::of(&described);
        let places = described.iter().enumerate().map(|(i, relay)| (relay.fingerprint, i)).collect();
        Self { described, operators, places }
    }

    /// What is known of a relay; `last` is what the last consensus that lists it says.
    fn info(&self, fingerprint: Fingerprint, last: &RelayState) -> RelayInfo {
        let mut info = RelayInfo::unknown(fingerprint);
        if let Some(place) = self.places.get(&fingerprint) {
            describe(&mut info, self.described[*place]);
            info.operator = self.operators.operator_of(*place).map(|operator| operator.id.to_string().into()).or(info.operator);
        }
        place_in(&mut info, last);
        info
    }
}

/// The known hours with the flags that their consensus tells.
pub fn hours(known: &Known) -> Vec<(ConsensusHour, RelayFlags)> {
    let all: RelayFlags = RelayFlag::ALL.into_iter().collect();
    let listed: RelayFlags = Known::LISTED_FLAGS.into_iter().collect();
    let complete = known.of_flag(RelayFlag::Fast);
    known.hours().iter().map(|hour| (*hour, if complete.contains(*hour) { all } else { listed })).collect()
}

/// Fills in what a document says of a relay. Where the operator cannot be told from all documents, its family stands for it.
fn describe(info: &mut RelayInfo, relay: &Relay) {
    info.nickname.clone_from(&relay.nickname);
    (info.asn, info.country, info.address) = (relay.asn, relay.country, relay.primary_ip());
    info.version = relay.version.as_deref().map(Arc::from);
    info.family = relay.effective_family.iter().copied().chain([relay.fingerprint]).min().filter(|_| !relay.effective_family.is_empty());
    info.operator = info.family.map(|family| OperatorId::Family(family).to_string().into());
    info.weight = relay.consensus_weight_fraction.map(Fraction::get);
}

/// Where the last consensus that lists it places a relay says more than where it is elsewhere said to be.
fn place_in(info: &mut RelayInfo, last: &RelayState) {
    info.asn = last.asn.or(info.asn);
    info.country = last.country.or(info.country);
    info.version = last.version.clone().or(info.version.take());
}
