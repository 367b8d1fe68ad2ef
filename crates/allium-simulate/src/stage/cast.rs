//! The relays that an event concerns: drawn from those that run when it begins.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Act, Cast, shuffle};
use crate::Network;
use crate::locations::COUNTRIES;
use crate::relay::Relay;
use crate::scenario::{Grouping, Scope, What, Which, Whom};

impl Network {
    /// Draws those whom an event concerns that begins.
    pub(super) fn cast(&self, act: &Act) -> Cast {
        match &act.event.what {
            What::Outage { whom, .. } | What::Flap { whom, .. } | What::FlagLoss { whom, .. } => self.cast_among_running(act, whom),
            _ => Cast::default(),
        }
    }

    fn cast_among_running(&self, act: &Act, whom: &Whom) -> Cast {
        let newest = self.newest();
        // Who leaves in this very hour of itself is not taken out by the event.
        let listed = |relay: &Relay| relay.answers() && (newest.is_none() || relay.last_seen() == newest);
        let running: Vec<u32> = self.alive.iter().copied().filter(|index| listed(&self.relays[*index as usize])).collect();
        let (key, mut relays) = match &whom.scope {
            Scope::All | Scope::Random(_) => (None, running),
            Scope::Group(grouping, Which::Rank(rank)) => self.group_of_rank(*grouping, *rank, &running),
            Scope::Group(grouping, Which::Key(key)) => (Some(key.clone()), self.group_with_key(*grouping, key, running)),
        };
        shuffle(&mut act.dice(self.seed), &mut relays);
        let n_in_scope = relays.len();
        let n = match whom.scope {
            Scope::Random(n) => n as usize,
            _ => n_in_scope,
        };
        relays.truncate((n.min(n_in_scope) * usize::from(whom.share_percent)).div_ceil(100));
        Cast { relays, key, n_in_scope }
    }

    fn group_with_key(&self, grouping: Grouping, key: &str, mut running: Vec<u32>) -> Vec<u32> {
        let belongs = |of: &str| match grouping {
            // A series counts for all its releases.
            Grouping::Version => of == key || of.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')),
            _ => of == key,
        };
        running.retain(|index| belongs(&self.group_key(grouping, *index)));
        running
    }

    fn group_of_rank(&self, grouping: Grouping, rank: u32, running: &[u32]) -> (Option<String>, Vec<u32>) {
        let mut groups: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for index in running {
            groups.entry(self.group_key(grouping, *index).into_owned()).or_default().push(*index);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(_, members)| Reverse(members.len()));
        groups.into_iter().nth(rank.saturating_sub(1) as usize).map_or((None, Vec::new()), |(key, members)| (Some(key), members))
    }

    /// The group of a relay at this hour.
    fn group_key(&self, grouping: Grouping, index: u32) -> Cow<'_, str> {
        let relay = &self.relays[index as usize];
        match grouping {
            Grouping::As => format!("AS{}", self.providers.list[usize::from(relay.profile.provider)].asn).into(),
            Grouping::Country => COUNTRIES[usize::from(relay.profile.country)].code.into(),
            Grouping::Operator => self.operator(relay.profile.operator).key(relay.profile.operator),
            Grouping::Version => relay.version(self.now).into(),
        }
    }
}
