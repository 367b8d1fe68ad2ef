//! Relays that left together: outages, their waves, recovery, and flapping.

use crate::book::{NETWORK, RelayIdx};
use crate::case::{Case, Reading, Suspect, stable_hash};
use crate::detector::{Changes, Detector, State, Step};
use crate::incident::{Event, Kind, Part, Status};
use crate::roles::Roles;
use crate::scan::{Cluster, Look, Lost, Standing, Thresholds, clip, clusters};
use crate::scatter::weigh;
use crate::scope::{Scope, ScopeKind};
use crate::track::Track;

/// Lists over which slow waves are added up.
pub(crate) const WINDOW: usize = 3;
/// A wave joins an open case of the same scope that last grew so many hours ago at most.
const WAVE_HOURS: i32 = 6;
/// Hours for which a resolved case is opened again rather than another one, after one drop and after several.
const DORMANT_HOURS: [i32; 2] = [12, 48];
/// Drops that make a case flapping.
const FLAP_DROPS: u32 = 3;
/// Hours after which what is still gone is taken for gone.
pub(crate) const PERMANENT_HOURS: i32 = 14 * 24;
/// Lists from which the calibration and the dispersion of the network's losses are measured.
const PULSE_LISTS: usize = 96;
/// The median of the square of a standard normal variable.
const MEDIAN_OF_CHI_SQUARE: f64 = 0.4549;

/// How much the part of a scope varies where more than usual are concerned elsewhere.
const UNEVEN: f64 = 0.3;

impl Detector {
    pub(crate) fn follow_losses(&mut self, step: &mut Step) {
        self.note_hazards();
        self.recover(step);
        self.reopen(step);
        self.join_waves(step);
        let n_lists = self.state.recent.len();
        for window in [1, WINDOW.min(n_lists)] {
            for cluster in self.lost_together(window) {
                self.place_cluster(&cluster, window, step);
            }
        }
        self.feel_pulse();
    }

    /// Notes the hazards of the relays that could be lost.
    fn note_hazards(&mut self) {
        let state = &self.state;
        let calibration = state.network.calibration as f32;
        self.hazards.clear();
        self.hazards.resize(state.tracks.len(), -1.0);
        for relay in &state.running {
            let track = &state.tracks[*relay as usize];
            if track.is_mature(state.hour, self.settings.mature_hours) {
                self.hazards[*relay as usize] = track.hazard * calibration;
            }
        }
    }

    /// Moves open cases along as their relays come back.
    fn recover(&mut self, step: &mut Step) {
        let State { cases, tracks, hour, .. } = &mut self.state;
        for (place, case) in cases.iter_mut().enumerate().filter(|(_, case)| case.is_loss() && case.status.is_open()) {
            let n_back = case.relays.iter().filter(|relay| tracks[**relay as usize].running).count();
            let share = n_back as f64 / case.relays.len() as f64;
            if case.back_max >= 0.5 && share <= case.back_max - 0.5 {
                drop_again(case, *hour, (case.relays.len() - n_back) as u32);
                claim(case, place, tracks);
                case.back_max = share;
                step.changed.push(place);
            }
            case.back_max = case.back_max.max(share);
            if case.progress(*hour, share) {
                step.changed.push(place);
            }
        }
    }

    /// Opens resolved cases again whose relays leave again.
    fn reopen(&mut self, step: &mut Step) {
        let window = WINDOW.min(self.state.recent.len());
        let State { cases, tracks, hour, recent, .. } = &mut self.state;
        let since = recent[recent.len() - window].before;
        for (place, case) in cases.iter_mut().enumerate() {
            let Some(resolved) = case.resolved.filter(|_| case.is_loss() && case.status == Status::Resolved) else { continue };
            let n_down = case.relays.iter().filter(|relay| tracks[**relay as usize].is_down_since(since)).count();
            let is_dormant = *hour - resolved <= DORMANT_HOURS[usize::from(case.n_drops > 1)];
            if is_dormant && 2 * n_down >= case.relays.len() {
                case.status = Status::Active;
                case.resolved = None;
                drop_again(case, *hour, n_down as u32);
                case.back_max = 1.0 - n_down as f64 / case.relays.len() as f64;
                claim(case, place, tracks);
                step.changed.push(place);
            }
        }
    }

