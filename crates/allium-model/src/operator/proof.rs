//! How it goes with the proof of a relay's claim: what was found, and when the domain was last asked.

use jiff::Timestamp;

use super::aroi::{AroiCheck, AroiDomain, AroiResult, ProofMethod};
use crate::identity::Fingerprint;

/// The proof of a relay's claim as far as it has been looked for. A relay makes one claim at a time, so there is one of these per relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofStanding {
    /// The relay that makes the claim.
    pub relay: Fingerprint,
    /// The domain that it claims.
    pub domain: AroiDomain,
    /// How the domain is asked.
    pub method: ProofMethod,
    /// What is held to be true; `None` as long as no attempt came to anything.
    pub verdict: Option<ProofVerdict>,
    /// When the domain was last asked for this relay.
    pub asked_at: Timestamp,
    /// Attempts in a row, up to the last, that did not find the relay named.
    pub n_failures: u32,
    /// Why the last attempt came to nothing, in one line; `None` where it came to a verdict.
    pub trouble: Option<String>,
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofVerdict {
    /// What.
    pub result: AroiResult,
    /// Why, in one line; empty where validated.
    pub reason: String,
    /// When.
    pub found_at: Timestamp,
}

impl ProofStanding {
    /// The check that its verdict stands for.
    pub fn check(&self) -> Option<AroiCheck> {
        let verdict = self.verdict.as_ref()?;
        Some(AroiCheck {
            domain: self.domain.clone(),
            method: self.method,
            result: verdict.result,
            reason: verdict.reason.clone(),
            checked_at: verdict.found_at,
        })
    }

    /// What is wrong with it in itself; `None` for what attempts can leave behind.
    pub fn contradiction(&self) -> Option<&'static str> {
        let is_later = |verdict: &ProofVerdict| verdict.found_at > self.asked_at;
        let has_odd_reason = |verdict: &ProofVerdict| (verdict.result == AroiResult::Validated) != verdict.reason.is_empty();
        match &self.verdict {
            _ if !self.method.is_checkable() => Some("a method that cannot be checked"),
            None if self.trouble.is_none() => Some("neither a verdict nor a reason for having none"),
            Some(verdict) if is_later(verdict) => Some("a verdict that is later than the last attempt"),
            Some(verdict) if has_odd_reason(verdict) => Some("a reason that does not fit the verdict"),
            _ if self.trouble.is_some() && self.n_failures == 0 => Some("an attempt that came to nothing and is not counted"),
            _ => None,
        }
    }
}
