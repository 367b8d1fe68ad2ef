//! Good packs.

use allium_model::Bounds;
use allium_model::{RelayFlag, Timestamp};
use allium_sources::presence::{Hours, Snapshot};
use parquet::basic::{Compression, ZstdLevel};
use proptest::prelude::*;

use super::*;
use allium_testkit::spans_file::Form;

#[test]
fn every_row_is_understood_however_the_parquet_file_is_written() {
    let expected = decode("", Form::default()).unwrap();
    assert_eq!((expected.snapshots.len(), expected.spans.len(), expected.relays.len(), expected.n_rejects), (5, 4, 4, 0));
    let zstd = Compression::ZSTD(ZstdLevel::default());
    for (compression, dictionary, group_rows) in
        [(Compression::UNCOMPRESSED, false, 1), (Compression::SNAPPY, true, 3), (zstd, false, usize::MAX), (zstd, true, 2)]
    {
        let form = Form { compression, dictionary, group_rows };
        assert_eq!(decode("", form).unwrap(), expected, "{form:?}");
    }
}

#[test]
fn of_several_lists_of_a_consensus_the_last_stands_for_it() {
    let pack = decode("", Form::default()).unwrap();
    let hours = Hours::of(&pack.snapshots);
    let found: Vec<_> = hours.hours().iter().map(|hour| (hour.hour.to_string(), hour.snapshot_idx)).collect();
    let expected = [("2026-02-15T15:00:00Z", 0), ("2026-02-15T16:00:00Z", 2), ("2026-02-15T17:00:00Z", 3), ("2026-02-15T19:00:00Z", 4)];
    assert_eq!(found, expected.map(|(hour, snapshot_idx)| (hour.to_owned(), snapshot_idx)));
    assert_eq!(hours.n_superseded(), 1);
}

#[test]
fn spans_cover_the_hours_that_their_lists_stand_for() {
    let pack = decode("", Form::default()).unwrap();
    let hours = Hours::of(&pack.snapshots);
    let found: Vec<_> = pack
        .state_spans(&hours)
        .map(|(relay, span)| {
            let flags: Vec<_> = span.state.flags.iter().map(RelayFlag::name).collect();
            (relay.to_string(), span.start.civil().hour(), span.end.civil().hour(), flags.join(" "))
        })
        .collect();
    let expected = [
        (ALICE, 15, 17, "Guard Running"),
        (ALICE, 17, 20, "Exit Guard Running"),
        (DORA, 16, 18, "Exit Running"),
        (NAMELESS, 16, 20, "Guard Running"),
    ];
    assert_eq!(found, expected.map(|(relay, start, end, flags)| (relay.to_owned(), start, end, flags.to_owned())));
    let locations: Vec<_> = pack.state_spans(&hours).map(|(_, span)| (span.state.country, span.state.asn)).collect();
    let alice = (Some("fr".parse().unwrap()), Some("AS64501".parse().unwrap()));
    assert_eq!((locations[0], locations[1], locations[3]), (alice, alice, (None, None)));
}

#[test]
fn attributes_are_as_last_known() {
    let pack = decode("", Form::default()).unwrap();
    let [alice, dora, nameless, _never] = &pack.relays[..] else { panic!("{:?}", pack.relays) };
    assert_eq!(dora.nickname.as_deref(), Some("dora"));
    assert_eq!(dora.contact.as_deref(), Some("dora \"d\" <dora@example.org>"));
    assert_eq!((dora.as_name.as_deref(), dora.primary_ip()), (Some("Example, Dora"), Some("192.0.2.9".parse().unwrap())));
    assert!(dora.or_addresses.is_empty(), "no port is invented");
    assert_eq!(dora.effective_family, [ALICE.parse().unwrap(), DORA.parse().unwrap()]);
    assert_eq!(alice.effective_family, dora.effective_family);
    assert_eq!((&nameless.nickname, nameless.asn, nameless.effective_family.len()), (&None, None, 0));
}

