//! Keys that a relay had before it changed its key.
//!
//! Question: which relays that are gone go on under another key? A relay on a dynamic address, or one that is set up anew each day,
//! appears as a row of relays of which all but the last are down for good. Input: our own record, nicknames, contacts and families.
//!
//! Method: relays that share nickname and contact, or nickname and family, are keys of one relay if no known consensus lists two of them
//! at once. A key is followed by the next one if that appears, new, within [`MAX_HOURS`] of its leaving. Relays without a name of their own
//! (none, or `Unnamed`) and relays with neither contact nor family are never joined, nor are names that two relays bear at once: an
//! operator may call all of them the same.

use std::collections::BTreeMap;

use allium_model::operator::normalised_contact;
use allium_model::{ConsensusHour, Fingerprint, NetworkRecord, RelayRecord};

/// Hours between the first consensus without a key and the first one with the next.
const MAX_HOURS: i32 = 2;

/// Gives for each relay of a record the index of the key that followed it; `None` for all that still run, ended, or cannot be told apart.
pub fn followed_by(record: &NetworkRecord) -> Vec<Option<u32>> {
    let mut followed = vec![None; record.relays.len()];
    for (bond, mut keys) in candidates(record) {
        if keys.len() < 2 || !bond.is_somebodys() {
            continue;
        }
        let life = |i: &u32| lifetime(&record.relays[*i as usize]);
        keys.sort_by_key(life);
        let pairs = || keys.windows(2).map(|pair| (pair[0], pair[1]));
        let are_apart = pairs().all(|(a, b)| life(&a).zip(life(&b)).is_some_and(|(a, b)| a.1 <= b.0));
        if are_apart {
            let next = pairs().filter(|(a, b)| follows(record, *a, *b));
            next.for_each(|(a, b)| followed[a as usize] = Some(b));
        }
    }
    followed
}

/// The attributes that keys of one relay share.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Bond<'a> {
    Contact(&'a str, &'a str),
    Family(&'a str, Fingerprint),
}

impl Bond<'_> {
    /// False of contacts that strangers share, such as "none".
    fn is_somebodys(&self) -> bool {
        match self {
            Self::Contact(_, contact) => normalised_contact(contact).is_some(),
            Self::Family(..) => true,
        }
    }
}

fn candidates(record: &NetworkRecord) -> BTreeMap<Bond<'_>, Vec<u32>> {
    let mut keys: BTreeMap<Bond<'_>, Vec<u32>> = BTreeMap::new();
    let with_spans = record.relays.iter().zip(0..).filter(|(recorded, _)| !recorded.spans.is_empty());
    for (recorded, i) in with_spans {
        if let Some(bond) = bond(recorded) {
            keys.entry(bond).or_default().push(i);
        }
    }
    keys
}

/// The family counts only without a contact, so that each relay is a candidate once.
fn bond(recorded: &RelayRecord) -> Option<Bond<'_>> {
    let relay = &recorded.relay;
    let nickname = relay.nickname.as_deref().filter(|name| !name.is_empty() && *name != "Unnamed")?;
    if let Some(contact) = relay.contact.as_deref().map(str::trim).filter(|contact| !contact.is_empty()) {
        return Some(Bond::Contact(nickname, contact));
    }
    let others = relay.effective_family.iter().filter(|member| **member != relay.fingerprint);
    Some(Bond::Family(nickname, *others.min()?))
}

/// From the first consensus that listed it to the hour after the last.
fn lifetime(recorded: &RelayRecord) -> Option<(ConsensusHour, ConsensusHour)> {
    Some((recorded.spans.first()?.start, recorded.spans.last()?.end))
}

/// True if `b` appeared, new, soon after `a` left.
fn follows(record: &NetworkRecord, a: u32, b: u32) -> bool {
    let of = |i: u32| &record.relays[i as usize];
    let Some(((_, left), (appeared, _))) = lifetime(of(a)).zip(lifetime(of(b))) else { return false };
    let is_new = of(b).relay.first_seen.date() == Some(appeared);
    is_new && appeared.hours_since(left) <= MAX_HOURS
}
