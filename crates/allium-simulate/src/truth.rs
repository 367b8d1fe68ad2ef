//! Ground truth: what really happened, to judge detection by.
//!
//! One object per event of the scenario that has begun, in the order of the list. Times are RFC 3339 and mean consensuses:
//! `start` is the first one concerned, `end` the first after it in which all who come back are back. Fingerprints are sorted.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use allium_model::{Fingerprint, RelayFlag};
use serde::Serialize;

use crate::Network;
use crate::authority::NAMES;
use crate::scenario::{Grouping, Scope, What};
use crate::stage::Act;

/// Effects of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// `outage`, `flap`, `flag_loss`, `join`, `missing`, `stale`, `late`, `authorities`.
    pub kind: &'static str,
    /// `AS`, `country`, `operator`, `version`, `random` or `network`.
    pub scope: &'static str,
    /// The group, such as an AS, also where the scenario names it by rank; `*` for the network; for failing authorities their nicknames.
    pub key: String,
    /// The first hour concerned.
    pub start: String,
    /// The hour after the last.
    pub end: String,
    /// The flag that was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<&'static str>,
    /// Number of relays concerned, or of authorities.
    pub n: usize,
    /// Number of relays of that scope that were running when it began, or have joined so far.
    pub n_in_scope: usize,
    /// The event as the scenario has it.
    pub event: String,
    /// The relays concerned; none where hours or authorities are.
    pub fingerprints: Vec<String>,
}

impl Truth {
    /// True if it is about relays, false if about hours or authorities.
    pub fn concerns_relays(&self) -> bool {
        matches!(self.kind, "outage" | "flap" | "flag_loss" | "join")
    }
}

impl Network {
    /// Effects of the scenario so far.
    pub fn truth(&self) -> Vec<Truth> {
        self.stage.acts.iter().filter_map(|act| self.truth_of(act)).collect()
    }

    fn truth_of(&self, act: &Act) -> Option<Truth> {
        let cast = act.cast.as_ref()?;
        let event = &act.event;
        let (kind, scope) = kind_and_scope(&event.what);
        let mut fingerprints: Vec<Fingerprint> = cast.relays.iter().map(|index| self.relays[*index as usize].profile.fingerprint).collect();
        fingerprints.sort_unstable();
        let mut truth = Truth {
            kind,
            scope,
            key: cast.key.clone().unwrap_or_else(|| "*".to_owned()),
            start: event.start.to_string(),
            end: act.settled_at().to_string(),
            flag: None,
            n: fingerprints.len(),
            n_in_scope: cast.n_in_scope,
            event: event.to_string(),
            fingerprints: fingerprints.iter().map(Fingerprint::to_string).collect(),
        };
        match &event.what {
            What::FlagLoss { flag, .. } => truth.flag = Some(RelayFlag::name(*flag)),
            What::Authorities { n, .. } => {
                let mut names: Vec<&str> = act.failing_authorities(self.seed, *n).map(|i| NAMES[i]).collect();
                names.sort_unstable();
                (truth.n, truth.key) = (names.len(), names.join(","));
            }
            _ => {}
        }
        Some(truth)
    }
}

const fn kind_and_scope(what: &What) -> (&'static str, &'static str) {
    match what {
        What::Outage { whom, .. } => ("outage", whom.scope.name()),
        What::Flap { whom, .. } => ("flap", whom.scope.name()),
        What::FlagLoss { whom, .. } => ("flag_loss", whom.scope.name()),
        What::Flood { asn: Some(_), .. } => ("join", "AS"),
        What::Flood { asn: None, .. } => ("join", "network"),
        What::Missing => ("missing", "network"),
        What::Stale => ("stale", "network"),
        What::Late { .. } => ("late", "network"),
        What::Authorities { .. } => ("authorities", "network"),
    }
}

impl Scope {
    const fn name(&self) -> &'static str {
        match self {
            Self::Group(Grouping::As, _) => "AS",
            Self::Group(Grouping::Country, _) => "country",
            Self::Group(Grouping::Operator, _) => "operator",
            Self::Group(Grouping::Version, _) => "version",
            Self::Random(_) => "random",
            Self::All => "network",
        }
    }
}

/// Writes one JSON object per line.
///
/// # Errors
/// A file that cannot be created or written.
pub fn write_file(network: &Network, path: &Path) -> io::Result<()> {
    let mut file = BufWriter::new(fs::File::create(path)?);
    write(network, &mut file)?;
    file.flush()
}

/// Writes the same lines to anywhere.
///
/// # Errors
/// Writing failed.
pub fn write(network: &Network, out: &mut impl Write) -> io::Result<()> {
    for truth in network.truth() {
        serde_json::to_writer(&mut *out, &truth)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
