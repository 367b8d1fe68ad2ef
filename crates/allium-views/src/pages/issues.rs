//! Issues of relays in words: what is wrong, what that means, what can be done. Advice starts with a verb.

use allium_analysis::diagnostics::{FAST_BANDWIDTH, GUARD_BANDWIDTH, Missed};
use allium_analysis::{Issue, Severity};
use allium_model::{Fraction, RelayFlag};
use allium_words::format;
use allium_words::inert::inert;

use crate::markup::flag_meaning;
use crate::pages::operators::claim;

/// An issue as a page shows it.
pub(crate) struct IssueWords {
    /// `Error`, `Warning` or `Notice`.
    pub(crate) severity: &'static str,
    /// The class of its mark.
    pub(crate) class: &'static str,
    pub(crate) title: String,
    pub(crate) explanation: String,
    pub(crate) suggestion: String,
}

impl IssueWords {
    pub(crate) fn of(issue: &Issue) -> Self {
        let (title, explanation, suggestion) = words(issue);
        let (severity, class) = match issue.severity() {
            Severity::Error => ("Error", "sev error"),
            Severity::Warning => ("Warning", "sev warning"),
            Severity::Notice => ("Notice", "sev notice"),
        };
        Self { severity, class, title, explanation, suggestion }
    }
}

fn words(issue: &Issue) -> (String, String, String) {
    let of = |title: &str, explanation: &str, suggestion: &str| (title.to_owned(), explanation.to_owned(), suggestion.to_owned());
    match issue {
        Issue::NotRunning { last_seen, hours } => (
            match hours {
                Some(hours) if *hours > 0 => format!("Not running for {}", format::hours(f64::from(*hours))),
                _ => "Not running".to_owned(),
            },
            last_seen.map_or_else(
                || "No consensus on record lists it.".to_owned(),
                |seen| format!("The consensus of {} was the last to list it. Clients cannot use it.", format::hour(seen)),
            ),
            "Check that the machine and its Tor process are up and that the OR port is open to the internet; the log of Tor says whether its self-test succeeds.".to_owned(),
        ),
        Issue::Hibernating => of(
            "Hibernating",
            "It says that it used up the traffic that its operator allows per period, and takes no connections until the next one begins.",
            "Raise AccountingMax, or lower RelayBandwidthRate so that the traffic lasts for the whole period: a relay that is always there earns flags.",
        ),
        Issue::WarningFlag(flag) => flag_words(*flag),
        Issue::Version { status } => (
            format!("Version {}", status.as_deref().map_or_else(|| "not recommended".to_owned(), inert)),
            "The directory authorities do not recommend its version of Tor. Relays with obsolete versions are rejected sooner or later.".to_owned(),
            "Update Tor from the Tor Project's repository and turn on automatic updates.".to_owned(),
        ),
        Issue::Unreachable { ipv6 } => {
            let family = if *ipv6 { "IPv6" } else { "IPv4" };
            (
                format!("{family} address not reachable"),
                format!("Its descriptor names an {family} address that the authorities cannot reach."),
                format!("Open the OR port for {family} in every firewall, or take the address out of ORPort."),
            )
        }
        Issue::Overloaded { at } => (
            "Overloaded".to_owned(),
            format!("It reported overload for {}: it ran out of memory, of file descriptors or of time to process cells. Such a relay is slow for its clients.", format::instant(*at)),
            "Look at MetricsPort for the cause; add memory or CPU, or lower the bandwidth that it offers.".to_owned(),
        ),
        Issue::ManyOutages { n, uptime } => (
            format!("{} in 30 days", format::counted(*n, "outage")),
            format!(
                "It was away at least {n} times{}. Circuits through it break each time, and Guard and Stable are lost.",
                uptime.map_or_else(String::new, |uptime| format!(" and up {}\u{a0}% of the time", format::percent(uptime, 2)))
            ),
            "Find out whether the machine restarts, the connection fails, or Tor is killed for lack of memory.".to_owned(),
        ),
        Issue::OneSidedFamily { n } => (
            format!("Names {} as family that {} not name it back", format::counted(*n, "relay"), if *n == 1 { "does" } else { "do" }),
            "Only relays that name each other are a family. Without it clients may use two of one operator's relays in one circuit.".to_owned(),
            "Write the same MyFamily line on all of your relays and take out fingerprints that are gone, or use a family key (Tor 0.4.9).".to_owned(),
        ),
        Issue::AroiUnauthorised(check) => claim::unauthorised(check),
        Issue::AroiMisconfigured(check) => claim::misconfigured(check),
        Issue::AroiIncomplete(problems) => (
            "Claim of a domain is incomplete".to_owned(),
            format!("In its contact {}.", problems.join(", ")),
            "Write url:, proof: and ciissversion: into ContactInfo, all three.".to_owned(),
        ),
        Issue::NoContact => of(
            "No contact",
            "Nobody can tell its operator that something is wrong with it.",
            "Set ContactInfo in torrc to an address that is read.",
        ),
        Issue::Unmeasured => of(
            "Not measured",
            "Fewer than three bandwidth authorities have measured it, so its weight is capped and it gets little traffic.",
            "Wait: new relays are measured within days. If it lasts, check that the bandwidth it offers can be reached.",
        ),
        Issue::NotFast { advertised } => (
            "No Fast flag".to_owned(),
            format!(
                "Fast needs a bandwidth of {} MB/s or to be among the faster seven eighths; it advertises {}.",
                format::megabytes(FAST_BANDWIDTH),
                advertised.map_or_else(|| "none that is known".to_owned(), |bytes| format!("{} MB/s", format::megabytes(bytes)))
            ),
            "Offer more bandwidth, if you can; clients avoid relays without Fast for most circuits.".to_owned(),
        ),
        Issue::NotStable { n_outages } => (
            "No Stable flag".to_owned(),
            format!(
                "Stable needs a mean time between failures at or above the median of all relays, or 5 days. It had {} in the last 30 days.",
                format::counted(*n_outages, "outage")
            ),
            "Keep it up without restarts for some days; update in one go instead of often.".to_owned(),
        ),
        Issue::NotHsDir(missed) => (
            "No HSDir flag".to_owned(),
            missed_words(missed),
            "Keep it up: the flag comes by itself once nothing is missing.".to_owned(),
        ),
        Issue::NotGuard(missed) => (
            "No Guard flag".to_owned(),
            missed_words(missed),
            "Nothing to do if you do not want a guard; otherwise keep it up and offer the bandwidth.".to_owned(),
        ),
        Issue::Restarted(at) => (
            "Restarted in the last day".to_owned(),
            format!("Its process started on {}, as far as its newest descriptor tells.", format::instant(*at)),
            "Nothing to do after an update; if you did not restart it, look at the log.".to_owned(),
        ),
    }
}