#[test]
fn one_wrong_total_is_told_with_its_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let snapshots = std::fs::read_to_string(testdata("snapshots.csv")).unwrap();
    std::fs::write(path("snapshots.csv"), snapshots.replace(",2,1,1", ",2,0,7")).unwrap();
    let spans = std::fs::read_to_string(testdata("spans.csv")).unwrap();
    std::fs::write(path("spans.parquet"), spans_as_parquet(&spans, Form::default())).unwrap();
    let files = Files { snapshots: &path("snapshots.csv"), spans: &path("spans.parquet"), relays: &testdata("relays.csv") };
    let pack = decode_files(&files, &Limits::default(), Bounds::default()).unwrap();
    assert_eq!((pack.n_mismatches, pack.n_rejects, pack.spans.len()), (1, 1, 4));
    assert_eq!(pack.rejects[0].location, "line 3 snapshot 1");
    assert_eq!(pack.rejects[0].reason, "guard is 0, 1 in the spans; exit is 7, 1 in the spans");
}

/// Lists fetched with these pauses, in minutes.
fn snapshots(pauses: &[u16]) -> Vec<Snapshot> {
    let dir = tempfile::tempdir().unwrap();
    let (mut at, mut text) = (1_700_000_000i64, "snapshot,fetched_at,running,guard,exit\n".to_owned());
    for (i, pause) in pauses.iter().enumerate() {
        at += 60 * i64::from(*pause);
        text += &format!("{i},{},0,0,0\n", Timestamp::from_second(at).unwrap());
    }
    let (list, spans) = (dir.path().join("snapshots.csv"), dir.path().join("spans.parquet"));
    std::fs::write(&list, text).unwrap();
    let one = "fingerprint,first_snapshot,end_snapshot,guard,exit\n0011223344556677889900112233445566778899,0,1,true,true\n";
    std::fs::write(&spans, spans_as_parquet(one, Form::default())).unwrap();
    let relays = testdata("relays.csv");
    decode_files(&Files { snapshots: &list, spans: &spans, relays: &relays }, &Limits::default(), Bounds::default()).unwrap().snapshots
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn spans_and_hours_tell_the_same_of_every_list_that_counts(pauses in prop::collection::vec(1..130u16, 1..30), a in 0..30u32, b in 0..30u32) {
        let snapshots = snapshots(&pauses);
        let hours = Hours::of(&snapshots);
        prop_assert_eq!(hours.hours().len() + hours.n_superseded(), snapshots.len());
        prop_assert!(hours.hours().is_sorted_by(|before, after| before.hour < after.hour));
        let n = snapshots.len() as u32;
        let snapshots = a.min(b).min(n)..a.max(b).min(n);
        let inside: Vec<_> = hours.hours().iter().filter(|hour| snapshots.contains(&(hour.snapshot_idx as u32))).map(|hour| hour.hour).collect();
        let expected = inside.first().zip(inside.last()).map(|(first, last)| (*first, last.next()));
        prop_assert_eq!(hours.of_span(&snapshots), expected);
    }
}

/// The pack with its two CSV files changed.
fn with_csv(change: impl Fn(&str) -> String) -> Pack {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    for name in ["snapshots.csv", "relays.csv"] {
        std::fs::write(path(name), change(&std::fs::read_to_string(testdata(name)).unwrap())).unwrap();
    }
    let spans = std::fs::read_to_string(testdata("spans.csv")).unwrap();
    std::fs::write(path("spans.parquet"), spans_as_parquet(&spans, Form::default())).unwrap();
    let files = Files { snapshots: &path("snapshots.csv"), spans: &path("spans.parquet"), relays: &path("relays.csv") };
    decode_files(&files, &Limits::default(), Bounds::default()).unwrap()
}

#[test]
fn line_breaks_and_marks_of_other_systems_change_nothing() {
    let expected = decode("", Form::default()).unwrap();
    let found = with_csv(|text| format!("\u{feff}{}", text.replace('\n', "\r\n")));
    assert_eq!((found.snapshots, found.spans, found.relays, found.n_rejects), (expected.snapshots, expected.spans, expected.relays, 0));
}

#[test]
fn numbers_of_lists_may_be_spelled_as_floats() {
    let as_floats = |line: &str| {
        let cells = line
            .split(',')
            .enumerate()
            .map(|(i, cell)| if i == 1 || cell.parse::<u32>().is_err() { cell.to_owned() } else { format!("{cell}.0") });
        cells.collect::<Vec<_>>().join(",") + "\n"
    };
    let found = with_csv(|text| if text.starts_with("snapshot,") { text.lines().map(as_floats).collect() } else { text.to_owned() });
    assert_eq!((found.n_rejects, found.snapshots), (0, decode("", Form::default()).unwrap().snapshots));
    let found = with_csv(|text| text.replace(",2,1,1", ",2.5,1,1"));
    assert_eq!(found.rejects[0].reason, "running is \"2.5\"");
}
