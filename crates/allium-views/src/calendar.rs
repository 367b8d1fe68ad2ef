//! Maintenance as iCalendar (RFC 5545): a file to take over once, or a feed to subscribe to.
//!
//! An event is the next window of a relay to which something is to be done, or in which it could be; a to-do is a relay that is
//! down. A relay has one item whose UID never changes, so a feed moves it instead of adding another. DTSTAMP is the consensus of
//! the forecast, not the time of the request: the same forecast gives the same bytes. Names are made inert before the writer
//! escapes them, so that no line can be broken into two.

use std::cmp::Reverse;

use allium_forecast::Forecast;
use allium_forecast::advice::{Advice, Window};
use allium_model::{ConsensusHour, Operator, RelayRecord};
use allium_service::{Forecasts, Outlook, View};
use allium_words::inert::inert;
use icalendar::{Calendar, Component as _, Event, Todo};

use crate::error::RequestError;
use crate::markup::short_fingerprint;

/// Hours within which a relay that is down should be looked at.
const DUE_HOURS: i32 = 48;
/// Items of a calendar at most; the worst come first.
const MOST: usize = 200;

/// The maintenance of one relay: its advice, or else its next window.
pub(crate) fn of_relay(view: &View, outlook: &Outlook, relay_idx: usize) -> Result<String, RequestError> {
    let forecasts = forecasts(outlook)?;
    let record = view.record.relays.get(relay_idx).ok_or(RequestError::Internal)?;
    let name = format!("Maintenance of relay {}", short_fingerprint(&record.relay.fingerprint));
    let item = item(forecasts, record, true);
    Ok(written(forecasts, &name, item))
}

/// The maintenance of an operator's relays: of those to which something is to be done; where that is none, the next window that suits
/// most of them.
pub(crate) fn of_operator(view: &View, outlook: &Outlook, operator: &Operator) -> Result<String, RequestError> {
    let forecasts = forecasts(outlook)?;
    let relays = operator.members.iter().filter_map(|relay_idx| view.record.relays.get(*relay_idx as usize));
    let mut items: Vec<Item> = relays.clone().filter_map(|record| item(forecasts, record, false)).collect();
    if items.is_empty() {
        items.extend(shared_window(forecasts, operator, relays));
    }
    items.sort_by(|a, b| b.p_below_90.total_cmp(&a.p_below_90).then(a.uid.cmp(&b.uid)));
    items.truncate(MOST);
    Ok(written(forecasts, &format!("Maintenance of {}", operator.id), items))
}

/// The window that suits most of these relays that run.
fn shared_window<'a>(forecasts: &Forecasts, operator: &Operator, relays: impl Iterator<Item = &'a RelayRecord>) -> Option<Item> {
    let running = relays.filter(|record| forecasts.find(&record.relay.fingerprint).is_some_and(|forecast| forecast.running));
    let windows: Vec<Window> =
        running.filter_map(|record| Window::of(forecasts.habits(&record.relay.fingerprint)?, forecasts.as_of)).collect();
    let suited = |window: &Window| windows.iter().filter(|other| other.slot == window.slot).count();
    let best = windows.iter().max_by_key(|window| (suited(window), Reverse(window.start)))?;
    Some(Item {
        uid: format!("{}.maintenance@allium.invalid", operator.id),
        p_below_90: 0.0,
        summary: "Best window for maintenance of Tor relays".to_owned(),
        description: format!(
            "Nothing needs to be done. Should something be, this window suits {} of {} relays best; take them one after the other.\nForecasts as of the consensus of {}.",
            suited(best),
            windows.len(),
            forecasts.as_of
        ),
        when: When::In(*best),
    })
}

fn forecasts(outlook: &Outlook) -> Result<&Forecasts, RequestError> {
    outlook.forecasts().map_err(|reason| RequestError::NoForecast(reason.to_owned()))
}

/// An action on a relay, and its time.
struct Item {
    uid: String,
    p_below_90: f64,
    summary: String,
    description: String,
    when: When,
}

enum When {
    /// In a window.
    In(Window),
    /// By an hour.
    By(ConsensusHour),
}

fn item(forecasts: &Forecasts, record: &RelayRecord, even_if_well: bool) -> Option<Item> {
    let fingerprint = &record.relay.fingerprint;
    let forecast = forecasts.find(fingerprint)?;
    let habits = forecasts.habits(fingerprint)?;
    let advice = Advice::of(forecast, habits);
    let is_due = advice.as_ref().is_some_and(|advice| !forecast.running || advice.window.is_some());
    if !is_due && !even_if_well {
        return None;
    }
    let when = if forecast.running { When::In(Window::of(habits, forecast.as_of)?) } else { When::By(forecast.as_of.plus(DUE_HOURS)) };
    Some(Item {
        uid: format!("{fingerprint}.maintenance@allium.invalid"),
        p_below_90: forecast.p_below_90.get(),
        summary: summary(record, advice.as_ref()),
        description: description(record, forecast, advice.as_ref()),
        when,
    })
}

fn summary(record: &RelayRecord, advice: Option<&Advice>) -> String {
    let name = inert(&record.relay.display_name().chars().take(48).collect::<String>());
    advice.map_or_else(|| format!("{name}: best window for maintenance"), |advice| format!("{name}: {}", advice.action()))
}

fn description(record: &RelayRecord, forecast: &Forecast, advice: Option<&Advice>) -> String {
    let advice = advice.map_or_else(
        || "Nothing needs to be done; should something be, the relay is missed least in this window.".to_owned(),
        |advice| format!("{} {}", advice.why(), advice.effect()),
    );
    format!(
        "{advice}\nRelay {}\nForecast as of the consensus of {}, label {}.",
        record.relay.fingerprint,
        forecast.as_of,
        forecast.label.name()
    )
}

fn written(forecasts: &Forecasts, name: &str, items: impl IntoIterator<Item = Item>) -> String {
    let mut calendar = Calendar::empty();
    for (key, value) in [("VERSION", "2.0"), ("PRODID", "-//Allium//Maintenance//EN"), ("CALSCALE", "GREGORIAN"), ("METHOD", "PUBLISH")] {
        calendar.append_property((key, value));
    }
    // Our own words and digits only: readers differ in how they take what is not part of the standard.
    calendar.append_property(("X-WR-CALNAME", name));
    let stamp = utc(forecasts.as_of);
    for item in items {
        match item.when {
            When::In(window) => {
                let mut event = Event::new();
                event
                    .add_property("DTSTART", utc(window.start))
                    .add_property("DTEND", utc(window.end()))
                    .add_property("TRANSP", "TRANSPARENT");
                calendar.push(filled(event, &item, &stamp));
            }
            When::By(due) => {
                let mut todo = Todo::new();
                todo.add_property("DUE", utc(due)).add_property("PRIORITY", "1").add_property("STATUS", "NEEDS-ACTION");
                calendar.push(filled(todo, &item, &stamp));
            }
        }
    }
    calendar.to_string()
}

fn filled<C: icalendar::Component>(mut component: C, item: &Item, stamp: &str) -> C {
    component.uid(&item.uid);
    component.add_property("DTSTAMP", stamp);
    component.summary(&item.summary);
    component.description(&item.description);
    component
}

/// `20260218T060000Z`
fn utc(hour: ConsensusHour) -> String {
    hour.start().strftime("%Y%m%dT%H%M%SZ").to_string()
}
