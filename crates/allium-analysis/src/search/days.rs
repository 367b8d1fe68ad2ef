//! Ages in days in a question: `3`, `0-3`, `30-`, `-3`, as Onionoo writes them.

/// A range of whole days before the newest consensus; both ends are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    from: u32,
    /// `None` for everything from `from` on.
    to: Option<u32>,
}

/// The forms that are understood.
pub(super) const ALLOWED: &str = "whole days before the newest consensus: 3, 0-3, 30- or -3";

impl Days {
    /// Reads a number, or two of which either may be missing.
    pub(super) fn read(text: &str) -> Option<Self> {
        let number = |text: &str| -> Option<u32> { text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten() };
        let days = match text.split_once('-') {
            None => number(text).map(|day| Self { from: day, to: Some(day) })?,
            Some(("", to)) => Self { from: 0, to: Some(number(to)?) },
            Some((from, "")) => Self { from: number(from)?, to: None },
            Some((from, to)) => Self { from: number(from)?, to: Some(number(to)?) },
        };
        days.to.is_none_or(|to| days.from <= to).then_some(days)
    }

    /// True if there is no upper end: a relay of which only the least age is known may fit.
    pub(super) fn is_open(self) -> bool {
        self.to.is_none()
    }

    /// True for an age in hours.
    pub(super) fn has(self, hours: i32) -> bool {
        let days = u32::try_from(hours.div_euclid(24)).unwrap_or(0);
        days >= self.from && self.to.is_none_or(|to| days <= to)
    }

    /// True if an age beyond so many days is in it.
    pub(super) fn goes_beyond(self, days: u32) -> bool {
        self.to.is_none_or(|to| to > days)
    }
}
