//! The network as Onionoo documents.
//!
//! Byte for byte as Onionoo writes them: the envelope line by line, each relay on a line of its own, empty and unknown fields left
//! out, numbers as Java prints them. Relays are listed that were seen in the 7 days before the newest consensus; histories
//! of those that are away end at their last appearance, because Onionoo rewrites them only for relays in a consensus.

mod details;
mod graphs;
mod json;

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use allium_model::{Asn, ConsensusHour, DocumentKind};

use crate::Network;
use crate::relay::Relay;
pub(crate) use details::{MOST_IN_FAMILY, addresses, has_location, policy_line};
use json::Object;
pub(crate) use json::tor_time;

/// Hours after its last appearance for which a relay is listed.
const LISTED_HOURS: i32 = 7 * 24;

/// Writes a document.
///
/// # Errors
/// Errors of `out`.
pub fn document(network: &Network, kind: DocumentKind, out: &mut impl Write) -> io::Result<()> {
    let published = network.newest().unwrap_or(network.first_consensus());
    out.write_all(head(published).as_bytes())?;
    let context = Context::new(network);
    for (i, listed) in context.listed.iter().enumerate() {
        out.write_all(if i == 0 { b"\n" } else { b",\n" })?;
        out.write_all(context.relay(kind, listed).as_bytes())?;
    }
    out.write_all(tail(published).as_bytes())
}

/// Writes all documents into a directory as `details.json`, `uptime.json` and so on.
///
/// # Errors
/// A directory or file that cannot be created or written.
pub fn write_dir(network: &Network, dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    for kind in DocumentKind::ALL {
        let mut file = BufWriter::with_capacity(1 << 18, fs::File::create(dir.join(format!("{kind}.json")))?);
        document(network, kind, &mut file)?;
        file.flush()?;
    }
    Ok(())
}

/// The envelope up to the opening bracket of the relays.
pub(crate) fn head(published: ConsensusHour) -> String {
    format!("{}\"relays\":[", envelope(published))
}

/// The envelope before the relays.
pub(crate) fn envelope(published: ConsensusHour) -> String {
    let time = tor_time(published.start_secs());
    format!("{{\"version\":\"8.0\",\n\"build_revision\":\"51a11ed\",\n\"relays_published\":\"{time}\",\n")
}

/// The envelope from the closing bracket of the relays on: there are no bridges.
fn tail(published: ConsensusHour) -> String {
    format!("\n],\n{}\n]}}\n", bridges(published))
}

/// The beginning of the empty list of bridges, which are counted at another minute.
pub(crate) fn bridges(published: ConsensusHour) -> String {
    let time = tor_time(published.start_secs() - 18 * 60 - 8);
    format!("\"bridges_published\":\"{time}\",\n\"bridges\":[")
}

/// A relay with the hour as of which Onionoo describes it.
pub(crate) struct Listed<'a> {
    pub(crate) relay: &'a Relay,
    pub(crate) last_seen: ConsensusHour,
}

/// Data that the documents of one consensus share.
pub(crate) struct Context<'a> {
    network: &'a Network,
    pub(crate) listed: Vec<Listed<'a>>,
    families: details::Families,
}

impl<'a> Context<'a> {
    pub(crate) fn new(network: &'a Network) -> Self {
        let since = network.newest().unwrap_or(network.first_consensus()).plus(-LISTED_HOURS);
        let listed = |relay: &'a Relay| relay.last_seen().filter(|seen| *seen >= since).map(|last_seen| Listed { relay, last_seen });
        let mut listed: Vec<Listed<'_>> = network.relays.iter().filter_map(listed).collect();
        listed.sort_by_key(|listed| listed.relay.profile.fingerprint);
        let families = details::Families::new(network, &listed);
        Self { network, families, listed }
    }

    /// The line of a relay.
    pub(crate) fn relay(&self, kind: DocumentKind, listed: &Listed<'_>) -> String {
        match kind {
            DocumentKind::Summary => self.summary(listed),
            DocumentKind::Details => self.details(listed),
            DocumentKind::Uptime => self.uptime(listed),
            DocumentKind::Weights => self.weights(listed),
            DocumentKind::Bandwidth => self.bandwidth(listed),
        }
    }

    /// The autonomous system of a relay.
    pub(crate) fn asn(&self, relay: &Relay) -> Asn {
        Asn(self.network.providers.list[usize::from(relay.profile.provider)].asn)
    }

    /// The contact of a relay; empty if it has none.
    pub(crate) fn contact(&self, relay: &Relay) -> &str {
        self.network.operator(relay.profile.operator).contact.as_deref().unwrap_or_default()
    }

    fn summary(&self, listed: &Listed<'_>) -> String {
        let profile = &listed.relay.profile;
        let addresses = addresses(listed.relay, listed.last_seen).into_iter().map(|address| address.ip().to_string()).collect::<Vec<_>>();
        Object::new()
            .text("n", &profile.nickname)
            .text("f", &profile.fingerprint.to_string())
            .texts("a", &addresses)
            .bool("r", Some(listed.last_seen) == self.network.newest())
            .end()
    }
}
