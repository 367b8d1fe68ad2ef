//! How long the store takes at the size of the real network: prints one row per piece of work with wall-clock and processor time.
//!
//! Synthetic: 10,703 relays with details and some 100,000 graphs; then 48,931 relays with 600,000 spans over 16,700
//! consensuses. Run with `cargo bench -p allium-history`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program for developers")]

use std::time::Instant;

use allium_history::{ConsensusInfo, ConsensusSource, Store, StoreUrl, Update, assemble};
use allium_model::{
    Asn, ConsensusHour, DocumentKind, Fingerprint, Fraction, GraphPeriod, Period, PublishedGraph, Quantity, Relay, RelayFlag, RelayFlags,
    RelayHistories, RelayState, Series, SourceStatus, StateSpan,
};

const HOUR: ConsensusHour = ConsensusHour::new(491_922);

fn main() {
    let place = tempfile::tempdir().unwrap();
    documents(&place.path().join("documents"));
    consensuses(&place.path().join("consensuses"));
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (start, cpu_start) = (Instant::now(), cpu_millis());
    let done = work();
    let cpu = cpu_millis().zip(cpu_start).map_or("?".into(), |(end, start)| format!("{:.0}", end - start));
    println!("{what:<64} {:>8.0} ms {cpu:>8} ms CPU", start.elapsed().as_secs_f64() * 1e3);
    done
}

/// Time on a processor so far, where the system tells.
fn cpu_millis() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    Some(stat.split_whitespace().next()?.parse::<f64>().ok()? / 1e6)
}

fn documents(path: &std::path::Path) {
    let update = update();
    let mut store = StoreUrl::from(path).open().unwrap();
    timed("apply details of 10,703 relays with uptime graphs", || store.apply(&update).unwrap());
    let record = timed("load them", || store.load().unwrap());
    timed("assemble them without a store", || assert_eq!(record, assemble(&update)));
    let mut next = update.clone();
    next.details.as_mut().unwrap().0.published = HOUR.next();
    next.histories[0].0.published = HOUR.next();
    timed("apply the same relays an hour later", || store.apply(&next).unwrap());
    timed("check", || assert!(store.check().unwrap().is_sound()));
    size(&*store);
}

fn consensuses(path: &std::path::Path) {
    let mut store = StoreUrl::from(path).open().unwrap();
    let mut random = Random(1);
    let n_hours = 16_700;
    // Each relay is there for a while, with interruptions, so that about 9,000 are running at any time.
    let spans: Vec<(Fingerprint, ConsensusHour, ConsensusHour, RelayState)> = (0..48_931)
        .flat_map(|number| {
            let mut at = random.below(n_hours) as i32;
            let mut spans = Vec::new();
            for _ in 0..14 {
                let end = (at + 1 + random.below(450) as i32).min(n_hours as i32);
                if at < end {
                    spans.push((fingerprint(number), HOUR.plus(at), HOUR.plus(end), state(random.below(8) as u32)));
                }
                at = end + 1 + random.below(30) as i32;
            }
            spans
        })
        .collect();
    println!("{} spans", spans.len());
    let hours: Vec<ConsensusHour> = (0..n_hours as i32).map(|i| HOUR.plus(i)).collect();
    let infos: Vec<ConsensusInfo> = hours.into_iter().map(info).collect();
    let newest = HOUR.plus(n_hours as i32 - 1);
    let at_newest: Vec<_> =
        spans.iter().filter(|(_, _, end, _)| *end > newest).map(|(relay, _, _, state)| (*relay, state.clone())).collect();
    let mut span_items = spans.into_iter().map(|(relay, start, end, state)| (relay, StateSpan { start, end, state }));
    timed("append 16,700 consensuses as spans", || store.append_spans(&infos, &mut span_items).unwrap());
    size(&*store);
    let next: Vec<_> = at_newest.iter().skip(100).cloned().collect();
    println!("{} relays in the newest consensus", next.len());
    timed("append the next consensus, 100 relays gone", || assert!(store.append_consensus(&info(newest.next()), &next).unwrap()));
    timed("append one of long before", || assert!(store.append_consensus(&info(HOUR.plus(-1)), &next).unwrap()));
    timed("load the record", || store.load().unwrap());
    let timeline = timed("load the timeline", || store.timeline().unwrap());
    let bits: Vec<_> = timed("bitmaps of all relays", || timeline.relays().iter().map(|relay| timeline.running(relay)).collect());
    println!("bitmaps of {:.1} MB", bits.iter().map(allium_history::Bits::size_bytes).sum::<usize>() as f64 / 1e6);
    timed("counts per hour by flag", || timeline.counts(|state| state.flags.iter().collect::<Vec<_>>()));
    timed("check", || assert!(store.check().unwrap().is_sound()));
    timed("backup", || store.backup(&path.with_extension("copy")).unwrap());
    timed("prune the first half", || store.prune(HOUR.plus(n_hours as i32 / 2)).unwrap());
}

