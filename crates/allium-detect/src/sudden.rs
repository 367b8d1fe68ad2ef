//! Lists with fewer than half of the relays of the list before.
//!
//! Question: is a list a part of the network rather than the network? Input: numbers of running relays, list by list. A list that may lack
//! relays (nobody vouches for it, and it says nothing of relays that are missing) is not believed if it has fewer than half of the relays of the last
//! believed list of the week before, unless the next list has fewer than half too: then the loss is real, as in [`crate::Settings::incomplete_share`].
//!
//! Limits: unlike the detector this needs no time to learn and works in small networks, but sees large gaps only.

use std::collections::BTreeSet;

use allium_model::ConsensusHour;

/// Hours after which a list is not compared with any more.
const COMPARED_HOURS: i32 = 7 * 24;
/// Fewest relays that a sudden list lacks.
const MIN_MISSING: u64 = 5;

/// The number of running relays of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// The hour of its consensus.
    pub hour: ConsensusHour,
    /// Running relays in it.
    pub n_running: u64,
    /// True if nothing vouches for its being whole.
    pub may_lack: bool,
}

/// The hours of the lists, earliest first, that are too small to be believed.
pub fn sudden(lists: &[Listing]) -> BTreeSet<ConsensusHour> {
    let (mut doubted, mut believed) = (BTreeSet::new(), None);
    for (index, list) in lists.iter().enumerate() {
        let is_small = |list: &Listing| believed.is_some_and(|before| is_sudden(before, list));
        if list.may_lack && is_small(list) && !lists.get(index + 1).is_some_and(is_small) {
            doubted.insert(list.hour);
        } else {
            believed = Some(*list);
        }
    }
    doubted
}

fn is_sudden(before: Listing, list: &Listing) -> bool {
    let is_near = list.hour.hours_since(before.hour) <= COMPARED_HOURS;
    is_near && 2 * list.n_running < before.n_running && before.n_running >= list.n_running + MIN_MISSING
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Indexes of the doubted among hourly lists of these numbers.
    fn doubted(numbers: &[u64], may_lack: bool) -> Vec<i32> {
        let listing = |(hour, n)| Listing { hour: ConsensusHour::new(hour), n_running: n, may_lack };
        let lists: Vec<_> = (0..).zip(numbers.iter().copied()).map(listing).collect();
        sudden(&lists).into_iter().map(ConsensusHour::get).collect()
    }

    #[test]
    fn a_list_with_fewer_than_half_of_the_relays_is_doubted_until_the_next_confirms_it() {
        assert_eq!(doubted(&[12, 12, 2, 12], true), [2]);
        assert_eq!(doubted(&[12, 12, 2], true), [2], "the newest list is doubted until there is another");
        assert_eq!(doubted(&[12, 12, 2, 2, 2], true), [0; 0], "two lists agree");
        assert_eq!(doubted(&[12, 2, 12, 3, 12], true), [1, 3]);
        assert_eq!(doubted(&[12, 6, 12], true), [0; 0], "half is not fewer than half");
        assert_eq!(doubted(&[3, 1, 3], true), [0; 0], "a few relays may well be down");
        assert_eq!(doubted(&[12, 12, 2, 12], false), [0; 0], "whoever signs a list vouches for it");
        assert_eq!(doubted(&[2], true), [0; 0], "there is nothing to compare the first list with");
        assert_eq!(doubted(&[], true), [0; 0]);
    }
}
