//! Consensuses written by hand, unsigned, as `import collector` takes them.
#![allow(dead_code, reason = "no test needs all of it")]

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// A relay as the test's consensus lists it, in the lines that follow `r`.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The last byte of its fingerprint, whose others are 0.
    pub(crate) n: u8,
    pub(crate) nickname: String,
    /// Lines `a`, `s`, `v`, `w`, `p` and what else there is, each with its line feed.
    pub(crate) lines: String,
}

impl Entry {
    /// A running relay with this weight that lets nothing out.
    pub(crate) fn new(n: u8, weight: u64) -> Self {
        let lines = format!("s Fast Running Stable V2Dir Valid\nv Tor 0.4.8.21\nw Bandwidth={weight}\np reject 1-65535\n");
        Self { n, nickname: format!("relay{n}"), lines }
    }
}

/// Writes the consensus of an hour in March 2026 with these relays of weight 100.
pub(crate) fn write(folder: &Path, day: u8, hour: u8, relays: &[u8]) {
    let entries: Vec<Entry> = relays.iter().map(|n| Entry::new(*n, 100)).collect();
    write_entries(folder, (day, hour), &entries, "Wgg=6000 Wmg=4000 Wmm=10000 Wee=10000 Wed=10000");
}

/// Writes the consensus of a day and hour in March 2026 with these relays and bandwidth weights.
pub(crate) fn write_entries(folder: &Path, (day, hour): (u8, u8), entries: &[Entry], bandwidth_weights: &str) {
    let authority = "A".repeat(40);
    let mut text = format!(
        "@type network-status-consensus-3 1.0\nnetwork-status-version 3\nvote-status consensus\nconsensus-method 33\n\
         valid-after 2026-03-{day:02} {hour:02}:00:00\nfresh-until 2026-03-{day:02} {:02}:00:00\nvalid-until 2026-03-{day:02} {:02}:00:00\n\
         voting-delay 300 300\nknown-flags Authority BadExit Exit Fast Guard HSDir Running Stable V2Dir Valid\n\
         dir-source ada {authority} ada.example 192.0.2.1 80 443\ncontact ada\nvote-digest {authority}\n",
        hour + 1,
        hour + 3
    );
    for Entry { n, nickname, lines } in entries {
        let mut identity = [0; 20];
        identity[19] = *n;
        let [identity, digest] = [identity, [*n; 20]].map(|bytes| STANDARD_NO_PAD.encode(bytes));
        let _ = write!(text, "r {nickname} {identity} {digest} 2038-01-01 00:00:00 198.51.100.{n} 9001 0\n{lines}");
    }
    let signature = "-----BEGIN SIGNATURE-----\nAAAA\n-----END SIGNATURE-----";
    let _ =
        write!(text, "directory-footer\nbandwidth-weights {bandwidth_weights}\ndirectory-signature {authority} {authority}\n{signature}\n");
    std::fs::write(folder.join(format!("2026-03-{day:02}-{hour:02}-00-00-consensus")), text).unwrap();
}
