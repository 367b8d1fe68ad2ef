//! Figures of the whole network.

use allium_analysis::NetworkReport;
use allium_model::{Period, RelayFlag};

use super::support::{as_of, gone_since, network, relay, with_graph};

const UP: Option<u16> = Some(1000);

/// Four relays: two up, one half up, one down; and one that left the network long ago.
fn five_relays() -> Vec<allium_model::RelayRecord> {
    let end = as_of().next();
    let with_uptime = |n, code| with_graph(relay(n), Period::OneMonth, end, &[Some(code); 12], 0);
    let mut relays = vec![
        with_uptime(1, 1000),
        with_uptime(2, 1000),
        with_uptime(3, 500),
        gone_since(with_uptime(4, 0), as_of().plus(-100)),
        gone_since(with_graph(relay(5), Period::OneMonth, end.plus(-200), &[UP; 12], 0), as_of().plus(-169)),
    ];
    for (relay, weight) in relays.iter_mut().zip([10, 30, 60, 0, 1000]) {
        relay.relay.consensus_weight = Some(weight);
    }
    relays[0].relay.flags.insert(RelayFlag::Guard);
    relays[0].relay.flags.insert(RelayFlag::Exit);
    relays[1].relay.flags.insert(RelayFlag::Exit);
    relays[1].relay.flags.insert(RelayFlag::BadExit);
    relays
}

#[test]
fn aggregates_are_over_relays_seen_in_the_last_seven_days() {
    let figures = NetworkReport::compute(&network(Vec::new(), five_relays())).network;
    assert_eq!((figures.n_relays, figures.n_running, figures.consensus_weight), (4, 3, Some(100)));
    let roles = figures.running_by_role;
    assert_eq!((roles.guard, roles.exit, roles.middle), (1, 1, 1));
    let month = figures.uptime[Period::OneMonth.index()].unwrap();
    assert_eq!((month.n_relays, month.mean.get(), month.median().get()), (4, 0.625, 0.75));
    assert_eq!(month.weighted_mean.unwrap().get(), 0.1 + 0.3 + 0.3);
    assert!((month.quantiles[1].get() - 0.375).abs() < 1e-12);
    assert_eq!(figures.uptime[Period::OneYear.index()], None);
    let exits = figures.by_flag.iter().find(|figures| figures.flag == RelayFlag::Exit).unwrap();
    assert_eq!((exits.n_relays, exits.n_running, exits.uptime[Period::OneMonth.index()].unwrap().mean.get()), (2, 2, 1.0));
    assert!(figures.by_flag.iter().all(|figures| figures.flag != RelayFlag::Sybil));
}

#[test]
fn the_strip_has_thirty_days_with_gaps_where_nothing_is_known() {
    let strip = NetworkReport::compute(&network(Vec::new(), five_relays())).network.daily;
    assert_eq!(strip.cells.len(), 30);
    assert_eq!(strip.cells[29].end_secs, as_of().next().start_secs());
    let known: Vec<_> = strip.cells.iter().map(|cell| cell.uptime.map(allium_model::Fraction::get)).collect();
    assert!(known[..28].iter().all(Option::is_none) || known[27].is_some());
    assert_eq!(known[29], Some(0.625));
}

#[test]
fn an_empty_network_has_no_figures() {
    let figures = NetworkReport::compute(&network(Vec::new(), Vec::new())).network;
    assert_eq!((figures.n_relays, figures.uptime, figures.by_flag), (0, [None; 7], Vec::new()));
}

#[test]
fn weights_that_nobody_knows_give_no_weighted_mean() {
    let relays = vec![with_graph(relay(1), Period::OneMonth, as_of().next(), &[UP; 4], 0)];
    let month = NetworkReport::compute(&network(Vec::new(), relays)).network.uptime[Period::OneMonth.index()].unwrap();
    assert_eq!((month.weighted_mean, month.std_dev, month.mean.get()), (None, None, 1.0));
}
