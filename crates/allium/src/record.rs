//! The exact history in the form that the detector walks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use allium_detect::{Presence, Record, RelayInfo};
use allium_history::{Error, History as _, RelayTimeline, SqliteHistory, Timeline};
use allium_model::{
    ConsensusHour, Fingerprint, Fraction, Known, NetworkRecord, OperatorId, Operators, Relay, RelayFlag, RelayFlags, RelayRecord,
    RelayState,
};

/// Every relay that a known consensus lists, with what was known of it at the time, and when it was running.
///
/// Where a relay is, its version and its name, addresses, family and contact are those of the hour: as its consensus says, else as the
/// newest details document by then, else as a pack, else as the first document that describes it. Proofs of domains and weights are as
/// last known.
///
/// # Errors
/// If the store cannot be read.
pub fn of(store: &SqliteHistory) -> Result<Record, Error> {
    let history = store.exact()?;
    let directory = Directory::of(history.relays.iter().collect());
    let timeline = &history.timeline;
    let mut described: BTreeMap<Fingerprint, Vec<(Option<ConsensusHour>, RelayInfo)>> = BTreeMap::new();
    let last = timeline.known().last().unwrap_or(ConsensusHour::new(i32::MIN));
    store.each_description(last, &mut |since, relay| {
        described.entry(relay.fingerprint).or_default().push((since, directory.then(&relay)));
    })?;
    let mut record = Record { hours: hours(timeline.known()), ..Record::default() };
    for relay in timeline.relays() {
        let descriptions = described.remove(&relay.fingerprint).unwrap_or_default();
        let mut infos = infos_over_time(timeline, relay, &directory.info(relay.fingerprint), &descriptions).into_iter();
        let Some((_, first)) = infos.next() else { continue };
        record.relays.push(first);
        infos.for_each(|(place, info)| record.described.entry(place).or_default().push(info));
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
    Ok(record)
}

/// What is known of a relay from which place on, where it differs from before. `last` is what is last known of it, `described` how it was
/// described over time: `None` for at no particular time.
fn infos_over_time(
    timeline: &Timeline,
    relay: &RelayTimeline,
    last: &RelayInfo,
    described: &[(Option<ConsensusHour>, RelayInfo)],
) -> Vec<(u32, RelayInfo)> {
    let hours = timeline.known().hours();
    let place_of = |since: Option<ConsensusHour>| since.map_or(0, |since| timeline.known().place(since) as u32);
    let changes: BTreeSet<u32> =
        relay.spans.iter().map(|span| span.start).chain(described.iter().map(|(since, _)| place_of(*since))).collect();
    let mut infos: Vec<(u32, RelayInfo)> = Vec::new();
    for place in changes {
        // The span of the place, else the one before it; what comes before the first span is not asked for.
        let span = relay.spans[..relay.spans.partition_point(|span| span.start <= place)].last();
        let (Some(span), Some(hour)) = (span, hours.get(place as usize)) else { continue };
        let then = described.iter().rev().find(|(since, _)| since.is_none_or(|since| since <= *hour)).or(described.first());
        let mut info = then.map_or_else(|| last.clone(), |(_, info)| RelayInfo { weight: last.weight, ..info.clone() });
        place_in(&mut info, timeline.state(span));
        if infos.last().is_none_or(|(_, before)| *before != info) {
            infos.push((place, info));
        }
    }
    infos
}

/// What is known of each relay of a network that a known consensus lists, in the network's order.
pub fn infos(network: &NetworkRecord) -> Vec<Option<RelayInfo>> {
    let directory = Directory::of(network.relays.iter().map(|record| &record.relay).collect());
    let info = |record: &RelayRecord| {
        let mut info = directory.info(record.relay.fingerprint);
        place_in(&mut info, &record.spans.last()?.state);
        Some(info)
    };
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

    /// What is last known of a relay.
    fn info(&self, fingerprint: Fingerprint) -> RelayInfo {
        let Some(place) = self.places.get(&fingerprint) else { return RelayInfo::unknown(fingerprint) };
        let info = described(self.described[*place]);
        let operator = self.operators.operator_of(*place).map(|operator| operator.id.to_string().into());
        RelayInfo { operator: operator.or(info.operator), ..info }
    }

    /// What a relay as it was described earlier is known for. Who had proven a domain last is taken to have held it then.
    fn then(&self, relay: &Relay) -> RelayInfo {
        let info = described(relay);
        let place = self.places.get(&relay.fingerprint);
        let last = place.and_then(|place| Some((self.described[*place], &self.operators.operator_of(*place)?.id)));
        let kept = last.filter(|(last, id)| {
            matches!(id, OperatorId::Domain(_)) || (last.effective_family == relay.effective_family && last.contact == relay.contact)
        });
        let of_contact = || relay.contact.as_deref().and_then(OperatorId::of_contact).map(|id| id.to_string().into());
        let operator = kept.map(|(_, id)| id.to_string().into()).or_else(|| info.operator.clone()).or_else(of_contact);
        RelayInfo { operator, ..info }
    }
}

/// The known hours with the flags that their consensus tells.
pub fn hours(known: &Known) -> Vec<(ConsensusHour, RelayFlags)> {
    let all: RelayFlags = RelayFlag::ALL.into_iter().collect();
    let listed: RelayFlags = Known::LISTED_FLAGS.into_iter().collect();
    let complete = known.of_flag(RelayFlag::Fast);
    known.hours().iter().map(|hour| (*hour, if complete.contains(*hour) { all } else { listed })).collect()
}

/// What a document says of a relay. Its family stands for its operator.
fn described(relay: &Relay) -> RelayInfo {
    let family = relay.effective_family.iter().copied().chain([relay.fingerprint]).min().filter(|_| !relay.effective_family.is_empty());
    RelayInfo {
        fingerprint: relay.fingerprint,
        nickname: relay.nickname.clone(),
        asn: relay.asn,
        country: relay.country,
        address: relay.primary_ip(),
        version: relay.version.as_deref().map(Arc::from),
        family,
        operator: family.map(|family| OperatorId::Family(family).to_string().into()),
        weight: relay.consensus_weight_fraction.map(Fraction::get),
    }
}

/// Where a consensus that lists a relay places it says more than where it is elsewhere said to be.
fn place_in(info: &mut RelayInfo, listed: &RelayState) {
    info.asn = listed.asn.or(info.asn);
    info.country = listed.country.or(info.country);
    info.version = listed.version.clone().or(info.version.take());
}
