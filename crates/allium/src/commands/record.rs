//! The exact history in the form that the detector walks.

use std::collections::BTreeMap;
use std::sync::Arc;

use allium_detect::{Presence, Record, RelayInfo};
use allium_history::ExactHistory;
use allium_model::{ConsensusHour, Fingerprint, Fraction, Known, OperatorId, Operators, Relay, RelayFlag, RelayFlags, RelayState};

/// Every relay that a known consensus lists, with what is known of it, and when it was running.
pub(crate) fn of(history: &ExactHistory) -> Record {
    let described: Vec<&Relay> = history.relays.iter().collect();
    let operators = Operators::of(&described);
    let places: BTreeMap<Fingerprint, usize> = described.iter().enumerate().map(|(i, relay)| (relay.fingerprint, i)).collect();
    let timeline = &history.timeline;
    let mut record = Record { hours: hours(timeline.known()), ..Record::default() };
    for relay in timeline.relays() {
        let Some(last) = relay.spans.last() else { continue };
        let mut info = RelayInfo::unknown(relay.fingerprint);
        if let Some(place) = places.get(&relay.fingerprint) {
            describe(&mut info, described[*place]);
            info.operator = operators.operator_of(*place).map(|operator| operator.id.to_string().into()).or(info.operator);
        }
        place_in(&mut info, timeline.state(last));
        record.relays.push(info);
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

/// The known hours with the flags that their consensus tells.
fn hours(known: &Known) -> Vec<(ConsensusHour, RelayFlags)> {
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
