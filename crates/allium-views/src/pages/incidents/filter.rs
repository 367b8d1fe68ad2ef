//! The incidents that an address asks for, beside what its table can choose: since when, touching which relay, country, AS or operator.

use std::str::FromStr;
use std::sync::Arc;

use allium_analysis::{Condition, Key};
use allium_detect::{Incident, Scope, ScopeKind};
use allium_model::{Asn, ConsensusHour, CountryCode, Fingerprint, OperatorId, Timestamp};
use allium_service::{IncidentLog, View};

use crate::error::RequestError;
use crate::params::Params;
use crate::relay_query::term;

/// The names of its parameters, in the order of the form.
pub(crate) const NAMES: [(&str, &str); 5] =
    [("since", "Detected since"), ("relay", "Relay"), ("as", "AS"), ("country", "Country"), ("operator", "Operator")];

/// Conditions that an address states.
pub(crate) struct Filter {
    since: Option<ConsensusHour>,
    touched: Vec<Touched>,
}

/// Whom incidents must touch: be about, or hold a relay of.
struct Touched {
    scope: Option<Scope>,
    relays: Vec<Fingerprint>,
}

impl Filter {
    /// Reads it from the query part of an address.
    pub(crate) fn of(view: &View, params: &Params) -> Result<Self, RequestError> {
        let since = params.one("since")?.map(since).transpose()?;
        let mut touched = Vec::new();
        if let Some(text) = params.one("relay")? {
            touched.push(relay(view, text)?);
        }
        if let Some(text) = params.one("as")? {
            let asn: Asn = one(view, "as", Key::As, text)?;
            touched.push(Touched::of(view, ScopeKind::As, asn.to_string(), |relay| relay.asn == Some(asn)));
        }
        if let Some(text) = params.one("country")? {
            let code: CountryCode = one(view, "country", Key::Country, text)?;
            touched.push(Touched::of(view, ScopeKind::Country, code.to_string(), |relay| relay.country == Some(code)));
        }
        if let Some(text) = params.one("operator")? {
            touched.push(operator(view, text)?);
        }
        Ok(Self { since, touched })
    }

    /// The incidents that fit, by detection and id.
    pub(crate) fn select(&self, log: &IncidentLog) -> Vec<Arc<Incident>> {
        let mut fits = vec![true; log.incidents().len()];
        for touched in &self.touched {
            let mut touches = vec![false; fits.len()];
            log.indices_touching(touched.scope.as_ref(), &touched.relays).for_each(|idx| touches[idx] = true);
            fits.iter_mut().zip(touches).for_each(|(fits, touches)| *fits &= touches);
        }
        let is_late = |incident: &Incident| self.since.is_none_or(|since| incident.detected_at >= since);
        let all = log.incidents().iter().zip(fits);
        all.filter(|(incident, fits)| *fits && is_late(incident)).map(|(incident, _)| Arc::clone(incident)).collect()
    }
}

impl Touched {
    fn of(view: &View, kind: ScopeKind, key: String, fits: impl Fn(&allium_model::Relay) -> bool) -> Self {
        let relays = view.record.relays.iter().map(|record| &record.relay).filter(|relay| fits(relay));
        Self { scope: Some(Scope { kind, key }), relays: relays.map(|relay| relay.fingerprint).collect() }
    }
}

/// A day, or an instant; the first consensus that is not earlier.
fn since(text: &str) -> Result<ConsensusHour, RequestError> {
    let instant: Option<Timestamp> = text.parse().ok().or_else(|| format!("{text}T00:00:00Z").parse().ok());
    let instant = instant.ok_or_else(|| RequestError::bad("since", text, "a day such as 2026-02-15, or an instant of RFC 3339"))?;
    let hour = ConsensusHour::containing(instant);
    Ok(if hour.start() < instant { hour.next() } else { hour })
}

/// The one country or AS that a parameter names in any way.
fn one<T: FromStr>(view: &View, name: &str, key: Key, text: &str) -> Result<T, RequestError> {
    let term = term(view, name, key, text)?;
    term.text.parse().map_err(|_| RequestError::bad(name, text, format!("one of these: {}", key.allowed())))
}

/// A relay by its fingerprint in any form, or all that have a nickname.
fn relay(view: &View, text: &str) -> Result<Touched, RequestError> {
    let term = Key::Fingerprint.read(text).ok().filter(|term| matches!(term.any.first(), Some(Condition::Fingerprint(_))));
    if let Some(term) = term {
        // An incident may be about a relay that is not on record any more.
        let named = term.text.parse().into_iter();
        let on_record = (0..view.record.relays.len()).filter(|i| view.relay_fits(*i, &term));
        let relays = named.chain(on_record.map(|i| view.record.relays[i].relay.fingerprint)).collect();
        return Ok(Touched { scope: None, relays });
    }
    let is_named = |relay: &allium_model::Relay| relay.nickname.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(text));
    let named: Vec<Fingerprint> =
        view.record.relays.iter().map(|record| &record.relay).filter(|relay| is_named(relay)).map(|relay| relay.fingerprint).collect();
    if named.is_empty() {
        return Err(RequestError::bad("relay", text, "the fingerprint or the nickname of a relay on record"));
    }
    Ok(Touched { scope: None, relays: named })
}

/// An operator by its id; one that has no relay any more can still be what an incident is about.
fn operator(view: &View, text: &str) -> Result<Touched, RequestError> {
    text.parse::<OperatorId>().map_err(|_| RequestError::bad("operator", text, "the id of an operator, such as example.org"))?;
    let found = view.operators.list().iter().find(|operator| operator.id.to_string() == text);
    let members = found.map_or(&[][..], |operator| &operator.members);
    let relays = members.iter().filter_map(|i| view.record.relays.get(*i as usize)).map(|record| record.relay.fingerprint);
    Ok(Touched { scope: Some(Scope { kind: ScopeKind::Operator, key: text.to_owned() }), relays: relays.collect() })
}