fn info(hour: ConsensusHour) -> ConsensusInfo {
    ConsensusInfo { hour, source: ConsensusSource::Presence, verified: false, received_at: hour.start() }
}

fn size(store: &dyn Store) {
    let stats = store.stats().unwrap();
    println!("{} spans, {} bytes of graphs, file of {:.1} MB", stats.n_spans, stats.published_bytes, stats.size_bytes as f64 / 1e6);
}

fn update() -> Update {
    let mut random = Random(7);
    let relays: Vec<Relay> = (0..10_703).map(|number| relay(number, &mut random)).collect();
    let histories = relays.iter().map(|relay| RelayHistories { fingerprint: relay.fingerprint, graphs: graphs(&mut random) }).collect();
    Update {
        details: Some((status(DocumentKind::Details), relays)),
        histories: vec![(status(DocumentKind::Uptime), histories)],
        ..Update::default()
    }
}

fn relay(number: u32, random: &mut Random) -> Relay {
    let family_size = if number < 6000 { 300 } else { 1 };
    let share = Fraction::new(random.below(1000) as f64 / 1e7);
    Relay {
        nickname: Some(format!("relay{number}")),
        or_addresses: vec![format!("10.{}.{}.1:9001", number >> 8, number & 255).parse().unwrap(), "[2001:db8::1]:9001".parse().unwrap()],
        first_seen: Some(HOUR.plus(-9000)).into(),
        last_seen: Some(HOUR),
        last_changed_address_or_port: Some(HOUR.plus(-5000)),
        last_restarted: Some("2026-02-10T11:12:13Z".parse().unwrap()),
        running: !number.is_multiple_of(10),
        flags: state(number % 8).flags,
        country: Some("de".parse().unwrap()),
        country_name: Some("Germany".into()),
        asn: Some(Asn(1 + number % 1500)),
        as_name: Some(format!("Network of company {}", number % 1500)),
        consensus_weight: Some(random.below(100_000)),
        consensus_weight_fraction: share,
        guard_probability: share,
        middle_probability: share,
        exit_probability: share,
        measured: Some(true),
        bandwidth_rate: Some(1 << 30),
        bandwidth_burst: Some(1 << 30),
        observed_bandwidth: Some(random.below(1 << 26)),
        advertised_bandwidth: Some(random.below(1 << 26)),
        exit_policy_summary: None,
        contact: Some(format!("email:operator{}[]example.org url:https://example.org proof:uri-rsa ciissversion:2", number % 3000)),
        platform: Some("Tor 0.4.8.21 on Linux".into()),
        version: Some(format!("0.4.8.{}", number % 20)),
        recommended_version: Some(true),
        version_status: Some("recommended".into()),
        effective_family: (0..family_size).map(|i| fingerprint(number / family_size * family_size + i)).collect(),
        ..Relay::unknown(fingerprint(number))
    }
}

/// Uptime and two flags for the four periods that Onionoo publishes, mostly up.
fn graphs(random: &mut Random) -> Vec<PublishedGraph> {
    let periods = [(Period::OneMonth, 4, 186), (Period::SixMonths, 12, 362), (Period::OneYear, 48, 182), (Period::FiveYears, 240, 68)];
    let quantities = [Quantity::Uptime, Quantity::Flag(RelayFlag::Running), Quantity::Flag(RelayFlag::Guard)];
    let mut graphs = Vec::new();
    for quantity in quantities {
        for (period, hours, n) in periods {
            let codes: Vec<_> = (0..n).map(|_| if random.below(20) == 0 { Some(random.below(1000) as u16) } else { Some(999) }).collect();
            let series = Series::from_codes(HOUR.start_secs() - n * hours * 3600, hours as u32 * 3600, 1.0 / 999.0, codes).unwrap();
            graphs.push(PublishedGraph { quantity: quantity.clone(), period: GraphPeriod::Named(period), series, completed: 0 });
        }
    }
    graphs
}

fn state(number: u32) -> RelayState {
    let mut flags = RelayFlags::from_iter([RelayFlag::Running, RelayFlag::Valid, RelayFlag::Fast]);
    if number.is_multiple_of(2) {
        flags.insert(RelayFlag::Guard);
    }
    if number.is_multiple_of(3) {
        flags.insert(RelayFlag::Exit);
    }
    RelayState { flags, ..RelayState::default() }
}

fn status(kind: DocumentKind) -> SourceStatus {
    let obtained_at = HOUR.start();
    SourceStatus { kind, origin: "synthetic".into(), published: HOUR, obtained_at, size_bytes: 0, n_relays: 10_703, n_rejects: 0 }
}

fn fingerprint(number: u32) -> Fingerprint {
    let mut bytes = [0; 20];
    let mut random = Random(u64::from(number) + 1);
    bytes.iter_mut().for_each(|byte| *byte = random.below(256) as u8);
    Fingerprint::new(bytes)
}

/// SplitMix64: the same numbers on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }
}
