//! The network itself: relays arrive, come and go, are voted on, and leave; hour by hour.
//!
//! The life of a relay is drawn from a stream of its own and waits in a queue ordered by hour, so an hour costs its events plus one vote
//! per relay. The states in consensuses are kept as spans of equal flags.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use allium_model::{Asn, ConsensusHour, CountryCode, Fingerprint, RelayFlags};

use crate::Options;
use crate::authority::{Authorities, NAMES};
use crate::dice::Dice;
use crate::life::{Ages, Kind, Step, remaining_days};
use crate::locations::{COUNTRIES, Providers};
use crate::operators::{Operator, Recruiter, hostile_specimens, sizes};
use crate::publication::Publication;
use crate::relay::{GUESTS, Profile, Relay};
use crate::stage::{N_AUTHORITIES, Stage};
use crate::votes::Record;

/// A stretch `[start, end)` in which every consensus that there is listed a relay with these flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlagSpan {
    /// The first consensus.
    pub start: ConsensusHour,
    /// The hour after the last.
    pub end: ConsensusHour,
    /// The flags; Running among them.
    pub flags: RelayFlags,
}

/// A relay as the simulation knows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulatedRelay<'a> {
    /// Its identity.
    pub fingerprint: Fingerprint,
    /// The name that it gives itself.
    pub nickname: &'a str,
    /// Country in which it stands.
    pub country: CountryCode,
    /// AS that announces its address.
    pub asn: Asn,
    /// Number of its operator: equal numbers, same operator, whatever the documents admit.
    pub operator: u32,
    /// The first consensus that lists it; earlier than the generated history for most relays.
    pub first_seen: ConsensusHour,
    /// Its flags in the consensuses of the generated history: sorted, disjoint.
    pub spans: &'a [FlagSpan],
}

impl SimulatedRelay<'_> {
    /// Its flags in the consensus of this hour; `None` where it is not listed. For an hour without consensus, the flags of the consensuses
    /// around it, if they agree.
    pub fn flags_at(&self, hour: ConsensusHour) -> Option<RelayFlags> {
        flags_in(self.spans, hour)
    }
}

/// The flags at this hour; `None` outside all spans.
pub(crate) fn flags_in(spans: &[FlagSpan], hour: ConsensusHour) -> Option<RelayFlags> {
    let index = spans.partition_point(|span| span.end <= hour);
    spans.get(index).filter(|span| span.start <= hour).map(|span| span.flags)
}

/// A synthetic Tor network with its past.
#[derive(Debug)]
pub struct Network {
    pub(crate) seed: u64,
    target: usize,
    pub(crate) start: ConsensusHour,
    pub(crate) now: ConsensusHour,
    pub(crate) relays: Vec<Relay>,
    pub(crate) operators: Vec<Operator>,
    pub(crate) providers: Providers,
    /// Operators that only the scenario brings, numbered from [`GUESTS`] on.
    pub(crate) guests: Vec<Operator>,
    /// The consensuses published so far.
    pub(crate) publication: Publication,
    pub(crate) stage: Stage,
    pub(crate) authorities: Authorities,
    arrivals_per_hour: f64,
    recruiter_state: RecruiterState,
    queue: BinaryHeap<Reverse<(ConsensusHour, u32)>>,
    pub(crate) alive: Vec<u32>,
    /// Operators that want one more relay, once for each.
    vacancies: Vec<u32>,
    /// Relays that are up of themselves, guests not among them.
    pub(crate) n_up: u32,
}

/// Chance and quotas of what arrives.
struct RecruiterState {
    dice: Dice,
    recruiter: Recruiter,
}

impl std::fmt::Debug for RecruiterState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecruiterState")
    }
}

impl Network {
    /// A network that has lived for `history_days` up to the consensus of `end`.
    pub fn generate(options: &Options) -> Self {
        let start = options.end.plus(-24 * options.history_days.min(20_000) as i32);
        let mut dice = Dice::keyed(&[options.seed, 0]);
        let ages = Ages::new();
        let target = options.n_relays.clamp(N_AUTHORITIES + 1, 1_000_000);
        let mut network = Self {
            seed: options.seed,
            target,
            start,
            now: start,
            relays: Vec::new(),
            operators: Vec::new(),
            providers: Providers::new(&mut dice, target),
            guests: Vec::new(),
            publication: Publication::new(start),
            stage: Stage::new(options.seed, &options.scenario),
            authorities: Authorities::new(options.seed),
            arrivals_per_hour: target as f64 / ages.mean_lifetime_days() / 24.0,
            recruiter_state: RecruiterState { dice, recruiter: Recruiter::new() },
            queue: BinaryHeap::new(),
            alive: Vec::new(),
            vacancies: Vec::new(),
            n_up: 0,
        };
        network.settle(&ages);
        network.act();
        network.hold_consensus();
        while network.now < options.end {
            network.advance();
        }
        network
    }

