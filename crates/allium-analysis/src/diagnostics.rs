//! Issues of a relay, as far as documents show them, and what can be done about each.
//!
//! Issues come worst first, and within a severity in a fixed order. Thresholds are those of dir-spec and of Tor's defaults; where a
//! document does not state the exact quantity (weighted fractional uptime, time known, mean time between failures, the guard
//! bandwidth that authorities agree on) the nearest public one is used, and the issue says that it was.

use allium_model::time::HOUR_SECS;
use allium_model::{AroiCheck, AroiContact, AroiResult, ConsensusHour, Fraction, Period, Relay, RelayFlag, RelayRecord, Timestamp};

use crate::report::RelayReport;

/// For how long a report of overload counts: tor reports it for 72 hours.
pub const OVERLOAD_HOURS: i32 = 72;
/// The advertised bandwidth that authorities guarantee to be enough for a guard, bytes per second.
pub const GUARD_BANDWIDTH: u64 = 2_000_000;
/// The bandwidth that authorities guarantee to be enough for Fast, bytes per second.
pub const FAST_BANDWIDTH: u64 = 100_000;
/// Weighted fractional uptime that Guard and HSDir need.
pub const WEIGHTED_UPTIME: f64 = 0.98;
/// Hours for which a guard must have been known: 8 days.
pub const GUARD_KNOWN_HOURS: i32 = 8 * 24;
/// Hours for which an HSDir must have been known.
pub const HSDIR_KNOWN_HOURS: i32 = 25;
/// So many outages in 30 days are many.
pub const MANY_OUTAGES: usize = 3;

/// The severity of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Clients cannot use the relay, or authorities hold it for harmful.
    Error,
    /// It does less than it could, or soon will.
    Warning,
    /// Worth knowing.
    Notice,
}

impl Severity {
    /// The word in JSON and CSV.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// Something about a relay that its operator may want to change.
#[derive(Debug, Clone, PartialEq)]
pub enum Issue {
    /// It is in no recent consensus.
    NotRunning {
        /// The consensus that listed it last.
        last_seen: Option<ConsensusHour>,
        /// Hours since then.
        hours: Option<i32>,
    },
    /// It says that it hibernates.
    Hibernating,
    /// Authorities gave it a flag that warns of it.
    WarningFlag(RelayFlag),
    /// Its version of Tor is not recommended.
    Version {
        /// The judgement of the authorities.
        status: Option<String>,
    },
    /// An address that its descriptor names cannot be reached.
    Unreachable {
        /// True if it is an IPv6 address.
        ipv6: bool,
    },
    /// It reported overload in the last 72 hours.
    Overloaded {
        /// The time.
        at: Timestamp,
    },
    /// It was down often in the last 30 days.
    ManyOutages {
        /// The number of times, at least.
        n: usize,
        /// Its uptime over 30 days.
        uptime: Option<Fraction>,
    },
    /// It names relays as family that do not name it back.
    OneSidedFamily {
        /// Their number.
        n: usize,
    },
    /// The domain it claims does not name it.
    AroiUnauthorised(AroiCheck),
    /// The proof of the domain it claims cannot be had.
    AroiMisconfigured(AroiCheck),
    /// Parts of its claim of a domain are missing.
    AroiIncomplete(Vec<&'static str>),
    /// It gives no contact.
    NoContact,
    /// Fewer than three bandwidth authorities measured it.
    Unmeasured,
    /// It does not have the Fast flag.
    NotFast {
        /// Its advertised bandwidth, bytes per second.
        advertised: Option<u64>,
    },
    /// It does not have the Stable flag.
    NotStable {
        /// Outages in the last 30 days.
        n_outages: usize,
    },
    /// It does not have the HSDir flag.
    NotHsDir(Vec<Missed>),
    /// It does not have the Guard flag.
    NotGuard(Vec<Missed>),
    /// Its process started less than a day ago.
    Restarted(Timestamp),
}

/// A threshold that a flag needs and that the relay misses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Missed {
    /// It does not have this flag.
    Flag(RelayFlag),
    /// Its advertised bandwidth, bytes per second, is below [`GUARD_BANDWIDTH`].
    Bandwidth(u64),
    /// Its uptime over one month, or its life, is below [`WEIGHTED_UPTIME`].
    Uptime(Fraction),
    /// It has been known for so many hours, less than needed.
    Known(i32, i32),
}

impl Issue {
    /// Its severity.
    pub fn severity(&self) -> Severity {
        match self {
            Self::NotRunning { .. } | Self::AroiUnauthorised(_) => Severity::Error,
            Self::WarningFlag(flag) if *flag != RelayFlag::StaleDesc => Severity::Error,
            Self::Version { status } if status.as_deref() == Some("obsolete") => Severity::Error,
            Self::Unreachable { ipv6: false } => Severity::Error,
            Self::WarningFlag(_)
            | Self::Version { .. }
            | Self::Unreachable { .. }
            | Self::Overloaded { .. }
            | Self::ManyOutages { .. }
            | Self::OneSidedFamily { .. }
            | Self::AroiMisconfigured(_)
            | Self::AroiIncomplete(_)
            | Self::Unmeasured
            | Self::NotFast { .. }
            | Self::NoContact => Severity::Warning,
            Self::Hibernating | Self::NotStable { .. } | Self::NotHsDir(_) | Self::NotGuard(_) | Self::Restarted(_) => Severity::Notice,
        }
    }

