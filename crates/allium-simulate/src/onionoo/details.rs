//! The details document.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use allium_model::{ConsensusHour, Fingerprint, RelayFlag};

use super::json::{Object, tor_time};
use super::{Context, Listed};
use crate::Network;
use crate::dice::Dice;
use crate::locations::{COUNTRIES, Provider};
use crate::relay::Relay;
use crate::releases::Release;

/// Tor's default for rate and burst, bytes per second.
const DEFAULT_RATE: u64 = 1 << 30;
/// Addresses per provider within 10.0.0.0/8.
const ADDRESSES_PER_PROVIDER: u32 = 4096;
/// Families larger than this are split: the list no longer fits into a descriptor.
pub(crate) const MOST_IN_FAMILY: usize = 360;
const SYSTEMS: [(u8, &str); 8] = [
    (25, "FreeBSD"),
    (31, "OpenBSD"),
    (35, "Windows 8 [or later]"),
    (36, "NetBSD"),
    (37, "Darwin"),
    (38, "SunOS"),
    (39, "DragonFly"),
    (255, "Linux"),
];

impl Context<'_> {
    /// The line of a relay in the details document.
    pub(super) fn details(&self, listed: &Listed<'_>) -> String {
        let Listed { relay, last_seen } = listed;
        let profile = &relay.profile;
        let owner = self.network.operator(profile.operator);
        let running = Some(*last_seen) == self.network.newest();
        let flags = relay.spans.last().map(|span| span.flags).unwrap_or_default();
        let addresses = addresses(relay, *last_seen);
        let weight = profile.capacity.weight(*last_seen);
        let object = Object::with_capacity(2048)
            .text("nickname", &profile.nickname)
            .text("fingerprint", &profile.fingerprint.to_string())
            .texts("or_addresses", &addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>())
            .texts("exit_addresses", &exit_addresses(addresses[0].ip(), relay, flags.contains(RelayFlag::Exit)))
            .text_opt("dir_address", profile.dir_port.map(|port| SocketAddr::new(addresses[0].ip(), port).to_string()).as_deref())
            .text("last_seen", &tor_time(last_seen.start_secs()))
            .text("last_changed_address_or_port", &tor_time(relay.address_since(*last_seen).start_secs()))
            .text("first_seen", &tor_time(profile.first_seen.start_secs()))
            .bool("running", running)
            .texts("flags", &flags.iter().map(RelayFlag::name).collect::<Vec<_>>());
        let object =
            location(object, relay, &self.network.providers.list[usize::from(profile.provider)]).integer("consensus_weight", weight as i64);
        let object = host_names(object, relay, owner.host_domain.as_deref(), addresses[0].ip());
        let object = bandwidths(object, relay, *last_seen)
            .integer_opt("overload_general_timestamp", self.overloaded_at(relay, *last_seen))
            .json("exit_policy", policy(relay).0)
            .json("exit_policy_summary", policy(relay).1)
            .json("exit_policy_v6_summary", if profile.ipv6 && profile.nature.exit_policy { policy(relay).1 } else { "" })
            .text_opt("contact", owner.contact.as_deref().map(|contact| contact.replace('%', "")).as_deref());
        let object = self.families.add(version(object, relay, *last_seen), relay);
        if !running {
            return object.bool("measured", profile.capacity.measured(*last_seen)).end();
        }
        let selected = self.network.totals_at(*last_seen).map(|totals| totals.probabilities(flags, weight));
        let object = selected.into_iter().fold(object, |object, selected| {
            object
                .float("consensus_weight_fraction", selected.fraction as f32)
                .float("guard_probability", selected.guard as f32)
                .float("middle_probability", selected.middle as f32)
                .float("exit_probability", selected.exit as f32)
        });
        object.bool("measured", profile.capacity.measured(*last_seen)).end()
    }

    /// Milliseconds since 1970 of an hour in the last three days in which the relay was overloaded.
    fn overloaded_at(&self, relay: &Relay, hour: ConsensusHour) -> Option<i64> {
        let span = hour.get().div_euclid(72);
        let mut dice = Dice::keyed(&[self.network.seed, u64::from(relay.profile.index), 20, span as u64]);
        dice.chance(0.03).then(|| hour.plus(-(dice.below(72) as i32)).start_secs() * 1000)
    }
}

