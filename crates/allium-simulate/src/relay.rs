//! One relay: what it is, and what becomes of it.

use allium_model::{ConsensusHour, Fingerprint, RelayFlags};

use crate::dice::Dice;
use crate::life::{Habits, Kind, Step};
use crate::locations::{COUNTRIES, Providers};
use crate::network::FlagSpan;
use crate::operators::Operator;
use crate::releases::Release;
use crate::traffic::Capacity;
use crate::votes::{Ballot, Nature, Record};

/// Relays and operators that a scenario brings are numbered from here on, so that the others are the same without them.
pub(crate) const GUESTS: u32 = 1 << 30;

/// Traits that a relay keeps for as long as it lives.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    /// Names the relay for chance; from [`GUESTS`] on for relays that only a scenario brings.
    pub(crate) index: u32,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) nickname: String,
    pub(crate) operator: u32,
    pub(crate) provider: u16,
    pub(crate) country: u8,
    pub(crate) first_seen: ConsensusHour,
    pub(crate) nature: Nature,
    pub(crate) capacity: Capacity,
    /// Bytes per second; `None` for Tor's default of 1 GiB/s.
    pub(crate) configured_rate: Option<u64>,
    pub(crate) or_port: u16,
    pub(crate) dir_port: Option<u16>,
    pub(crate) ipv6: bool,
    /// Number of its exit policy among the usual ones, if any.
    pub(crate) policy: u8,
    pub(crate) system: u8,
    /// True if it names the other relays of its operator, as they name it.
    pub(crate) in_family: bool,
    /// Delay with which it takes up releases, in hours; now and then it runs a test version.
    pub(crate) upgrade_hours: f64,
    pub(crate) runs_alpha: bool,
}

/// A relay with its state and history.
#[derive(Debug, Clone)]
pub(crate) struct Relay {
    pub(crate) profile: Profile,
    pub(crate) habits: Habits,
    pub(crate) dice: Dice,
    pub(crate) up: bool,
    pub(crate) gone: bool,
    pub(crate) leaves_at: ConsensusHour,
    pub(crate) next_step_at: ConsensusHour,
    next_step: Step,
    pub(crate) record: Record,
    pub(crate) run_start: ConsensusHour,
    /// Start of its Tor process in seconds since 1970.
    restarted_secs: i64,
    /// Hour at which it took its first address.
    address_taken: ConsensusHour,
    /// Hours at which it changed its address.
    moves: Vec<ConsensusHour>,
    pub(crate) weight: f64,
    pub(crate) spans: Vec<FlagSpan>,
    /// True if it joined within the generated history.
    arrived_lately: bool,
    /// Number of events that keep it away.
    held_by: u16,
    /// Flags that events withhold.
    pub(crate) withheld: RelayFlags,
}

impl Relay {
    /// A relay of this age that joins, or is found, at this hour.
    pub(crate) fn new(
        seed: u64,
        index: u32,
        operator: u32,
        owner: &mut Operator,
        providers: &Providers,
        now: ConsensusHour,
        age_days: f64,
    ) -> Self {
        let mut dice = Dice::keyed(&[seed, 1, u64::from(index)]);
        let first_seen = now.plus(-(age_days * 24.0) as i32);
        let profile = profile(&mut dice, seed, index, operator, owner, providers, first_seen);
        let utc_offset = COUNTRIES[usize::from(profile.country)].utc_offset;
        let habits = Habits::draw(&mut dice, owner.home, utc_offset);
        let restarted_secs = now.start_secs() - 600 - dice.below(3000) as i64 - (age_days.min(dice.exponential() * 15.0) * 86_400.0) as i64;
        // Addresses of older relays have mostly changed since.
        let moved_ago = if dice.chance(0.35) { age_days } else { age_days * dice.unit() };
        Self {
            profile,
            habits,
            dice,
            up: true,
            gone: false,
            leaves_at: now,
            next_step_at: now,
            next_step: Step::Nothing,
            record: Record::default(),
            run_start: now,
            restarted_secs,
            address_taken: now.plus(-(moved_ago * 24.0) as i32),
            moves: Vec::new(),
            weight: 0.0,
            spans: Vec::new(),
            arrived_lately: age_days == 0.0,
            held_by: 0,
            withheld: RelayFlags::EMPTY,
        }
    }

    /// Makes it a directory authority of this name.
    pub(crate) fn become_authority(&mut self, nickname: &str) {
        nickname.clone_into(&mut self.profile.nickname);
        self.habits = Habits::steady();
        self.leaves_at = ConsensusHour::new(i32::MAX);
        self.profile.nature = Nature { authority: true, directory: true, ..Nature::default() };
        self.profile.capacity.weight = 20.0;
        self.profile.dir_port = Some(80);
    }

