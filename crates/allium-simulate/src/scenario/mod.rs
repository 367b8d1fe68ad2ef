//! What goes wrong in a network, by script: outages, flaps, lost flags, floods, consensuses that are missing or late, authorities
//! that fail.
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
//! hours, days or weeks (`12h`, `3d`, `1w`). A file holds one event per line; empty lines and lines that begin with `#` say nothing.
//!
//! Who is concerned is drawn from the seed and the event's place in the list, apart from all other chance: the same network
//! without the event has the same relays with the same habits, and differs in presence and in what authorities conclude from it.

mod text;

pub use text::EventError;

use allium_model::{ConsensusHour, RelayFlag};

/// What goes wrong, and when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scenario {
    /// In any order; they may overlap.
    pub events: Vec<Event>,
}

/// Something that goes wrong for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What it is.
    pub what: What,
    /// The first consensus concerned.
    pub start: ConsensusHour,
    /// How long it lasts; an onset is part of it, a recovery comes after it.
    pub hours: u32,
}

impl Event {
    /// The hour after the last one, without recovery.
    pub const fn end(&self) -> ConsensusHour {
        self.start.plus(self.hours as i32)
    }

    /// Whether the hour is in `[start, end)`.
    pub(crate) fn covers(&self, hour: ConsensusHour) -> bool {
        (self.start..self.end()).contains(&hour)
    }
}

/// Kinds of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Relays vanish, and come back.
    Outage {
        /// Whose.
        whom: Whom,
        /// Over how many hours they vanish, one after the other; 0 for all at once.
        onset_hours: u32,
        /// Over how many hours they come back.
        recovery_hours: u32,
        /// Which share of them comes back at all.
        back_percent: u8,
    },
    /// Relays vanish and come back again and again, together.
    Flap {
        /// Whose.
        whom: Whom,
        /// Away for half of this, there for the other half; at least 2.
        every_hours: u32,
    },
    /// Relays go on running without a flag.
    FlagLoss {
        /// Neither Running nor Valid.
        flag: RelayFlag,
        /// Whose.
        whom: Whom,
    },
    /// Many short-lived relays of one owner join, and are purged.
    Flood {
        /// How many.
        n_relays: u32,
        /// Where they stand; `None` for many home lines.
        asn: Option<String>,
        /// Over how many hours they join; 0 for all at once.
        onset_hours: u32,
        /// Over how many hours they leave after the end.
        recovery_hours: u32,
    },
    /// There is no consensus: the hour stays unknown for ever.
    Missing,
    /// Nothing is published; what was voted on meanwhile appears at the end, all at once.
    Stale,
    /// Each consensus is published so much later. They appear in order: an early one waits for a late one.
    Late {
        /// How much later.
        by_hours: u32,
    },
    /// Some of the nine directory authorities fail. Where fewer than five sign there is no consensus.
    Authorities {
        /// How many.
        n: u8,
        /// How.
        fault: AuthorityFault,
    },
}

/// How a directory authority fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorityFault {
    /// It neither votes nor signs.
    Silent,
    /// It votes, and does not sign.
    Unsigned,
    /// It signs, and the signature is wrong; nobody checks before publishing.
    Garbled,
}

/// Which relays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whom {
    /// Where they are taken from: among relays running when the event begins.
    pub scope: Scope,
    /// Which share of those; 1 to 100.
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
    /// So many, whoever they are.
    Random(u32),
    /// The whole network.
    All,
}

/// By what relays are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grouping {
    /// Autonomous system; keys such as `AS64512`.
    As,
    /// Country; keys such as `de`.
    Country,
    /// Who runs them; the key is a proven domain, else the contact, else `operator` and a number.
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
