//! A small network made by hand, a client, and a reader of HTML that knows just enough.

use std::sync::Arc;

use allium_analysis::NetworkReport;
use allium_detect::{Capacity, Cause, Event, Incident, Kind, Part, Roles, Scope, ScopeKind, Severity, Status};
use allium_model::{
    ConsensusHour, DocumentKind, Fingerprint, Fraction, GraphPeriod, Known, NetworkRecord, Period, PublishedGraph, Quantity, Reject, Relay,
    RelayFlag, RelayFlags, RelayRecord, RelayState, Series, SourceStatus, StateSpan,
};
use allium_server::router;
use allium_service::{IncidentLog, Patch, Site, SiteInfo, View, Watched};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use tower::ServiceExt as _;

pub(crate) const AS_OF: &str = "2026-02-15T18:00:00Z";
pub(crate) const NOW: &str = "2026-02-15T19:47:00Z";

pub(crate) fn as_of() -> ConsensusHour {
    AS_OF.parse().unwrap()
}

pub(crate) fn fingerprint(n: u16) -> Fingerprint {
    let mut bytes = [0; 20];
    bytes[0] = n.wrapping_mul(37) as u8;
    bytes[1..3].copy_from_slice(&n.to_be_bytes());
    Fingerprint::new(bytes)
}

/// A relay with something in every field, published graphs, and exact spans for the last ten days.
pub(crate) fn relay(n: u16) -> RelayRecord {
    let running = n % 7 != 3;
    let mut flags: RelayFlags = [RelayFlag::Valid, RelayFlag::Fast].into_iter().collect();
    [(RelayFlag::Guard, n.is_multiple_of(2)), (RelayFlag::Exit, n.is_multiple_of(3)), (RelayFlag::Running, running)]
        .into_iter()
        .filter(|(_, held)| *held)
        .for_each(|(flag, _)| flags.insert(flag));
    let relay = Relay {
        nickname: (n != 5).then(|| format!("relay{n:03}")),
        or_addresses: vec![format!("192.0.2.{}:9001", n % 250).parse().unwrap(), "[2001:db8::1]:9001".parse().unwrap()],
        exit_addresses: vec!["198.51.100.7".parse().unwrap()],
        dir_address: Some("192.0.2.1:9030".parse().unwrap()),
        first_seen: Some(as_of().plus(-24 * 500)).into(),
        last_seen: Some(if running { as_of() } else { as_of().plus(-30) }),
        last_changed_address_or_port: Some(as_of().plus(-24 * 90)),
        last_restarted: Some("2026-02-01T03:04:05Z".parse().unwrap()),
        running,
        flags,
        country: Some(if n.is_multiple_of(2) { "de" } else { "nl" }.parse().unwrap()),
        country_name: Some(if n.is_multiple_of(2) { "Germany" } else { "Netherlands" }.to_owned()),
        asn: Some(allium_model::Asn(24_940 + u32::from(n % 3))),
        as_name: Some("Example Hosting".to_owned()),
        consensus_weight: Some(1_000 + u64::from(n % 5)),
        consensus_weight_fraction: running.then(|| Fraction::new(0.01).unwrap()),
        guard_probability: Fraction::new(0.000_012),
        measured: Some(true),
        verified_host_names: vec!["tor.example.org".to_owned()],
        bandwidth_rate: Some(1_073_741_824),
        observed_bandwidth: Some(12_345_678),
        advertised_bandwidth: Some(12_345_678 + u64::from(n)),
        exit_policy: vec!["reject *:25".to_owned(), "accept *:*".to_owned()],
        contact: Some("Random Person <tor@example.org>".to_owned()),
        platform: Some("Tor 0.4.8.12 on Linux".to_owned()),
        version: Some("0.4.8.12".to_owned()),
        recommended_version: Some(true),
        version_status: Some("recommended".to_owned()),
        effective_family: vec![fingerprint(n), fingerprint(n ^ 1)],
        alleged_family: vec!["somebody".to_owned(), fingerprint(9_999).to_string()],
        ..Relay::unknown(fingerprint(n))
    };
    let state = RelayState { flags, country: relay.country, asn: relay.asn, version: Some("0.4.8.12".into()) };
    let first = StateSpan { start: as_of().plus(-239), end: as_of().plus(-50), state: state.clone() };
    let second = StateSpan { start: as_of().plus(-48), end: if running { as_of().next() } else { as_of().plus(-29) }, state };
    RelayRecord { relay, spans: vec![first, second], published: published(n) }
}

fn published(n: u16) -> Vec<PublishedGraph> {
    let graph = |period: Period, interval_secs: u32, len: usize| {
        let end = as_of().start_secs();
        let values = (0..len).map(|i| match (i + usize::from(n)) % 29 {
            3 => None,
            5 => Some(0),
            7 => Some(499),
            _ => Some(999),
        });
        let start = (end / i64::from(interval_secs) - len as i64) * i64::from(interval_secs);
        let series = Series::from_codes(start, interval_secs, 1.0 / 999.0, values).unwrap();
        PublishedGraph { quantity: Quantity::Uptime, period: GraphPeriod::Named(period), series, completed: 0 }
    };
    vec![graph(Period::OneMonth, 14_400, 185), graph(Period::SixMonths, 43_200, 366), graph(Period::OneYear, 172_800, 182)]
}