/// Addresses for Tor connections at this hour, the primary one first.
pub(crate) fn addresses(relay: &Relay, hour: ConsensusHour) -> Vec<SocketAddr> {
    let profile = &relay.profile;
    // Two neighbours of one operator share an address, on adjacent ports.
    let key = [u64::from(profile.operator), u64::from(profile.index / 2), u64::from(relay.address_number(hour)), 30];
    let mut dice = Dice::keyed(&key);
    let within = dice.below(u64::from(ADDRESSES_PER_PROVIDER)) as u32;
    let v4 = Ipv4Addr::from((10 << 24) + (u32::from(profile.provider) * ADDRESSES_PER_PROVIDER + within) % (1 << 24));
    let port = profile.or_port + (profile.index % 2) as u16;
    let mut addresses = vec![SocketAddr::new(v4.into(), port)];
    if profile.ipv6 {
        let host = dice.bits() as u16;
        let v6 = Ipv6Addr::new(0x2001, 0xdb8, profile.provider, within as u16, 0, 0, host, (profile.index % 0xffff) as u16 + 1);
        addresses.push(SocketAddr::new(v6.into(), port));
    }
    addresses
}

/// Addresses seen leaving the network: mostly the relay's own.
fn exit_addresses(own: IpAddr, relay: &Relay, exit: bool) -> Vec<String> {
    match own {
        IpAddr::V4(own) if exit && relay.profile.index.is_multiple_of(8) => vec![Ipv4Addr::from(u32::from(own) ^ 1).to_string()],
        own if exit => vec![own.to_string()],
        _ => Vec::new(),
    }
}

/// True if country and autonomous system of its address are known.
pub(crate) const fn has_location(relay: &Relay) -> bool {
    relay.profile.index % 251 != 7
}

/// Country and autonomous system; unknown for a few addresses.
fn location(object: Object, relay: &Relay, provider: &Provider) -> Object {
    if !has_location(relay) {
        return object;
    }
    let country = &COUNTRIES[usize::from(relay.profile.country)];
    object
        .text("country", country.code)
        .text("country_name", country.name)
        .text("as", &format!("AS{}", provider.asn))
        .text("as_name", &provider.name)
}

/// Names from the reverse lookup of the address.
fn host_names(object: Object, relay: &Relay, domain: Option<&str>, address: IpAddr) -> Object {
    let label: String = relay.profile.nickname.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    match domain {
        Some(domain) if !label.is_empty() => object.texts("verified_host_names", &[format!("{label}.{domain}")]),
        _ if relay.profile.index.is_multiple_of(3) => {
            let dashed = address.to_string().replace('.', "-");
            object.texts("unverified_host_names", &[format!("{dashed}.static.example")])
        }
        _ => object,
    }
}

fn bandwidths(object: Object, relay: &Relay, hour: ConsensusHour) -> Object {
    let rate = relay.profile.configured_rate.unwrap_or(DEFAULT_RATE);
    let burst = relay.profile.configured_rate.map_or(DEFAULT_RATE, |rate| rate + rate / 4);
    let observed = relay.profile.capacity.observed_now(hour);
    object
        .text("last_restarted", &tor_time(relay.process_start_secs(hour)))
        .integer("bandwidth_rate", rate as i64)
        .integer("bandwidth_burst", burst as i64)
        .integer("observed_bandwidth", observed as i64)
        .integer("advertised_bandwidth", observed.min(rate).min(burst) as i64)
}

/// The summary of the exit policy as consensuses write it.
pub(crate) fn policy_line(relay: &Relay) -> String {
    let (verdict, ports) = policy(relay).1.split_once(':').unwrap_or_default();
    format!("{} {}", verdict.trim_matches(['{', '"']), ports.replace(['[', ']', '"', '}'], ""))
}

