//! Proofs of claimed domains: asked for beside a running service, a few domains at a time, and kept in the store.
//!
//! Whom to ask and what follows from an answer is decided in [`allium_sources::proof::plan`]; here is what that needs: the clock, the network,
//! the store. Pages never wait for a domain: they show what the store held when their view was made, and a new view follows when
//! something else is true.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::Clock;
use allium_model::{AroiClaim, AroiContact, AroiDomain, Fingerprint, NetworkRecord, ProofStanding, Timestamp};
use allium_sources::proof::plan::{Plan, Question, conclude, plan};
use allium_sources::proof::{Finding, Prover};
use anyhow::Context as _;
use tokio::task::JoinSet;

use super::{Context, Next, SharedStore, Step, Worker, network_of};
use crate::snapshot::Snapshot;

/// Relays of which answers are stored together.
const BATCH: usize = 50;
/// Domains asked in one round, at the most.
const MAX_DOMAINS: usize = 1000;
/// If at least this many domains are asked and none answers, our own network is assumed to be down.
const OUTAGE_DOMAINS: usize = 5;
/// Rest between two rounds.
const SHORTEST_REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_secs(600);

/// Whoever answers questions about domains.
#[derive(Clone)]
pub enum Asker {
    /// The domains themselves.
    Network(Box<Prover>),
    /// Somebody who has the answers at hand, such as a simulated network.
    Oracle(Oracle),
}

/// Gives a finding for each relay of a question.
pub type Oracle = Arc<dyn Fn(&Question) -> Vec<Finding> + Send + Sync>;

impl Asker {
    fn can_ask(&self, claim: &AroiClaim) -> bool {
        match self {
            Self::Network(prover) => prover.can_ask(claim.method),
            Self::Oracle(_) => claim.method.is_checkable(),
        }
    }

    async fn ask(&self, question: &Question) -> Vec<Finding> {
        match self {
            Self::Network(prover) => prover.ask(&question.domain, question.method, &question.relays).await,
            Self::Oracle(answer) => answer(question),
        }
    }
}

/// Asks domains and keeps their answers.
pub struct Checker {
    /// Whoever is asked.
    pub asker: Asker,
    /// Domains asked at a time.
    pub concurrency: usize,
    /// Store that keeps the answers.
    pub store: Arc<SharedStore>,
    /// Clock for the times of answers.
    pub clock: Clock,
    /// Seed that spreads the pauses between questions.
    pub seed: u64,
}

/// Outcome of a round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// Domains asked.
    pub n_domains: usize,
    /// Relays of which something else is held to be true than before.
    pub n_changed: usize,
    /// True if our own network is assumed to be down.
    pub is_down: bool,
    /// Time at which the next question falls due.
    pub next: Option<Timestamp>,
}

/// Keeps the proofs in the store up to date with what relays claim.
pub struct Proofs {
    /// Asks the domains.
    pub checker: Arc<Checker>,
}

impl Worker for Proofs {
    fn name(&self) -> &'static str {
        "proofs"
    }

    fn step(&mut self, snapshot: &Snapshot, context: &Context) -> anyhow::Result<Step> {
        let claims = claims(&network_of(snapshot)?.record);
        // Questions fall due, and a consensus may bring claims in between.
        let next = |round: &Round| Next::NetworkOrAfter(round.rest((self.checker.clock)()));
        let Some(round) = context.stop.or_done(self.checker.round(&claims)) else { return Ok(Step::then(Next::Network)) };
        let round = round.context("domains not asked, or their answers not stored")?;
        Ok(Step::then(next(&round)).having_stored(round.n_changed > 0))
    }

    /// Networks may be published one after the other.
    fn rest(&self, _: Duration) -> Duration {
        SHORTEST_REST
    }
}

