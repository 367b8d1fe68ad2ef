//! Attributes of a relay that a list leaves out.

use allium_model::{PortSummary, Relay};
use allium_words::format::rfc3339;
use serde::Serialize;

use super::summary::{hour, texts};

/// Attributes of a relay that a list leaves out.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the names are those of allium_model::Relay, which documents them")]
pub struct Attributes<'a> {
    pub exit_addresses: Vec<String>,
    pub dir_address: Option<String>,
    pub unreachable_or_addresses: Vec<String>,
    pub last_changed_address_or_port: Option<String>,
    pub hibernating: bool,
    pub measured: Option<bool>,
    pub verified_host_names: &'a [String],
    pub unverified_host_names: &'a [String],
    pub bandwidth_rate_bytes_per_sec: Option<u64>,
    pub bandwidth_burst_bytes_per_sec: Option<u64>,
    pub observed_bandwidth_bytes_per_sec: Option<u64>,
    pub overload_general_at: Option<String>,
    pub exit_policy: &'a [String],
    pub exit_policy_summary: Option<PortsJson<'a>>,
    pub exit_policy_v6_summary: Option<PortsJson<'a>>,
    pub recommended_version: Option<bool>,
    pub effective_family: Vec<String>,
    pub alleged_family: &'a [String],
    pub indirect_family: Vec<String>,
}

/// Ports of an exit policy.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PortsJson<'a> {
    /// Exactly these.
    Accept(&'a [String]),
    /// All but these.
    Reject(&'a [String]),
}

impl<'a> Attributes<'a> {
    pub(super) fn of(relay: &'a Relay) -> Self {
        Self {
            exit_addresses: texts(&relay.exit_addresses),
            dir_address: relay.dir_address.map(|address| address.to_string()),
            unreachable_or_addresses: texts(&relay.unreachable_or_addresses),
            last_changed_address_or_port: relay.last_changed_address_or_port.map(hour),
            hibernating: relay.hibernating,
            measured: relay.measured,
            verified_host_names: &relay.verified_host_names,
            unverified_host_names: &relay.unverified_host_names,
            bandwidth_rate_bytes_per_sec: relay.bandwidth_rate,
            bandwidth_burst_bytes_per_sec: relay.bandwidth_burst,
            observed_bandwidth_bytes_per_sec: relay.observed_bandwidth,
            overload_general_at: relay.overload_general_at.map(rfc3339),
            exit_policy: &relay.exit_policy,
            exit_policy_summary: relay.exit_policy_summary.as_ref().map(ports),
            exit_policy_v6_summary: relay.exit_policy_v6_summary.as_ref().map(ports),
            recommended_version: relay.recommended_version,
            effective_family: texts(&relay.effective_family),
            alleged_family: &relay.alleged_family,
            indirect_family: texts(&relay.indirect_family),
        }
    }
}

fn ports(summary: &PortSummary) -> PortsJson<'_> {
    match summary {
        PortSummary::Accept(ports) => PortsJson::Accept(ports),
        PortSummary::Reject(ports) => PortsJson::Reject(ports),
    }
}
