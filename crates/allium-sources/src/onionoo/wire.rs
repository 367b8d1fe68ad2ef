//! The entries of details and summary documents as they are written: every member may be missing or null.

use serde::Deserialize;

use super::text::Text;
use crate::whole::Whole;

/// An entry of `relays` in a details document. Times are text, `overload_general_timestamp` is milliseconds since
/// 1970-01-01T00:00:00Z, bandwidths are bytes per second.
#[derive(Debug, Default, Deserialize)]
pub(super) struct WireRelay<'a> {
    #[serde(borrow)]
    pub(super) fingerprint: Option<Text<'a>>,
    pub(super) nickname: Option<Text<'a>>,
    pub(super) or_addresses: Option<Vec<Text<'a>>>,
    pub(super) exit_addresses: Option<Vec<Text<'a>>>,
    pub(super) dir_address: Option<Text<'a>>,
    pub(super) unreachable_or_addresses: Option<Vec<Text<'a>>>,
    pub(super) first_seen: Option<Text<'a>>,
    pub(super) last_seen: Option<Text<'a>>,
    pub(super) last_changed_address_or_port: Option<Text<'a>>,
    pub(super) last_restarted: Option<Text<'a>>,
    pub(super) running: Option<bool>,
    pub(super) hibernating: Option<bool>,
    pub(super) flags: Option<Vec<Text<'a>>>,
    pub(super) country: Option<Text<'a>>,
    pub(super) country_name: Option<Text<'a>>,
    #[serde(rename = "as")]
    pub(super) asn: Option<Text<'a>>,
    pub(super) as_name: Option<Text<'a>>,
    pub(super) consensus_weight: Option<Whole>,
    pub(super) consensus_weight_fraction: Option<f64>,
    pub(super) guard_probability: Option<f64>,
    pub(super) middle_probability: Option<f64>,
    pub(super) exit_probability: Option<f64>,
    pub(super) measured: Option<bool>,
    pub(super) verified_host_names: Option<Vec<Text<'a>>>,
    pub(super) unverified_host_names: Option<Vec<Text<'a>>>,
    pub(super) bandwidth_rate: Option<Whole>,
    pub(super) bandwidth_burst: Option<Whole>,
    pub(super) observed_bandwidth: Option<Whole>,
    pub(super) advertised_bandwidth: Option<Whole>,
    pub(super) overload_general_timestamp: Option<Whole>,
    pub(super) exit_policy: Option<Vec<Text<'a>>>,
    pub(super) exit_policy_summary: Option<WirePorts<'a>>,
    pub(super) exit_policy_v6_summary: Option<WirePorts<'a>>,
    pub(super) contact: Option<Text<'a>>,
    pub(super) platform: Option<Text<'a>>,
    pub(super) version: Option<Text<'a>>,
    pub(super) recommended_version: Option<bool>,
    pub(super) version_status: Option<Text<'a>>,
    pub(super) effective_family: Option<Vec<Text<'a>>>,
    pub(super) alleged_family: Option<Vec<Text<'a>>>,
    pub(super) indirect_family: Option<Vec<Text<'a>>>,
}

/// Exactly one of these is given.
#[derive(Debug, Default, Deserialize)]
pub(super) struct WirePorts<'a> {
    #[serde(borrow)]
    pub(super) accept: Option<Vec<Text<'a>>>,
    pub(super) reject: Option<Vec<Text<'a>>>,
}

/// An entry of `relays` in a summary document.
#[derive(Debug, Default, Deserialize)]
pub(super) struct WireSummary<'a> {
    /// Fingerprint.
    #[serde(borrow)]
    pub(super) f: Option<Text<'a>>,
    /// Nickname.
    pub(super) n: Option<Text<'a>>,
    /// Addresses without ports, the primary one first.
    pub(super) a: Option<Vec<Text<'a>>>,
    /// Running.
    pub(super) r: Option<bool>,
}