impl Round {
    fn rest(&self, now: Timestamp) -> Duration {
        if self.is_down {
            return LONGEST_REST;
        }
        let until = self.next.map(|next| Duration::from_secs(next.as_second().saturating_sub(now.as_second()).max(0).cast_unsigned()));
        until.unwrap_or(LONGEST_REST).clamp(SHORTEST_REST, LONGEST_REST)
    }
}

/// The claims of current relays.
pub fn claims(record: &NetworkRecord) -> Vec<(Fingerprint, AroiClaim)> {
    let current = record.relays.iter().filter(|relay| relay.is_current(record.as_of));
    let claim = |contact: &str| AroiContact::of(contact).claim().cloned();
    current.filter_map(|relay| Some((relay.relay.fingerprint, claim(relay.relay.contact.as_deref()?)?))).collect()
}

impl Checker {
    /// Asks what is due, and stores the answers.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn round(&self, claims: &[(Fingerprint, AroiClaim)]) -> anyhow::Result<Round> {
        let standings = self.store.read()?.proofs()?;
        let claims: Vec<_> = claims.iter().filter(|(_, claim)| self.asker.can_ask(claim)).cloned().collect();
        let Plan { due, next } = plan(&claims, &standings, (self.clock)(), self.seed);
        let mut answers = Answers {
            before: standings.into_iter().map(|standing| (standing.relay, standing)).collect(),
            waiting: Vec::new(),
            silent: Vec::new(),
            n_answered: 0,
            round: Round { next, ..Round::default() },
        };
        let mut waiting = by_domain(due).into_iter().take(MAX_DOMAINS);
        let mut asking = JoinSet::new();
        loop {
            while asking.len() < self.concurrency.max(1)
                && let Some(questions) = waiting.next()
            {
                asking.spawn(ask_all(self.asker.clone(), questions));
            }
            let Some(answered) = asking.join_next().await else { break };
            answers.take(answered?, (self.clock)());
            if answers.waiting.len() >= BATCH {
                self.keep(&std::mem::take(&mut answers.waiting))?;
            }
        }
        let (standings, round) = answers.finish();
        self.keep(&standings)?;
        if round.n_domains > 0 {
            tracing::info!(domains = round.n_domains, changed = round.n_changed, "domains asked for proofs");
        }
        Ok(round)
    }

    fn keep(&self, standings: &[ProofStanding]) -> anyhow::Result<()> {
        if !standings.is_empty() {
            self.store.write(|store| Ok(store.record_proofs(standings)?))?;
        }
        Ok(())
    }
}

/// The questions to each domain, in the order in which the domains come first.
fn by_domain(questions: Vec<Question>) -> Vec<Vec<Question>> {
    let mut indices: BTreeMap<AroiDomain, usize> = BTreeMap::new();
    let mut domains: Vec<Vec<Question>> = Vec::new();
    for question in questions {
        let index = *indices.entry(question.domain.clone()).or_insert(domains.len());
        match domains.get_mut(index) {
            Some(questions) => questions.push(question),
            None => domains.push(vec![question]),
        }
    }
    domains
}

/// Asks one domain, one question after the other.
async fn ask_all(asker: Asker, questions: Vec<Question>) -> Vec<(Question, Vec<Finding>)> {
    let mut answered = Vec::with_capacity(questions.len());
    for question in questions {
        let findings = asker.ask(&question).await;
        answered.push((question, findings));
    }
    answered
}

/// Answers so far in a round.
struct Answers {
    before: HashMap<Fingerprint, ProofStanding>,
    /// To be stored.
    waiting: Vec<ProofStanding>,
    /// Of domains that did not answer: they count only if another domain answers.
    silent: Vec<ProofStanding>,
    n_answered: usize,
    round: Round,
}

impl Answers {
    fn take(&mut self, answered: Vec<(Question, Vec<Finding>)>, now: Timestamp) {
        self.round.n_domains += 1;
        for (question, findings) in answered {
            for (relay, finding) in question.relays.iter().zip(findings) {
                let standing = conclude(&question, *relay, self.before.get(relay), &finding, now);
                if finding.result().is_some() {
                    self.n_answered += 1;
                    self.accept(standing);
                } else {
                    self.silent.push(standing);
                }
            }
        }
    }