    /// Decides what happens next.
    pub(crate) fn plan(&mut self, now: ConsensusHour) {
        let (when, step) = self.habits.next(&mut self.dice, self.up, now);
        (self.next_step_at, self.next_step) =
            if when >= self.leaves_at { (self.leaves_at.max(now.next()), Step::Leave) } else { (when, step) };
    }

    /// Does what was planned for this hour, and returns it.
    pub(crate) fn step(&mut self, now: ConsensusHour) -> Step {
        match self.next_step {
            Step::GoDown => self.go_down(now),
            Step::ComeBack { restarted } => self.come_back(now, restarted),
            Step::Restart => self.restart(now),
            Step::Leave | Step::Nothing => {}
        }
        self.next_step
    }

    /// Leaves for good.
    pub(crate) fn leave(&mut self, now: ConsensusHour) {
        self.go_down(now);
        self.gone = true;
        self.spans.shrink_to_fit();
    }

    fn go_down(&mut self, now: ConsensusHour) {
        self.end_run(now);
        self.up = false;
    }

    /// True if it answers: it is up, and no event keeps it away.
    pub(crate) const fn answers(&self) -> bool {
        self.up && self.held_by == 0
    }

    fn end_run(&mut self, now: ConsensusHour) {
        if self.answers() {
            self.record.add_run(now.hours_since(self.run_start).max(0));
        }
    }

    /// An event keeps it away. Its own ups and downs go on unseen.
    pub(crate) fn hold(&mut self, now: ConsensusHour) {
        self.end_run(now);
        self.held_by += 1;
    }

    /// An event lets go of it; its process is new or not.
    pub(crate) fn release_hold(&mut self, now: ConsensusHour, restarted: bool) {
        self.held_by = self.held_by.saturating_sub(1);
        if self.answers() {
            self.run_start = now;
            if restarted {
                self.restarted_secs = now.start_secs() - 60 - i64::from(self.profile.index.wrapping_mul(37) % 3000);
            }
        }
    }

    fn come_back(&mut self, now: ConsensusHour, restarted: bool) {
        self.up = true;
        self.run_start = now;
        if restarted {
            self.restart(now);
        }
        let moving = if self.habits.kind == Kind::Server { 0.08 } else { 0.4 };
        if self.dice.chance(moving) {
            self.moves.push(now);
        }
    }

    /// A new process: some time in the hour before.
    fn restart(&mut self, now: ConsensusHour) {
        self.restarted_secs = now.start_secs() - 60 - self.dice.below(3000) as i64;
    }

    /// Start of its process: the last restart, or taking up a release, whichever is later.
    pub(crate) fn process_start_secs(&self, now: ConsensusHour) -> i64 {
        let (_, upgraded) = self.release(now);
        self.restarted_secs.max(upgraded.start_secs() + i64::from(self.profile.index % 3000) - 3540)
    }

    pub(crate) fn process_hours(&self, now: ConsensusHour) -> i32 {
        now.hours_since(ConsensusHour::new((self.restarted_secs / 3600) as i32))
    }

    /// The release that it runs at this hour, and since when.
    pub(crate) fn release(&self, now: ConsensusHour) -> (Release, ConsensusHour) {
        let mut release = Release::newest(now);
        loop {
            let mut dice = Dice::keyed(&[self.profile.capacity.key[0], self.profile.capacity.key[1], 9, release.hour().get() as u64]);
            let taken_up = release.hour().plus(dice.log_normal(self.profile.upgrade_hours, 0.7).min(1e6) as i32 + 1);
            let installed = taken_up.max(self.profile.first_seen);
            match release.previous() {
                Some(previous) if taken_up > now => release = previous,
                _ => return (release, installed.min(now)),
            }
        }
    }

    /// The version that it announces at this hour.
    pub(crate) fn version(&self, now: ConsensusHour) -> String {
        if self.profile.runs_alpha { Release::newest(now).alpha_version() } else { self.release(now).0.version() }
    }

    /// Counts one hour; whether it is listed.
    pub(crate) fn count_hour(&mut self, now: ConsensusHour, new_round: bool, new_block: bool) -> bool {
        if new_round {
            self.record.decay();
        }
        self.record.add_hour(self.answers());
        if self.answers() && (new_block || self.run_start == now || self.weight == 0.0) {
            self.refresh_weight(now);
        }
        self.answers()
    }

