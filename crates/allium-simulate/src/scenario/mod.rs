//! Faults of a network, by script: outages, flaps, lost flags, floods, consensuses that are missing or late, authorities that fail.
//!
//! A [`Scenario`] is a list of [`Event`]s. Each is one line of text, which [`Event`] reads and writes:
//!
//! ```text
//! outage WHOM at TIME for TIME-SPAN [share N%] [onset TIME-SPAN] [recovery TIME-SPAN] [back N%]
//! flap WHOM at TIME for TIME-SPAN [share N%] [every TIME-SPAN]
//! lose FLAG WHOM at TIME for TIME-SPAN [share N%]
//! flood N [as ASN] at TIME for TIME-SPAN [onset TIME-SPAN] [recovery TIME-SPAN]
//! missing at TIME for TIME-SPAN
//! stale at TIME for TIME-SPAN
//! late at TIME for TIME-SPAN by TIME-SPAN
//! authorities N silent|unsigned|garbled at TIME for TIME-SPAN
//! ```
//!
//! `WHOM` is `as AS64512`, `country de`, `operator example-op-1.example`, `version 0.4.8.11`, each also as `as rank 1` (the group with most
//! running relays when the event begins), `random 50` or `all`. `TIME` is a whole hour such as `2026-01-01T00:00:00Z`, `TIME-SPAN` whole
//! hours, days or weeks (`12h`, `3d`, `1w`). A file holds one event per line; empty lines and lines that begin with `#` are ignored.
//!
//! The relays concerned are drawn from the seed and the event's index in the list, apart from all other chance: the same network without
//! the event has the same relays with the same habits, and differs in presence and in what authorities conclude from it.

mod text;

pub use text::EventError;

use allium_model::{ConsensusHour, RelayFlag};

/// The faults of a network, with their times.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scenario {
    /// In any order; they may overlap.
    pub events: Vec<Event>,
}

/// Something that goes wrong for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its kind.
    pub what: What,
    /// The first consensus concerned.
    pub start: ConsensusHour,
    /// Its length in hours; an onset is part of it, a recovery comes after it.
    pub hours: u32,
}

impl Event {
    /// The hour after the last one, without recovery.
    pub const fn end(&self) -> ConsensusHour {
        self.start.plus(self.hours as i32)
    }

    /// True if the hour is in `[start, end)`.
    pub(crate) fn covers(&self, hour: ConsensusHour) -> bool {
        (self.start..self.end()).contains(&hour)
    }
}

/// Kinds of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Relays vanish, and come back.
    Outage {
        /// The relays concerned.
        whom: Whom,
        /// Hours over which they vanish, one after the other; 0 for all at once.
        onset_hours: u32,
        /// Hours over which they come back.
        recovery_hours: u32,
        /// Share of them that comes back at all.
        back_percent: u8,
    },
    /// Relays vanish and come back again and again, together.
    Flap {
        /// The relays concerned.
        whom: Whom,
        /// Away for half of this, there for the other half; at least 2.
        every_hours: u32,
    },
    /// Relays go on running without a flag.
    FlagLoss {
        /// Neither Running nor Valid.
        flag: RelayFlag,
        /// The relays concerned.
        whom: Whom,
    },
    /// Many short-lived relays of one owner join, and are purged.
    Flood {
        /// Number of relays.
        n_relays: u32,
        /// AS in which they stand; `None` for many home lines.
        asn: Option<String>,
        /// Hours over which they join; 0 for all at once.
        onset_hours: u32,
        /// Hours over which they leave after the end.
        recovery_hours: u32,
    },
    /// There is no consensus: the hour stays unknown for ever.
    Missing,
    /// Nothing is published; what was voted on meanwhile appears at the end, all at once.
    Stale,
    /// Each consensus is published some hours later. They appear in order: an early one waits for a late one.
    Late {
        /// Delay in hours.
        by_hours: u32,
    },
    /// Some of the nine directory authorities fail. Where fewer than five sign there is no consensus.
    Authorities {
        /// Number of authorities.
        n: u8,
        /// Their fault.
        fault: AuthorityFault,
    },
}

/// Fault of a directory authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorityFault {
    /// It neither votes nor signs.
    Silent,
    /// It votes, and does not sign.
    Unsigned,
    /// It signs, and the signature is wrong; it is not checked before publishing.
    Garbled,
}

/// Choice of relays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whom {
    /// Group from which they are taken, among relays running when the event begins.
    pub scope: Scope,
    /// Share of those; 1 to 100.
    pub share_percent: u8,
}

impl Whom {
    /// All of a scope.
    pub const fn all_of(scope: Scope) -> Self {
        Self { scope, share_percent: 100 }
    }
}

/// Relays that fail together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Those of one group.
    Group(Grouping, Which),
    /// This many relays, drawn at random.
    Random(u32),
    /// The whole network.
    All,
}

/// Property by which relays are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grouping {
    /// Autonomous system; keys such as `AS64512`.
    As,
    /// Country; keys such as `de`.
    Country,
    /// Operator; the key is a proven domain, else the contact, else `operator` and a number.
    Operator,
    /// Version of Tor; keys such as `0.4.8.11`. A series such as `0.4.8` is a group of its own.
    Version,
}

/// One group among those of a [`Grouping`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// By key.
    Key(String),
    /// By size when the event begins: 1 for the largest.
    Rank(u32),
}