    /// Adds what left the scope of an open case shortly after it, where that is more than chance.
    fn join_waves(&mut self, step: &mut Step) {
        let hour = self.state.hour;
        for place in 0..self.state.cases.len() {
            let case = &self.state.cases[place];
            let is_fresh = case.is_loss() && case.status.is_open() && hour - case.last_wave <= WAVE_HOURS && case.last_wave < hour;
            let Some(scope) = self.book.find_scope(&case.scope).filter(|scope| is_fresh && *scope != NETWORK) else { continue };
            let wave: Vec<Lost> = self.pool(1, false).into_iter().filter(|lost| self.book.belongs(lost.relay, scope)).collect();
            let elapsed = self.elapsed(1);
            let hazards = self.book.members(scope).iter().map(|relay| f64::from(self.hazards[*relay as usize]));
            let expected: f64 = hazards.filter(|hazard| *hazard >= 0.0).map(|hazard| clip(hazard * elapsed)).sum();
            let ln_p = allium_stats::ln_count_tail(wave.len() as u64, expected, self.settings.dispersion).unwrap_or(0.0);
            if wave.len() >= 2 && ln_p < -7.0 {
                let relays: Vec<RelayIdx> = wave.iter().map(|lost| lost.relay).collect();
                self.grow(place, &relays);
                step.changed.push(place);
            }
        }
    }

    /// Finds clusters among what left in the last `window` lists.
    fn lost_together(&mut self, window: usize) -> Vec<Cluster> {
        let pool = self.pool(window, window > 1);
        if pool.len() < self.settings.min_lost as usize {
            return Vec::new();
        }
        let elapsed = self.elapsed(window);
        let state = &self.state;
        let standing = Standing { relays: &state.running, hazards: &self.hazards, elapsed };
        let thresholds = Thresholds {
            min_lost: self.settings.min_lost,
            min_narrow_lost: self.settings.min_narrow_lost,
            ln_alpha: self.settings.ln_alpha_loss,
            ln_alpha_network: self.settings.ln_alpha_network,
            dispersion: self.settings.dispersion,
            network_dispersion: state.network.dispersion.max(self.settings.dispersion),
            stable_risk: self.settings.stable_hazards.map(|hazard| hazard * elapsed),
            uneven: UNEVEN,
            scatter: Some(state.scatter.scale),
        };
        clusters(&self.book, pool, &standing, &thresholds, &mut self.scratch)
    }

    /// Relays that left in the last `window` lists, are still gone, and belong to no open case, or to one just opened.
    pub(crate) fn pool(&self, window: usize, with_young_cases: bool) -> Vec<Lost> {
        let state = &self.state;
        let elapsed = self.elapsed(window) * state.network.calibration;
        let lists = &state.recent[state.recent.len() - window..];
        let mut pool: Vec<Lost> = lists
            .iter()
            .flat_map(|changes| &changes.lost)
            .map(|(relay, hazard)| Lost { relay: *relay, risk: clip(f64::from(*hazard) * elapsed) })
            .collect();
        pool.retain(|lost| !state.tracks[lost.relay as usize].running && self.is_free(lost.relay, with_young_cases));
        pool.sort_unstable_by_key(|lost| lost.relay);
        pool.dedup_by_key(|lost| lost.relay);
        pool
    }

    fn is_free(&self, relay: RelayIdx, with_young_cases: bool) -> bool {
        let Some(place) = self.state.tracks[relay as usize].case.checked_sub(1) else { return true };
        let case = &self.state.cases[place as usize];
        !case.status.is_open() || with_young_cases && self.is_young(case)
    }

    fn is_young(&self, case: &Case) -> bool {
        case.n_drops == 1 && self.state.n_lists - case.opened_step < WINDOW as u32
    }

    fn elapsed(&self, window: usize) -> f64 {
        let recent = &self.state.recent;
        f64::from((self.state.hour - recent[recent.len() - window].before).max(1))
    }

