//! Effects of an event on relays, hour by hour.

use allium_model::RelayFlags;

use super::{Act, Cast, shuffle, turn};
use crate::Network;
use crate::operators::Operator;
use crate::relay::GUESTS;
use crate::scenario::What;

impl Network {
    /// Lets the scenario do what is due at this hour, before the vote.
    pub(crate) fn act(&mut self) {
        let mut acts = std::mem::take(&mut self.stage.acts);
        for act in &mut acts {
            if act.event.start <= self.now && self.now <= act.settled_at() {
                self.play(act);
            }
        }
        self.withhold_flags(&acts);
        self.stage.acts = acts;
    }

    fn play(&mut self, act: &mut Act) {
        let begins = act.cast.is_none();
        let mut cast = act.cast.take().unwrap_or_else(|| self.cast(act));
        match act.event.what {
            What::Flood { .. } => self.flood(act, &mut cast, begins),
            What::Outage { .. } => self.take_out(act, &cast, begins, true),
            What::Flap { .. } => self.take_out(act, &cast, begins, false),
            _ => {}
        }
        act.cast = Some(cast);
    }

    /// Takes out whose turn it is, and lets go of whose turn it is.
    fn take_out(&mut self, act: &Act, cast: &Cast, begins: bool, restarted: bool) {
        let n = cast.relays.len();
        for (i, index) in cast.relays.iter().enumerate() {
            let relay = &mut self.relays[*index as usize];
            let was_away = !begins && act.is_away(i, n, self.now.plus(-1));
            match (was_away, act.is_away(i, n, self.now)) {
                (false, true) => relay.hold(self.now),
                (true, false) => relay.release_hold(self.now, restarted),
                _ => {}
            }
        }
    }

    /// Brings the relays whose turn it is; they leave of themselves when theirs comes.
    fn flood(&mut self, act: &Act, cast: &mut Cast, begins: bool) {
        let What::Flood { n_relays, asn, onset_hours, recovery_hours } = &act.event.what else { return };
        let n = *n_relays as usize;
        let owner = GUESTS + act.number as u32;
        if begins {
            let Some(guest) = self.flood_owner(act, asn.as_deref()) else { return };
            while self.guests.len() <= act.number as usize {
                self.guests.push(guest.clone());
            }
            self.guests[act.number as usize] = guest;
            cast.key.clone_from(asn);
        } else if cast.relays.is_empty() {
            return;
        }
        let end = act.event.end();
        while cast.relays.len() < n && turn(act.event.start, (*onset_hours).min(act.event.hours), cast.relays.len(), n) <= self.now {
            let leaves_at = turn(end, *recovery_hours, cast.relays.len(), n);
            let number = GUESTS + self.stage.n_guests;
            self.stage.n_guests += 1;
            cast.relays.push(self.add_guest(number, owner, leaves_at));
        }
        cast.n_in_scope = cast.relays.len();
    }

    /// An operator with relays in one AS, or on many home lines; `None` if no provider announces that AS.
    fn flood_owner(&self, act: &Act, asn: Option<&str>) -> Option<Operator> {
        let mut dice = act.dice(self.seed);
        let fits = |provider: &crate::locations::Provider| match asn {
            Some(asn) => asn.strip_prefix("AS") == Some(provider.asn.to_string().as_str()),
            None => provider.homes,
        };
        let list = self.providers.list.iter().enumerate().filter(|(_, provider)| fits(provider));
        let mut providers: Vec<u16> = list.map(|(index, _)| index as u16).collect();
        shuffle(&mut dice, &mut providers);
        (!providers.is_empty()).then(|| Operator::of_flood(&mut dice, providers, asn.is_none()))
    }

    /// Marks which flags are withheld from whom, in hours in which that changes.
    fn withhold_flags(&mut self, acts: &[Act]) {
        let losses = || {
            acts.iter().filter_map(|act| match (&act.event.what, &act.cast) {
                (What::FlagLoss { flag, .. }, Some(cast)) => Some((&act.event, *flag, cast)),
                _ => None,
            })
        };
        let changes = losses().any(|(event, ..)| event.covers(self.now) != event.covers(self.now.plus(-1)) || self.now == self.start);
        if !changes {
            return;
        }
        for index in losses().flat_map(|(_, _, cast)| &cast.relays) {
            self.relays[*index as usize].withheld = RelayFlags::EMPTY;
        }
        for (_, flag, cast) in losses().filter(|(event, ..)| event.covers(self.now)) {
            for index in &cast.relays {
                self.relays[*index as usize].withheld.insert(flag);
            }
        }
    }
}
