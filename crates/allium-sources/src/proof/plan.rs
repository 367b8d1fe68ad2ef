//! Plan of checks: the domains to ask next, and the effect of an answer. Decisions without clock, network or store.
//!
//! A relay that its domain names is checked again after [`FRESH`]. One that it does not name is checked after an hour, then after twice as
//! long each time, up to a day. Each pause is up to a tenth shorter or longer, by domain and seed, so that domains do not fall due
//! together. At least [`LEAST_PAUSE`] passes between two questions to one domain, whichever relay claims it.
//!
//! An attempt without a verdict changes no earlier result that is younger than [`KEPT`]. After that, or without an earlier result,
//! [`PATIENCE`] such attempts in a row are a verdict too.

use std::collections::{BTreeMap, HashMap};

use allium_model::{AroiClaim, AroiDomain, AroiResult, Fingerprint, ProofMethod, ProofStanding, ProofVerdict, Timestamp};
use sha2::{Digest as _, Sha256};

use super::Finding;

const HOUR_SECS: i64 = 3600;
/// Seconds after which a relay that its domain names is asked for again.
pub const FRESH: i64 = 24 * HOUR_SECS;
/// Seconds between two questions to one domain, at the least.
pub const LEAST_PAUSE: i64 = HOUR_SECS;
/// Seconds for which a result outlives attempts without a verdict.
pub const KEPT: i64 = 7 * 24 * HOUR_SECS;
/// Number of attempts in a row without a verdict that count as one.
pub const PATIENCE: u32 = 3;
/// The longest pause after failures, seconds.
const LONGEST_PAUSE: i64 = 24 * HOUR_SECS;
/// Number of characters of a reason that are kept; all are Allium's own words.
const MAX_REASON_CHARS: usize = 200;

/// A question to a domain, for some of the relays that claim it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The domain.
    pub domain: AroiDomain,
    /// The method by which it is asked.
    pub method: ProofMethod,
    /// The relays that the question is about, in order.
    pub relays: Vec<Fingerprint>,
}

/// A relay that claims a domain, and the state of its proof.
type Claimant<'a> = (Fingerprint, Option<&'a ProofStanding>);

/// The domains to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Questions that are due, the longest overdue first.
    pub due: Vec<Question>,
    /// Time at which the next one falls due after these; `None` if there is none.
    pub next: Option<Timestamp>,
}

/// Plans what to ask at `now`, given the claims of relays and the state of their proofs. Claims whose method cannot be checked are passed
/// over.
pub fn plan(claims: &[(Fingerprint, AroiClaim)], standings: &[ProofStanding], now: Timestamp, seed: u64) -> Plan {
    let standings: HashMap<Fingerprint, &ProofStanding> = standings.iter().map(|standing| (standing.relay, standing)).collect();
    let mut groups: BTreeMap<(&AroiDomain, ProofMethod), Vec<Claimant<'_>>> = BTreeMap::new();
    for (relay, claim) in claims.iter().filter(|(_, claim)| claim.method.is_checkable()) {
        let standing = standings.get(relay).copied().filter(|standing| speaks_for(standing, claim));
        groups.entry((&claim.domain, claim.method)).or_default().push((*relay, standing));
    }
    let mut due: Vec<(Timestamp, Question)> = Vec::new();
    let mut next: Option<Timestamp> = None;
    for ((domain, method), mut relays) in groups {
        relays.sort_by_key(|(relay, _)| *relay);
        relays.dedup_by_key(|(relay, _)| *relay);
        let moments: Vec<Timestamp> = relays.iter().map(|(_, standing)| due_at(domain, *standing, now, seed)).collect();
        let asked = relays.iter().filter_map(|(_, standing)| Some((*standing)?.asked_at)).filter(|at| *at <= now).max();
        let earliest = moments.iter().copied().min().unwrap_or(now);
        let at = asked.map_or(earliest, |asked| earliest.max(later(asked, LEAST_PAUSE)));
        if at > now {
            next = Some(next.map_or(at, |next| next.min(at)));
            continue;
        }
        // One file speaks for all relays of a domain; TXT records are asked for one by one.
        let is_asked = |moment: &Timestamp| method == ProofMethod::UriRsa || *moment <= now;
        let relays = relays.iter().zip(&moments).filter(|(_, moment)| is_asked(moment)).map(|((relay, _), _)| *relay).collect();
        due.push((at, Question { domain: domain.clone(), method, relays }));
    }
    // The sort is stable: of equals the first by name comes first.
    due.sort_by_key(|(at, _)| *at);
    Plan { due: due.into_iter().map(|(_, question)| question).collect(), next }
}

fn speaks_for(standing: &ProofStanding, claim: &AroiClaim) -> bool {
    standing.domain == claim.domain && standing.method == claim.method
}

