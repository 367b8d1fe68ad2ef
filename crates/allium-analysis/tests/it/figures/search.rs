//! Search, filters and order of relays.

use allium_analysis::{NetworkReport, RelayQuery, SearchIndex, SortKey};
use allium_model::{Asn, NetworkRecord, Period, RelayFlag, RelayFlags};

use super::support::{as_of, gone_since, network, relay, with_graph};

/// Relays 1 to 4, of which 4 left the network.
fn record() -> NetworkRecord {
    let end = as_of().next();
    let mut relays: Vec<_> = (1..=4).map(relay).collect();
    let texts = [
        ("Zwiebel", "Ölmühle <admin@example.org> url:example.org", "Hetzner Online GmbH", "de", "Germany", 24940, "192.0.2.10:443"),
        ("alpha", "noc@example.net", "Example Transit", "us", "United States", 64500, "198.51.100.7:9001"),
        ("Beta", "abuse at example dot com", "Hetzner Online GmbH", "fi", "Finland", 24940, "[2001:db8::7]:443"),
        ("gone", "admin@example.org", "Example Transit", "de", "Germany", 64500, "192.0.2.99:443"),
    ];
    for (record, (nickname, contact, as_name, country, country_name, asn, address)) in relays.iter_mut().zip(texts) {
        let relay = &mut record.relay;
        relay.nickname = Some(nickname.to_owned());
        relay.contact = Some(contact.to_owned());
        relay.as_name = Some(as_name.to_owned());
        relay.country = country.parse().ok();
        relay.country_name = Some(country_name.to_owned());
        relay.asn = Some(Asn(asn));
        relay.or_addresses = vec![address.parse().expect("an address with port")];
    }
    for (record, (weight, version)) in
        relays.iter_mut().zip([(Some(5), "0.4.8.9"), (None, "0.4.8.12"), (Some(5), "0.4.9.2-alpha"), (Some(99), "0.4.80.1")])
    {
        record.relay.consensus_weight = weight;
        record.relay.version = Some(version.to_owned());
    }
    relays[0].relay.flags.insert(RelayFlag::Guard);
    relays[0].relay.effective_family = vec![relays[0].relay.fingerprint, relays[2].relay.fingerprint];
    relays[1] = with_graph(relays[1].clone(), Period::OneMonth, end, &[Some(500); 9], 0);
    relays[2] = with_graph(relays[2].clone(), Period::OneMonth, end, &[Some(900); 9], 0);
    relays[3] = gone_since(relays[3].clone(), as_of().plus(-1000));
    network(Vec::new(), relays)
}

/// The numbers of the relays found.
fn find(query: &RelayQuery) -> Vec<u8> {
    let record = record();
    let report = NetworkReport::compute(&record);
    let found = SearchIndex::build(&record).select(query, &record, &report);
    found.into_iter().map(|i| record.relays[i].relay.fingerprint.as_bytes()[0]).collect()
}

#[test]
fn a_term_fits_any_field_in_either_case() {
    for (text, expected) in [
        ("", vec![1, 2, 3]),
        ("  ", vec![1, 2, 3]),
        ("zwieb", vec![1]),
        ("ZWIEB", vec![1]),
        ("ÖLMÜHLE", vec![1]),
        ("hetzner", vec![1, 3]),
        ("hetzner germany", vec![1]),
        ("hetzner alpha", vec![]),
        ("AS24940", vec![1, 3]),
        ("as24940", vec![1, 3]),
        ("24940", vec![1, 3]),
        ("2494", vec![]),
        ("FI", vec![3]),
        ("united", vec![2]),
        ("0100", vec![1]),
        ("$02", vec![2]),
        ("0200000000000000000000000000000000000000", vec![2]),
        ("$0200000000000000000000000000000000000000", vec![2]),
        ("192.0.2.", vec![1]),
        ("192.0.2.10:443", vec![1]),
        ("198.51.100.0/24", vec![2]),
        ("0.0.0.0/0", vec![1, 2]),
        ("2001:DB8::/32", vec![3]),
        ("[2001:db8::7]", vec![3]),
        ("2001:0db8:0::0007", vec![3]),
        ("<script>", vec![]),
        ("\0\u{202e}", vec![]),
        ("999.1.1.1/99", vec![]),
    ] {
        let query = RelayQuery { text: text.to_owned(), sort: SortKey::Fingerprint, descending: false, ..RelayQuery::default() };
        assert_eq!(find(&query), expected, "{text:?}");
    }
}

#[test]
fn fields_do_not_run_into_each_other() {
    let query = RelayQuery { text: "zwiebelölmühle".to_owned(), ..RelayQuery::default() };
    assert!(find(&query).is_empty());
}

#[test]
fn filters_narrow() {
    let all = || RelayQuery { sort: SortKey::Fingerprint, descending: false, include_gone: true, ..RelayQuery::default() };
    let family_of = record().relays[0].relay.fingerprint;
    for (query, expected) in [
        (all(), vec![1, 2, 3, 4]),
        (RelayQuery { running: Some(false), ..all() }, vec![4]),
        (RelayQuery { running: Some(true), ..all() }, vec![1, 2, 3]),
        (RelayQuery { flags: RelayFlags::from_iter([RelayFlag::Guard]), ..all() }, vec![1]),
        (RelayQuery { country: "de".parse().ok(), ..all() }, vec![1, 4]),
        (RelayQuery { asn: Some(Asn(64500)), include_gone: false, ..all() }, vec![2]),
        (RelayQuery { version: Some("0.4.8".to_owned()), ..all() }, vec![1, 2]),
        (RelayQuery { version: Some("0.4.9.2".to_owned()), ..all() }, vec![3]),
        (RelayQuery { family_of: Some(family_of), ..all() }, vec![1, 3]),
        (RelayQuery { text: "example".to_owned(), country: "de".parse().ok(), ..all() }, vec![1, 4]),
    ] {
        assert_eq!(find(&query), expected, "{query:?}");
    }
}

#[test]
fn equal_relays_follow_by_fingerprint_and_missing_values_come_last() {
    for (sort, ascending, descending) in [
        (SortKey::ConsensusWeight, vec![1, 3, 2], vec![1, 3, 2]),
        (SortKey::Nickname, vec![2, 3, 1], vec![1, 3, 2]),
        (SortKey::Fingerprint, vec![1, 2, 3], vec![3, 2, 1]),
        (SortKey::Version, vec![1, 2, 3], vec![3, 2, 1]),
        (SortKey::Uptime(Period::OneMonth), vec![2, 3, 1], vec![3, 2, 1]),
        (SortKey::Country, vec![1, 3, 2], vec![2, 3, 1]),
        (SortKey::AutonomousSystem, vec![1, 3, 2], vec![2, 1, 3]),
        (SortKey::Trend, vec![1, 2, 3], vec![1, 2, 3]),
    ] {
        for (descending, expected) in [(false, ascending), (true, descending)] {
            let query = RelayQuery { sort, descending, ..RelayQuery::default() };
            assert_eq!(find(&query), expected, "{} {descending}", sort.name());
        }
    }
}

#[test]
fn names_of_sort_keys_are_read_back() {
    for key in SortKey::ALL {
        assert_eq!(SortKey::from_name(key.name()), Some(key));
    }
    assert_eq!(SortKey::from_name("colour"), None);
}
