//! Maintenance calendars, read back by parsers that are not ours.

use std::io::Write as _;
use std::process::{Command, Stdio};

use axum::http::StatusCode;
use icalendar::{Calendar, Component as _};

use crate::forecasts::{forecast_site, hostile, operator_of};
use crate::support::{fingerprint, get, record, site_of};

fn calendar(address: &str, site: &allium_service::Site) -> (String, Calendar) {
    let answer = get(site, address);
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "text/calendar; charset=utf-8"), "{address}");
    let text = answer.text();
    let read = text.parse().unwrap_or_else(|error| panic!("{address}: {error}\n{text}"));
    (text, read)
}

#[test]
fn a_relay_has_one_entry_that_keeps_its_name_and_time() {
    let site = forecast_site(record(8));
    let address = format!("/relay/{}/maintenance.ics", fingerprint(1));
    let (text, read) = calendar(&address, &site);
    assert_eq!(text, calendar(&address, &site).0, "the same forecast gives the same bytes");
    assert!(text.lines().all(|line| line.len() <= 75) && text.ends_with("END:VCALENDAR\r\n"), "{text}");
    let event = read.events().next().unwrap();
    assert_eq!(read.events().count() + read.todos().count(), 1);
    assert_eq!(event.get_uid(), Some(format!("{}.maintenance@allium.invalid", fingerprint(1)).as_str()));
    assert_eq!(event.property_value("DTSTAMP"), Some("20260215T180000Z"));
    let [start, end] = ["DTSTART", "DTEND"].map(|name| event.property_value(name).unwrap());
    assert!(start > "20260216T180000Z" && start < end && end < "20260225", "{text}");
    assert!(event.get_summary().unwrap().starts_with("relay001: ") && event.get_description().unwrap().contains("90 %"), "{text}");
    let (_, down) = calendar(&format!("/relay/{}/maintenance.ics", fingerprint(3)), &site);
    let todo = down.todos().next().unwrap();
    assert_eq!(todo.property_value("DUE"), Some("20260217T180000Z"));
    assert!(todo.get_summary().unwrap().contains("Start it again"));
}

#[test]
fn an_operator_has_its_relays_in_one_calendar() {
    let site = forecast_site(record(8));
    let (text, read) = calendar(&format!("/operator/{}/maintenance.ics", operator_of(&site)), &site);
    let mut names: Vec<&str> =
        read.events().filter_map(|event| event.get_uid()).chain(read.todos().filter_map(|todo| todo.get_uid())).collect();
    let n = names.len();
    names.sort_unstable();
    names.dedup();
    assert!(n > 0 && names.len() == n, "{text}");
}

#[test]
fn strangers_cannot_break_lines_or_add_entries() {
    let site = forecast_site(hostile());
    let (text, read) = calendar(&format!("/relay/{}/maintenance.ics", fingerprint(1)), &site);
    assert!(!text.contains('\u{202E}') && !text.replace("\r\n", "").contains(['\r', '\n']), "{text}");
    assert_eq!(read.events().count(), 1);
    assert!(read.events().next().unwrap().get_summary().unwrap().starts_with("<script>alert(1)</script>[U+202E]"), "{text}");
}

#[test]
fn what_has_no_calendar_says_why() {
    let site = forecast_site(record(8));
    for unknown in ["/relay/nobody/maintenance.ics", "/operator/nobody.example/maintenance.ics"] {
        assert_eq!(get(&site, unknown).status, StatusCode::NOT_FOUND, "{unknown}");
    }
    let waiting = site_of(record(8));
    assert_eq!(get(&waiting, &format!("/relay/{}/maintenance.ics", fingerprint(1))).status, StatusCode::SERVICE_UNAVAILABLE);
}

#[test]
fn another_parser_reads_them_too() {
    const READ: &str = "import sys, icalendar\nc = icalendar.Calendar.from_ical(sys.stdin.buffer.read())\n\
        for e in c.walk():\n if e.name in ('VEVENT', 'VTODO'): print(e.name, e['UID'], e['SUMMARY'], e.decoded('DTSTAMP').isoformat())";
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_parser = Command::new(&python).args(["-c", "import icalendar"]).output().is_ok_and(|output| output.status.success());
    if !has_parser {
        println!("skipped: no icalendar for {python}");
        return;
    }
    let site = forecast_site(hostile());
    for n in [1, 3] {
        let text = get(&site, &format!("/relay/{}/maintenance.ics", fingerprint(n))).text();
        let mut child = Command::new(&python).args(["-c", READ]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && lines.lines().count() == 1, "{lines}");
        assert!(lines.contains("2026-02-15T18:00:00+00:00") && lines.contains(&fingerprint(n).to_string()), "{lines}");
    }
}
