//! Search, filters and order of relays.

use allium_analysis::{Key, NetworkReport, Question, QuestionError, RelayQuery, SearchIndex, SortKey, Term, operators_of};
use allium_model::{Asn, NetworkRecord, Period, RelayFlag};

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
    let family = vec![relays[0].relay.fingerprint, relays[2].relay.fingerprint];
    relays[0].relay.effective_family = family.clone();
    relays[2].relay.effective_family = family;
    relays[1] = with_graph(relays[1].clone(), Period::OneMonth, end, &[Some(500); 9], 0);
    relays[2] = with_graph(relays[2].clone(), Period::OneMonth, end, &[Some(900); 9], 0);
    relays[3] = gone_since(relays[3].clone(), as_of().plus(-1000));
    network(Vec::new(), relays)
}

/// The numbers of the relays found.
fn find(query: &RelayQuery) -> Vec<u8> {
    let record = record();
    let report = NetworkReport::compute(&record);
    let index = SearchIndex::build(&record, &operators_of(&record).families);
    let found = index.select(query, &record, &report);
    found.into_iter().map(|i| record.relays[i].relay.fingerprint.as_bytes()[0]).collect()
}

/// The numbers of the relays that a question finds, by fingerprint.
fn ask(text: &str) -> Vec<u8> {
    let question = Question::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    find(&RelayQuery { question, sort: SortKey::Fingerprint, descending: false, ..RelayQuery::default() })
}

fn filter(key: Key, value: &str) -> Term {
    key.read(value).unwrap_or_else(|error| panic!("{value:?}: {error}"))
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
    ] {
        assert_eq!(ask(text), expected, "{text:?}");
    }
}

#[test]
fn fields_do_not_run_into_each_other() {
    assert!(ask("zwiebelölmühle").is_empty());
}

