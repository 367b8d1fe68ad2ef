//! Short texts: names of relays, countries, times and periods, and the lines of a scenario.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use allium_model::time::parse_tor_time;
use allium_model::{Asn, ConsensusHour, CountryCode, DocumentKind, Fingerprint, Fraction, Period, RelayFlag, RelayFlags};
use allium_simulate::Scenario;
use allium_simulate::serve::query::Query;
use allium_sources::consensus::verify::TrustedAuthority;

pub(crate) fn words(bytes: &[u8]) {
    numbers(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    round_trip::<Scenario>(text);
    let _must_return = Query::parse(text);
    text.lines().for_each(line);
}

fn line(text: &str) {
    round_trip::<Fingerprint>(text);
    round_trip::<Asn>(text);
    round_trip::<CountryCode>(text);
    if let Some(hour) = round_trip::<ConsensusHour>(text) {
        periods_end_at(hour);
    }
    if let Ok(instant) = parse_tor_time(text) {
        assert_eq!(instant.to_string().replace('T', " ").replace('Z', ""), text, "a time is read as it is written");
        periods_end_at(ConsensusHour::containing(instant));
    }
    assert!(RelayFlag::from_name(text).is_none_or(|flag| flag.name() == text));
    assert!(Period::from_name(text).is_none_or(|period| period.name() == text && Period::ALL[period.index()] == period));
    assert!(DocumentKind::from_name(text).is_none_or(|kind| kind.name() == text));
    if let Ok(TrustedAuthority { name, identity, directory }) = text.parse() {
        let written = directory.map_or_else(|| format!("{name} {identity}"), |address| format!("{name} {identity} {address}"));
        assert_eq!(written.parse(), Ok(TrustedAuthority { name, identity, directory }));
    }
}

/// Holds that a value that was read can be written, and is read as the same.
fn round_trip<T: FromStr<Err: Display> + Display + PartialEq + Debug>(text: &str) -> Option<T> {
    let value: T = text.parse().ok()?;
    let again = value.to_string().parse::<T>().map_err(|error| error.to_string());
    assert_eq!(again.as_ref(), Ok(&value), "{text:?}");
    Some(value)
}

fn periods_end_at(end: ConsensusHour) {
    for period in Period::ALL {
        let start = period.start_before(end);
        assert!(start <= end && end.hours_since(start) <= 24 * (5 * 365 + 2), "{period:?} before {end}");
    }
}

/// The first bytes as bits and as a share.
fn numbers(bytes: &[u8]) {
    let Some((first, _)) = bytes.split_first_chunk::<8>() else { return };
    let number = u64::from_le_bytes(*first);
    let flags = RelayFlags::from_bits(number as u32);
    assert_eq!(flags.iter().collect::<RelayFlags>(), flags);
    assert_eq!(RelayFlags::from_bits(flags.bits()), flags);
    let share = f64::from_bits(number);
    for fraction in [Fraction::new(share), Fraction::clamped(share), Fraction::of(share, 2.0)].into_iter().flatten() {
        assert!((0.0..=1.0).contains(&fraction.get()), "{share}");
    }
}
