//! Attributes of a relay at its last appearance.

use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;

use crate::first_seen::FirstSeen;
use crate::flags::{RelayFlag, RelayFlags};
use crate::identity::{Asn, CountryCode, Fingerprint, Fraction};
use crate::operator::{AroiCheck, AroiContact};
use crate::time::ConsensusHour;

/// A relay as the newest document describes it. Only the fingerprint is certain: what a source left out, or wrote in a form that could not
/// be understood, is `None` or empty. All text is as strangers wrote it and must be escaped where it leaves the program.
#[derive(Debug, Clone, PartialEq)]
pub struct Relay {
    /// Its identity.
    pub fingerprint: Fingerprint,
    /// The name that it gives itself; not unique.
    pub nickname: Option<String>,
    /// Addresses and ports for Tor connections, the primary one first.
    pub or_addresses: Vec<SocketAddr>,
    /// Its primary address where a source names no port; `None` where `or_addresses` has it.
    pub bare_address: Option<IpAddr>,
    /// Addresses seen leaving the network in the last 24 hours.
    pub exit_addresses: Vec<IpAddr>,
    /// Address and port of the directory server.
    pub dir_address: Option<SocketAddr>,
    /// Addresses that its descriptor names and the authorities could not reach.
    pub unreachable_or_addresses: Vec<SocketAddr>,
    /// The first consensus that lists it, as far as it is known.
    pub first_seen: FirstSeen,
    /// The newest consensus that lists it.
    pub last_seen: Option<ConsensusHour>,
    /// The consensus in which its address or port last changed.
    pub last_changed_address_or_port: Option<ConsensusHour>,
    /// Start of its Tor process, as its newest descriptor reports it (up to 18 hours late).
    pub last_restarted: Option<Timestamp>,
    /// True if the newest consensus lists it as Running.
    pub running: bool,
    /// True if it reports that it hibernates (its operator limits traffic per period).
    pub hibernating: bool,
    /// Flags of the last consensus that lists it.
    pub flags: RelayFlags,
    /// Flags that Allium has no name for.
    pub other_flags: Vec<String>,
    /// Country of the primary address by GeoIP.
    pub country: Option<CountryCode>,
    /// That country's name as the source spells it.
    pub country_name: Option<String>,
    /// Autonomous system of the primary address.
    pub asn: Option<Asn>,
    /// That autonomous system's name as the source spells it.
    pub as_name: Option<String>,
    /// Weight in path selection; a unit of its own, comparable within one consensus only.
    pub consensus_weight: Option<u64>,
    /// Share of the network's consensus weight; only while running.
    pub consensus_weight_fraction: Option<Fraction>,
    /// Probability to be chosen as guard.
    pub guard_probability: Option<Fraction>,
    /// Probability to be chosen as middle relay.
    pub middle_probability: Option<Fraction>,
    /// Probability to be chosen as exit.
    pub exit_probability: Option<Fraction>,
    /// True if at least three bandwidth authorities measured it.
    pub measured: Option<bool>,
    /// Host names whose address record points back to the relay.
    pub verified_host_names: Vec<String>,
    /// Host names that only the reverse lookup claims.
    pub unverified_host_names: Vec<String>,
    /// Configured average, bytes per second.
    pub bandwidth_rate: Option<u64>,
    /// Configured burst, bytes per second.
    pub bandwidth_burst: Option<u64>,
    /// Bandwidth that the relay saw itself sustain, bytes per second.
    pub observed_bandwidth: Option<u64>,
    /// The least of rate, burst and observed bandwidth, bytes per second.
    pub advertised_bandwidth: Option<u64>,
    /// The hour for which it last reported overload.
    pub overload_general_at: Option<Timestamp>,
    /// Exit policy, line by line.
    pub exit_policy: Vec<String>,
    /// Exit policy for IPv4, summarised by port.
    pub exit_policy_summary: Option<PortSummary>,
    /// Exit policy for IPv6, summarised by port.
    pub exit_policy_v6_summary: Option<PortSummary>,
    /// Text in which its operator says how to be reached, in any form.
    pub contact: Option<String>,
    /// Software and operating system.
    pub platform: Option<String>,
    /// Version of Tor.
    pub version: Option<String>,
    /// True if the authorities recommend that version.
    pub recommended_version: Option<bool>,
    /// The authorities' word for that version: recommended, experimental, obsolete, new in series, unrecommended.
    pub version_status: Option<String>,
    /// Relays that name each other as family, itself included.
    pub effective_family: Vec<Fingerprint>,
    /// Relays that it names and that do not name it back: fingerprints or nicknames.
    pub alleged_family: Vec<String>,
    /// Relays reached through family members of family members.
    pub indirect_family: Vec<Fingerprint>,
    /// The newest check of the domain that its contact claims. It is in no document: Allium asked that domain.
    pub aroi_check: Option<AroiCheck>,
}

impl Relay {
    /// A relay of which only the fingerprint is known.
    pub fn unknown(fingerprint: Fingerprint) -> Self {
        Self {
            fingerprint,
            nickname: None,
            or_addresses: Vec::new(),
            bare_address: None,
            exit_addresses: Vec::new(),
            dir_address: None,
            unreachable_or_addresses: Vec::new(),
            first_seen: FirstSeen::Unknown,
            last_seen: None,
            last_changed_address_or_port: None,
            last_restarted: None,
            running: false,
            hibernating: false,
            flags: RelayFlags::EMPTY,
            other_flags: Vec::new(),
            country: None,
            country_name: None,
            asn: None,
            as_name: None,
            consensus_weight: None,
            consensus_weight_fraction: None,
            guard_probability: None,
            middle_probability: None,
            exit_probability: None,
            measured: None,
            verified_host_names: Vec::new(),
            unverified_host_names: Vec::new(),
            bandwidth_rate: None,
            bandwidth_burst: None,
            observed_bandwidth: None,
            advertised_bandwidth: None,
            overload_general_at: None,
            exit_policy: Vec::new(),
            exit_policy_summary: None,
            exit_policy_v6_summary: None,
            contact: None,
            platform: None,
            version: None,
            recommended_version: None,
            version_status: None,
            effective_family: Vec::new(),
            alleged_family: Vec::new(),
            indirect_family: Vec::new(),
            aroi_check: None,
        }
    }

    /// True if its last consensus gave it this flag.
    pub const fn has(&self, flag: RelayFlag) -> bool {
        self.flags.contains(flag)
    }

    /// The address that consensuses list first.
    pub fn primary_address(&self) -> Option<SocketAddr> {
        self.or_addresses.first().copied()
    }

    /// The primary address without port, from whichever source knows it.
    pub fn primary_ip(&self) -> Option<IpAddr> {
        self.primary_address().map(|address| address.ip()).or(self.bare_address)
    }

    /// The nickname, or `Unnamed` as Tor calls relays without one.
    pub fn display_name(&self) -> &str {
        self.nickname.as_deref().unwrap_or("Unnamed")
    }

    /// The check that speaks for its present claim of a domain.
    pub fn claim_check(&self) -> Option<&AroiCheck> {
        let contact = AroiContact::of(self.contact.as_deref()?);
        let claim = contact.claim()?;
        self.aroi_check.as_ref().filter(|check| check.is_of(claim))
    }
}

/// Ports that an exit policy accepts or rejects: single ports and ranges as the source writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortSummary {
    /// Exactly these.
    Accept(Vec<String>),
    /// All but these.
    Reject(Vec<String>),
}
