//! Incidents in words: what happened, where, how likely a cause is. Plain text; strangers' names in it are inert, and escaped
//! once more where they are shown.

use allium_detect::{Event, Incident, Kind, Scope, ScopeKind, Severity};
use allium_model::{Asn, ConsensusHour, CountryCode, Fraction, OperatorId};

use crate::countries::country_name;
use crate::format;
use crate::inert::inert;

/// The names of what incidents are about, as last known.
pub trait Names {
    /// The name of an autonomous system; `None` where none is on record.
    fn autonomous_system(&self, asn: Asn) -> Option<&str>;

    /// The name of an operator; `None` where no such operator is on record.
    fn operator(&self, id: &OperatorId) -> Option<String>;
}

/// Headline of an incident: "112 relays in AS51167 (Contabo GmbH) left together".
pub fn headline(incident: &Incident, names: &impl Names) -> String {
    let what = relays(incident);
    let location = location(&incident.scope, names);
    match incident.kind {
        Kind::Outage if incident.detail.as_deref() == Some("decline") => format!("{what} {location} left over several days"),
        Kind::Outage => format!("{what} {location} left together"),
        Kind::Surge => format!("{what} that nobody had seen before joined {location}"),
        Kind::Flap => format!("{what} {location} leave and return together"),
        Kind::FlagLoss => format!("{what} {location} lost the flag {}", detail(incident)),
        Kind::Capacity => format!("Fewer {} than usual {location}", detail(incident)),
        Kind::DataQuality => format!("Doubtful consensus data: {}, {what} missing from it", detail(incident)),
    }
}

fn relays(incident: &Incident) -> String {
    format::counted(incident.n_affected, "relay")
}

/// The detail as it may stand in a sentence.
pub fn detail(incident: &Incident) -> String {
    incident.detail.as_deref().map_or_else(|| "unknown".to_owned(), inert)
}

/// Scope as a location: "in Spain", "in AS24940 (Hetzner)".
fn location(scope: &Scope, names: &impl Names) -> String {
    let name = scope_name(scope, names);
    match scope.kind {
        ScopeKind::Network => "across the network".to_owned(),
        ScopeKind::Country | ScopeKind::As | ScopeKind::Prefix => format!("in {name}"),
        ScopeKind::Operator => format!("of operator {name}"),
        ScopeKind::Family => format!("of the family {name}"),
        ScopeKind::Version => format!("with Tor {name}"),
        ScopeKind::Nickname => format!("named like {name}\u{2026}"),
    }
}

/// The scope's own name: "Spain", "AS24940 (Hetzner)".
pub fn scope_name(scope: &Scope, names: &impl Names) -> String {
    let key = inert(&scope.key);
    let short = |text: &str, n: usize| inert(&text.chars().take(n).collect::<String>());
    match scope.kind {
        ScopeKind::Network => "the network".to_owned(),
        ScopeKind::Country => scope.key.parse::<CountryCode>().ok().and_then(country_name).unwrap_or(key),
        ScopeKind::As => match scope.key.parse::<Asn>().ok().and_then(|asn| names.autonomous_system(asn)) {
            Some(name) => format!("{key} ({})", short(name, 40)),
            None => key,
        },
        ScopeKind::Family => short(&scope.key, 8),
        ScopeKind::Operator => {
            let name = scope.key.parse().ok().and_then(|id| names.operator(&id));
            short(&name.unwrap_or_else(|| scope.key.clone()), 40)
        }
        ScopeKind::Prefix | ScopeKind::Version | ScopeKind::Nickname => key,
    }
}

/// The name of a kind of incident.
pub const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Outage => "outage",
        Kind::Surge => "surge of new relays",
        Kind::Flap => "flapping",
        Kind::FlagLoss => "loss of a flag",
        Kind::Capacity => "short capacity",
        Kind::DataQuality => "doubtful data",
    }
}

/// The name of a kind of scope.
pub const fn scope_kind_name(kind: ScopeKind) -> &'static str {
    match kind {
        ScopeKind::Network => "the whole network",
        ScopeKind::Country => "country",
        ScopeKind::As => "autonomous system",
        ScopeKind::Operator => "operator",
        ScopeKind::Family => "family",
        ScopeKind::Prefix => "address prefix",
        ScopeKind::Version => "version of Tor",
        ScopeKind::Nickname => "nickname",
    }
}