    fn accept(&mut self, standing: ProofStanding) {
        let held = |standing: &ProofStanding| standing.check().map(|check| (check.domain, check.method, check.result, check.reason));
        let before = self.before.get(&standing.relay).and_then(held);
        self.round.n_changed += usize::from(before != held(&standing));
        self.waiting.push(standing);
    }

    /// Answers still to be stored, and the outcome of the round.
    fn finish(mut self) -> (Vec<ProofStanding>, Round) {
        self.round.is_down = self.n_answered == 0 && self.round.n_domains >= OUTAGE_DOMAINS;
        if self.round.is_down {
            tracing::warn!(domains = self.round.n_domains, "no domain answers; the network seems to be down");
        } else {
            std::mem::take(&mut self.silent).into_iter().for_each(|standing| self.accept(standing));
        }
        (self.waiting, self.round)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use allium_model::{AroiResult, ProofMethod};

    use super::*;

    fn answers() -> Answers {
        Answers { before: HashMap::new(), waiting: Vec::new(), silent: Vec::new(), n_answered: 0, round: Round::default() }
    }

    fn answer(number: u8, finding: &Finding) -> Vec<(Question, Vec<Finding>)> {
        let domain = format!("op-{number}.example").parse().unwrap();
        let question = Question { domain, method: ProofMethod::UriRsa, relays: vec![Fingerprint::new([number; 20])] };
        vec![(question, vec![finding.clone()])]
    }

    #[test]
    fn silence_everywhere_is_nobodys_fault() {
        let nothing = Finding::Nothing("no answer in time".to_owned());
        for (n_silent, n_named, n_stored, is_down) in [(5, 0, 0, true), (4, 0, 4, false), (9, 1, 10, false)] {
            let mut answers = answers();
            (0..n_silent).for_each(|number| answers.take(answer(number, &nothing), Timestamp::UNIX_EPOCH));
            (0..n_named).for_each(|number| answers.take(answer(100 + number, &Finding::Named), Timestamp::UNIX_EPOCH));
            let (standings, round) = answers.finish();
            assert_eq!((standings.len(), round.is_down, round.n_changed), (n_stored, is_down, usize::from(n_named)));
        }
    }

    #[test]
    fn a_change_is_another_result_or_reason() {
        let found = |before: Option<ProofStanding>, finding: Finding| {
            let mut answers = answers();
            answers.before = before.into_iter().map(|standing| (standing.relay, standing)).collect();
            answers.take(answer(1, &finding), Timestamp::UNIX_EPOCH);
            let (mut standings, round) = answers.finish();
            (standings.pop().unwrap(), round.n_changed)
        };
        let (named, n_changed) = found(None, Finding::Named);
        assert_eq!((named.verdict.as_ref().unwrap().result, n_changed), (AroiResult::Validated, 1));
        assert_eq!(found(Some(named.clone()), Finding::Named).1, 0);
        assert_eq!(found(Some(named.clone()), Finding::Nothing("no answer in time".to_owned())).1, 0);
        assert_eq!(found(Some(named), Finding::Broken("HTTP status 404".to_owned())).1, 1);
    }

    #[test]
    fn a_domain_is_asked_one_question_after_the_other() {
        let question = |name: &str, method| Question { domain: name.parse().unwrap(), method, relays: Vec::new() };
        let (uri, dns) = (ProofMethod::UriRsa, ProofMethod::DnsRsa);
        let domains = by_domain(vec![question("b.example", uri), question("a.example", uri), question("b.example", dns)]);
        let names: Vec<Vec<_>> = domains.iter().map(|asked| asked.iter().map(|q| (q.domain.as_str(), q.method)).collect()).collect();
        assert_eq!(names, [vec![("b.example", uri), ("b.example", dns)], vec![("a.example", uri)]]);
    }
}
