//! Preamble of a consensus, before its first relay.

use std::fmt::Write as _;

use allium_model::{ConsensusHour, Fingerprint, RelayFlag};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Flavour;
use crate::Network;
use crate::authority::NAMES;
use crate::dice::Dice;
use crate::onionoo::{addresses, tor_time};
use crate::relay::Relay;
use crate::releases::Release;
use crate::scenario::AuthorityFault;

const PROTOCOLS: &str = "\
recommended-client-protocols Cons=2 Desc=2 DirCache=2 FlowCtrl=1-2 HSDir=2 HSIntro=4 HSRend=2 Link=4-5 Microdesc=2 Relay=2-4
recommended-relay-protocols Cons=2 Desc=2 DirCache=2 FlowCtrl=1-2 HSDir=2 HSIntro=4-5 HSRend=2 Link=4-5 LinkAuth=3 Microdesc=2 Relay=2-4
required-client-protocols Cons=2 Desc=2 FlowCtrl=1 Link=4 Microdesc=2 Relay=2
required-relay-protocols Cons=2 Desc=2 DirCache=2 FlowCtrl=1-2 HSDir=2 HSIntro=4-5 HSRend=2 Link=4-5 LinkAuth=3 Microdesc=2 Relay=2-4
params AuthDirMaxServersPerAddr=8 CircuitPriorityHalflifeMsec=30000 bwweightscale=10000 cbttestfreq=10 guard-lifetime-days=120 hs_service_max_rdv_failures=1
";

pub(super) fn push(text: &mut String, network: &Network, hour: ConsensusHour, flavour: Flavour) {
    let kind = if flavour == Flavour::Microdesc { " microdesc" } else { "" };
    let start = hour.start_secs();
    let versions = recommended_versions(hour);
    let flags: Vec<&str> = RelayFlag::ALL.iter().map(|flag| flag.name()).collect();
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "network-status-version 3{kind}\nvote-status consensus\nconsensus-method 33\nvalid-after {}\nfresh-until {}\nvalid-until {}\n\
         voting-delay 300 300\nclient-versions {versions}\nserver-versions {versions}\nknown-flags {}\n{PROTOCOLS}",
        tor_time(start),
        tor_time(start + 3600),
        tor_time(start + 3 * 3600),
        flags.join(" "),
    );
    for (name, days_ago) in [("previous", 1), ("current", 0)] {
        let _ = writeln!(text, "shared-rand-{name}-value 9 {}", shared_random(network.seed, hour.get().div_euclid(24) - days_ago));
    }
    push_votes(text, network, hour);
}

/// The authorities that voted, in the order of identities.
fn push_votes(text: &mut String, network: &Network, hour: ConsensusHour) {
    let identities = network.authorities.identities();
    let faults = network.stage.authorities_at(hour);
    let relays: Vec<&Relay> = network.relays.iter().filter(|relay| relay.profile.nature.authority).collect();
    for i in by_identity(&identities).filter(|i| faults[*i] != Some(AuthorityFault::Silent)) {
        let Some(relay) = relays.get(i) else { continue };
        let address = addresses(relay, hour)[0];
        let (ip, dir_port) = (address.ip(), relay.profile.dir_port.unwrap_or(0));
        let mut vote = [0; 20];
        Dice::keyed(&[network.seed, 52, i as u64, hour.get() as u64]).fill(&mut vote);
        let _ = write!(
            text,
            "dir-source {name} {} {name}.example {ip} {dir_port} {}\ncontact {name} <tor AT {name} dot example>\nvote-digest {}\n",
            identities[i],
            address.port(),
            Fingerprint::new(vote),
            name = NAMES[i],
        );
    }
}

/// Indexes in the order of identities.
pub(super) fn by_identity(identities: &[Fingerprint]) -> impl Iterator<Item = usize> + use<> {
    let mut order: Vec<usize> = (0..identities.len()).collect();
    order.sort_by_key(|i| identities[*i]);
    order.into_iter()
}

fn recommended_versions(hour: ConsensusHour) -> String {
    let newest = Release::newest(hour);
    let releases = std::iter::successors(Some(newest), |release| release.previous()).take(12);
    let mut recommended: Vec<Release> = releases.filter(|release| release.status(newest) == "recommended").collect();
    recommended.sort_unstable();
    recommended.into_iter().map(Release::version).collect::<Vec<_>>().join(",")
}

/// The random value that the authorities agree on each day.
fn shared_random(seed: u64, day: i32) -> String {
    let mut bytes = [0; 32];
    Dice::keyed(&[seed, 53, day as u64]).fill(&mut bytes);
    STANDARD.encode(bytes)
}
