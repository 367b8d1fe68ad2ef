//! The exact history in the form that the detector walks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use allium_detect::{Presence, Record, RelayInfo};
use allium_history::{Error, RelayTimeline, Store, Timeline};
use allium_model::{
    ConsensusHour, Fingerprint, Fraction, Known, NetworkRecord, OperatorId, Operators, Relay, RelayFlag, RelayFlags, RelayRecord,
    RelayState,
};

/// Every relay that a known consensus lists, with what was known of the relay at the time, and when it was running.
///
/// Location, version, name, addresses, family and contact of a relay are those of the hour: as its consensus says, else as the
/// newest details document by then, else as a pack, else as the first document that describes it. Proofs of domains and weights are as
/// last known.
///
/// # Errors
/// If the store cannot be read.
pub fn of(store: &dyn Store) -> Result<Record, Error> {
    let history = store.exact()?;
    let relays: Vec<&Relay> = history.relays.iter().collect();
    let operators = Operators::of(&relays);
    let directory = Directory::of(relays, &operators);
    let timeline = &history.timeline;
    let mut described: BTreeMap<Fingerprint, Vec<(Option<ConsensusHour>, RelayInfo)>> = BTreeMap::new();
    let last = timeline.known().last().unwrap_or(ConsensusHour::new(i32::MIN));
    store.each_description(last, &mut |since, relay| {
        described.entry(relay.fingerprint).or_default().push((since, directory.then(&relay)));
    })?;
    let mut record = Record { hours: hours(timeline.known()), ..Record::default() };
    for relay in timeline.relays() {
        let descriptions = described.remove(&relay.fingerprint).unwrap_or_default();
        let last = directory.find(&relay.fingerprint).map_or_else(|| RelayInfo::unknown(relay.fingerprint), |idx| directory.info(idx));
        let mut infos = infos_over_time(timeline, relay, &last, &descriptions).into_iter();
        let Some((_, first)) = infos.next() else { continue };
        record.relays.push(first);
        infos.for_each(|(index, info)| record.described.entry(index).or_default().push(info));
        let mut presence: Vec<Presence> = Vec::with_capacity(relay.spans.len());
        for span in &relay.spans {
            let flags = timeline.state(span).flags;
            match presence.last_mut() {
                _ if !flags.contains(RelayFlag::Running) => {}
                Some(last) if last.lists.end == span.start && last.flags == flags => last.lists.end = span.end,
                _ => presence.push(Presence { lists: span.start..span.end, flags }),
            }
        }
        record.presence.push(presence);
    }
    Ok(record)
}

/// Changes of what is known of a relay, by index among the known hours. `last` is what is last known of the relay, `described` its
/// descriptions over time: `None` for at no particular time.
fn infos_over_time(
    timeline: &Timeline,
    relay: &RelayTimeline,
    last: &RelayInfo,
    described: &[(Option<ConsensusHour>, RelayInfo)],
) -> Vec<(u32, RelayInfo)> {
    let hours = timeline.known().hours();
    let index_of = |since: Option<ConsensusHour>| since.map_or(0, |since| timeline.known().index_of(since) as u32);
    let changes: BTreeSet<u32> =
        relay.spans.iter().map(|span| span.start).chain(described.iter().map(|(since, _)| index_of(*since))).collect();
    let mut infos: Vec<(u32, RelayInfo)> = Vec::new();
    for index in changes {
        // The span of the hour, else the one before it; what comes before the first span does not matter.
        let span = relay.spans[..relay.spans.partition_point(|span| span.start <= index)].last();
        let (Some(span), Some(hour)) = (span, hours.get(index as usize)) else { continue };
        let then = described.iter().rev().find(|(since, _)| since.is_none_or(|since| since <= *hour)).or(described.first());
        let mut info = then.map_or_else(|| last.clone(), |(_, info)| RelayInfo { weight: last.weight, ..info.clone() });
        locate(&mut info, timeline.state(span));
        if infos.last().is_none_or(|(_, before)| *before != info) {
            infos.push((index, info));
        }
    }
    infos
}

