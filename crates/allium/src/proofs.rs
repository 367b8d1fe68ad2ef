//! Proofs of claimed domains: asked for beside a running service, a few domains at a time, and kept in the store.
//!
//! Whom to ask and what follows from an answer is decided in [`allium_sources::proof::plan`]; here is what that needs: the clock, the network,
//! the store. Pages are never waited for: they show what the store held when their view was made, and a new view follows when
//! something else is true.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use allium_history::StoreUrl;
use allium_model::{AroiClaim, AroiContact, AroiDomain, Fingerprint, NetworkRecord, ProofStanding, Timestamp};
use allium_simulate::DomainAnswer;
use allium_simulate::serve::Handle;
use allium_sources::proof::plan::{Plan, Question, conclude, plan};
use allium_sources::proof::{Finding, Prover, ProverOptions, judge_file, system_resolvers};
use allium_views::{Clock, Site};
use allium_words::inert::inert;
use anyhow::Context as _;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::fetch::proxy;

/// Relays of which answers are stored together.
const BATCH: usize = 50;
/// Domains asked in one round, at the most.
const MAX_DOMAINS: usize = 1000;
/// So many domains that all say nothing are taken for a network that is down.
const MANY: usize = 5;
/// Rest between two rounds.
const SHORTEST_REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_secs(600);

/// Who is asked.
#[derive(Clone)]
pub(crate) enum Asker {
    /// The domains themselves.
    Network(Box<Prover>),
    /// The operators of a simulated network.
    Simulation(Handle),
}

impl Asker {
    /// Whoever the configuration says.
    pub(crate) fn of(config: &Config) -> anyhow::Result<Self> {
        let settings = &config.proofs;
        let proxy = proxy(config);
        let resolvers = match (settings.resolvers.as_slice(), &proxy) {
            // Whoever asks for a proxy does not want names to be looked up beside it.
            ([], Some(_)) => Vec::new(),
            ([], None) => system_resolvers(),
            (named, _) => named.iter().map(|text| resolver(text)).collect::<anyhow::Result<_>>()?,
        };
        let roots = match &settings.ca_file {
            Some(path) => std::fs::read(path).with_context(|| format!("proofs.ca_file: cannot read {}", path.display()))?,
            None => Vec::new(),
        };
        let options = ProverOptions {
            resolvers,
            proxy,
            allowed: settings.allow_addresses.clone(),
            roots,
            timeout: Duration::from_secs(settings.timeout_secs.max(1)),
            ..ProverOptions::default()
        };
        Ok(Self::Network(Box::new(Prover::new(&options).context("domains cannot be asked")?)))
    }

    fn can_ask(&self, claim: &AroiClaim) -> bool {
        match self {
            Self::Network(prover) => prover.can_ask(claim.method),
            Self::Simulation(_) => claim.method.is_checkable(),
        }
    }

    async fn ask(&self, question: &Question) -> Vec<Finding> {
        let Question { domain, method, relays } = question;
        match self {
            Self::Network(prover) => prover.ask(domain, *method, relays).await,
            Self::Simulation(network) => {
                let answer = network.read().unwrap_or_else(PoisonError::into_inner).ask_domain(domain.as_str());
                let broken = |reason: &str| vec![Finding::Broken(reason.to_owned()); relays.len()];
                match answer {
                    DomainAnswer::File(text) => judge_file(text.as_bytes(), relays),
                    DomainAnswer::ExpiredCertificate => broken("its certificate has expired"),
                    DomainAnswer::NoSuchDomain => broken("its name has no address"),
                }
            }
        }
    }
}

/// An address with or without a port.
fn resolver(text: &str) -> anyhow::Result<SocketAddr> {
    let plain = || text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 53));
    text.parse().ok().or_else(plain).with_context(|| format!("proofs.resolvers: expected ADDRESS or ADDRESS:PORT, found {text:?}"))
}

/// What questions share.
pub(crate) struct Checker {
    /// Who is asked.
    pub(crate) asker: Asker,
    /// Domains asked at a time.
    pub(crate) concurrency: usize,
    /// Where answers are kept.
    pub(crate) store: StoreUrl,
    /// Tells the time.
    pub(crate) clock: Clock,
    /// Spreads the pauses between questions.
    pub(crate) seed: u64,
}

