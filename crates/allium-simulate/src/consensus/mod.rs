//! The network as consensuses: network-status-consensus-3 documents of both flavours, signed by the network's own authorities.
//!
//! Written as dir-spec, section 3.4, has them (consensus method 33): header, votes, an entry per listed relay in the order of identities,
//! weights, signatures. Key certificates with which the signatures verify come with them, and the authorities' identities to trust.
//! Any published consensus of the generated history can be asked for, and is the same whenever it is asked for.
//!
//! Nicknames that Tor would refuse (the hostile ones that Onionoo documents carry) are reduced to their letters and digits here.
//! Digests of server descriptors and microdescriptors belong to no document.

mod entries;
mod head;

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use allium_model::{ConsensusHour, Fingerprint};
use sha2::{Digest as _, Sha256};

use crate::Network;
use crate::authority::{NAMES, object};
use crate::scenario::AuthorityFault;
use crate::votes::bandwidth_weights_line;

/// Flavour of a consensus: each hour has two documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flavour {
    /// With digests of server descriptors and exit policies.
    Ns,
    /// With digests of microdescriptors.
    Microdesc,
}

impl Flavour {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ns, Self::Microdesc];

    /// As directory servers name the document.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ns => "consensus",
            Self::Microdesc => "consensus-microdesc",
        }
    }

    /// Directory in which CollecTor keeps such documents, below `recent` and `relay-descriptors`.
    pub const fn collector_path(self) -> &'static str {
        match self {
            Self::Ns => "consensuses",
            Self::Microdesc => "microdescs/consensus-microdesc",
        }
    }

    /// CollecTor's first line.
    pub const fn annotation(self) -> &'static str {
        match self {
            Self::Ns => "@type network-status-consensus-3 1.0\n",
            Self::Microdesc => "@type network-status-microdesc-consensus-3 1.0\n",
        }
    }
}

/// A directory authority of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// Its nickname.
    pub nickname: &'static str,
    /// The digest of its identity key: what to trust.
    pub identity: Fingerprint,
}

/// The network's directory authorities, in the order of nicknames.
pub fn authorities(network: &Network) -> Vec<Authority> {
    NAMES.into_iter().zip(network.authorities.identities()).map(|(nickname, identity)| Authority { nickname, identity }).collect()
}

/// The certificates that authorities serve at this hour, one after the other.
pub fn certificates(network: &Network, hour: ConsensusHour) -> String {
    network.authorities.certified(hour).iter().map(|certified| certified.certificate.as_str()).collect()
}

/// The consensus of this hour; `None` if none is published.
pub fn document(network: &Network, hour: ConsensusHour, flavour: Flavour) -> Option<String> {
    if !network.is_known(hour) {
        return None;
    }
    let mut text = String::with_capacity(1 << 16);
    head::push(&mut text, network, hour, flavour);
    entries::push(&mut text, network, hour, flavour);
    text.push_str("directory-footer\n");
    if let Some(totals) = network.totals_at(hour) {
        text.push_str(&bandwidth_weights_line(&totals.position_factors()));
    }
    sign(&mut text, network, hour, flavour);
    Some(text)
}

/// Adds the signatures, in the order of identities.
fn sign(text: &mut String, network: &Network, hour: ConsensusHour, flavour: Flavour) {
    let signed = [text.as_bytes(), b"directory-signature "].concat();
    let (algorithm, digest) = match flavour {
        Flavour::Ns => ("", crate::authority::sha1(&signed).to_vec()),
        Flavour::Microdesc => ("sha256 ", Sha256::digest(&signed).to_vec()),
    };
    let (identities, certified) = (network.authorities.identities(), network.authorities.certified(hour));
    for i in head::by_identity(&identities) {
        let key = &certified[i].signing;
        let signature = match network.stage.authorities_at(hour)[i] {
            Some(AuthorityFault::Silent | AuthorityFault::Unsigned) => continue,
            // A signature of something else.
            Some(AuthorityFault::Garbled) => key.sign(&digest.iter().map(|byte| !byte).collect::<Vec<_>>()),
            None => key.sign(&digest),
        };
        // Writing to a string cannot fail.
        let _ = write!(text, "directory-signature {algorithm}{} {}\n{}", identities[i], key.digest(), object("SIGNATURE", &signature));
    }
}

/// CollecTor's name for the file of a consensus.
pub fn file_name(hour: ConsensusHour, flavour: Flavour) -> String {
    let t = hour.civil();
    format!("{:04}-{:02}-{:02}-{:02}-00-00-{}", t.year(), t.month(), t.day(), t.hour(), flavour.name())
}

/// Writes the published consensuses of the last `n_hours` hours as CollecTor keeps them: `consensuses/…`,
/// `microdescs/consensus-microdesc/…`, all certificates that they need in `certs/certificates`, and in `authorities.txt` a line with
/// nickname and identity per authority. Returns the number of documents.
///
/// # Errors
/// A directory or file that cannot be created or written.
pub fn write_dir(network: &Network, dir: &Path, n_hours: u32) -> io::Result<usize> {
    let from = network.now().plus(1 - n_hours.min(i32::MAX as u32) as i32).max(network.first_consensus());
    let hours = (0..=network.now().hours_since(from)).map(|i| from.plus(i)).filter(|hour| network.is_known(*hour));
    Flavour::ALL.iter().try_for_each(|flavour| fs::create_dir_all(dir.join(flavour.collector_path())))?;
    let (mut n_documents, mut certified_until, mut certs) = (0, None, String::new());
    for hour in hours {
        for flavour in Flavour::ALL {
            let Some(text) = document(network, hour, flavour) else { continue };
            fs::write(dir.join(flavour.collector_path()).join(file_name(hour, flavour)), [flavour.annotation(), &text].concat())?;
            n_documents += 1;
        }
        if certified_until.replace(hour.civil().year()) != Some(hour.civil().year()) {
            certs.push_str(&annotated_certificates(network, hour));
        }
    }
    fs::create_dir_all(dir.join("certs"))?;
    fs::write(dir.join("certs").join("certificates"), certs)?;
    let lines: String = authorities(network).iter().map(|authority| format!("{} {}\n", authority.nickname, authority.identity)).collect();
    fs::write(dir.join("authorities.txt"), lines)?;
    Ok(n_documents)
}

/// The certificates of this hour, each after CollecTor's first line.
fn annotated_certificates(network: &Network, hour: ConsensusHour) -> String {
    let certified = network.authorities.certified(hour);
    certified.iter().map(|certified| format!("@type dir-key-certificate-3 1.0\n{}", certified.certificate)).collect()
}