    /// Makes a cluster a case of its own, or part of those just opened that it explains: at least half of their relays are in it, and
    /// what concerns the whole network explains nothing narrower. The relays of other cases stay where they are.
    fn place_cluster(&mut self, cluster: &Cluster, window: usize, step: &mut Step) {
        let mut overlaps: Vec<(usize, usize)> = Vec::new();
        for place in cluster.lost.iter().filter_map(|relay| self.case_of(*relay)) {
            match overlaps.iter_mut().find(|(other, _)| *other == place) {
                Some((_, n)) => *n += 1,
                None => overlaps.push((place, 1)),
            }
        }
        overlaps.retain(|(place, n)| self.is_explained(*place, *n, cluster));
        overlaps.sort_by_key(|(place, n)| (std::cmp::Reverse(*n), *place));
        let is_taken = |relay: &RelayIdx| {
            let place = self.case_of(*relay);
            place.is_none_or(|place| overlaps.iter().any(|(other, _)| *other == place))
        };
        let mut own = cluster.clone();
        own.lost.retain(is_taken);
        let is_explained_elsewhere = 2 * own.lost.len() < cluster.lost.len() || own.lost.len() < self.settings.min_lost as usize;
        let n_additional = own.lost.len() - overlaps.iter().map(|(_, n)| n).sum::<usize>();
        match overlaps.first() {
            _ if is_explained_elsewhere => {}
            None => {
                let place = self.open_loss(&own, window, step);
                self.assign(place);
            }
            Some((place, _)) if overlaps.len() > 1 || n_additional >= self.fewest_to_widen(*place) => {
                self.widen(*place, &overlaps[1..], &own, step);
            }
            Some(_) => {}
        }
    }

    /// Whether a case that has so many relays in a cluster is part of it.
    fn is_explained(&self, place: usize, n_shared: usize, cluster: &Cluster) -> bool {
        let case = &self.state.cases[place];
        2 * n_shared >= case.relays.len() && (cluster.look.scope != NETWORK || is_network(&case.scope))
    }

    /// How many relays a cluster must have beyond those of a case to widen it. Some always leave somewhere in the network.
    fn fewest_to_widen(&self, place: usize) -> usize {
        let case = &self.state.cases[place];
        if is_network(&case.scope) { case.relays.len().div_ceil(2) } else { 2 }
    }

    fn case_of(&self, relay: RelayIdx) -> Option<usize> {
        let place = self.state.tracks[relay as usize].case.checked_sub(1)? as usize;
        self.state.cases[place].status.is_open().then_some(place)
    }

    fn open_loss(&mut self, cluster: &Cluster, window: usize, step: &mut Step) -> usize {
        let recent = &self.state.recent;
        let lists = &recent[recent.len() - window..];
        let includes = |changes: &&Changes| changes.lost.iter().any(|(relay, _)| cluster.lost.contains(relay));
        let started = lists.iter().find(includes).map_or(self.state.hour, |changes| changes.before);
        let case = self.case(Kind::Outage, None, 0, cluster, started);
        self.open(case, step)
    }

    /// A case as it begins.
    pub(crate) fn case(&self, kind: Kind, detail: Option<String>, flag: u32, cluster: &Cluster, started: i32) -> Case {
        let scope = self.book.scope(cluster.look.scope).clone();
        let hash_of = detail.as_deref().unwrap_or_default();
        let id = stable_hash(&[
            kind.name().as_bytes(),
            hash_of.as_bytes(),
            scope.kind.name().as_bytes(),
            scope.key.as_bytes(),
            &started.to_le_bytes(),
        ]);
        let mut relays = cluster.lost.clone();
        relays.sort_unstable();
        let similar = self.similar(kind, &scope, &relays);
        let mut case = Case {
            id,
            kind,
            detail,
            scope,
            status: Status::Active,
            started,
            detected: self.state.hour,
            resolved: None,
            flag,
            reading: Reading { expected: cluster.look.expected, n_at_risk: cluster.look.n_at_risk, ln_p: cluster.look.ln_p },
            causes: self.suspects(cluster),
            parts: [Vec::new(), Vec::new()],
            network_share: 0.0,
            weight_share: None,
            roles: Roles::default(),
            timeline: vec![(self.state.hour, Event::Detected(relays.len() as u32))],
            similar,
            opened_step: self.state.n_lists,
            last_wave: self.state.hour,
            n_drops: 1,
            back_max: 0.0,
            relays,
        };
        self.weigh(&mut case);
        case
    }

