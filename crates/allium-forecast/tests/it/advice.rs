//! Advice, maintenance windows and totals, through the public interface.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use crate::support::{Draws, fingerprint};
use allium_forecast::advice::{Advice, Pattern, Reason, Urgency};
use allium_forecast::totals::{Likeness, Total, likeness};
use allium_forecast::{Confidence, Forecast, Habits, Label, Past, PastSpan, RelayPast, Slot, Week};
use allium_model::{ConsensusHour, Fraction};

/// 2024-10-07T00:00:00Z, a Monday.
const MONDAY: i32 = 480_072;
const WEEK: u32 = 168;

fn hour(n: u32) -> ConsensusHour {
    ConsensusHour::new(MONDAY + n as i32)
}

fn up(start: u32, end: u32) -> PastSpan {
    PastSpan { start, end, running: true, guard: false, exit: false, asn: None, country: None }
}

/// Ten weeks of these relays and of 50 others, of which 10 rest on Sundays from 12:00 to 15:00.
fn past(relays: Vec<RelayPast>) -> Past {
    let steady = (1_000..1_040).map(|n| RelayPast::new(fingerprint(n), vec![up(0, 10 * WEEK)]));
    let resting = (2_000..2_010).map(|n| {
        let rests = (0..10).map(|week| week * WEEK + 6 * 24 + 12);
        let starts = std::iter::once(0).chain(rests.clone().map(|rest| rest + 3));
        RelayPast::new(fingerprint(n), starts.zip(rests.chain([10 * WEEK])).map(|(start, end)| up(start, end)).collect())
    });
    Past::new((0..10 * WEEK).map(hour).collect(), relays.into_iter().chain(steady).chain(resting).collect())
}

fn habits(spans: Vec<PastSpan>) -> (Habits, ConsensusHour) {
    let relay = RelayPast::new(fingerprint(0), spans);
    let past = past(vec![relay.clone()]);
    let as_of = hour(10 * WEEK - 1);
    (Habits::of(&past, &relay, as_of, Week::of(&past, as_of).as_ref()), as_of)
}

fn forecast(n: u32, as_of: ConsensusHour, (low, median, high): (f64, f64, f64), p_below_90: f64, label: Label, running: bool) -> Forecast {
    let share = |x: f64| Fraction::clamped(x).unwrap();
    let quantile = |i: usize| if i < 9 { low + (median - low) * i as f64 / 9.0 } else { median + (high - median) * (i - 9) as f64 / 9.0 };
    let quantiles: [Fraction; 19] = std::array::from_fn(|i| share(quantile(i)));
    Forecast {
        fingerprint: fingerprint(n),
        as_of,
        horizon_days: 30,
        mean: share(quantiles.iter().map(|q| q.get()).sum::<f64>() / 19.0),
        quantiles,
        p_below_90: share(p_below_90),
        p_gone: share(0.0),
        recent: Some(share(0.97)),
        running,
        label,
        confidence: Confidence::Medium,
    }
}

fn advice(spans: Vec<PastSpan>, label: Label, p: f64) -> Advice {
    let (habits, as_of) = habits(spans);
    let running = habits.down_since.is_none();
    Advice::of(&forecast(0, as_of, (0.5, 0.96, 0.99), p, label, running), &habits).unwrap()
}

const STEADY: (u32, u32) = (0, 10 * WEEK);

#[test]
fn a_relay_that_is_down_is_to_be_started_and_says_for_how_long() {
    let advice = advice(vec![up(0, 10 * WEEK - 33)], Label::Critical, 0.9);
    assert_eq!((advice.urgency, advice.reason), (Urgency::Urgent, Reason::Down(Some(33))));
    assert!(advice.action().starts_with("Start it again") && advice.why().contains("Not running for 33 h"), "{}", advice.why());
    assert_eq!(advice.window, None, "what is down needs no window");
}

#[test]
fn outages_at_the_same_time_of_day_are_named() {
    let starts = (0..8).map(|i| (i * 150 + 3) / 24 * 24 + 4).collect::<Vec<u32>>();
    let mut spans = vec![up(0, starts[0])];
    spans.extend(starts.windows(2).map(|pair| up(pair[0] + 5, pair[1])));
    spans.push(up(starts[7] + 5, STEADY.1));
    let advice = advice(spans, Label::AtRisk, 0.3);
    assert_eq!((advice.urgency, advice.pattern), (Urgency::Scheduled, Pattern::SameTime(3)));
    assert_eq!(advice.action(), "Find what stops it between 03:00 and 06:00 UTC");
    assert!(advice.why().contains("30 %") && advice.why().ends_with("between 03:00 and 06:00 UTC."), "{}", advice.why());
}

#[test]
fn patterns_fit_the_relay() {
    let often: Vec<PastSpan> = (0..70).map(|i| up(i * 24 + i % 19, i * 24 + 24 + (i * 7) % 19 % 20)).collect();
    assert!(matches!(advice(often, Label::Critical, 0.7).pattern, Pattern::Often(n, Some(_)) if n > 10));
    let long = vec![up(0, 6 * WEEK), up(6 * WEEK + 70, STEADY.1)];
    let long = advice(long, Label::AtRisk, 0.3);
    assert_eq!(long.pattern, Pattern::Long(70.0));
    assert!(long.why().contains("took 3 days") && long.effect().contains("points more"), "{}", long.why());
    let young = advice(vec![up(10 * WEEK - 72, STEADY.1)], Label::AtRisk, 0.3);
    assert_eq!(young.pattern, Pattern::Young(72));
    assert!(young.action().starts_with("Keep it running"));
    assert_eq!(advice(vec![up(0, STEADY.1)], Label::AtRisk, 0.3).pattern, Pattern::None);
    for label in [Label::Stable, Label::Improving] {
        let (habits, as_of) = habits(vec![up(0, STEADY.1)]);
        assert_eq!(Advice::of(&forecast(0, as_of, (0.95, 0.96, 0.99), 0.0, label, true), &habits), None);
    }
}

