//! Misuse in the log: a line for the first of its kind, then at most one in a minute, with how often it happened. Nothing of a visitor.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time between two lines about one kind.
const PAUSE: Duration = Duration::from_secs(60);

/// Kinds of misuse that were logged lately.
#[derive(Debug, Default)]
pub(crate) struct Misuse(Mutex<BTreeMap<&'static str, Seen>>);

#[derive(Debug)]
struct Seen {
    logged: Instant,
    n_since: u64,
}

impl Misuse {
    /// Notes that something happened, for a reason that holds nothing of who did it; true if it is logged.
    pub(crate) fn note(&self, kind: &'static str, reason: &str) -> bool {
        let due = self.due(kind, Instant::now());
        if let Some(n) = due {
            tracing::warn!(times = n, reason, "{kind}");
        }
        due.is_some()
    }

    /// Number of times since the last line, where it is time for the next.
    fn due(&self, kind: &'static str, at: Instant) -> Option<u64> {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kinds.get_mut(kind) {
            Some(seen) if at.duration_since(seen.logged) < PAUSE => {
                seen.n_since += 1;
                None
            }
            Some(seen) => {
                let n = std::mem::take(&mut seen.n_since) + 1;
                seen.logged = at;
                Some(n)
            }
            None => {
                kinds.insert(kind, Seen { logged: at, n_since: 0 });
                Some(1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_line_in_a_minute_with_how_often() {
        let (misuse, begun) = (Misuse::default(), Instant::now());
        let due = |kind, secs| misuse.due(kind, begun + Duration::from_secs(secs));
        assert_eq!(
            [due("a", 0), due("a", 1), due("a", 59), due("b", 59), due("a", 60), due("a", 61)],
            [Some(1), None, None, Some(1), Some(3), None]
        );
    }
}