    fn suspects(&self, cluster: &Cluster) -> Vec<Suspect> {
        let suspect = |look: &Look| Suspect {
            scope: self.book.scope(look.scope).clone(),
            gain: look.gain,
            n_affected: look.n_lost,
            n_at_risk: look.n_at_risk,
            expected: look.expected,
        };
        std::iter::once(&cluster.look).chain(&cluster.rivals).map(suspect).collect()
    }

    /// Works out shares of the network, of path selection, of exits and guards, and of countries and systems.
    pub(crate) fn weigh(&self, case: &mut Case) {
        let n_running = self.state.running.len() as f64;
        case.network_share = case.relays.len() as f64 / (n_running + case.relays.len() as f64);
        let weights = case.relays.iter().filter_map(|relay| self.book.info(*relay).weight);
        case.weight_share = weights.reduce(|a, b| a + b).map(|share| share.clamp(0.0, 1.0));
        case.roles = self.roles(&case.relays);
        case.parts = [ScopeKind::Country, ScopeKind::As].map(|kind| self.parts(&case.relays, kind));
    }

    fn parts(&self, relays: &[RelayIdx], kind: ScopeKind) -> Vec<Part> {
        let scopes = relays.iter().flat_map(|relay| self.book.scopes_of(*relay)).filter(|scope| self.book.scope(**scope).kind == kind);
        let mut counts: std::collections::BTreeMap<u32, u32> = std::collections::BTreeMap::new();
        scopes.for_each(|scope| *counts.entry(*scope).or_default() += 1);
        let n_running =
            |scope: u32| self.book.members(scope).iter().filter(|relay| self.state.tracks[**relay as usize].running).count() as u32;
        let n_still_running =
            |scope: u32| relays.iter().filter(|r| self.book.belongs(**r, scope) && self.state.tracks[**r as usize].running).count() as u32;
        let part = |(scope, n): (u32, u32)| Part {
            scope: self.book.scope(scope).clone(),
            n_affected: n,
            n_at_risk: n_running(scope) + n - n_still_running(scope),
        };
        let mut ordered: Vec<(u32, u32)> = counts.into_iter().collect();
        ordered.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| self.book.scope(a.0).cmp(self.book.scope(b.0))));
        ordered.truncate(10);
        ordered.into_iter().map(part).collect()
    }

    /// Gives a just opened case the scope and relays of a cluster that explains more; others in it become part of it.
    fn widen(&mut self, place: usize, others: &[(usize, usize)], cluster: &Cluster, step: &mut Step) {
        let suspects = self.suspects(cluster);
        let case = &mut self.state.cases[place];
        case.scope = self.book.scope(cluster.look.scope).clone();
        case.reading =
            Reading { expected: cluster.look.expected, n_at_risk: cluster.look.n_at_risk, ln_p: cluster.look.ln_p.min(case.reading.ln_p) };
        case.causes = suspects;
        let mut relays = cluster.lost.clone();
        for (other, _) in others {
            let other_case = &mut self.state.cases[*other];
            other_case.status = Status::Merged;
            relays.extend(&other_case.relays);
            step.changed.push(*other);
            let started = other_case.started;
            let case = &mut self.state.cases[place];
            case.started = case.started.min(started);
        }
        self.grow(place, &relays);
        step.changed.push(place);
    }

    /// Adds relays to a case.
    fn grow(&mut self, place: usize, relays: &[RelayIdx]) {
        let mut case = self.state.cases[place].clone();
        let n_before = case.relays.len();
        case.relays.extend(relays);
        case.relays.sort_unstable();
        case.relays.dedup();
        let n_more = (case.relays.len() - n_before) as u32;
        if n_more > 0 {
            case.timeline.push((self.state.hour, Event::Grew(n_more)));
            case.last_wave = self.state.hour;
        }
        self.weigh(&mut case);
        self.state.cases[place] = case;
        self.assign(place);
    }

    pub(crate) fn assign(&mut self, place: usize) {
        let State { cases, tracks, .. } = &mut self.state;
        claim(&cases[place], place, tracks);
    }

    /// Learns how much the count of lost relays varies, from what belongs to no case.
    fn feel_pulse(&mut self) {
        let elapsed = self.elapsed(1);
        let hazards = self.state.running.iter().map(|relay| f64::from(self.hazards[*relay as usize]));
        let expected: f64 = hazards.filter(|hazard| *hazard >= 0.0).map(|hazard| clip(hazard * elapsed)).sum();
        let pool = self.pool(1, false);
        let weighed = weigh(&self.book, &pool, &Standing { relays: &self.state.running, hazards: &self.hazards, elapsed });
        self.state.scatter.learn(&weighed);
        let n = pool.len() as f64;
        let pulse = &mut self.state.network;
        pulse.beats.push_back((n, expected / pulse.calibration));
        if pulse.beats.len() > PULSE_LISTS {
            pulse.beats.pop_front();
        }
        let ratios: Vec<f64> = pulse.beats.iter().map(|(n, expected)| n / expected.max(1e-3)).collect();
        let calibration = allium_stats::median(&ratios).unwrap_or(1.0).clamp(0.25, 2.0);
        let surprises: Vec<f64> = pulse.beats.iter().map(|(n, e)| (n - calibration * e).powi(2) / (calibration * e).max(1.0)).collect();
        pulse.dispersion = (allium_stats::median(&surprises).unwrap_or(1.0) / MEDIAN_OF_CHI_SQUARE).clamp(1.2, 4.0);
        pulse.calibration = calibration;
        pulse.expected_per_hour = expected / elapsed;
    }
}

