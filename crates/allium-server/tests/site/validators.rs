//! Validators move with everything that is shown: whatever part of the snapshot changed, no client keeps the page of before.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use allium_analysis::NetworkReport;
use allium_detect::Severity;
use allium_model::{IncidentNote, NoteAction, SourceReport, Timestamp};
use allium_service::{IncidentLog, Outlook, Patch, Site, SiteInfo, View};

use super::support::*;

/// A site whose clock is set by hand.
struct Clocked {
    site: Site,
    secs: Arc<AtomicI64>,
}

impl Clocked {
    fn new() -> Self {
        let secs = Arc::new(AtomicI64::new(NOW.parse::<Timestamp>().unwrap().as_second()));
        let clock = {
            let secs = secs.clone();
            Arc::new(move || Timestamp::from_second(secs.load(Ordering::Relaxed)).unwrap())
        };
        let site = Site::new(SiteInfo { version: "0.0.0-test".to_owned(), ..SiteInfo::default() }, clock);
        let record = record(20);
        let report = NetworkReport::compute(&record);
        site.publish([Patch::Incidents(Box::new(log_of(&record))), Patch::Network(Box::new(View::new(record, report)))]);
        Self { site, secs }
    }

    fn pass(&self, secs: i64) {
        self.secs.fetch_add(secs, Ordering::Relaxed);
    }
}

fn note() -> IncidentNote {
    let at = NOW.parse().unwrap();
    IncidentNote {
        id: 1,
        incident: "00000000000000a1".to_owned(),
        at,
        by: "health team".to_owned(),
        action: NoteAction::Acknowledge,
        text: String::new(),
    }
}

fn graver() -> IncidentLog {
    let before = log_of(&record(20));
    let incident = |incident: &Arc<allium_detect::Incident>| {
        Arc::new(allium_detect::Incident { severity: Severity::Critical, ..(**incident).clone() })
    };
    IncidentLog::new(before.watched, before.capacity.clone(), before.incidents().iter().map(incident).collect())
}

fn failing_source() -> SourceReport {
    SourceReport {
        source: "onionoo".to_owned(),
        asked_at: NOW.parse().unwrap(),
        answered_at: None,
        newest: None,
        failure: Some("connection refused".to_owned()),
        failures: Vec::new(),
        n_rejects: 0,
        rejects: Vec::new(),
    }
}

/// A page, its data, and a patch that changes what both show.
fn changes() -> Vec<(&'static str, &'static str, Patch)> {
    vec![
        ("/incident/00000000000000a1", "/api/v1/incidents/00000000000000a1", Patch::Notes(vec![note()])),
        ("/incident/00000000000000a1", "/api/v1/incidents", Patch::Incidents(Box::new(graver()))),
        ("/data-quality", "/api/v1/data-quality", Patch::Sources(vec![failing_source()])),
        ("/forecasts", "/forecasts", Patch::Outlook(Outlook::Missing("the store is too young".to_owned()))),
    ]
}

#[test]
fn what_changed_is_never_answered_with_not_modified() {
    for (page, data, patch) in changes() {
        let clocked = Clocked::new();
        let first = [page, data].map(|address| get(&clocked.site, address));
        // The change comes within the second in which the first answers were made.
        clocked.site.publish([patch]);
        clocked.pass(5);
        for (address, first) in [page, data].into_iter().zip(first) {
            let since = ask(&clocked.site, "GET", address, &[("if-modified-since", first.header("last-modified"))]);
            assert_ne!(since.status, 304, "{address}");
            let tagged = ask(&clocked.site, "GET", address, &[("if-none-match", first.header("etag"))]);
            assert_ne!(tagged.status, 304, "{address}");
        }
    }
}

#[test]
fn what_stays_is_not_sent_again_and_no_date_is_ahead_of_the_clock() {
    let clocked = Clocked::new();
    for _ in 0..3 {
        clocked.site.publish([Patch::Waiting("nothing that the page shows".to_owned())]);
    }
    let early = get(&clocked.site, "/relays");
    assert_eq!(early.header("last-modified"), "", "four states within a second: the date would lie ahead");
    let again = ask(&clocked.site, "GET", "/relays", &[("if-none-match", early.header("etag"))]);
    assert_eq!(again.status, 304);
    clocked.pass(3);
    let dated = get(&clocked.site, "/relays");
    assert_eq!(dated.header("last-modified"), "Sun, 15 Feb 2026 19:47:03 GMT");
    assert_eq!(ask(&clocked.site, "GET", "/relays", &[("if-modified-since", dated.header("last-modified"))]).status, 304);
}
