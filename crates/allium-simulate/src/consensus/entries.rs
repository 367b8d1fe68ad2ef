//! The relays of a consensus.

use std::fmt::Write as _;
use std::net::SocketAddr;

use allium_model::{ConsensusHour, RelayFlag, RelayFlags};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::Flavour;
use crate::Network;
use crate::dice::Dice;
use crate::network::flags_in;
use crate::onionoo::{addresses, policy_line};
use crate::relay::Relay;

const PROTOCOLS: &str = "Conflux=1 Cons=1-2 Desc=1-2 DirCache=2 FlowCtrl=1-2 HSDir=2 HSIntro=4-5 HSRend=1-2 Link=1-5 LinkAuth=1,3 Microdesc=1-2 Padding=2 Relay=1-4";
const LONGEST_NICKNAME: usize = 19;
/// Relays publish a server descriptor at least this often.
const DESCRIPTOR_HOURS: i32 = 18;
/// Onion keys, and with them microdescriptors, change this often.
const ONION_KEY_HOURS: i32 = 28 * 24;

pub(super) fn push(text: &mut String, network: &Network, hour: ConsensusHour, flavour: Flavour) {
    let mut listed: Vec<(&Relay, RelayFlags)> =
        network.relays.iter().filter_map(|relay| flags_in(&relay.spans, hour).map(|flags| (relay, flags))).collect();
    listed.sort_unstable_by_key(|(relay, _)| relay.profile.fingerprint);
    text.reserve(listed.len() * 420);
    for (relay, flags) in listed {
        push_entry(text, relay, flags, hour, flavour);
    }
}

fn push_entry(text: &mut String, relay: &Relay, flags: RelayFlags, hour: ConsensusHour, flavour: Flavour) {
    let profile = &relay.profile;
    let addresses = addresses(relay, hour);
    let identity = STANDARD_NO_PAD.encode(profile.fingerprint.as_bytes());
    let descriptor = match flavour {
        Flavour::Ns => format!(" {}", digest::<20>(relay, 60, hour, DESCRIPTOR_HOURS)),
        Flavour::Microdesc => String::new(),
    };
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "r {} {identity}{descriptor} 2038-01-01 00:00:00 {} {} {}",
        nickname(&profile.nickname),
        addresses[0].ip(),
        addresses[0].port(),
        profile.dir_port.unwrap_or(0),
    );
    for address in addresses.iter().filter(|address| matches!(address, SocketAddr::V6(_))) {
        let _ = writeln!(text, "a {address}");
    }
    if flavour == Flavour::Microdesc {
        let _ = writeln!(text, "m {}", digest::<32>(relay, 61, hour, ONION_KEY_HOURS));
    }
    text.push('s');
    for flag in flags.iter() {
        text.push(' ');
        text.push_str(RelayFlag::name(flag));
    }
    let unmeasured = if profile.capacity.measured(hour) { "" } else { " Unmeasured=1" };
    let _ =
        write!(text, "\nv Tor {}\npr {PROTOCOLS}\nw Bandwidth={}{unmeasured}\n", relay.version(hour), profile.capacity.weight(hour) as i64);
    if flavour == Flavour::Ns {
        let _ = writeln!(text, "p {}", policy_line(relay));
    }
}

/// As Tor allows it: 1 to 19 letters and digits.
fn nickname(nickname: &str) -> String {
    let kept: String = nickname.chars().filter(char::is_ascii_alphanumeric).take(LONGEST_NICKNAME).collect();
    if kept.is_empty() { "Unnamed".to_owned() } else { kept }
}

/// The digest of a document that is replaced every `every_hours` hours, and with the address.
fn digest<const N: usize>(relay: &Relay, what: u64, hour: ConsensusHour, every_hours: i32) -> String {
    let [seed, number] = relay.profile.capacity.key;
    let phase = (number % every_hours as u64) as i32;
    let edition = (hour.get() + phase).div_euclid(every_hours);
    let mut bytes = [0; N];
    Dice::keyed(&[seed, number, what, edition as u64, u64::from(relay.address_number(hour))]).fill(&mut bytes);
    STANDARD_NO_PAD.encode(bytes)
}