/// What a round came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Round {
    /// Domains asked.
    pub(crate) n_domains: usize,
    /// Relays of which something else is held to be true than before.
    pub(crate) n_changed: usize,
    /// Whether so many domains say nothing that this is not their fault.
    pub(crate) is_down: bool,
    /// When the next question falls due.
    pub(crate) next: Option<Timestamp>,
}

/// Keeps the proofs in the store up to date with what relays claim, for as long as the site is served; `changed` is told when something else
/// is true than before.
pub(crate) async fn keep(checker: Checker, site: Site, changed: Arc<Notify>) {
    let mut views = site.changes();
    loop {
        views.mark_unchanged();
        let rest = match site.view() {
            Some(view) => checker.round_of(&view.record, &changed).await,
            None => Duration::MAX,
        };
        // A consensus may bring claims, and questions fall due in between.
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            told = views.changed() => match told {
                // Views may come one after the other.
                Ok(()) if rest < Duration::MAX => tokio::time::sleep(SHORTEST_REST).await,
                Ok(()) => {}
                Err(_) => return,
            },
        }
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
pub(crate) fn claims(record: &NetworkRecord) -> Vec<(Fingerprint, AroiClaim)> {
    let current = record.relays.iter().filter(|relay| relay.is_current(record.as_of));
    let claim = |contact: &str| AroiContact::of(contact).claim().cloned();
    current.filter_map(|relay| Some((relay.relay.fingerprint, claim(relay.relay.contact.as_deref()?)?))).collect()
}

impl Checker {
    /// Asks what is due by the claims of a record; says how long to rest afterwards.
    async fn round_of(&self, record: &NetworkRecord, changed: &Notify) -> Duration {
        match self.round(&claims(record)).await {
            Ok(round) => {
                if round.n_changed > 0 {
                    changed.notify_one();
                }
                round.rest((self.clock)())
            }
            Err(error) => {
                let reason = inert(&format!("{error:#}"));
                tracing::error!(%reason, "domains not asked, or their answers not stored");
                LONGEST_REST
            }
        }
    }

    /// Asks what is due, and stores the answers.
    pub(crate) async fn round(&self, claims: &[(Fingerprint, AroiClaim)]) -> anyhow::Result<Round> {
        let store = self.store.clone();
        let standings = tokio::task::spawn_blocking(move || store.open_read_only()?.proofs()).await??;
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
                self.store(std::mem::take(&mut answers.waiting)).await?;
            }
        }
        let (standings, round) = answers.finish();
        self.store(standings).await?;
        if round.n_domains > 0 {
            tracing::info!(domains = round.n_domains, changed = round.n_changed, "domains asked for proofs");
        }
        Ok(round)
    }

    async fn store(&self, standings: Vec<ProofStanding>) -> anyhow::Result<()> {
        if standings.is_empty() {
            return Ok(());
        }
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || store.open()?.record_proofs(&standings)).await??;
        Ok(())
    }
}

/// The questions to each domain, in the order in which the domains come first.
fn by_domain(questions: Vec<Question>) -> Vec<Vec<Question>> {
    let mut places: BTreeMap<AroiDomain, usize> = BTreeMap::new();
    let mut domains: Vec<Vec<Question>> = Vec::new();
    for question in questions {
        let place = *places.entry(question.domain.clone()).or_insert(domains.len());
        match domains.get_mut(place) {
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

/// What came so far in a round.
struct Answers {
    before: HashMap<Fingerprint, ProofStanding>,
    /// To be stored.
    waiting: Vec<ProofStanding>,
    /// Of domains that said nothing: they count only if another says something.
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

    /// What is still to be stored, and what the round came to.
    fn finish(mut self) -> (Vec<ProofStanding>, Round) {
        self.round.is_down = self.n_answered == 0 && self.round.n_domains >= MANY;
        if self.round.is_down {
            tracing::warn!(domains = self.round.n_domains, "no domain says anything; the network seems to be down");
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

    #[test]
    fn resolvers_may_leave_out_the_port() {
        assert_eq!(resolver("192.0.2.1").unwrap().to_string(), "192.0.2.1:53");
        assert_eq!(resolver("[2001:db8::1]:5353").unwrap().to_string(), "[2001:db8::1]:5353");
        assert!(resolver("resolver.example").unwrap_err().to_string().starts_with("proofs.resolvers: expected"));
    }
}