/// Exit policy and its summary.
const fn policy(relay: &Relay) -> (&'static str, &'static str) {
    if !relay.profile.nature.exit_policy {
        return (r#"["reject *:*"]"#, r#"{"reject":["1-65535"]}"#);
    }
    match relay.profile.policy {
        0 => (r#"["reject 10.0.0.0/8:*","accept *:80","accept *:443","reject *:*"]"#, r#"{"accept":["80","443"]}"#),
        1 => (r#"["reject 10.0.0.0/8:*","reject *:25","accept *:*"]"#, r#"{"reject":["25"]}"#),
        2 => (
            r#"["reject 10.0.0.0/8:*","accept *:20-23","accept *:43","accept *:53","accept *:79-81","accept *:443","accept *:993-995","accept *:5222-5223","reject *:*"]"#,
            r#"{"accept":["20-23","43","53","79-81","443","993-995","5222-5223"]}"#,
        ),
        3 => (
            r#"["reject 10.0.0.0/8:*","reject *:25","reject *:119","reject *:135-139","reject *:445","reject *:6881-6999","accept *:*"]"#,
            r#"{"reject":["25","119","135-139","445","6881-6999"]}"#,
        ),
        _ => (r#"["reject 10.0.0.0/8:*","accept *:443","reject *:*"]"#, r#"{"accept":["443"]}"#),
    }
}

fn version(object: Object, relay: &Relay, hour: ConsensusHour) -> Object {
    let (release, _) = relay.release(hour);
    let newest = Release::newest(hour);
    let (version, status) =
        if relay.profile.runs_alpha { (newest.alpha_version(), "experimental") } else { (release.version(), release.status(newest)) };
    let system = SYSTEMS.iter().find(|(up_to, _)| relay.profile.system <= *up_to).map_or("Linux", |(_, name)| *name);
    object
        .text("platform", &format!("Tor {version} on {system}"))
        .text("version", &version)
        .text("version_status", status)
        .bool("recommended_version", status == "recommended")
}

/// Family members that listed relays name.
pub(super) struct Families {
    /// By operator: the relays that name each other, in blocks.
    effective: BTreeMap<u32, Vec<Block>>,
    /// By operator: relays that are named and do not name back.
    alleged: BTreeMap<u32, String>,
}

struct Block {
    last: Fingerprint,
    json: String,
}

impl Families {
    pub(super) fn new(network: &Network, listed: &[Listed<'_>]) -> Self {
        let mut members: BTreeMap<u32, (Vec<Fingerprint>, Vec<String>)> = BTreeMap::new();
        for Listed { relay, .. } in listed {
            let profile = &relay.profile;
            if !network.operator(profile.operator).family {
                continue;
            }
            let (mutual, one_sided) = members.entry(profile.operator).or_default();
            if profile.in_family {
                mutual.push(profile.fingerprint);
            } else {
                one_sided.push(profile.fingerprint.to_string());
            }
        }
        let alleged = members.iter().filter(|(_, (_, names))| !names.is_empty()).map(|(operator, (_, names))| (*operator, array(names)));
        let alleged = alleged.collect();
        let effective = members.into_iter().map(|(operator, (mutual, _))| (operator, mutual.chunks(MOST_IN_FAMILY).map(block).collect()));
        Self { effective: effective.collect(), alleged }
    }

    /// Adds the families of a relay; alone, it is its own.
    fn add(&self, object: Object, relay: &Relay) -> Object {
        let profile = &relay.profile;
        let blocks = self.effective.get(&profile.operator).filter(|_| profile.in_family);
        let block = blocks.and_then(|blocks| blocks.iter().find(|block| profile.fingerprint <= block.last));
        let Some(block) = block else { return object.texts("effective_family", &[profile.fingerprint.to_string()]) };
        object.json("effective_family", &block.json).json("alleged_family", self.alleged.get(&profile.operator).map_or("", String::as_str))
    }
}

fn block(members: &[Fingerprint]) -> Block {
    let names: Vec<String> = members.iter().map(Fingerprint::to_string).collect();
    Block { last: members.last().copied().unwrap_or_else(|| Fingerprint::new([0; 20])), json: array(&names) }
}

fn array(names: &[String]) -> String {
    format!("[\"{}\"]", names.join("\",\""))
}
