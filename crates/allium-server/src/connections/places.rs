//! A bounded number of places, shared fairly: no client keeps others out by holding places and doing nothing.
//!
//! Where all places are taken, the client that holds most gives one up: the one that was idle for longest, else the one held for longest,
//! if that is longer than [`Shares::grace`]. Only where everybody is busy and none has been so for long is somebody refused.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::activity::Activity;
use crate::client::Client;

/// Number of places, and who may take how many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shares {
    /// Places in all.
    pub(crate) total: usize,
    /// Places of one client that is known.
    pub(crate) each: usize,
    /// Time for which a busy place is safe.
    pub(crate) grace: Duration,
}

/// Places and who holds them.
#[derive(Debug)]
pub(crate) struct Places {
    shares: Shares,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    taken: HashMap<u64, Taken>,
    n_of: HashMap<Client, usize>,
}

#[derive(Debug)]
struct Taken {
    client: Client,
    since: Instant,
    activity: Arc<Activity>,
}

/// A place; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    number: u64,
    /// Activity of whoever holds it.
    pub(crate) activity: Arc<Activity>,
}

impl Places {
    pub(crate) fn new(shares: Shares) -> Arc<Self> {
        Arc::new(Self { shares, inner: Mutex::default() })
    }

    /// A place for a client, which somebody else may have to give up; `None` where there is none to be had.
    pub(crate) fn take(self: &Arc<Self>, client: Client) -> Option<Place> {
        let mut inner = self.inner();
        let each = if client == Client::Unknown { self.shares.total } else { self.shares.each };
        if inner.n_of.get(&client).is_some_and(|n| *n >= each) {
            inner.give_up(client, self.shares.grace)?;
        } else if inner.taken.len() >= self.shares.total {
            let greatest = inner.n_of.iter().max_by_key(|(_, n)| **n).map(|(client, _)| *client)?;
            inner.give_up(greatest, self.shares.grace)?;
        }
        let (number, activity) = (inner.next, Activity::new());
        inner.next += 1;
        inner.taken.insert(number, Taken { client, since: Instant::now(), activity: Arc::clone(&activity) });
        *inner.n_of.entry(client).or_default() += 1;
        drop(inner);
        Some(Place { places: Arc::clone(self), number, activity })
    }

    /// Number of places that are taken.
    pub(crate) fn n_taken(&self) -> usize {
        self.inner().taken.len()
    }

    /// Number of places in all.
    pub(crate) const fn total(&self) -> usize {
        self.shares.total
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Takes from a client the place that it needs least.
    fn give_up(&mut self, client: Client, grace: Duration) -> Option<()> {
        let of_client = || self.taken.iter().filter(|(_, taken)| taken.client == client);
        let idle = of_client().filter_map(|(number, taken)| Some((taken.activity.idle_since()?, *number))).min();
        let busy = || of_client().filter(|(_, taken)| taken.since.elapsed() >= grace).map(|(number, taken)| (taken.since, *number)).min();
        let (_, number) = idle.or_else(busy)?;
        self.free(number).map(|taken| taken.activity.end())
    }

    fn free(&mut self, number: u64) -> Option<Taken> {
        let taken = self.taken.remove(&number)?;
        if let Some(n) = self.n_of.get_mut(&taken.client) {
            *n -= 1;
            if *n == 0 {
                self.n_of.remove(&taken.client);
            }
        }
        Some(taken)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.inner().free(self.number);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use std::net::IpAddr;

    use super::*;

    fn at(last: u8) -> Client {
        Client::At(IpAddr::from([192, 0, 2, last]))
    }

    fn places(total: usize, each: usize) -> Arc<Places> {
        Places::new(Shares { total, each, grace: Duration::from_secs(60) })
    }

    #[tokio::test(start_paused = true)]
    async fn the_idle_give_way_to_whoever_comes_the_longest_idle_first() {
        let places = places(3, 3);
        let [first, second, third] = [(); 3].map(|()| places.take(Client::Unknown).unwrap());
        let busy = first.activity.begin();
        let fourth = places.take(at(1)).unwrap();
        second.activity.asked_to_end().await;
        assert_eq!(places.n_taken(), 3);
        let _fifth = places.take(at(1)).unwrap();
        third.activity.asked_to_end().await;
        drop((busy, fourth, first));
        assert_eq!(places.n_taken(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn where_all_are_busy_the_longest_of_the_greatest_client_gives_way_after_a_time() {
        let places = places(3, 3);
        let held: Vec<Place> = [at(1), at(1), at(2)].map(|client| places.take(client).unwrap()).into();
        let _busy: Vec<_> = held.iter().map(|place| place.activity.begin()).collect();
        assert!(places.take(at(3)).is_none(), "none has been busy for long");
        tokio::time::advance(Duration::from_secs(61)).await;
        let _place = places.take(at(3)).unwrap();
        held[0].activity.asked_to_end().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_at_its_share_loses_its_own_and_nobody_elses() {
        let places = places(10, 2);
        let [first, _second] = [(); 2].map(|()| places.take(at(1)).unwrap());
        let other = places.take(at(2)).unwrap();
        let _third = places.take(at(1)).unwrap();
        first.activity.asked_to_end().await;
        assert_eq!(places.n_taken(), 3);
        drop(other);
        assert_eq!((places.n_taken(), places.take(Client::Unknown).is_some()), (2, true));
    }
}
