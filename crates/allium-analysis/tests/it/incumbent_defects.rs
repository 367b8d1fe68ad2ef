//! What a neighbouring program published wrongly, one test per defect: each says what ours does instead.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use allium_analysis::leaderboards::Category;
use allium_analysis::operators::{SIZE_CLASSES, portfolio};
use allium_analysis::{AroiState, Issue, OperatorReport};
use allium_model::{AroiCheck, AroiResult, CountryCode, OperatorId, Period, ProofMethod, Quantity, RelayFlag, RelayRecord};
use allium_testkit::relays::{as_of, contact, fingerprint, issues, relay, reports, uptime, with, with_graph};

fn ids(operators: &OperatorReport) -> Vec<Option<String>> {
    (0..operators.directory.of_relay.len()).map(|i| operators.id_of(i).map(ToString::to_string)).collect()
}

#[test]
fn defect_04_relays_at_zero_are_in_every_mean() {
    let (record, report, operators) = reports(vec![uptime(contact(1, "somebody"), 1000), uptime(contact(2, "somebody"), 0)]);
    assert_eq!(report.network.uptime[Period::SixMonths.index()].unwrap().mean.get(), 0.5);
    assert_eq!(operators.figures[0].members.uptime_in(Period::SixMonths).unwrap().get(), 0.5);
    assert_eq!(record.relays.len(), 2);
}

fn guard_and_exit(n: u16) -> RelayRecord {
    with(contact(n, "somebody"), |relay| {
        relay.flags.insert(RelayFlag::Guard);
        relay.flags.insert(RelayFlag::Exit);
    })
}

#[test]
fn defect_05_an_offline_relay_weighs_once_whatever_flags_it_has() {
    let down = with(guard_and_exit(1), |relay| relay.running = false);
    let (record, report, operators) = reports(vec![down, guard_and_exit(2)]);
    let offline = portfolio(&record, &report, &operators.list()[0].members).offline;
    assert_eq!((offline.relays.len(), offline.consensus_weight), (1, Some(10)));
    assert_eq!(offline.share_of_operator.unwrap().get(), 0.5);
}

#[test]
fn defect_07_thresholds_are_compared_in_bytes_per_second() {
    let missed = |bytes: u64| {
        let found = issues(&with(relay(1), |relay| relay.advertised_bandwidth = Some(bytes)));
        let guard = found.into_iter().find_map(|issue| if let Issue::NotGuard(missed) = issue { Some(missed) } else { None });
        guard.unwrap().contains(&allium_analysis::diagnostics::Missed::Bandwidth(bytes))
    };
    assert!(!missed(2_000_000) && missed(1_999_999) && missed(2_000));
}

#[test]
fn defect_08_ages_are_counted_in_utc_from_the_consensus() {
    let seen = |n: u16, hours: i32| {
        with(contact(n, &format!("operator {n}")), |relay| relay.first_seen = Some(as_of().next().plus(-hours)).into())
    };
    let (_, _, operators) = reports(vec![seen(1, 24 * 10), seen(2, 24 * 10 - 1)]);
    let mut days: Vec<f64> = operators.leaderboards.ranking(Category::NetworkVeterans).iter().map(|place| place.score).collect();
    days.sort_by(f64::total_cmp);
    assert_eq!(days, [9.0, 10.0]);
}

#[test]
fn defect_12_rare_countries_are_countries() {
    let at = |n: u16, country: &str| {
        with(contact(n, &format!("operator {n}")), |relay| relay.country = Some(country.parse::<CountryCode>().unwrap()))
    };
    let mut relays: Vec<RelayRecord> = (10..22).map(|n| at(n, "de")).collect();
    relays.extend([at(1, "is"), at(2, "eu"), at(3, "ap")]);
    let (_, _, operators) = reports(relays);
    let found = operators.leaderboards.ranking(Category::FrontierBuilders);
    assert_eq!(found.iter().map(|place| (place.rank, place.score)).collect::<Vec<_>>(), [(1, 1.0)]);
    let id = &operators.list()[found[0].operator_idx as usize].id;
    assert_eq!(id, &OperatorId::of_contact("operator 1").unwrap());
}

#[test]
fn defect_13_a_flag_that_nobody_reported_is_not_taken_for_granted() {
    let found = issues(&relay(1));
    assert!(found.iter().any(|issue| matches!(issue, Issue::NotStable { .. })));
    let stable = allium_analysis::diagnostics::Missed::Flag(RelayFlag::Stable);
    assert!(found.iter().any(|issue| matches!(issue, Issue::NotGuard(missed) if missed.contains(&stable))));
}

#[test]
fn defect_15_counts_and_weights_of_a_role_are_over_the_same_relays() {
    let (_, _, operators) = reports(vec![guard_and_exit(1), with(contact(2, "other"), |relay| relay.flags.insert(RelayFlag::Guard))]);
    let place = operators.directory.position(&OperatorId::of_contact("somebody").unwrap()).unwrap();
    let members = &operators.figures[place].members;
    assert_eq!((members.running_by_role.guard, members.running_by_role.exit), (1, 1));
    assert_eq!((members.guard_share.unwrap().get(), members.exit_share.unwrap().get()), (0.5, 1.0));
}

fn carried(relays: Vec<RelayRecord>) -> allium_analysis::operators::BandwidthFigures {
    let (record, report, operators) = reports(relays);
    portfolio(&record, &report, &operators.list()[0].members).carried[0].unwrap()
}

