//! Answers that were made once for one snapshot and are given to everybody who asks for the same.
//!
//! An answer is kept in the form in which it is sent, in memory that is bounded by bytes; a large one lies in a file ([`exports`]). The
//! key is everything that an answer depends on: the snapshot, the minute, the address, and what of the headers chooses a form.
//! Whoever asks for an answer that is being made waits for it, and it is made once.

pub(crate) mod exports;
pub(crate) mod finished;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use allium_model::Timestamp;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use self::finished::{Coding, Finished};

/// Bytes that an answer takes beside its body.
const OVERHEAD: u64 = 512;

/// The size of an answer for which there is room in advance; more are kept where they are smaller.
const TYPICAL: u64 = 8 << 10;

/// Everything that an answer depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// Number of the snapshot.
    pub(crate) generation: u64,
    /// The minute in which it is asked for: pages say how old things are.
    pub(crate) minute: i64,
    /// Path and query.
    pub(crate) address: Box<str>,
    /// True if the client would rather have CSV.
    pub(crate) as_csv: bool,
    /// Beginning of the service's addresses, where the answer names them.
    pub(crate) base: Box<str>,
    /// Path below which the service lies.
    pub(crate) path: Box<str>,
    /// The content coding that the client takes.
    pub(crate) coding: Coding,
}

/// Weighs answers by what they take of the memory.
#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<Key, Arc<Finished>> for ByBytes {
    fn weight(&self, key: &Key, finished: &Arc<Finished>) -> u64 {
        (key.address.len() + key.base.len() + key.path.len() + finished.n_bytes_in_memory()) as u64 + OVERHEAD
    }
}

/// Answers that are kept.
pub(crate) struct Answers {
    cache: Cache<Key, Arc<Finished>, ByBytes>,
    /// Number of the newest snapshot that was asked for.
    newest: AtomicU64,
}

/// An answer, and whether it was there already.
pub(crate) struct Found {
    pub(crate) finished: Arc<Finished>,
    /// `hit`, `miss`, or `none` where it may not be kept.
    pub(crate) result: &'static str,
}

impl Answers {
    pub(crate) fn new(max_bytes: u64) -> Self {
        let cache = Cache::with_weighter((max_bytes / TYPICAL) as usize, max_bytes, ByBytes);
        Self { cache, newest: AtomicU64::new(0) }
    }

    /// The answer of this key, which `make` makes where there is none yet.
    ///
    /// # Errors
    /// Those of `make`.
    pub(crate) async fn get<E>(&self, key: Key, make: impl Future<Output = Result<Finished, E>>) -> Result<Found, E> {
        if self.newest.fetch_max(key.generation, Ordering::Relaxed) < key.generation {
            // Nobody asks for the snapshots of before.
            self.cache.clear();
        }
        let guard = match self.cache.get_value_or_guard_async(&key).await {
            Ok(finished) if finished.is_whole() => return Ok(Found { finished, result: "hit" }),
            Ok(_) => {
                self.cache.remove(&key);
                return Ok(Found { finished: Arc::new(make.await?), result: "miss" });
            }
            Err(guard) => guard,
        };
        let finished = Arc::new(make.await?);
        if !finished.may_be_kept {
            return Ok(Found { finished, result: "none" });
        }
        // Somebody cleared the cache meanwhile: then it is not kept.
        let _ = guard.insert(Arc::clone(&finished));
        Ok(Found { finished, result: "miss" })
    }

    /// Bytes of memory that kept answers take.
    pub(crate) fn n_bytes(&self) -> u64 {
        self.cache.weight()
    }

    /// Forgets all answers.
    pub(crate) fn clear(&self) {
        self.cache.clear();
    }
}

/// The minute of a time, since 1970.
pub(crate) fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}