impl Track {
    /// Whether it is down and was running at this hour or later.
    fn is_down_since(&self, hour: i32) -> bool {
        !self.running && self.last_seen >= hour
    }
}

/// Notes that the relays of a case that are down are so because of it.
fn claim(case: &Case, place: usize, tracks: &mut [Track]) {
    for relay in &case.relays {
        let track = &mut tracks[*relay as usize];
        if !track.running {
            if track.case == 0 {
                track.excuse_leave();
            }
            track.case = place as u32 + 1;
        }
    }
}

fn drop_again(case: &mut Case, hour: i32, n: u32) {
    case.status = Status::Active;
    case.n_drops += 1;
    case.last_wave = hour;
    case.timeline.push((hour, Event::Reopened(n)));
    if case.n_drops >= FLAP_DROPS && case.kind == Kind::Outage {
        case.kind = Kind::Flap;
        case.timeline.push((hour, Event::Flapping));
    }
}

impl Case {
    /// Takes in what share of its relays is back to normal; whether that changed its status.
    pub(crate) fn progress(&mut self, hour: i32, share: f64) -> bool {
        let (status, event) = match self.status {
            Status::Active | Status::Recovering if share >= 0.9 => (Status::Resolved, Event::Resolved),
            Status::Active if share >= 0.5 => (Status::Recovering, Event::HalfBack),
            Status::Active | Status::Recovering if hour - self.last_wave >= PERMANENT_HOURS => (Status::Permanent, Event::Permanent),
            _ => return false,
        };
        self.status = status;
        self.timeline.push((hour, event));
        self.resolved = (status == Status::Resolved).then_some(hour);
        true
    }
}

/// The cluster of all these relays, for cases that nobody searched for.
pub(crate) fn whole_network(relays: Vec<RelayIdx>, expected: f64, ln_p: f64) -> Cluster {
    let n = relays.len() as u32;
    Cluster { look: Look { scope: NETWORK, n_lost: n, n_at_risk: n, expected, ln_p, gain: 0.0 }, lost: relays, rivals: Vec::new() }
}

/// The scope of a case as it is in the book, for sorting out what belongs to it.
pub(crate) fn is_network(scope: &Scope) -> bool {
    scope.kind == ScopeKind::Network
}
