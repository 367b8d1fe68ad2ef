//! Memory of the program that is resident, against its budget.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time for which a reading counts.
const FRESH: Duration = Duration::from_secs(1);

/// Resident memory, read at most once a second.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<Option<(Instant, Option<u64>)>>);

impl Memory {
    /// Bytes of the program that are resident; `None` where the system does not say.
    pub(crate) fn resident(&self) -> Option<u64> {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *reading {
            Some((at, n_bytes)) if at.elapsed() < FRESH => n_bytes,
            _ => {
                let n_bytes = memory_stats::memory_stats().map(|memory| memory.physical_mem as u64);
                *reading = Some((Instant::now(), n_bytes));
                n_bytes
            }
        }
    }
}