#[test]
fn filters_narrow() {
    let all = || RelayQuery { sort: SortKey::Fingerprint, descending: false, include_gone: true, ..RelayQuery::default() };
    let family_of = record().relays[0].relay.fingerprint;
    for (query, expected) in [
        (all(), vec![1, 2, 3, 4]),
        (RelayQuery { running: Some(false), ..all() }, vec![4]),
        (RelayQuery { running: Some(true), ..all() }, vec![1, 2, 3]),
        (RelayQuery { filters: vec![filter(Key::Flag, "Guard")], ..all() }, vec![1]),
        (RelayQuery { filters: vec![filter(Key::Country, "de")], ..all() }, vec![1, 4]),
        (RelayQuery { filters: vec![filter(Key::As, "AS64500")], include_gone: false, ..all() }, vec![2]),
        (RelayQuery { filters: vec![filter(Key::Version, "0.4.8")], ..all() }, vec![1, 2]),
        (RelayQuery { filters: vec![filter(Key::Version, "0.4.9.2")], ..all() }, vec![3]),
        (RelayQuery { filters: vec![filter(Key::Family, &family_of.to_string())], ..all() }, vec![1, 3]),
        (RelayQuery { question: Question::parse("example").unwrap(), filters: vec![filter(Key::Country, "de")], ..all() }, vec![1, 4]),
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

/// Relays 1 and 2 have most of what a relay can have, 3 left the network 20 days ago.
fn described() -> NetworkRecord {
    let mut relays: Vec<_> = (1..=3).map(relay).collect();
    let first = &mut relays[0].relay;
    first.nickname = Some("Quill".to_owned());
    first.contact = Some("Ann  Bee <ann (at) bee dot example>".to_owned());
    first.or_addresses = vec!["203.0.113.40:9001".parse().expect("an address"), "[2001:db8:0:1::1]:9001".parse().expect("an address")];
    first.dir_address = "203.0.113.40:9030".parse().ok();
    first.platform = Some("Tor 0.4.8.21 on Linux".to_owned());
    first.version = Some("0.4.8.21".to_owned());
    first.recommended_version = Some(true);
    first.verified_host_names = vec!["exit7.Host.example".to_owned()];
    first.first_seen = Some(as_of().plus(-50)).into();
    first.other_flags = vec!["Shiny".to_owned()];
    let second = &mut relays[1].relay;
    second.nickname = Some("QuillTwo".to_owned());
    second.contact = Some("Bee, Ann; mail:NotAnn[]bee[.]example \"quoted\"".to_owned());
    second.or_addresses = vec!["203.0.113.4:443".parse().expect("an address"), "[2001:db8:0:1::1f]:443".parse().expect("an address")];
    second.exit_addresses = vec!["203.0.113.41".parse().expect("an address")];
    second.platform = Some("Tor 0.4.9.1-alpha on FreeBSD".to_owned());
    second.version = Some("0.4.9.1-alpha".to_owned());
    second.country = "gb".parse().ok();
    second.asn = Some(Asn(64500));
    second.as_name = Some("Example Net".to_owned());
    second.unverified_host_names = vec!["a.example".to_owned()];
    second.running = false;
    second.flags.remove(RelayFlag::Running);
    relays[2] = gone_since(relays[2].clone(), as_of().plus(-20 * 24));
    relays[2].relay.bare_address = "198.51.100.3".parse().ok();
    network(Vec::new(), relays)
}

fn find_described(text: &str) -> Vec<u8> {
    let record = described();
    let report = NetworkReport::compute(&record);
    let index = SearchIndex::build(&record, &operators_of(&record).families);
    let question = Question::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    let query = RelayQuery { question, sort: SortKey::Fingerprint, descending: false, ..RelayQuery::default() };
    index.select(&query, &record, &report).into_iter().map(|i| record.relays[i].relay.fingerprint.as_bytes()[0]).collect()
}

#[test]
fn a_whole_address_is_compared_by_value() {
    for (text, expected) in [
        ("203.0.113.4", vec![2]),
        ("203.0.113.40", vec![1]),
        ("203.0.113.41", vec![2]),
        ("[203.0.113.4]", vec![2]),
        ("203.0.113.4:443", vec![2]),
        ("203.0.113.4:9001", vec![]),
        ("203.0.113.40:9030", vec![1]),
        ("203.0.113.41:443", vec![]),
        ("::ffff:203.0.113.4", vec![2]),
        ("2001:db8:0:1::1", vec![1]),
        ("2001:0DB8:0000:0001:0:0:0:0001", vec![1]),
        ("[2001:db8:0:1::1f]:443", vec![2]),
        ("[2001:db8:0:1::1f]", vec![2]),
        ("203.0.113.", vec![1, 2]),
        ("203.0.113", vec![1, 2]),
        ("203.0.113.*", vec![1, 2]),
        ("203.0.11.", vec![]),
        ("203.0.113.0/30", vec![]),
        ("203.0.113.5/30", vec![2]),
        ("203.0.0.0/16", vec![1, 2]),
        ("2001:db8::/32", vec![1, 2]),
        ("2001:db8:", vec![1, 2]),
        ("2001:db8::", vec![1, 2]),
        ("2001:db9::", vec![]),
        ("address:203.0.113.4", vec![2]),
        ("address:203.0.0.0/16", vec![1, 2]),
    ] {
        assert_eq!(find_described(text), expected, "{text:?}");
    }
}

const HASHED: &str = "9a68e0f891a604eadc414df454e914fb8b2693a9";

#[test]
fn a_fingerprint_is_known_in_every_form() {
    let whole = "0100000000000000000000000000000000000000";
    let spaced: Vec<&str> = (0..10).map(|i| &whole[4 * i..4 * i + 4]).collect();
    for text in [
        whole.to_owned(),
        format!("${whole}"),
        format!("${whole}~Quill"),
        format!("${whole}=Quill"),
        format!("{whole}~Quill"),
        spaced.join(" "),
        format!("${}", spaced.join(" ")),
        "AQAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        "AQAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned(),
        // SHA-1 of the byte 01 and nineteen bytes 00.
        HASHED.to_owned(),
        format!("fingerprint:{whole}"),
        "fingerprint:0100".to_owned(),
        "$0100".to_owned(),
        "0100 0000 0000".to_owned(),
    ] {
        assert_eq!(find_described(&text), [1], "{text:?}");
    }
    assert_eq!(find_described(&whole.replace("01", "03")), [3], "a relay that left, by its whole fingerprint");
    assert!(find_described("$0300").is_empty());
}

#[test]
fn mail_is_one_address_in_every_spelling() {
    for text in [
        "ann@bee.example",
        "ANN@bee.example",
        "ann[]bee.example",
        "ann (at) bee dot example",
        "ann [at] bee [dot] example",
        "ann(at)bee(dot)example",
        "ann at bee dot example",
        "<ann@bee.example>",
        "mailto:ann@bee.example",
        "contact:ann@bee.example",
        "contact:ann[]bee.example",
    ] {
        assert_eq!(find_described(text), [1], "{text:?}");
    }
    assert_eq!(find_described("notann@bee.example"), [2]);
    assert_eq!(find_described("@bee.example"), [1, 2]);
    assert_eq!(find_described("contact:bee.example"), [1, 2]);
}

#[test]
fn quotes_keep_words_together() {
    for (text, expected) in [
        ("\"Ann Bee\"", vec![1]),
        ("“Ann Bee”", vec![1]),
        ("«ann bee»", vec![1]),
        ("Ann Bee", vec![1, 2]),
        ("contact:\"Bee, Ann\"", vec![2]),
        ("\"contact:Bee, Ann\"", vec![2]),
        ("contact: Bee", vec![1, 2]),
        ("\"\\\"quoted\\\"\"", vec![2]),
        ("\"ann  bee\" quill", vec![1]),
        ("\"mail:notann\"", vec![2]),
    ] {
        assert_eq!(find_described(text), expected, "{text:?}");
    }
}

#[test]
fn names_before_a_colon_are_those_of_relay_search() {
    for (text, expected) in [
        ("country:gb", vec![2]),
        ("country:UK", vec![2]),
        ("country:England", vec![2]),
        ("country:\"United Kingdom\"", vec![2]),
        ("United Kingdom", vec![2]),
        ("great britain", vec![2]),
        ("country:gb,fr", vec![2]),
        ("country:fr", vec![]),
        ("country:??", vec![1]),
        ("as:64500", vec![2]),
        ("as:as64500,AS1", vec![2]),
        ("AS 64500", vec![2]),
        ("asn64500", vec![2]),
        ("as_name:example", vec![2]),
        ("flag:running", vec![1]),
        ("flag:SHINY", vec![1]),
        ("flag:running,shiny", vec![1]),
        ("version:0.4.8..0.4.9", vec![1, 2]),
        ("version:0.4.8,0.4.9", vec![1, 2]),
        ("version:0.4.9..", vec![2]),
        ("version:..0.4.8", vec![1]),
        ("version:0.4.8", vec![1]),
        ("0.4.8", vec![1]),
        ("0.4.8.21", vec![1]),
        ("os:linux", vec![1]),
        ("os:BSD", vec![]),
        ("host_name:host.example", vec![1]),
        ("host-name:HOST.example", vec![1]),
        ("host_name:host", vec![]),
        ("running:true", vec![1]),
        ("running:no", vec![2]),
        ("recommended_version:true", vec![1]),
        ("first_seen_days:2", vec![1]),
        ("first_seen_days:0-3", vec![1]),
        ("last_seen_days:0", vec![1, 2]),
        ("last_seen_days:8-30", vec![3]),
        ("last_seen_days:8-", vec![3]),
        ("nickname:quill", vec![1, 2]),
        ("type:relay", vec![1, 2]),
        ("COUNTRY:gb", vec![2]),
        ("flag:exit running:true country:de", vec![]),
    ] {
        assert_eq!(find_described(text), expected, "{text:?}");
    }
}

#[test]
fn the_exact_name_comes_first() {
    let (record, report) = (described(), NetworkReport::compute(&described()));
    let index = SearchIndex::build(&record, &operators_of(&record).families);
    let select = |text: &str| {
        let query = RelayQuery { question: Question::parse(text).unwrap(), sort: SortKey::Match, ..RelayQuery::default() };
        index.select(&query, &record, &report).into_iter().map(|i| record.relays[i].relay.fingerprint.as_bytes()[0]).collect::<Vec<_>>()
    };
    assert_eq!(select("quill"), [1, 2]);
    assert_eq!(select("quilltwo"), [2]);
    assert_eq!(select("nickname:quill"), [1, 2]);
}

#[test]
fn what_is_not_understood_is_told() {
    for (text, told) in [
        ("colour:red", "there is no term \"colour:\"; there are country:, as:, as_name:, flag:"),
        ("url:example.org", "a text with a colon stands in quotes"),
        ("\"Ann Bee", "the quote before \"\\\"Ann Bee\" is not closed"),
        ("country:", "\"country:\" is not understood; allowed: a country by name or code"),
        ("country:Atlantis", "allowed: a country by name or code"),
        ("as:google", "allowed: an AS by number"),
        ("version:new", "a range such as 0.4.8..0.4.9"),
        ("version:0.4.8..0.4.9..0.5", "a range such as 0.4.8..0.4.9"),
        ("running:maybe", "allowed: true or false"),
        ("first_seen_days:3-0", "allowed: whole days"),
        ("first_seen_days:-", "allowed: whole days"),
        ("family:alpha", "allowed: a fingerprint of 40 hexadecimal digits"),
        ("type:bridge", "there are no bridges here"),
        ("999.1.1.1", "allowed: an address such as"),
        ("203.0.113.4/33", "allowed: an address such as"),
        ("203.0.113.4:99999", "allowed: an address such as"),
        ("AS0", "from AS1 to AS4294967295"),
        ("AS99999999999", "from AS1 to AS4294967295"),
        ("\0\u{202e}", "there is no word in the question"),
        (", ;", "there is no word in the question"),
        (&"a ".repeat(17), "the question has 17 terms; at most 16 are allowed"),
        (&"a".repeat(201), "the question has 201 bytes; at most 200 are allowed"),
    ] {
        let error = Question::parse(text).expect_err(text).to_string();
        assert!(error.contains(told), "{text:?}: {error}");
    }
    // The ninth word counts as the others do.
    assert!(ask("example example example example example example example example nosuchword").is_empty());
}

#[test]
fn what_does_not_exist_is_told() {
    let record = described();
    let index = SearchIndex::build(&record, &operators_of(&record).families);
    let check = |text: &str| Question::parse(text).unwrap().terms().iter().try_for_each(|term| index.check(term));
    assert_eq!(check("flag:exit flag:shiny country:fr"), Ok(()));
    let told = |text: &str| check(text).expect_err(text);
    assert!(matches!(told("flag:glossy"), QuestionError::Bad { allowed, .. } if allowed.contains("Valid, Shiny")));
    assert!(matches!(told("country:zz"), QuestionError::Bad { allowed, .. } if allowed.starts_with("a country")));
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused_and_written_back_the_same(text in proptest::prop_oneof![
        ".{0,60}",
        "[a-zA-Z0-9:$~=.,/\\[\\]\"“”«» @()\\\\-]{0,60}",
        "((country|as|flag|contact|version|family|os|nickname|address):|\"|\"|at |dot |\\(at\\) |0\\.4\\.8|abcd |[ ,.]|south |korea |AS|[a-f0-9]{4} ){0,14}",
    ]) {
        if let Ok(question) = Question::parse(&text) {
            let written = question.to_string();
            if written.len() <= allium_analysis::MOST_BYTES {
                proptest::prop_assert_eq!(Question::parse(&written), Ok(question), "{:?} became {:?}", text, written);
            }
        }
    }
}