#[test]
fn defect_16_histories_are_added_by_time_and_not_by_place() {
    // The second relay is as old as the last two of four intervals.
    let old = with_graph(contact(1, "somebody"), Quantity::BytesWritten, Period::SixMonths, 1.0, 0, &[10, 10, 10, 10]);
    let young = with_graph(contact(2, "somebody"), Quantity::BytesWritten, Period::SixMonths, 1.0, 0, &[10, 10]);
    let ended = with_graph(contact(3, "somebody"), Quantity::BytesWritten, Period::SixMonths, 1.0, 2, &[10, 10]);
    assert_eq!(carried(vec![old.clone(), young.clone()]).mean_rate, 15.0);
    let steady = carried(vec![old, young, ended]);
    assert_eq!((steady.mean_rate, steady.variation), (20.0, Some(0.0)));
}

#[test]
fn defect_17_bytes_read_and_written_are_the_same_bytes() {
    let written = with_graph(contact(1, "somebody"), Quantity::BytesWritten, Period::SixMonths, 1.0, 0, &[10; 4]);
    let both = with_graph(written.clone(), Quantity::BytesRead, Period::SixMonths, 1.0, 0, &[10; 4]);
    let total = |relay: RelayRecord| reports(vec![relay]).2.leaderboards.ranking(Category::TotalData)[0].score;
    assert_eq!(total(both), total(written.clone()));
    assert_eq!(total(written), 10.0 * 4.0 * 43_200.0);
}

#[test]
fn defect_18_an_operator_is_compared_with_operators_of_its_size() {
    // Twelve operators of two relays at 80 %, one of them at 90 %; many single relays are always up.
    let mut relays = Vec::new();
    for n in 0..12 {
        let code = if n == 0 { 900 } else { 800 };
        relays.extend([uptime(contact(2 * n, &format!("pair {n}")), code), uptime(contact(2 * n + 1, &format!("pair {n}")), code)]);
    }
    relays.extend((100..200).map(|n| uptime(contact(n, &format!("single {n}")), 1000)));
    let (_, _, operators) = reports(relays);
    let (_, best) = operators.find(&OperatorId::of_contact("pair 0").unwrap()).unwrap();
    let rank = best.peers[Period::SixMonths.index()].unwrap();
    assert_eq!((rank.class, rank.n_operators, rank.percentile.get()), (SIZE_CLASSES[1], 12, 1.0));
}

#[test]
fn defect_19_a_family_is_counted_once() {
    // Five families; within each the lists differ because a nickname or a relay that is gone stands in some of them.
    let member = |n: u16| {
        let first = n / 4 * 4;
        with(relay(n), |relay| {
            relay.effective_family = (first..first + 4).map(fingerprint).collect();
            relay.effective_family.extend((n % 2 == 1).then(|| fingerprint(1_000 + n)));
        })
    };
    let (_, _, operators) = reports((0..20).map(member).collect());
    assert_eq!(operators.families.iter().map(|family| family.n_relays).collect::<Vec<_>>(), [4; 5]);
}

#[test]
fn defect_20_overload_counts_for_72_hours() {
    let overloaded = |hours: i32| {
        let at = as_of().next().plus(-hours).start();
        issues(&with(relay(1), |relay| relay.overload_general_at = Some(at))).contains(&Issue::Overloaded { at })
    };
    assert!(overloaded(0) && overloaded(72) && !overloaded(73) && !overloaded(10_000));
}

#[test]
fn defect_21_reachability_over_ipv6_rests_on_what_was_reported() {
    let unreachable = |address: &str| {
        let found = issues(&with(relay(1), |relay| relay.unreachable_or_addresses = vec![address.parse().unwrap()]));
        found.into_iter().filter(|issue| matches!(issue, Issue::Unreachable { .. })).collect::<Vec<_>>()
    };
    assert_eq!(unreachable("[2001:db8::1]:443"), [Issue::Unreachable { ipv6: true }]);
    assert_eq!(unreachable("192.0.2.1:443"), [Issue::Unreachable { ipv6: false }]);
    assert!(!issues(&relay(1)).iter().any(|issue| matches!(issue, Issue::Unreachable { .. })));
}

#[test]
fn defect_23_operators_whose_contacts_begin_alike_are_two() {
    let beginning = "thirty characters and more that are the same: ";
    let (_, _, operators) = reports(vec![contact(1, &format!("{beginning}a")), contact(2, &format!("{beginning}b"))]);
    assert_eq!(operators.n_current(), 2);
    assert_eq!(operators.leaderboards.ranking(Category::ConsensusWeight).len(), 2);
}

#[test]
fn defect_24_relays_without_contact_are_nobody_s() {
    let (_, _, operators) = reports((0..30).map(relay).collect());
    assert_eq!((operators.n_current(), operators.n_unknown), (0, 30));
    assert!(Category::ALL.iter().all(|category| operators.leaderboards.ranking(*category).is_empty()));
}

#[test]
fn defect_25_an_unproven_url_joins_nobody() {
    let claim = "url:https://victim.example proof:uri-rsa ciissversion:2";
    let check = AroiCheck {
        domain: "victim.example".parse().unwrap(),
        method: ProofMethod::UriRsa,
        result: AroiResult::Validated,
        reason: String::new(),
        checked_at: as_of().start(),
    };
    let proven = with(contact(1, claim), |relay| relay.aroi_check = Some(check));
    let (_, _, operators) = reports(vec![proven, contact(2, claim)]);
    let found = ids(&operators);
    assert_eq!(found[0].as_deref(), Some("victim.example"));
    assert!(found[1].as_deref().is_some_and(|id| id.starts_with("contact-")));
    assert_eq!(operators.aroi, [AroiState::Validated, AroiState::Unchecked]);
}
