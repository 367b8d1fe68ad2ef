//! Packs of hourly lists, read back.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use allium_model::{ConsensusHour, Fingerprint, RelayFlag, Timestamp};
use allium_simulate::presence::write_presence;
use allium_simulate::{Network, Options, Scenario};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;

fn hour(text: &str) -> ConsensusHour {
    format!("{text}:00:00Z").parse().unwrap()
}

fn network(events: &str) -> Network {
    let scenario: Scenario = events.parse().unwrap();
    Network::generate(&Options { n_relays: 150, history_days: 10, scenario, ..Options::new(3, hour("2026-02-15T18")) })
}

/// `(first, end, guard, exit)`.
type Span = (u32, u32, bool, bool);

struct Pack {
    /// Index, instant, totals.
    snapshots: Vec<(Timestamp, [u32; 3])>,
    spans: BTreeMap<Fingerprint, Vec<Span>>,
    relays: Vec<Vec<String>>,
}

fn pack(network: &Network) -> Pack {
    let dir = tempfile::tempdir().unwrap();
    write_presence(network, dir.path()).unwrap();
    let table = |name: &str| {
        let bytes = zstd::decode_all(std::fs::File::open(dir.path().join(name)).unwrap()).unwrap();
        let mut reader = csv::Reader::from_reader(&bytes[..]);
        let rows: Vec<Vec<String>> = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        rows
    };
    let snapshots = table("snapshots.csv.zst").into_iter().enumerate().map(|(i, row)| {
        assert_eq!(row[0], i.to_string());
        (row[1].parse().unwrap(), [2, 3, 4].map(|column| row[column].parse().unwrap()))
    });
    let mut spans: BTreeMap<Fingerprint, Vec<Span>> = BTreeMap::new();
    let file = SerializedFileReader::new(std::fs::File::open(dir.path().join("presence.parquet")).unwrap()).unwrap();
    let mut last = None;
    for row in file.get_row_iter(None).unwrap() {
        let cells: Vec<Field> = row.unwrap().into_columns().into_iter().map(|(_, field)| field).collect();
        let [Field::Str(fingerprint), Field::UInt(first), Field::UInt(end), Field::Bool(guard), Field::Bool(exit)] = &cells[..] else {
            panic!("{cells:?}")
        };
        assert!(first < end && last.replace((fingerprint.clone(), *first)) < Some((fingerprint.clone(), *first)), "sorted");
        spans.entry(fingerprint.parse().unwrap()).or_default().push((*first, *end, *guard, *exit));
    }
    Pack { snapshots: snapshots.collect(), spans, relays: table("relays.csv.zst") }
}

#[test]
fn every_list_is_what_the_consensus_said() {
    let network = network("");
    let pack = pack(&network);
    assert_eq!(pack.snapshots.len(), 241);
    let mut totals = vec![[0; 3]; 241];
    for relay in network.relays().filter(|relay| !relay.spans.is_empty()) {
        let spans = &pack.spans[&relay.fingerprint];
        for (i, totals) in totals.iter_mut().enumerate() {
            let listed = spans.iter().find(|(first, end, ..)| (*first..*end).contains(&(i as u32)));
            let exact = relay.flags_at(network.first_consensus().plus(i as i32));
            let exact = exact.map(|flags| (flags.contains(RelayFlag::Guard), flags.contains(RelayFlag::Exit)));
            assert_eq!(listed.map(|(_, _, guard, exit)| (*guard, *exit)), exact);
            let (guard, exit) = exact.unwrap_or_default();
            [exact.is_some(), guard, exit].into_iter().zip(totals).for_each(|(held, total)| *total += u32::from(held));
        }
    }
    assert_eq!(pack.snapshots.iter().map(|(_, totals)| *totals).collect::<Vec<_>>(), totals);
    for (i, (fetched_at, _)) in pack.snapshots.iter().enumerate() {
        let after = fetched_at.as_second() - network.first_consensus().plus(i as i32).start_secs();
        assert!((4500..6000).contains(&after), "{after}");
    }
}

#[test]
fn gaps_have_no_list_and_stale_hours_repeat_one() {
    let quiet = pack(&network(""));
    let missing = pack(&network("missing at 2026-02-10T00:00:00Z for 5h"));
    assert_eq!(missing.snapshots.len(), 236);
    let stale = pack(&network("stale at 2026-02-10T00:00:00Z for 5h"));
    assert_eq!(stale.snapshots.len(), 241);
    // The first list is of 2026-02-05 18:00; the one of 2026-02-09 23:00 is repeated until 04:00.
    let before = 24 * 4 + 5;
    assert!(stale.snapshots[before..=before + 5].iter().all(|(_, totals)| *totals == quiet.snapshots[before].1));
    assert_eq!(stale.snapshots[before + 6..], quiet.snapshots[before + 6..]);
    assert_eq!(missing.snapshots[before + 1..], quiet.snapshots[before + 6..]);
}

#[test]
fn relays_have_their_attributes() {
    let network = network("");
    let pack = pack(&network);
    assert_eq!(pack.relays.len(), pack.spans.len());
    assert!(pack.relays.is_sorted_by_key(|row| row[0].clone()));
    let families: BTreeMap<&str, usize> = pack.relays.iter().fold(BTreeMap::new(), |mut families, row| {
        *families.entry(row[7].as_str()).or_default() += 1;
        families
    });
    assert!(families.len() > 3 && families.iter().all(|(family, n)| *n > 1 || family.is_empty()));
    for relay in network.relays() {
        let Some(row) = pack.relays.iter().find(|row| row[0] == relay.fingerprint.to_string()) else { continue };
        assert_eq!(row[1], relay.nickname);
        assert!(row[2].starts_with("10."));
        assert!(row[3].is_empty() || (row[3].as_str(), row[5].as_str()) == (&relay.asn.to_string(), relay.country.as_str()));
        assert!(row[7].is_empty() || row[7] <= row[0]);
    }
}