#[test]
fn every_action_begins_with_a_verb_and_every_advice_has_a_reason_and_an_effect() {
    const VERBS: [&str; 8] = ["Start ", "Look ", "Find ", "Set ", "Keep ", "Check ", "Inspect ", "Retire "];
    let (habits, as_of) = habits(vec![up(0, STEADY.1)]);
    let patterns = [
        Habits { same_time: Some(21), ..habits },
        Habits { n_outages_30d: 9, typical_outage_hours: Some(1.5), ..habits },
        Habits { longest_outage_hours: Some(90.0), ..habits },
        Habits { first_listed: Some(as_of.plus(-50)), ..habits },
        habits,
    ];
    for habits in patterns {
        for label in Label::ALL {
            for running in [true, false] {
                let forecast = forecast(0, as_of, (0.2, 0.9, 1.0), 0.4, label, running);
                let Some(advice) = Advice::of(&forecast, &habits) else { continue };
                let words = [advice.action(), advice.why(), advice.effect()];
                assert!(VERBS.iter().any(|verb| words[0].starts_with(verb)), "{words:?}");
                assert!(words.iter().all(|words| words.len() >= 12 && !words.contains("NaN")), "{words:?}");
            }
        }
    }
}

#[test]
fn the_best_window_is_when_most_relays_run_and_a_relay_is_down_anyway() {
    let (steady, as_of) = habits(vec![up(0, STEADY.1)]);
    let (slot, usual) = steady.window.unwrap();
    assert!(!usual && (slot.weekday, slot.start_hour) != (6, 12), "Sunday noon is when others rest: {slot:?}");
    // It goes down on Wednesdays at 06:00.
    let rests = (0..10).map(|week| week * WEEK + 2 * 24 + 6).collect::<Vec<u32>>();
    let mut spans = vec![up(0, rests[0])];
    spans.extend(rests.windows(2).map(|pair| up(pair[0] + 2, pair[1])));
    spans.push(up(rests[9] + 2, STEADY.1));
    let (habits, _) = habits(spans);
    assert_eq!(habits.window, Some((Slot { weekday: 2, start_hour: 6 }, true)));
    let slot = Slot { weekday: 2, start_hour: 6 };
    let next = slot.next_from(as_of.plus(24));
    assert!(next.hours_since(as_of) >= 24 && next.hours_since(as_of) < 24 + 168);
    assert_eq!(next.to_string(), "2024-12-18T06:00:00Z", "{as_of}");
    assert_eq!(slot.next_from(next), next);
}

/// Forecasts whose outcomes in groups of `size` are alike where `alike`, else each for itself.
fn lived(alike: bool, size: u32) -> (Past, Vec<Forecast>) {
    let mut draws = Draws::new(9);
    let as_of = hour(200);
    let mut fate = 0.0;
    let relays = (0..400).map(|n| {
        fate = if alike && n % size != 0 { fate } else { draws.share() };
        RelayPast::new(fingerprint(n), vec![up(0, 201), up(201, 201 + (fate * 720.0) as u32)])
    });
    let past = Past::new((0..1_000).map(hour).collect(), relays.collect());
    (past, (0..400).map(|n| forecast(n, as_of, (0.05, 0.5, 0.95), 0.5, Label::Critical, true)).collect())
}

#[test]
fn likeness_is_that_of_outcomes_given_forecasts() {
    let group = |forecast: &Forecast| Some(u32::from_be_bytes(forecast.fingerprint.as_bytes()[..4].try_into().unwrap()) / 4);
    let (past, forecasts) = lived(true, 4);
    let alike = likeness(&past, &forecasts, group);
    assert!(alike.rho > 0.95 && alike.n_pairs == 600, "{alike:?}");
    let (past, forecasts) = lived(false, 4);
    let apart = likeness(&past, &forecasts, group);
    assert!(apart.rho < 0.1, "{apart:?}");
    assert_eq!(likeness(&past, &forecasts[..20], group), Likeness::ASSUMED, "too few pairs");
    let unfinished = past.as_of(hour(500));
    assert_eq!(likeness(&unfinished, &forecasts, group), Likeness::ASSUMED, "the horizon is not over");
}

#[test]
fn relays_that_fail_together_make_a_wider_total() {
    let forecasts: Vec<Forecast> = (0..50).map(|n| forecast(n, hour(0), (0.1, 0.5, 0.9), 0.5, Label::Critical, true)).collect();
    let width = |rho| {
        let total = Total::of(&forecasts, Likeness { rho, n_pairs: 1 }).unwrap();
        assert!((total.mean.get() - 0.5).abs() < 1e-9 && (total.median.get() - 0.5).abs() < 0.05 && total.n_relays == 50);
        assert_eq!(total, Total::of(&forecasts, Likeness { rho, n_pairs: 1 }).unwrap(), "the same draws each time");
        total.interval.1.get() - total.interval.0.get()
    };
    // Of one relay the 80 % interval is 0.64 wide on 0.1 … 0.9 stretched to its tails; of 50 strangers a seventh of that.
    assert!(width(0.0) < 0.13 && width(1.0) > 0.6, "{} {}", width(0.0), width(1.0));
    assert!(width(0.0) < width(0.2) && width(0.2) < width(0.6) && width(0.6) < width(1.0));
    assert_eq!(Total::of(&[], Likeness::ASSUMED), None);
}