fn flag_words(flag: RelayFlag) -> (String, String, String) {
    let suggestion = match flag {
        RelayFlag::BadExit => {
            "Check DNS resolution and that nothing filters or changes traffic, then write to bad-relays@lists.torproject.org."
        }
        RelayFlag::Sybil => "Run fewer relays per address, and name all of yours in MyFamily.",
        RelayFlag::MiddleOnly => "Write to network-health@torproject.org to learn why.",
        RelayFlag::StaleDesc => "Check that it can reach the directory authorities: a descriptor is published at least every 18 hours.",
        _ => "Check whether two relays use the same keys, and generate new ones if so.",
    };
    (format!("Flag {}", flag.name()), format!("The authorities say: {}.", flag_meaning(flag)), suggestion.to_owned())
}

fn missed_words(missed: &[Missed]) -> String {
    if missed.is_empty() {
        return "Nothing that public documents tell is missing. Authorities use weighted uptime and bandwidths of their own, which can lie below."
            .to_owned();
    }
    let one = |missed: &Missed| match *missed {
        Missed::Flag(flag) => format!("the flag {}", flag.name()),
        Missed::Bandwidth(bytes) => {
            format!("bandwidth: {} MB/s advertised, {} MB/s suffice", format::megabytes(bytes), format::megabytes(GUARD_BANDWIDTH))
        }
        Missed::Uptime(uptime) => format!(
            "uptime: {}\u{a0}% over the last month, about {}\u{a0}% (weighted) are needed",
            format::percent(uptime, 2),
            Fraction::new(allium_analysis::diagnostics::WEIGHTED_UPTIME).map_or_else(String::new, |needed| format::percent(needed, 0))
        ),
        Missed::Known(hours, needed) => {
            format!("time: known for {}, {} are needed", format::hours(f64::from(hours)), format::hours(f64::from(needed)))
        }
    };
    format!("What it misses: {}.", missed.iter().map(one).collect::<Vec<_>>().join("; "))
}
