//! Whether a relay fits a condition: the one place where questions are compared with relays.

use std::net::{IpAddr, SocketAddr};

use allium_model::{ConsensusHour, Fingerprint, Relay, RelayFlag};

use super::SearchIndex;
use super::days::Days;
use super::fields::Field;
use super::question::{Condition, Term};

/// A relay among those that an index was built for.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) index: &'a SearchIndex,
    pub(super) relay_idx: usize,
    pub(super) relay: &'a Relay,
    pub(super) as_of: ConsensusHour,
}

impl Candidate<'_> {
    /// True if one of the conditions of a term holds.
    pub(super) fn fits(self, term: &Term) -> bool {
        term.any.iter().any(|condition| self.holds(condition))
    }

    /// True if a term names exactly this relay: by its whole nickname, fingerprint or address.
    pub(super) fn is_named_by(self, term: &Term) -> bool {
        term.any.iter().any(|condition| match condition {
            Condition::Text(text) | Condition::Named(text) | Condition::Nickname(text) => self.field(Field::Nickname) == text,
            Condition::Fingerprint(_) | Condition::Address(..) => self.holds(condition),
            _ => false,
        })
    }

    fn holds(self, condition: &Condition) -> bool {
        let relay = self.relay;
        match condition {
            Condition::Everything => true,
            Condition::Text(text) => self.index.fields.all(self.relay_idx).contains(text.as_str()),
            Condition::Named(name) => self.field(Field::Nickname) == name,
            Condition::Nickname(part) => self.field(Field::Nickname).contains(part.as_str()),
            Condition::Contact(part) => [Field::Contact, Field::Mails].iter().any(|field| self.field(*field).contains(part.as_str())),
            Condition::Mail(mail) => self.field(Field::Mails).split(' ').any(|found| found == mail),
            Condition::AsName(part) => self.field(Field::AsName).contains(part.as_str()),
            Condition::HostName(end) => self.field(Field::HostNames).contains(&format!("{end} ")),
            Condition::Os(beginning) => operating_system(relay).is_some_and(|os| os.to_lowercase().starts_with(beginning)),
            Condition::Fingerprint(of) => self.is_identified(of),
            Condition::Prefix(prefix) => prefix.fits(&relay.fingerprint),
            Condition::Address(address, None) => addresses(relay).any(|of| of == *address),
            Condition::Address(address, Some(port)) => sockets(relay).any(|of| of.port() == *port && of.ip().to_canonical() == *address),
            Condition::Network(prefix) => addresses(relay).any(|address| prefix.contains(address)),
            Condition::As(all) => all.contains(&relay.asn),
            Condition::Country(all) => all.contains(&relay.country),
            Condition::Flags(names) => names.iter().all(|name| has_flag(relay, name)),
            Condition::Family(of) => self.index.is_family(self.relay_idx, &relay.fingerprint, of),
            Condition::Versions(versions) => relay.version.as_deref().is_some_and(|version| versions.has(version)),
            Condition::Running(running) => relay.running == *running,
            Condition::Recommended(is) => relay.recommended_version == Some(*is),
            Condition::FirstSeen(days) => {
                let seen = if days.is_open() { relay.first_seen.latest() } else { relay.first_seen.date() };
                self.is_aged(seen, *days)
            }
            Condition::LastSeen(days) => self.is_aged(relay.last_seen, *days),
        }
    }

    fn field(&self, field: Field) -> &str {
        self.index.fields.get(self.relay_idx, field)
    }

    fn is_identified(self, fingerprint: &Fingerprint) -> bool {
        self.relay.fingerprint == *fingerprint || self.index.hashed[self.relay_idx] == *fingerprint
    }

    fn is_aged(self, seen: Option<ConsensusHour>, days: Days) -> bool {
        seen.is_some_and(|seen| days.has(self.as_of.hours_since(seen)))
    }
}

/// True if a relay has the flag of this name, in either case, whether Allium has a name for it or not.
fn has_flag(relay: &Relay, name: &str) -> bool {
    let known = RelayFlag::ALL.into_iter().find(|flag| flag.name().eq_ignore_ascii_case(name));
    known.map_or_else(|| relay.other_flags.iter().any(|flag| flag.eq_ignore_ascii_case(name)), |flag| relay.has(flag))
}

/// The part of its platform behind " on ".
fn operating_system(relay: &Relay) -> Option<&str> {
    relay.platform.as_deref()?.split_once(" on ").map(|(_, os)| os)
}

/// Every address that documents state of a relay.
fn addresses(relay: &Relay) -> impl Iterator<Item = IpAddr> {
    let without_port = relay.exit_addresses.iter().chain(&relay.bare_address).copied();
    sockets(relay).map(|socket| socket.ip()).chain(without_port).map(|address| address.to_canonical())
}

/// Those with a port.
fn sockets(relay: &Relay) -> impl Iterator<Item = SocketAddr> {
    relay.or_addresses.iter().chain(&relay.dir_address).chain(&relay.unreachable_or_addresses).copied()
}