    /// A short name that stays the same, for JSON and CSV.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotRunning { .. } => "not_running",
            Self::Hibernating => "hibernating",
            Self::WarningFlag(_) => "warning_flag",
            Self::Version { .. } => "version",
            Self::Unreachable { ipv6: true } => "ipv6_unreachable",
            Self::Unreachable { ipv6: false } => "ipv4_unreachable",
            Self::Overloaded { .. } => "overloaded",
            Self::ManyOutages { .. } => "many_outages",
            Self::OneSidedFamily { .. } => "one_sided_family",
            Self::AroiUnauthorised(_) => "aroi_unauthorised",
            Self::AroiMisconfigured(_) => "aroi_misconfigured",
            Self::AroiIncomplete(_) => "aroi_incomplete",
            Self::NoContact => "no_contact",
            Self::Unmeasured => "unmeasured",
            Self::NotFast { .. } => "not_fast",
            Self::NotStable { .. } => "not_stable",
            Self::NotHsDir(_) => "not_hsdir",
            Self::NotGuard(_) => "not_guard",
            Self::Restarted(_) => "restarted",
        }
    }
}

/// The issues of a relay, worst first.
pub fn diagnose(record: &RelayRecord, report: &RelayReport, as_of: ConsensusHour) -> Vec<Issue> {
    if report.followed_by.is_some() {
        return Vec::new();
    }
    let relay = &record.relay;
    let mut issues = Vec::new();
    if !relay.running {
        issues.push(Issue::NotRunning { last_seen: relay.last_seen, hours: relay.last_seen.map(|seen| as_of.hours_since(seen)) });
    }
    issues.extend(warning_flags(relay));
    issues.extend(software(relay, as_of));
    issues.extend(reachability(relay));
    issues.extend(outages(report, as_of));
    issues.extend(identity(relay));
    if relay.running {
        issues.extend(missing_flags(relay, report, as_of));
    }
    // The sort is stable: within a severity the order above stays.
    issues.sort_by_key(Issue::severity);
    issues
}

fn warning_flags(relay: &Relay) -> impl Iterator<Item = Issue> {
    let warning = [RelayFlag::BadExit, RelayFlag::Sybil, RelayFlag::MiddleOnly, RelayFlag::NoEdConsensus, RelayFlag::StaleDesc];
    let flags = relay.flags;
    warning.into_iter().filter(move |flag| flags.contains(*flag)).map(Issue::WarningFlag)
}

fn software(relay: &Relay, as_of: ConsensusHour) -> Vec<Issue> {
    let mut issues = Vec::new();
    if relay.recommended_version == Some(false) {
        issues.push(Issue::Version { status: relay.version_status.clone() });
    }
    if let Some(at) = relay.overload_general_at.filter(|at| is_recent(*at, as_of, OVERLOAD_HOURS)) {
        issues.push(Issue::Overloaded { at });
    }
    if relay.hibernating {
        issues.push(Issue::Hibernating);
    }
    if let Some(at) = relay.last_restarted.filter(|at| is_recent(*at, as_of, 24)) {
        issues.push(Issue::Restarted(at));
    }
    issues
}

