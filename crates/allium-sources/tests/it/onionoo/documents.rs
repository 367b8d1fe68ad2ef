//! Good documents of every kind.

use allium_model::{Bounds, DocumentKind};
use allium_sources::onionoo::{decode, decode_file, kind_of_path, sniff};
use allium_sources::read::Limits;

use super::{ALICE, BOB, details, document, read, testdata, uptime};

fn check(kind: DocumentKind) {
    let bytes = read(&format!("{kind}.json"));
    let decoded = decode(kind, &bytes, "test", Bounds::default()).unwrap();
    insta::assert_debug_snapshot!(kind.name(), decoded);
    assert_eq!(decoded.header().n_rejects, 0);
}

#[test]
fn details_are_decoded() {
    check(DocumentKind::Details);
}

#[test]
fn summaries_are_decoded() {
    check(DocumentKind::Summary);
}

#[test]
fn uptime_is_decoded() {
    check(DocumentKind::Uptime);
}

#[test]
fn bandwidth_is_decoded() {
    check(DocumentKind::Bandwidth);
}

#[test]
fn weights_are_decoded() {
    check(DocumentKind::Weights);
}

#[test]
fn stubs_and_stale_relays_are_counted() {
    let details = details(&read("details.json")).unwrap();
    assert_eq!((details.relays.len(), details.n_stale, details.n_stubs, details.n_duplicates), (3, 1, 1, 0));
}

#[test]
fn a_relay_is_running_by_its_flag_where_nothing_else_is_said() {
    let cases = [
        (r#""flags":["Running"],"last_seen":"2026-02-15 18:00:00""#, true),
        (r#""flags":["Running"],"last_seen":"2026-02-15 17:00:00""#, false),
        (r#""flags":["Valid"],"last_seen":"2026-02-15 18:00:00""#, false),
        (r#""flags":["Running"],"last_seen":"2026-02-15 18:00:00","running":"yes""#, true),
        (r#""flags":["Running"],"last_seen":"2026-02-15 18:00:00","running":false"#, false),
    ];
    for (members, expected) in cases {
        let text = document(&format!(r#"{{"fingerprint":"{ALICE}",{members}}}"#));
        assert_eq!(details(text.as_bytes()).unwrap().relays[0].running, expected, "{members}");
    }
}

#[test]
fn names_tell_the_kind_before_content_does() {
    let cases = [
        ("details.json", Some(DocumentKind::Details)),
        ("/data/Uptime-2026-02-15.json.zst", Some(DocumentKind::Uptime)),
        ("weights", Some(DocumentKind::Weights)),
        ("my-details.json", None),
        ("", None),
    ];
    for (path, expected) in cases {
        assert_eq!(kind_of_path(path.as_ref()), expected, "{path}");
    }
    for kind in DocumentKind::ALL {
        assert_eq!(sniff(&read(&format!("{kind}.json"))), Some(kind));
    }
    assert_eq!(sniff(document("").as_bytes()), None);
    assert_eq!(sniff(b"<html>"), None);
}

#[test]
fn files_with_other_names_are_recognised() {
    let dir = tempfile::tempdir().unwrap();
    for kind in DocumentKind::ALL {
        let path = dir.path().join(format!("saved-{}.txt", kind.name()));
        std::fs::copy(testdata().join(format!("{kind}.json")), &path).unwrap();
        assert_eq!(decode_file(&path, &Limits::default(), Bounds::default()).unwrap().header().kind, kind);
    }
}

#[test]
fn members_of_families_may_be_written_with_their_nickname() {
    let members = [format!("${BOB}~bob"), format!("${BOB}=bob"), format!("{}~bob", BOB.to_lowercase()), format!("${BOB}"), BOB.to_owned()];
    for member in members {
        let text = document(&format!(
            r#"{{"fingerprint":"{ALICE}","effective_family":["{member}"],"alleged_family":["{member}"],"indirect_family":["{member}"]}}"#
        ));
        let details = details(text.as_bytes()).unwrap();
        let relay = &details.relays[0];
        let bob = BOB.parse().unwrap();
        assert_eq!((&relay.effective_family[..], &relay.indirect_family[..]), (&[bob][..], &[bob][..]), "{member}");
        assert_eq!(relay.alleged_family, [member]);
        assert_eq!(details.header.n_rejects, 0);
    }
    for bad in ["$~bob", "bob", "$0011~bob"] {
        let text = document(&format!(r#"{{"fingerprint":"{ALICE}","effective_family":["{bad}","${BOB}~bob"]}}"#));
        let details = details(text.as_bytes()).unwrap();
        assert_eq!((details.relays[0].effective_family.len(), details.header.n_rejects), (1, 1), "{bad}");
    }
}

#[test]
fn a_relay_may_be_named_with_its_nickname() {
    for written in [format!("${ALICE}~alice"), format!("${ALICE}=alice"), ALICE.to_lowercase()] {
        let text = document(&format!(r#"{{"fingerprint":"{written}","nickname":"alice"}}"#));
        assert_eq!(details(text.as_bytes()).unwrap().relays[0].fingerprint, ALICE.parse().unwrap());
        let text = document(&format!(r#"{{"fingerprint":"{written}","uptime":{{}}}}"#));
        assert_eq!(uptime(text.as_bytes()).relays[0].fingerprint, ALICE.parse().unwrap());
    }
}