/// Infos of the relays of a network, in its order; `None` for those that no known consensus lists. `operators` are those of its relays.
pub fn infos(network: &NetworkRecord, operators: &Operators) -> Vec<Option<RelayInfo>> {
    let directory = Directory::of(network.relays.iter().map(|record| &record.relay).collect(), operators);
    let info = |(idx, record): (usize, &RelayRecord)| {
        let listed = &record.spans.last()?.state;
        let mut info = directory.info(idx);
        locate(&mut info, listed);
        Some(info)
    };
    network.relays.iter().enumerate().map(info).collect()
}

/// Identities of relays according to documents.
struct Directory<'a> {
    /// By fingerprint.
    described: Vec<&'a Relay>,
    operators: &'a Operators,
    /// Ids of the operators as scopes have them.
    names: Vec<Arc<str>>,
}

impl<'a> Directory<'a> {
    fn of(described: Vec<&'a Relay>, operators: &'a Operators) -> Self {
        let names = operators.operators.iter().map(|operator| operator.id.to_string().into()).collect();
        Self { described, operators, names }
    }

    fn find(&self, fingerprint: &Fingerprint) -> Option<usize> {
        self.described.binary_search_by_key(fingerprint, |relay| relay.fingerprint).ok()
    }

    /// The name of the operator of a relay.
    fn operator(&self, relay_idx: usize) -> Option<&Arc<str>> {
        self.names.get(self.operators.of_relay[relay_idx]? as usize)
    }

    /// The info of a relay as last known.
    fn info(&self, relay_idx: usize) -> RelayInfo {
        let info = described(self.described[relay_idx]);
        RelayInfo { operator: self.operator(relay_idx).cloned().or_else(|| of_family(&info)), ..info }
    }

    /// The info of a relay as it was described earlier. Whoever proved a domain last is taken to have held it then.
    fn then(&self, relay: &Relay) -> RelayInfo {
        let info = described(relay);
        let kept = self.find(&relay.fingerprint).filter(|relay_idx| {
            let last = self.described[*relay_idx];
            let id = self.operators.operator_of(*relay_idx).map(|operator| &operator.id);
            matches!(id, Some(OperatorId::Domain(_))) || (last.effective_family == relay.effective_family && last.contact == relay.contact)
        });
        let of_contact = || relay.contact.as_deref().and_then(OperatorId::of_contact).map(|id| id.to_string().into());
        let operator = kept.and_then(|relay_idx| self.operator(relay_idx).cloned()).or_else(|| of_family(&info)).or_else(of_contact);
        RelayInfo { operator, ..info }
    }
}

/// The operator that a family stands for.
fn of_family(info: &RelayInfo) -> Option<Arc<str>> {
    info.family.map(|family| OperatorId::Family(family).to_string().into())
}

/// The known hours with the flags that are known of their consensus.
pub fn hours(known: &Known) -> Vec<(ConsensusHour, RelayFlags)> {
    let all: RelayFlags = RelayFlag::ALL.into_iter().collect();
    let listed: RelayFlags = Known::LISTED_FLAGS.into_iter().collect();
    let complete = known.of_flag(RelayFlag::Fast);
    known.hours().iter().map(|hour| (*hour, if complete.contains(*hour) { all } else { listed })).collect()
}

/// The info of a relay as a document has it, without its operator.
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
        operator: None,
        weight: relay.consensus_weight_fraction.map(Fraction::get),
    }
}

/// Takes location and version from a consensus that lists the relay, which has precedence over documents.
fn locate(info: &mut RelayInfo, listed: &RelayState) {
    info.asn = listed.asn.or(info.asn);
    info.country = listed.country.or(info.country);
    info.version = listed.version.clone().or(info.version.take());
}
