//! Bad rows, bad files, and what is left of them.

use proptest::prelude::*;

use super::*;
use allium_testkit::spans_file::Form;

#[test]
fn bad_rows_are_told_with_their_place_and_good_ones_are_kept() {
    let pack = decode("bad", Form::default()).unwrap();
    let listed: Vec<_> = pack
        .rejects
        .iter()
        .map(|reject| {
            let file = Path::new(&reject.origin).file_stem().unwrap().to_string_lossy();
            format!("{file} {}: {}", reject.location, reject.reason)
        })
        .collect();
    insta::assert_snapshot!(listed.join("\n"));
    assert_eq!(pack.n_rejects, listed.len());
    let indexes: Vec<_> = pack.snapshots.iter().map(|snapshot| snapshot.index).collect();
    assert_eq!(indexes, [0, 3, 8]);
    let spans: Vec<_> = pack.spans.iter().map(|span| (span.fingerprint.to_string(), span.snapshots.clone())).collect();
    assert_eq!(spans, [(ALICE.to_owned(), 0..3), (DORA.to_owned(), 0..1)]);
    assert_eq!(pack.relays.len(), 3);
}

#[test]
fn a_file_without_a_column_or_with_nothing_in_it_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let spans = std::fs::read_to_string(testdata("spans.csv")).unwrap();
    let good = spans_as_parquet(&spans, Form::default());
    let cases: [(&str, &[u8], &[u8]); 6] = [
        ("no column fetched_at", b"snapshot,time,running,guard,exit\n", &good),
        ("no snapshot", b"snapshot,fetched_at,running,guard,exit\n", &good),
        ("no column snapshot", b"", &good),
        ("no column snapshot", b"<!DOCTYPE html>\n<p>502\n", &good),
        ("arquet", b"snapshot,fetched_at,running,guard,exit\n0,2026-02-15T16:20:00Z,1,1,0\n", b"fingerprint,first_snapshot\n"),
        ("arquet", b"snapshot,fetched_at,running,guard,exit\n0,2026-02-15T16:20:00Z,1,1,0\n", &good[..good.len() - 1]),
    ];
    for (expected, snapshots, spans) in cases {
        std::fs::write(path("snapshots.csv"), snapshots).unwrap();
        std::fs::write(path("spans.parquet"), spans).unwrap();
        let files = Files { snapshots: &path("snapshots.csv"), spans: &path("spans.parquet"), relays: &testdata("relays.csv") };
        let error = decode_files(&files, &Limits::default(), Bounds::default()).unwrap_err();
        assert!(matches!(error, Error::Table { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_list_of_a_time_that_cannot_be_is_left_out_and_those_after_it_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (snapshots, spans) = (dir.path().join("snapshots.csv"), dir.path().join("spans.parquet"));
    let rows = "0,1970-01-01T00:00:00Z,1,1,0\n1,2026-02-15T16:20:00Z,1,1,0\n2,2036-02-15T17:20:00Z,1,1,0\n3,2026-02-15T18:20:00Z,1,1,0\n";
    std::fs::write(&snapshots, format!("snapshot,fetched_at,running,guard,exit\n{rows}")).unwrap();
    let text = format!("fingerprint,first_snapshot,end_snapshot,guard,exit\n{ALICE},0,4,true,false\n");
    std::fs::write(&spans, spans_as_parquet(&text, Form::default())).unwrap();
    let bounds = Bounds::at("2026-02-15T19:30:00Z".parse().unwrap(), 7200);
    let files = Files { snapshots: &snapshots, spans: &spans, relays: &testdata("relays.csv") };
    let pack = decode_files(&files, &Limits::default(), bounds).unwrap();
    assert_eq!(pack.snapshots.iter().map(|snapshot| snapshot.index).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(pack.spans[0].snapshots, 0..2);
    let reasons: Vec<_> = pack.rejects.iter().map(|reject| format!("{}: {}", reject.location, reject.reason)).collect();
    assert_eq!(reasons[0], "line 2: fetched_at of snapshot 0: 1970-01-01T00:00:00Z lies before 2002-09-20, when Tor began");
    assert!(reasons[1].starts_with("line 4: fetched_at of snapshot 2: 2036-02-15T17:20:00Z lies ahead"), "{reasons:?}");
}

#[test]
fn a_small_file_cannot_claim_millions_of_rows() {
    let dir = tempfile::tempdir().unwrap();
    let spans = dir.path().join("spans.parquet");
    let text = "fingerprint,first_snapshot,end_snapshot,guard,exit\n".to_owned() + &"A,0,1,true,true\n".repeat(1_100_000);
    for group_rows in [usize::MAX, 300_000] {
        let bytes = spans_as_parquet(&text, Form { group_rows, ..Form::default() });
        assert!(bytes.len() < 50_000, "{} bytes", bytes.len());
        std::fs::write(&spans, bytes).unwrap();
        let (snapshots, relays) = (testdata("snapshots.csv"), testdata("relays.csv"));
        let error = decode_files(&Files { snapshots: &snapshots, spans: &spans, relays: &relays }, &Limits::default(), Bounds::default())
            .unwrap_err();
        assert!(error.to_string().contains("1100000 rows in "), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn damaged_files_are_an_error_or_rejects_and_never_a_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), form in 0..4usize) {
        let dir = tempfile::tempdir().unwrap();
        let spans = dir.path().join("spans.parquet");
        let text = std::fs::read_to_string(testdata("spans.csv")).unwrap();
        let compression = if form % 2 == 0 { parquet::basic::Compression::UNCOMPRESSED } else { Form::default().compression };
        let mut bytes = spans_as_parquet(&text, Form { compression, dictionary: form < 2, group_rows: 3 });
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        std::fs::write(&spans, bytes).unwrap();
        let (snapshots, relays) = (testdata("snapshots.csv"), testdata("relays.csv"));
        let _must_return = decode_files(&Files { snapshots: &snapshots, spans: &spans, relays: &relays }, &Limits::default(), Bounds::default());
    }
}