    pub(crate) fn refresh_weight(&mut self, now: ConsensusHour) {
        self.weight = self.profile.capacity.weight(now);
    }

    pub(crate) fn ballot(&self, now: ConsensusHour) -> Ballot {
        Ballot {
            mtbf_hours: self.record.mtbf_hours(now.hours_since(self.run_start).max(0)),
            fractional_uptime: self.record.fractional_uptime(),
            known_hours: self.record.known_hours(),
            weight: self.weight as f32,
        }
    }

    /// Notes that the consensus of this hour lists it. The consensus before may be more than an hour older.
    pub(crate) fn list(&mut self, hour: ConsensusHour, flags: RelayFlags, before: Option<ConsensusHour>) {
        match self.spans.last_mut() {
            Some(span) if span.flags == flags && before.is_some_and(|before| before < span.end) => span.end = hour.next(),
            Some(_) => self.spans.push(FlagSpan { start: hour, end: hour.next(), flags }),
            None => {
                self.profile.first_seen = if self.arrived_lately { hour } else { self.profile.first_seen };
                self.spans.push(FlagSpan { start: hour, end: hour.next(), flags });
            }
        }
    }

    /// Number of the address that it has at this hour, counted from 0.
    pub(crate) fn address_number(&self, hour: ConsensusHour) -> u32 {
        self.moves.partition_point(|moved| *moved <= hour) as u32
    }

    /// Since when it has the address of this hour.
    pub(crate) fn address_since(&self, hour: ConsensusHour) -> ConsensusHour {
        let n_moves = self.address_number(hour) as usize;
        let since = n_moves.checked_sub(1).map_or(self.address_taken, |i| self.moves[i]);
        since.max(self.profile.first_seen)
    }

    /// The newest consensus that lists it; `None` if none of the generated history does.
    pub(crate) fn last_seen(&self) -> Option<ConsensusHour> {
        self.spans.last().map(|span| span.end.plus(-1))
    }
}

fn profile(
    dice: &mut Dice,
    seed: u64,
    index: u32,
    operator: u32,
    owner: &mut Operator,
    providers: &Providers,
    first_seen: ConsensusHour,
) -> Profile {
    let provider = owner.provider(dice);
    let mut fingerprint = [0; 20];
    fingerprint.iter_mut().for_each(|byte| *byte = dice.bits() as u8);
    let capacity = capacity(dice, seed, index, owner, first_seen);
    let bad = dice.chance(0.01);
    let bad_exit = owner.exit && dice.chance(0.003);
    let configured = dice.chance(0.38).then(|| (capacity.observed * (1.0 + 1.5 * dice.unit())) as u64 / 1000 * 1000);
    Profile {
        index,
        fingerprint: Fingerprint::new(fingerprint),
        nickname: owner.next_nickname(dice),
        operator,
        provider,
        country: providers.list[usize::from(provider)].country(dice),
        first_seen,
        nature: Nature { authority: false, exit_policy: owner.exit, bad_exit, middle_only: bad, directory: dice.chance(0.88) },
        capacity,
        configured_rate: configured.filter(|rate| *rate > 75_000),
        or_port: dice.pick(&[443, 443, 443, 9001, 9001, 9001, 9000, 9100, 9002, 8443, 9030, 4443]),
        dir_port: dice.chance(0.06).then_some(9030),
        ipv6: dice.chance(0.51),
        policy: dice.below(5) as u8,
        system: dice.below(1000).min(255) as u8,
        in_family: owner.family && dice.chance(0.96),
        upgrade_hours: owner.upgrade_hours * dice.log_normal(1.0, 0.3),
        runs_alpha: dice.chance(0.008),
    }
}

fn capacity(dice: &mut Dice, seed: u64, index: u32, owner: &Operator, birth: ConsensusHour) -> Capacity {
    let observed = match (owner.home, owner.exit) {
        (true, _) => dice.log_normal(1.0e6, 1.2),
        (false, true) => dice.log_normal(18e6, 0.7),
        (false, false) if dice.chance(0.17) => dice.log_normal(2e6, 1.0),
        (false, false) => dice.log_normal(14e6, 0.85),
    };
    let observed = observed.min(180e6);
    Capacity {
        key: [seed, u64::from(index)],
        birth,
        weight: observed / 1000.0 * dice.log_normal(if owner.home { 0.38 } else { 1.15 }, 0.55),
        observed,
        measurable: owner.exit || dice.chance(0.92),
        utilisation: (0.42 + 0.15 * dice.normal()).clamp(0.05, 0.9),
    }
}