/// A severity with a capital.
pub const fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Minor => "Minor",
        Severity::Moderate => "Moderate",
        Severity::Major => "Major",
        Severity::Critical => "Critical",
    }
}

/// A probability in words, as defined in `docs/methods.md`.
pub fn probability_word(probability: f64) -> &'static str {
    match probability {
        p if p >= 0.99 => "almost certain",
        p if p >= 0.9 => "very likely",
        p if p >= 0.66 => "likely",
        p if p >= 0.33 => "about as likely as not",
        p if p >= 0.1 => "unlikely",
        _ => "very unlikely",
    }
}

/// A probability in words and as a number: "likely, 71 %".
pub fn probability(probability: f64) -> String {
    let percent = Fraction::clamped(probability).map_or_else(|| format::NO_DATA.to_owned(), |p| format::percent(p, 0));
    format!("{}, {percent}\u{a0}%", probability_word(probability))
}

/// Words for an event that fit the kind.
pub fn event(kind: Kind, event: &Event) -> String {
    let (gone, back) = match kind {
        Kind::Outage | Kind::Flap => ("left", "run again"),
        Kind::Surge => ("joined", "are gone again"),
        Kind::FlagLoss => ("lost the flag", "have it again"),
        Kind::Capacity | Kind::DataQuality => ("are missing", "are there again"),
    };
    let relays = |n: u32| format::counted(n as usize, "relay");
    match event {
        Event::Detected(0) => "Detected.".to_owned(),
        Event::Detected(n) => format!("Detected: {} {gone}.", relays(*n)),
        Event::Grew(n) => format!("{} more {gone}.", relays(*n)),
        Event::HalfBack => format!("At least half of the relays {back}."),
        Event::Resolved if matches!(kind, Kind::Capacity | Kind::DataQuality) => "Back to what is usual.".to_owned(),
        Event::Resolved => format!("At least 90 % of the relays {back}: over."),
        Event::Reopened(n) => format!("Reopened: {} of the same {gone} again.", relays(*n)),
        Event::Flapping => "So often that it counts as flapping.".to_owned(),
        Event::Permanent if kind == Kind::Surge => "The relays have stayed: they count as part of the network.".to_owned(),
        Event::Permanent => "The relays have stayed away for so long that they are taken for gone.".to_owned(),
    }
}

/// Course of an incident, in two sentences.
pub fn course(incident: &Incident, names: &impl Names, as_of: ConsensusHour) -> String {
    let (from, to) = (format::hour(incident.started_at), format::hour(incident.detected_at));
    let lasted = format::hours(f64::from(lasted_hours(incident, as_of)));
    let went_on = match (incident.status.is_open(), incident.resolved_at) {
        (true, _) => format!("It goes on, {lasted} so far."),
        (false, Some(end)) => format!("It was over by {} after {lasted}.", format::hour(end)),
        (false, None) if incident.kind == Kind::Surge => "They have stayed and count as part of the network.".to_owned(),
        (false, None) => "They have not come back and are taken for gone.".to_owned(),
    };
    format!("{} between {from} and {to}. {went_on}", headline(incident, names))
}

/// Duration of an incident as of an hour, in hours from the consensus that showed it.
pub fn lasted_hours(incident: &Incident, as_of: ConsensusHour) -> i32 {
    let end = match (incident.resolved_at, incident.status.is_open()) {
        (Some(end), _) => end,
        (None, true) => as_of,
        (None, false) => updated_at(incident),
    };
    end.hours_since(incident.detected_at).max(0)
}

/// The consensus in which something was last seen of an incident.
pub fn updated_at(incident: &Incident) -> ConsensusHour {
    incident.timeline.iter().map(|(hour, _)| *hour).chain(incident.resolved_at).max().unwrap_or(incident.detected_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_have_words() {
        let words = [1.0, 0.95, 0.714, 0.5, 0.2, 0.01].map(probability);
        assert_eq!(
            words,
            [
                "almost certain, 100\u{a0}%",
                "very likely, 95\u{a0}%",
                "likely, 71\u{a0}%",
                "about as likely as not, 50\u{a0}%",
                "unlikely, 20\u{a0}%",
                "very unlikely, 1\u{a0}%"
            ]
        );
    }
}
