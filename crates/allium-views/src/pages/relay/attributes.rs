//! The parts of a relay's page that show its attributes: addresses, software, bandwidth, life, family.

use std::net::{IpAddr, SocketAddr};

use allium_model::{ConsensusHour, Fingerprint, Fraction, PortSummary, Relay, Timestamp};
use allium_service::View;
use allium_words::format;

use super::relay_link;
use crate::foreign::Foreign;
use crate::markup::{Html, When, short_fingerprint};
use crate::route::href;

/// At how many members a family's list is folded.
const UNFOLDED: usize = 12;

/// At how many members a family's list stops; the API has all of them.
const SHOWN: usize = 250;

/// Attributes that belong together.
pub(crate) struct Group {
    pub(crate) title: &'static str,
    pub(crate) rows: Vec<(&'static str, Html)>,
}

/// One kind of family.
pub(crate) struct Family {
    pub(crate) title: String,
    pub(crate) note: String,
    pub(crate) summary: String,
    pub(crate) folded: bool,
    pub(crate) members: Vec<Html>,
}

/// All attributes.
pub(crate) fn groups(relay: &Relay, now: Timestamp) -> Vec<Group> {
    vec![
        Group { title: "Addresses", rows: addresses(relay) },
        Group { title: "Software and life", rows: [software(relay, now), life(relay, now)].concat() },
        Group { title: "Bandwidth and weight", rows: bandwidth(relay, now) },
    ]
}

fn addresses(relay: &Relay) -> Vec<(&'static str, Html)> {
    let sockets = |list: &[SocketAddr]| listed(list.iter().map(Html::words));
    let hosts = |list: &[String]| listed(list.iter().map(|name| Html::safe(Foreign::long(name))));
    let country = relay.country.map(|code| {
        let name = relay.country_name.as_deref().map(|name| Html::safe(Foreign::short(name)));
        let label = Html::joined(name.into_iter().chain([Html::words(format!("({})", code.as_str().to_uppercase()))]), " ");
        Html::link(&format!("/relays?country={code}"), &label)
    });
    let autonomous_system = relay.asn.map(|asn| {
        let name = relay.as_name.as_deref().map(|name| Html::safe(Foreign::long(name)));
        Html::joined(std::iter::once(Html::link(&format!("/relays?as={asn}"), &Html::words(asn))).chain(name), " ")
    });
    vec![
        ("Tor (OR)", sockets(&relay.or_addresses)),
        ("Exit, seen in 24 h", listed(relay.exit_addresses.iter().map(|a: &IpAddr| Html::words(a)))),
        ("Directory", relay.dir_address.map_or_else(none, Html::words)),
        ("Named but unreachable", sockets(&relay.unreachable_or_addresses)),
        ("Host names, verified", hosts(&relay.verified_host_names)),
        ("Host names, unverified", hosts(&relay.unverified_host_names)),
        ("Country", country.unwrap_or_else(Html::unknown)),
        ("Autonomous system", autonomous_system.unwrap_or_else(Html::unknown)),
        ("Exit policy, IPv4", policy(relay.exit_policy_summary.as_ref())),
        ("Exit policy, IPv6", policy(relay.exit_policy_v6_summary.as_ref())),
    ]
}

fn software(relay: &Relay, now: Timestamp) -> Vec<(&'static str, Html)> {
    let foreign = |text: Option<&str>| text.map_or_else(Html::unknown, |t| Html::safe(Foreign::long(t)));
    let process =
        relay.last_restarted.map(|at| Html::joined([Html::safe(When(at)), Html::words(format!("({})", format::relative(at, now)))], " "));
    vec![
        ("Platform", foreign(relay.platform.as_deref())),
        ("Version of Tor", foreign(relay.version.as_deref())),
        ("Version status", foreign(relay.version_status.as_deref())),
        ("Recommended", yes_no(relay.recommended_version)),
        ("Last restarted", process.unwrap_or_else(Html::unknown)),
        ("Hibernating", Html::words(if relay.hibernating { "yes" } else { "no" })),
    ]
}

fn bandwidth(relay: &Relay, now: Timestamp) -> Vec<(&'static str, Html)> {
    let rate = |bytes: Option<u64>| bytes.map_or_else(Html::unknown, |b| Html::words(format!("{} MB/s", format::megabytes(b))));
    let share = |share: Option<Fraction>| share.map_or_else(Html::unknown, |s| Html::words(format!("{}\u{a0}%", format::percent(s, 4))));
    let overload = |at: Timestamp| Html::joined([Html::safe(When(at)), Html::words(format!("({})", format::relative(at, now)))], " ");
    vec![
        ("Advertised", rate(relay.advertised_bandwidth)),
        ("Observed", rate(relay.observed_bandwidth)),
        ("Rate limit", rate(relay.bandwidth_rate)),
        ("Burst limit", rate(relay.bandwidth_burst)),
        ("Consensus weight", relay.consensus_weight.map_or_else(Html::unknown, |w| Html::words(format::count(w)))),
        ("Share of network weight", share(relay.consensus_weight_fraction)),
        ("Probability as guard", share(relay.guard_probability)),
        ("Probability as middle", share(relay.middle_probability)),
        ("Probability as exit", share(relay.exit_probability)),
        ("Measured by 3 authorities", yes_no(relay.measured)),
        ("Last reported overload", relay.overload_general_at.map_or_else(|| Html::words("none in 72 h before its descriptor"), overload)),
    ]
}

fn life(relay: &Relay, now: Timestamp) -> Vec<(&'static str, Html)> {
    let hour = |at: Option<ConsensusHour>| {
        at.map_or_else(Html::unknown, |at| {
            Html::joined([Html::safe(When::from(at)), Html::words(format!("({})", format::relative(at.start(), now)))], " ")
        })
    };
    vec![
        ("First seen", Html::first_seen_at(relay.first_seen, now)),
        ("Last seen", hour(relay.last_seen)),
        ("Address last changed", hour(relay.last_changed_address_or_port)),
    ]
}

/// The three kinds of family.
pub(crate) fn families(view: &View, relay: &Relay) -> Vec<Family> {
    let others: Vec<_> = relay.effective_family.iter().filter(|f| **f != relay.fingerprint).collect();
    let by_fingerprint = |f: &Fingerprint| member(view, f);
    vec![
        family("Effective", "Relays that name this one back.", others.len(), others.iter().map(|f| by_fingerprint(f))),
        family(
            "Alleged",
            "Relays that this one names and that do not name it back.",
            relay.alleged_family.len(),
            relay.alleged_family.iter().map(|text| alleged(view, text)),
        ),
        family(
            "Indirect",
            "Relays reached through members of members.",
            relay.indirect_family.len(),
            relay.indirect_family.iter().map(by_fingerprint),
        ),
    ]
}

fn family(title: &str, note: &str, total: usize, members: impl Iterator<Item = Html>) -> Family {
    let summary =
        if total > SHOWN { format!("The first {SHOWN} of {}", format::counted(total, "relay")) } else { format::counted(total, "relay") };
    Family {
        title: format!("{title} family: {}", format::count(total as u64)),
        note: note.to_owned(),
        summary,
        folded: total > UNFOLDED,
        members: members.take(SHOWN).collect(),
    }
}

fn member(view: &View, fingerprint: &Fingerprint) -> Html {
    match view.find(fingerprint) {
        Some(record) => relay_link(&record.relay),
        None => Html::joined([Html::words(short_fingerprint(fingerprint)), Html::words("(not on record)")], " "),
    }
}

fn alleged(view: &View, text: &str) -> Html {
    match text.parse::<Fingerprint>() {
        Ok(fingerprint) => member(view, &fingerprint),
        Err(_) if text.len() <= crate::params::LONGEST_VALUE => Html::link(&href::search(text), &Html::safe(Foreign::short(text))),
        Err(_) => Html::safe(Foreign::short(text)),
    }
}

fn none() -> Html {
    Html::words("none")
}

fn listed(parts: impl Iterator<Item = Html>) -> Html {
    let parts: Vec<_> = parts.take(SHOWN).collect();
    if parts.is_empty() { none() } else { Html::joined(parts, "<br>") }
}

fn yes_no(value: Option<bool>) -> Html {
    value.map_or_else(Html::unknown, |yes| Html::words(if yes { "yes" } else { "no" }))
}

fn policy(summary: Option<&PortSummary>) -> Html {
    let (verb, ports) = match summary {
        None => return Html::words("not given"),
        Some(PortSummary::Accept(ports)) => ("accepts", ports),
        Some(PortSummary::Reject(ports)) => ("rejects", ports),
    };
    Html::joined([Html::words(verb), Html::safe(Foreign::long(&ports.join(", ")))], " ")
}
