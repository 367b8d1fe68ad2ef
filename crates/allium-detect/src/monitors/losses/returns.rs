//! The relays of a loss that come back, and leave again: recovery, reopening and flapping.

use super::WINDOW;
use crate::case::Case;
use crate::cases::claim;
use crate::context::Context;
use crate::incident::{Event, Kind, Status};
use crate::network::Network;

/// Hours for which a resolved case is opened again rather than another one, after one drop and after several.
const DORMANT_HOURS: [i32; 2] = [12, 48];
/// Drops that make a case flapping.
const FLAP_DROPS: u32 = 3;

/// Moves open cases along as their relays come back.
pub(super) fn recover(context: &mut Context<'_>) {
    let network = &mut *context.network;
    context.cases.follow(|index, case| case.is_loss() && case.status.is_open() && recover_case(index, case, network));
}

fn recover_case(index: usize, case: &mut Case, network: &mut Network) -> bool {
    let n_back = case.relays.iter().filter(|relay| network.track(**relay).running).count();
    let share = n_back as f64 / case.relays.len() as f64;
    let has_dropped = case.back_max >= 0.5 && share <= case.back_max - 0.5;
    if has_dropped {
        drop_again(case, network.hour(), (case.relays.len() - n_back) as u32);
        claim(index, case, network);
        case.back_max = share;
    }
    case.back_max = case.back_max.max(share);
    case.progress(network.hour(), share) || has_dropped
}

/// Opens resolved cases again whose relays leave again.
pub(super) fn reopen(context: &mut Context<'_>) {
    let network = &mut *context.network;
    let since = network.since(WINDOW);
    context.cases.follow(|index, case| is_dormant(case, network.hour()) && reopen_case(index, case, since, network));
}

fn is_dormant(case: &Case, hour: i32) -> bool {
    let may_sleep = DORMANT_HOURS[usize::from(case.n_drops > 1)];
    case.is_loss() && case.status == Status::Resolved && case.resolved.is_some_and(|resolved| hour - resolved <= may_sleep)
}

fn reopen_case(index: usize, case: &mut Case, since: i32, network: &mut Network) -> bool {
    let n_down = case.relays.iter().filter(|relay| network.track(**relay).is_down_since(since)).count();
    if 2 * n_down < case.relays.len() {
        return false;
    }
    case.resolved = None;
    drop_again(case, network.hour(), n_down as u32);
    case.back_max = 1.0 - n_down as f64 / case.relays.len() as f64;
    claim(index, case, network);
    true
}

/// Notes that so many relays of a case left again.
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
