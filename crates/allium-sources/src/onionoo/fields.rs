//! Fields from the form in which they are written to the units of the model.
//!
//! Each reader answers `None` or leaves an item out where a value cannot be used, and adds a reject.

use std::str::FromStr;

use allium_model::time::parse_tor_time;
use allium_model::{Bounds, ConsensusHour, Fingerprint, Fraction, PortSummary, Timestamp};

use super::rejects::FieldRejects;
use super::text::{Text, TextField, cap_list};
use super::wire::WirePorts;
use crate::whole::Whole;

/// Bandwidths and weights above this are nonsense: a terabyte per second. Sums over any network stay far below `u64`.
const MAX_AMOUNT: i64 = 1_000_000_000_000;
/// Amount by which a share may exceed 1, for the error of its last digits.
const SHARE_TOLERANCE: f64 = 1e-6;
/// Hours by which a descriptor's time may be later than its document's newest consensus.
const FUTURE_HOURS: i32 = 24;

/// Reads the fields of one entry.
pub(super) struct Fields<'r> {
    pub(super) published: ConsensusHour,
    pub(super) bounds: Bounds,
    pub(super) rejects: &'r mut FieldRejects,
}

impl Fields<'_> {
    pub(super) fn text(&mut self, name: &'static str, max_chars: usize, text: Option<Text<'_>>) -> Option<String> {
        TextField { name, max_chars }.clean(text?.0, self.rejects)
    }

    pub(super) fn texts(&mut self, name: &'static str, max_chars: usize, max_items: usize, texts: Option<Vec<Text<'_>>>) -> Vec<String> {
        TextField { name, max_chars }.clean_all(texts.unwrap_or_default(), max_items, self.rejects)
    }

    /// A text with a syntax of its own.
    pub(super) fn parsed<T>(&mut self, name: &str, text: Option<Text<'_>>) -> Option<T>
    where
        T: FromStr,
        T::Err: ToString,
    {
        let text = text?.0;
        text.parse().map_err(|error: T::Err| self.rejects.add(name, with_quote(&error.to_string(), &text))).ok()
    }

    pub(super) fn all_parsed<T>(&mut self, name: &str, max_items: usize, texts: Option<Vec<Text<'_>>>) -> Vec<T>
    where
        T: FromStr,
        T::Err: ToString,
    {
        let texts = cap_list(name, texts.unwrap_or_default(), max_items, self.rejects);
        texts.into_iter().filter_map(|text| self.parsed(name, Some(text))).collect()
    }

    /// A code for a country or an AS; codes that stand for "unknown" are no rejects.
    pub(super) fn location_code<T>(&mut self, name: &str, unknown: &[&str], text: Option<Text<'_>>) -> Option<T>
    where
        T: FromStr,
        T::Err: ToString,
    {
        self.parsed(name, text.filter(|text| !text.0.is_empty() && !unknown.contains(&&*text.0)))
    }

    /// The hour of a consensus; one after the document's newest is not believed.
    pub(super) fn hour(&mut self, name: &str, text: Option<Text<'_>>) -> Option<ConsensusHour> {
        let instant = self.instant(name, 0, text)?;
        let hour = ConsensusHour::containing(instant);
        if hour.start() != instant {
            self.rejects.add(name, "not a whole hour; the hour around it is taken");
        }
        Some(hour)
    }

    /// The first appearance, if it does not lie after the last one.
    pub(super) fn not_after(&mut self, name: &str, first: Option<ConsensusHour>, last: Option<ConsensusHour>) -> Option<ConsensusHour> {
        let is_after = |first: &ConsensusHour| last.is_some_and(|last| last < *first);
        first.filter(is_after).into_iter().for_each(|first| self.rejects.add(name, format!("{first} lies after last_seen")));
        first.filter(|first| !is_after(first))
    }

    /// A time from a descriptor, which may be somewhat newer than the newest consensus.
    pub(super) fn descriptor_time(&mut self, name: &str, text: Option<Text<'_>>) -> Option<Timestamp> {
        self.instant(name, FUTURE_HOURS, text)
    }

    fn instant(&mut self, name: &str, future_hours: i32, text: Option<Text<'_>>) -> Option<Timestamp> {
        let instant = parse_tor_time(&text?.0).map_err(|error| self.rejects.add(name, error.to_string())).ok()?;
        self.possible(name, future_hours, instant)
    }

    pub(super) fn millis(&mut self, name: &str, millis: Option<Whole>) -> Option<Timestamp> {
        let Whole(millis) = millis?;
        match Timestamp::from_millisecond(millis) {
            Ok(instant) => self.possible(name, FUTURE_HOURS, instant),
            Err(_) => {
                self.rejects.add(name, format!("{millis} is no time in milliseconds"));
                None
            }
        }
    }

    /// The time if it can be: not before Tor began, not after the clock's time, and not long after the document's newest consensus.
    fn possible(&mut self, name: &str, future_hours: i32, instant: Timestamp) -> Option<Timestamp> {
        if let Err(impossible) = self.bounds.check(instant) {
            self.rejects.add(name, impossible.to_string());
            return None;
        }
        if ConsensusHour::containing(instant) > self.published.plus(future_hours) {
            self.rejects.add(name, format!("{instant} lies after the newest consensus"));
            return None;
        }
        Some(instant)
    }

    /// A bandwidth or weight.
    pub(super) fn amount(&mut self, name: &str, amount: Option<Whole>) -> Option<u64> {
        let Whole(amount) = amount?;
        if !(0..=MAX_AMOUNT).contains(&amount) {
            self.rejects.add(name, format!("{amount} is not between 0 and {MAX_AMOUNT}"));
            return None;
        }
        Some(amount.unsigned_abs())
    }

    pub(super) fn share(&mut self, name: &str, share: Option<f64>) -> Option<Fraction> {
        let share = share?;
        if !(0.0..=1.0 + SHARE_TOLERANCE).contains(&share) {
            self.rejects.add(name, format!("{share} is not between 0 and 1"));
            return None;
        }
        Fraction::clamped(share)
    }

    pub(super) fn ports(&mut self, name: &'static str, ports: Option<WirePorts<'_>>) -> Option<PortSummary> {
        let ports = ports?;
        match (ports.accept, ports.reject) {
            (Some(accept), None) => Some(PortSummary::Accept(self.texts(name, 16, 1000, Some(accept)))),
            (None, Some(reject)) => Some(PortSummary::Reject(self.texts(name, 16, 1000, Some(reject)))),
            _ => {
                self.rejects.add(name, "expected either accept or reject");
                None
            }
        }
    }
}

/// Reads the fingerprint of an entry.
pub(super) fn fingerprint(text: Option<Text<'_>>) -> Result<Fingerprint, String> {
    text.ok_or("no fingerprint")?.0.parse().map_err(|error: allium_model::identity::ParseError| error.to_string())
}

/// A reason that quotes what was found, unless it does so already.
fn with_quote(reason: &str, text: &str) -> String {
    if reason.contains("found") {
        return reason.to_owned();
    }
    let found: String = text.chars().take(40).collect();
    format!("{reason}, found {found:?}")
}