/// A network of `n` relays, ten days of consensuses with a gap, and one reject.
pub(crate) fn record(n: u16) -> NetworkRecord {
    let hours = (0..240).filter(|h| !(100..104).contains(h)).map(|h| as_of().plus(-h)).collect();
    let source = |kind| SourceStatus {
        kind,
        origin: "https://onionoo.example/details".to_owned(),
        published: as_of(),
        obtained_at: NOW.parse().unwrap(),
        size_bytes: 36_400_000,
        n_relays: usize::from(n),
        n_rejects: 1,
    };
    let reject = Reject {
        origin: "details".to_owned(),
        location: "relays[3] field consensus_weight".to_owned(),
        relay: Some(fingerprint(1)),
        reason: "expected a number, found \"x\"".to_owned(),
    };
    let mut relays: Vec<_> = (0..n).map(relay).collect();
    relays.sort_by_key(|r| r.relay.fingerprint);
    NetworkRecord {
        as_of: as_of(),
        known: Known::new(hours),
        relays,
        sources: vec![source(DocumentKind::Details), source(DocumentKind::Uptime)],
        rejects: vec![reject],
    }
}

/// A site that shows a record.
pub(crate) fn site_of(record: NetworkRecord) -> Site {
    let site = empty_site(NOW);
    let report = NetworkReport::compute(&record);
    site.publish([Patch::Incidents(Box::new(log_of(&record))), Patch::Network(Box::new(View::new(record, report)))]);
    site
}

/// An open outage of the first relays of the record, one of an operator with a hostile name that is over, and a surge.
pub(crate) fn log_of(record: &NetworkRecord) -> IncidentLog {
    let relays: Vec<Fingerprint> = record.relays.iter().take(4).map(|record| record.relay.fingerprint).collect();
    let incidents = [
        incident("00000000000000a1", Kind::Outage, Scope { kind: ScopeKind::As, key: "AS24940".to_owned() }, &relays),
        Incident {
            status: Status::Resolved,
            resolved_at: Some(as_of().plus(-90)),
            detected_at: as_of().plus(-95),
            started_at: as_of().plus(-96),
            ..incident("00000000000000a2", Kind::Outage, Scope { kind: ScopeKind::Operator, key: HOSTILE.to_owned() }, &relays)
        },
        Incident {
            detail: Some("Guard".to_owned()),
            ..incident("00000000000000a3", Kind::FlagLoss, Scope { kind: ScopeKind::Country, key: "de".to_owned() }, &relays)
        },
    ];
    let watched = Watched { as_of: Some(as_of()), from: Some(as_of().plus(-160)), n_lists: 236, n_learning: 72 };
    let capacity = Capacity { role: "exits", n_running: 7, usual: Some(10), short_below: Some(9) };
    IncidentLog::new(watched, vec![capacity], incidents.into_iter().map(Arc::new).collect())
}

/// A name that a hostile stranger may choose.
pub(crate) const HOSTILE: &str = "<b>&\"'\u{202E}\u{0}\u{B}]]>\r\n=1+1\u{FFFF}";

fn incident(id: &str, kind: Kind, scope: Scope, relays: &[Fingerprint]) -> Incident {
    let part = |kind, key: &str| Part { scope: Scope { kind, key: key.to_owned() }, n_affected: relays.len() as u32, n_at_risk: 5 };
    Incident {
        id: id.to_owned(),
        kind,
        detail: None,
        status: Status::Active,
        started_at: as_of().plus(-3),
        detected_at: as_of().plus(-2),
        resolved_at: None,
        relays: relays.to_vec(),
        n_expected: 0.02,
        n_affected: relays.len(),
        n_at_risk: 5,
        network_share: 0.02,
        weight_share: Some(0.04),
        roles: Roles { n_exits: 2, n_guards: 1, exit_share: 0.03, guard_share: 0.01 },
        severity: Severity::Major,
        p_value: 1e-9,
        causes: vec![Cause {
            scope: scope.clone(),
            probability: 0.71,
            n_affected: relays.len(),
            n_at_risk: 5,
            cause: "the provider's network".to_owned(),
            evidence: format!("{scope}: 4 of 5 relays left together"),
        }],
        countries: vec![part(ScopeKind::Country, "de"), part(ScopeKind::Country, "nl")],
        systems: vec![part(ScopeKind::As, "AS24940")],
        timeline: vec![(as_of().plus(-2), Event::Detected(3)), (as_of().plus(-1), Event::Grew(1))],
        similar: vec!["00000000000000a2".to_owned()],
        scope,
    }
}

/// A site without data at a time.
pub(crate) fn empty_site(now: &'static str) -> Site {
    Site::new(SiteInfo { version: "0.0.0-test".to_owned(), ..SiteInfo::default() }, Arc::new(move || now.parse().unwrap()))
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Asks without a body.
pub(crate) fn ask(site: &Site, method: &str, address: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(address);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let response = router(site.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    })
}

pub(crate) fn get(site: &Site, address: &str) -> Answer {
    ask(site, "GET", address, &[])
}

/// The tags of a page, each as it stands between `<` and `>`.
pub(crate) fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag)).collect()
}

/// The values of an attribute on a page, unescaped.
pub(crate) fn attributes(html: &str, name: &str) -> Vec<String> {
    let start = format!(" {name}=\"");
    let value = |tag: &str| {
        let rest = tag.split_once(&start)?.1;
        Some(rest.split_once('"')?.0.replace("&amp;", "&").replace("&#38;", "&").replace("&quot;", "\"").replace("&#39;", "'"))
    };
    tags(html).into_iter().filter_map(value).collect()
}

/// True if a tag loads the script of charts: the only one that pages have.
pub(crate) fn is_our_script(tag: &str) -> bool {
    let name = tag.strip_prefix("script type=\"module\" src=\"/assets/charts-").and_then(|rest| rest.strip_suffix(".js\""));
    name.is_some_and(|hash| hash.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}