fn is_recent(at: Timestamp, as_of: ConsensusHour, hours: i32) -> bool {
    as_of.next().start_secs() - at.as_second() <= i64::from(hours) * HOUR_SECS
}

fn reachability(relay: &Relay) -> impl Iterator<Item = Issue> {
    let named = |ipv6: bool| relay.unreachable_or_addresses.iter().any(|address| address.is_ipv6() == ipv6);
    let found = [false, true].map(|ipv6| named(ipv6).then_some(Issue::Unreachable { ipv6 }));
    found.into_iter().flatten()
}

fn outages(report: &RelayReport, as_of: ConsensusHour) -> Option<Issue> {
    let n = recent_outages(report, as_of);
    (n >= MANY_OUTAGES).then(|| Issue::ManyOutages { n, uptime: report.uptime_in(Period::ThirtyDays) })
}

/// Outages that were over or began in the last 30 days.
fn recent_outages(report: &RelayReport, as_of: ConsensusHour) -> usize {
    let since = Period::ThirtyDays.start_before(as_of.next()).start_secs();
    report.outages.as_ref().map_or(0, |summary| summary.outages.iter().filter(|outage| outage.end_secs > since).count())
}

fn identity(relay: &Relay) -> Vec<Issue> {
    let mut issues = Vec::new();
    if !relay.alleged_family.is_empty() {
        issues.push(Issue::OneSidedFamily { n: relay.alleged_family.len() });
    }
    let Some(contact) = relay.contact.as_deref().filter(|contact| !contact.trim().is_empty()) else {
        issues.push(Issue::NoContact);
        return issues;
    };
    match AroiContact::of(contact) {
        AroiContact::NotConfigured => {}
        AroiContact::Incomplete { problems, .. } => issues.push(Issue::AroiIncomplete(problems)),
        AroiContact::Claim(claim) => {
            let check = relay.aroi_check.as_ref().filter(|check| check.is_of(&claim));
            issues.extend(check.and_then(|check| match check.result {
                AroiResult::Validated => None,
                AroiResult::Unauthorised => Some(Issue::AroiUnauthorised(check.clone())),
                AroiResult::Misconfigured => Some(Issue::AroiMisconfigured(check.clone())),
            }));
        }
    }
    issues
}

fn missing_flags(relay: &Relay, report: &RelayReport, as_of: ConsensusHour) -> Vec<Issue> {
    let mut issues = Vec::new();
    if relay.measured == Some(false) {
        issues.push(Issue::Unmeasured);
    }
    if !relay.has(RelayFlag::Fast) {
        issues.push(Issue::NotFast { advertised: relay.advertised_bandwidth });
    }
    if !relay.has(RelayFlag::Stable) {
        issues.push(Issue::NotStable { n_outages: recent_outages(report, as_of) });
    }
    let missed_flags = |flags: &[RelayFlag]| flags.iter().copied().filter(|flag| !relay.has(*flag)).map(Missed::Flag).collect::<Vec<_>>();
    let uptime = report.uptime_in(Period::OneMonth).filter(|uptime| uptime.get() < WEIGHTED_UPTIME).map(Missed::Uptime);
    let known = |needed: i32| {
        let hours = relay.first_seen.age_hours(as_of.next())?;
        (hours < needed).then_some(Missed::Known(hours, needed))
    };
    if !relay.has(RelayFlag::HSDir) {
        let missed = missed_flags(&[RelayFlag::Stable, RelayFlag::Fast]);
        issues.push(Issue::NotHsDir(missed.into_iter().chain(uptime).chain(known(HSDIR_KNOWN_HOURS)).collect()));
    }
    if !relay.has(RelayFlag::Guard) {
        let missed = missed_flags(&[RelayFlag::Fast, RelayFlag::Stable, RelayFlag::V2Dir]);
        let bandwidth = relay.advertised_bandwidth.filter(|bandwidth| *bandwidth < GUARD_BANDWIDTH).map(Missed::Bandwidth);
        issues.push(Issue::NotGuard(missed.into_iter().chain(bandwidth).chain(uptime).chain(known(GUARD_KNOWN_HOURS)).collect()));
    }
    issues
}