/// Time at which a relay is to be asked for: at once if it never was, or seems to have been in the future.
fn due_at(domain: &AroiDomain, standing: Option<&ProofStanding>, now: Timestamp, seed: u64) -> Timestamp {
    let Some(standing) = standing.filter(|standing| standing.asked_at <= now) else { return Timestamp::MIN };
    let pause = match standing.n_failures {
        0 => FRESH,
        n => HOUR_SECS.saturating_mul(1 << (n - 1).min(10)).min(LONGEST_PAUSE),
    };
    later(standing.asked_at, pause + (pause as f64 * 0.1 * jitter(domain, seed)) as i64)
}

/// From −1 to 1, the same for the same domain and seed.
fn jitter(domain: &AroiDomain, seed: u64) -> f64 {
    let digest = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(domain.as_str()).finalize();
    f64::from(u16::from_be_bytes([digest[0], digest[1]])) / f64::from(u16::MAX) * 2.0 - 1.0
}

fn later(at: Timestamp, secs: i64) -> Timestamp {
    Timestamp::from_second(at.as_second().saturating_add(secs)).unwrap_or(Timestamp::MAX)
}

/// State of a claim after an attempt at `now`; `before` is the state before it, if it is the same claim.
pub fn conclude(
    question: &Question,
    relay: Fingerprint,
    before: Option<&ProofStanding>,
    finding: &Finding,
    now: Timestamp,
) -> ProofStanding {
    let claim = AroiClaim { domain: question.domain.clone(), method: question.method, version: 2 };
    let before = before.filter(|before| before.relay == relay && speaks_for(before, &claim));
    let n_failures = match finding {
        Finding::Named => 0,
        _ => before.map_or(0, |before| before.n_failures).saturating_add(1),
    };
    let reason: String = finding.reason().chars().take(MAX_REASON_CHARS).collect();
    let verdict = |result, reason| Some(ProofVerdict { result, reason, found_at: now });
    let (verdict, trouble) = match finding.result() {
        Some(result) => (verdict(result, reason), None),
        None => {
            let kept = before.and_then(|before| before.verdict.clone()).filter(|verdict| later(verdict.found_at, KEPT) > now);
            let in_vain = || (n_failures >= PATIENCE).then(|| format!("{n_failures} attempts in a row came to nothing: {reason}"));
            let kept = kept.or_else(|| verdict(AroiResult::Misconfigured, in_vain()?));
            // A result from the future cannot be kept: the clock was wrong then, or is now.
            (kept.filter(|verdict| verdict.found_at <= now), Some(reason))
        }
    };
    ProofStanding { relay, domain: claim.domain, method: claim.method, verdict, asked_at: now, n_failures, trouble }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn at(hours: f64) -> Timestamp {
        Timestamp::from_second(NOW + (hours * 3600.0) as i64).unwrap()
    }

    fn relay(number: u8) -> Fingerprint {
        Fingerprint::new([number; 20])
    }

    fn claim(domain: &str, method: ProofMethod) -> AroiClaim {
        AroiClaim { domain: domain.parse().unwrap(), method, version: 2 }
    }

    fn question(domain: &str, method: ProofMethod, relays: &[u8]) -> Question {
        Question { domain: domain.parse().unwrap(), method, relays: relays.iter().map(|number| relay(*number)).collect() }
    }

    fn nothing() -> Finding {
        Finding::Nothing("no answer in time".to_owned())
    }

    /// State of a claim of `a.example` after findings at these hours.
    fn after(findings: &[(f64, Finding)]) -> ProofStanding {
        let question = question("a.example", ProofMethod::UriRsa, &[1]);
        let mut standing = None;
        for (hours, finding) in findings {
            standing = Some(conclude(&question, relay(1), standing.as_ref(), finding, at(*hours)));
            assert_eq!(standing.as_ref().unwrap().contradiction(), None);
        }
        standing.unwrap()
    }

    fn result(standing: &ProofStanding) -> Option<AroiResult> {
        standing.verdict.as_ref().map(|verdict| verdict.result)
    }

    /// After how many hours a claim falls due again.
    fn pause(standing: &ProofStanding) -> f64 {
        let claims = [(relay(1), claim("a.example", ProofMethod::UriRsa))];
        let plan = plan(&claims, std::slice::from_ref(standing), standing.asked_at, 7);
        assert_eq!(plan.due, []);
        (plan.next.unwrap().as_second() - standing.asked_at.as_second()) as f64 / 3600.0
    }

    #[test]
    fn one_file_speaks_for_all_relays_and_txt_records_for_one() {
        let uri = |domain: &str| claim(domain, ProofMethod::UriRsa);
        let claims = [
            (relay(3), uri("b.example")),
            (relay(1), uri("b.example")),
            (relay(2), claim("b.example", ProofMethod::DnsRsa)),
            (relay(4), uri("a.example")),
            (relay(5), claim("a.example", ProofMethod::UriEd25519)),
        ];
        let plan = plan(&claims, &[], at(0.0), 1);
        let expected = [
            question("a.example", ProofMethod::UriRsa, &[4]),
            question("b.example", ProofMethod::UriRsa, &[1, 3]),
            question("b.example", ProofMethod::DnsRsa, &[2]),
        ];
        assert_eq!((plan.due.as_slice(), plan.next), (&expected[..], None));
    }

    #[test]
    fn what_is_proven_is_asked_again_after_a_day_and_failures_from_an_hour_to_a_day() {
        assert!((pause(&after(&[(0.0, Finding::Named)])) - 24.0).abs() <= 2.4);
        let mut findings = Vec::new();
        for (i, expected) in [1.0, 2.0, 4.0, 8.0, 16.0, 24.0, 24.0].into_iter().enumerate() {
            findings.push((i as f64 * 100.0, Finding::Broken("HTTP status 404".to_owned())));
            let pause = pause(&after(&findings));
            assert!((0.9 * expected..=1.1 * expected).contains(&pause) && pause >= 1.0, "{pause} h after {} failures", i + 1);
        }
        findings.push((900.0, Finding::Named));
        assert_eq!(after(&findings).n_failures, 0);
    }

    #[test]
    fn pauses_differ_by_domain_and_seed_and_are_the_same_again() {
        let jitter = |domain: &str, seed| jitter(&domain.parse().unwrap(), seed);
        assert_eq!(jitter("a.example", 1), jitter("a.example", 1));
        assert_ne!(jitter("a.example", 1), jitter("b.example", 1));
        assert_ne!(jitter("a.example", 1), jitter("a.example", 2));
    }

    #[test]
    fn a_newcomer_does_not_hurry_its_domain() {
        let claims = [(relay(1), claim("a.example", ProofMethod::UriRsa)), (relay(2), claim("a.example", ProofMethod::UriRsa))];
        let standing = after(&[(0.0, Finding::Named)]);
        let plan_at = |hours| plan(&claims, std::slice::from_ref(&standing), at(hours), 7);
        assert_eq!(plan_at(0.5), Plan { due: Vec::new(), next: Some(at(1.0)) });
        assert_eq!(plan_at(1.0).due, [question("a.example", ProofMethod::UriRsa, &[1, 2])]);
        let dns = [(relay(1), claim("a.example", ProofMethod::DnsRsa)), (relay(2), claim("a.example", ProofMethod::DnsRsa))];
        let standing = ProofStanding { method: ProofMethod::DnsRsa, ..standing };
        assert_eq!(plan(&dns, &[standing], at(1.0), 7).due, [question("a.example", ProofMethod::DnsRsa, &[2])]);
    }

    #[test]
    fn a_check_speaks_for_its_claim_only() {
        let claims = [(relay(1), claim("other.example", ProofMethod::UriRsa))];
        let standing = after(&[(0.0, Finding::Named)]);
        assert_eq!(plan(&claims, std::slice::from_ref(&standing), at(0.1), 7).due, [question("other.example", ProofMethod::UriRsa, &[1])]);
        let question = question("other.example", ProofMethod::UriRsa, &[1]);
        assert_eq!(conclude(&question, relay(1), Some(&standing), &nothing(), at(0.1)).verdict, None);
    }

    #[test]
    fn silence_changes_nothing_for_a_week_and_is_an_answer_in_the_end() {
        let standing = after(&[(0.0, Finding::Named), (24.0, nothing()), (100.0, nothing())]);
        assert_eq!((result(&standing), standing.n_failures), (Some(AroiResult::Validated), 2));
        assert_eq!(standing.verdict.as_ref().unwrap().found_at, at(0.0));
        assert_eq!(standing.trouble.as_deref(), Some("no answer in time"));
        let standing = after(&[(0.0, Finding::Named), (24.0, nothing()), (100.0, nothing()), (168.0, nothing())]);
        assert_eq!(result(&standing), Some(AroiResult::Misconfigured));
        assert_eq!(standing.verdict.unwrap().reason, "3 attempts in a row came to nothing: no answer in time");
        assert_eq!(after(&[(0.0, nothing()), (1.0, nothing())]).verdict, None);
        assert_eq!(result(&after(&[(0.0, nothing()), (1.0, nothing()), (3.0, nothing())])), Some(AroiResult::Misconfigured));
    }

    #[test]
    fn a_clock_that_was_wrong_does_no_lasting_harm() {
        let standing = after(&[(1000.0, Finding::Named)]);
        let claims = [(relay(1), claim("a.example", ProofMethod::UriRsa))];
        assert_eq!(plan(&claims, &[standing], at(0.0), 7).due.len(), 1);
        assert_eq!(after(&[(1000.0, Finding::Named), (0.0, nothing())]).verdict, None);
    }
}
