//! State of the proof of a relay's claim: the verdict, and the last attempt.

use jiff::Timestamp;

use super::aroi::{AroiCheck, AroiDomain, AroiResult, ProofMethod};
use crate::identity::Fingerprint;

/// The proof of a relay's claim, as far as the domain has been asked. A relay makes one claim at a time, so it has one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofStanding {
    /// The relay that makes the claim.
    pub relay: Fingerprint,
    /// The domain that it claims.
    pub domain: AroiDomain,
    /// The method by which the domain is asked.
    pub method: ProofMethod,
    /// The verdict that holds; `None` until an attempt reaches one.
    pub verdict: Option<ProofVerdict>,
    /// Time at which the domain was last asked for this relay.
    pub asked_at: Timestamp,
    /// Attempts in a row, up to the last, that did not find the relay named.
    pub n_failures: u32,
    /// Reason why the last attempt reached no verdict, in one line; `None` if it reached one.
    pub trouble: Option<String>,
}

/// Verdict of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofVerdict {
    /// The result.
    pub result: AroiResult,
    /// Reason in one line; empty if validated.
    pub reason: String,
    /// Time of the attempt.
    pub found_at: Timestamp,
}

impl ProofStanding {
    /// The check that its verdict amounts to.
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

    /// Description of a contradiction in it; `None` for everything that attempts can leave behind.
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