    /// The hour that it is: authorities have voted on its consensus, which is the newest unless it is missing or late.
    pub const fn now(&self) -> ConsensusHour {
        self.now
    }

    /// The first consensus of the generated history.
    pub const fn first_consensus(&self) -> ConsensusHour {
        self.start
    }

    /// One more hour. A network generated up to an hour and advanced is the one generated further from the same start.
    pub fn advance(&mut self) {
        self.now = self.now.next();
        self.receive_arrivals();
        self.take_steps();
        self.act();
        self.hold_consensus();
    }

    /// Every relay that ever was in the generated history, in the order of arrival.
    pub fn relays(&self) -> impl ExactSizeIterator<Item = SimulatedRelay<'_>> {
        self.relays.iter().map(|relay| self.view(relay))
    }

    /// The relays that the newest consensus lists, in the order of arrival.
    pub fn running(&self) -> impl Iterator<Item = SimulatedRelay<'_>> {
        self.relays.iter().filter(|relay| relay.last_seen().is_some_and(|seen| Some(seen) == self.newest())).map(|relay| self.view(relay))
    }

    /// The operator of the relays with this number.
    pub(crate) fn operator(&self, number: u32) -> &Operator {
        if number >= GUESTS { &self.guests[(number - GUESTS) as usize] } else { &self.operators[number as usize] }
    }

    fn view<'a>(&self, relay: &'a Relay) -> SimulatedRelay<'a> {
        SimulatedRelay {
            fingerprint: relay.profile.fingerprint,
            nickname: &relay.profile.nickname,
            country: COUNTRIES[usize::from(relay.profile.country)].code.parse().expect("the table holds codes of two letters"),
            asn: Asn(self.providers.list[usize::from(relay.profile.provider)].asn),
            operator: relay.profile.operator,
            first_seen: relay.profile.first_seen,
            spans: &relay.spans,
        }
    }

    /// The first population: as old as one in balance, and with a record.
    fn settle(&mut self, ages: &Ages) {
        let sizes = sizes(&mut self.recruiter_state.dice, self.target - N_AUTHORITIES);
        for size in sizes {
            let operator = self.recruit(size);
            // Relays of one operator are of similar ages more often than not.
            let common_age = ages.draw(&mut self.recruiter_state.dice);
            for _ in 0..size {
                let dice = &mut self.recruiter_state.dice;
                let age = if size > 4 && dice.chance(0.5) { common_age * (0.7 + 0.6 * dice.unit()) } else { ages.draw(dice) };
                self.add_relay(operator, age);
            }
        }
        self.add_authorities();
        self.plant_specimens();
    }

    fn recruit(&mut self, n_relays: usize) -> u32 {
        let RecruiterState { dice, recruiter } = &mut self.recruiter_state;
        self.operators.push(recruiter.recruit(dice, &self.providers, n_relays));
        self.operators.len() as u32 - 1
    }

    fn add_relay(&mut self, operator: u32, age_days: f64) -> u32 {
        let index = self.relays.len() as u32;
        let number = index - self.stage.n_guests();
        let owner = &mut self.operators[operator as usize];
        let mut relay = Relay::new(self.seed, number, operator, owner, &self.providers, self.now, age_days);
        let vigour = relay.habits.vigour();
        let remaining = remaining_days(&mut relay.dice, age_days, vigour);
        relay.leaves_at = self.now.plus((remaining * 24.0).clamp(2.0, 1e6) as i32);
        if age_days > 0.0 {
            let availability = relay.habits.availability();
            relay.up = relay.dice.chance(availability);
            relay.record = Record::seasoned(age_days * 24.0, availability, relay.habits.mean_run_hours());
            let running_for = relay.habits.mean_run_hours().min(age_days * 24.0) * relay.dice.exponential();
            relay.run_start = self.now.plus(-(running_for.min(age_days * 24.0) as i32));
        }
        owner.members.push(index);
        self.relays.push(relay);
        self.alive.push(index);
        self.schedule(index);
        index
    }

    /// Directory authorities do not come and go.
    fn add_authorities(&mut self) {
        for name in NAMES {
            let operator = self.recruit(1);
            let owner = &mut self.operators[operator as usize];
            owner.exit = false;
            let index = self.add_relay(operator, 4000.0);
            let relay = &mut self.relays[index as usize];
            relay.become_authority(name);
            relay.up = true;
            relay.record = Record::seasoned(4000.0 * 24.0, 1.0, 8000.0);
            self.schedule(index);
        }
    }

    /// Gives the strangest names to the relays that stay longest, so that they are there at any hour.
    fn plant_specimens(&mut self) {
        let specimens = hostile_specimens();
        let alone = |network: &Self, index: u32| {
            let relay = &network.relays[index as usize];
            let steady = relay.habits.kind == Kind::Server && !relay.profile.nature.authority;
            steady && network.operators[relay.profile.operator as usize].members.len() == 1
        };
        let mut hosts: Vec<u32> = self.alive.iter().copied().filter(|index| alone(self, *index)).collect();
        hosts.sort_by_key(|index| (Reverse(self.relays[*index as usize].leaves_at), *index));
        for (index, (nickname, contact)) in hosts.into_iter().zip(specimens) {
            let profile: &mut Profile = &mut self.relays[index as usize].profile;
            nickname.clone_into(&mut profile.nickname);
            self.operators[profile.operator as usize].contact = Some(contact);
        }
    }

    /// Takes in a relay that the scenario brings; it leaves at this hour.
    pub(crate) fn add_guest(&mut self, number: u32, operator: u32, leaves_at: ConsensusHour) -> u32 {
        let index = self.relays.len() as u32;
        let owner = &mut self.guests[(operator - GUESTS) as usize];
        let mut relay = Relay::new(self.seed, number, operator, owner, &self.providers, self.now, 0.0);
        relay.leaves_at = leaves_at;
        owner.members.push(index);
        self.relays.push(relay);
        self.alive.push(index);
        self.schedule(index);
        index
    }

    fn schedule(&mut self, index: u32) {
        let relay = &mut self.relays[index as usize];
        relay.plan(self.now);
        self.queue.push(Reverse((relay.next_step_at, index)));
    }

    /// New relays: in place of those that their operators lost, or of new operators; more of them while the network is smaller
    /// than it should be.
    fn receive_arrivals(&mut self) {
        let lack = self.target as f64 / f64::from(self.n_up.max(1));
        let n_arriving = self.recruiter_state.dice.poisson(self.arrivals_per_hour * lack.powi(8).min(4.0));
        let mut n_arrived = 0;
        while n_arrived < n_arriving {
            n_arrived += self.receive_operator();
        }
    }

    /// Lets one operator add relays, and returns their number.
    fn receive_operator(&mut self) -> usize {
        let dice = &mut self.recruiter_state.dice;
        let n_vacant = self.vacancies.len() as f64;
        if dice.chance(n_vacant / (n_vacant + VACANCIES_PER_RELAY * self.target as f64)) {
            let index = dice.below(self.vacancies.len() as u64) as usize;
            let operator = self.vacancies.swap_remove(index);
            if !self.operators[operator as usize].members.is_empty() {
                self.add_relay(operator, 0.0);
                return 1;
            }
        }
        let n_planned = planned_size(dice, self.target);
        let operator = self.recruit(n_planned);
        let n_at_once = n_planned.div_ceil(3);
        (0..n_at_once).for_each(|_| {
            self.add_relay(operator, 0.0);
        });
        self.vacancies.extend(std::iter::repeat_n(operator, n_planned - n_at_once));
        n_at_once
    }

    /// Lets everything happen that is due.
    fn take_steps(&mut self) {
        while let Some(Reverse((when, index))) = self.queue.peek().copied() {
            if when > self.now {
                break;
            }
            self.queue.pop();
            let relay = &mut self.relays[index as usize];
            if relay.gone || relay.next_step_at != when {
                continue;
            }
            if relay.step(self.now) == Step::Leave {
                self.say_goodbye(index);
            } else {
                self.schedule(index);
            }
        }
        self.alive.retain(|index| !self.relays[*index as usize].gone);
    }

    /// A relay leaves for good; now and then its operator with all its relays, unless it is one of the largest.
    fn say_goodbye(&mut self, index: u32) {
        let operator = self.relays[index as usize].profile.operator as usize;
        if operator >= GUESTS as usize {
            return self.relays[index as usize].leave(self.now);
        }
        let members = self.operators[operator].members.len();
        let dice = &mut self.relays[index as usize].dice;
        let closing = (2..(self.target / 100).clamp(3, 200)).contains(&members) && dice.chance(0.1 / members as f64);
        let leaving = if closing { std::mem::take(&mut self.operators[operator].members) } else { vec![index] };
        for member in leaving {
            self.relays[member as usize].leave(self.now);
        }
        let members = &mut self.operators[operator].members;
        members.retain(|member| *member != index);
        if !members.is_empty() {
            self.vacancies.push(operator as u32);
        }
    }
}

/// Vacancies per relay: the pace at which operators look for replacements keeps this share open.
const VACANCIES_PER_RELAY: f64 = 0.004;

/// Number of relays that a new operator wants: mostly one, seldom many (Pareto), never more than 2 % of the network.
fn planned_size(dice: &mut Dice, n_relays: usize) -> usize {
    if dice.chance(0.93) {
        return 1;
    }
    let wanted = 1.0 + (1.0 - dice.unit()).powf(-1.0 / 1.3);
    (wanted as usize).clamp(2, (n_relays / 50).max(2))
}
