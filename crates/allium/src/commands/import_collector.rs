//! `allium import collector`: consensuses from files into the store.
//!
//! Documents come in any order and are stored by the batch, some six weeks of the network at a time: each batch is one
//! transaction, and what is known already stays as it is, so an import that was interrupted can be started again. A consensus
//! that cannot be read costs only itself, also among others in one file: the others are stored, and the exit status is 1.
//!
//! A consensus is marked as verified where the given certificates prove that more than half of the trusted authorities
//! signed it; files are taken in without that too.

use std::collections::BTreeSet;
use std::path::PathBuf;

use allium_history::{AppliedSpans, ConsensusInfo, ConsensusSource, ConsensusWeights, Statements, Store};
use allium_model::{Bounds, ConsensusHour, Timestamp};
use allium_sources::Error;
use allium_sources::collector::archive::{Found, walk};
use allium_sources::consensus::verify::{Certificates, TrustedAuthority, public_network, verify};
use allium_sources::consensus::{Batch, Consensus, decode_part, parts};
use allium_words::format::count;
use allium_words::inert::inert;
use anyhow::bail;

use allium_service::workers::intake::{add_statements, weights};

use super::left_out::{LeftOut, with_cause};
use crate::cli::CollectorArgs;
use crate::commands::ahead;
use crate::config::Config;
use crate::progress::Progress;

/// Number of relays that the consensuses of a batch list together: 80 MB.
const MAX_BATCH_LISTED: usize = 10_000_000;
/// The weights of how many consensuses are stored at once: two days.
const MAX_WEIGHTS: usize = 48;

/// Reads all documents under these paths and stores the consensuses among them.
pub(crate) fn run(config: &Config, args: &CollectorArgs) -> anyhow::Result<()> {
    let progress = Progress::start(args.paths.len());
    let trusted = if args.authority.is_empty() { public_network() } else { args.authority.clone() };
    let mut left_out = LeftOut::default();
    let mut import = Import {
        certificates: read_certificates(&args.certificates, &trusted, &mut left_out)?,
        left_out,
        trusted,
        bounds: config.bounds(Timestamp::now()),
        store: config.store.open()?,
        batch: Batch::default(),
        weights: Vec::new(),
        statements: Statements::new(),
        verified: BTreeSet::new(),
        seen: Seen::default(),
    };
    for path in &args.paths {
        progress.step(&format!("reading {}", inert(&path.display().to_string())));
        walk(path, &mut |found| import.take(found))?;
    }
    import.store_batch()?;
    ahead::warn(&*import.store, import.bounds)?;
    let Import { seen, left_out, .. } = import;
    progress.finish(&format!("{}: {}", config.store, seen.summary(&left_out)));
    left_out.finish();
    left_out.check()?;
    if seen.n_consensuses == 0 {
        bail!("no consensus in these files");
    }
    Ok(())
}

/// The certificates of trusted authorities in these files.
fn read_certificates(paths: &[PathBuf], trusted: &[TrustedAuthority], left_out: &mut LeftOut) -> anyhow::Result<Certificates> {
    let mut certificates = Certificates::default();
    for path in paths {
        walk(path, &mut |found| -> anyhow::Result<()> {
            match found.document {
                Ok(document) => {
                    for reject in certificates.add(&document, &found.origin, trusted) {
                        left_out.print(&format!("{} {}: {}", reject.origin, reject.location, reject.reason));
                    }
                }
                Err(error) => left_out.failure(&with_cause(&error)),
            }
            Ok(())
        })?;
    }
    if certificates.is_empty() && !paths.is_empty() {
        bail!("no certificate of a trusted authority in these files");
    }
    Ok(certificates)
}

/// An import under way.
struct Import {
    certificates: Certificates,
    trusted: Vec<TrustedAuthority>,
    /// Hours of the batch whose consensus is verified.
    verified: BTreeSet<ConsensusHour>,
    bounds: Bounds,
    store: Box<dyn Store>,
    batch: Batch,
    /// Weights of consensuses that are not stored yet.
    weights: Vec<ConsensusWeights>,
    /// The attributes that the consensuses of the batch state of relays.
    statements: Statements,
    seen: Seen,
    left_out: LeftOut,
}

/// Counts of the documents so far.
#[derive(Default)]
struct Seen {
    n_consensuses: u64,
    n_stored: u64,
    n_verified: u64,
    n_twice: u64,
    n_rejects: u64,
}

impl Import {
    /// Takes one file, which may hold several consensuses; only a store that cannot be written ends the import.
    fn take(&mut self, found: Found) -> anyhow::Result<()> {
        let document = match found.document {
            Ok(document) => document,
            Err(Error::NotFile { .. }) => {
                self.left_out.passed_over(&found.origin);
                return Ok(());
            }
            Err(error) => {
                self.left_out.failure(&with_cause(&error));
                return Ok(());
            }
        };
        let parts = parts(&document);
        // Directories and archives hold other documents too; what was named, or is named so, should be what was asked for.
        let is_expected = found.is_named || parts.len() > 1 || is_consensus_name(&found.origin);
        for part in &parts {
            let decoded = decode_part(&document, part, &found.origin).and_then(|consensus| consensus.within(self.bounds));
            match decoded {
                Ok(consensus) => self.add(&consensus, &document)?,
                Err(Error::NotConsensus { .. } | Error::Empty { .. }) if !is_expected => self.left_out.passed_over(&found.origin),
                Err(error) if parts.len() > 1 => self.left_out.failure(&format!("{} (from line {})", with_cause(&error), part.line)),
                Err(error) => self.left_out.failure(&with_cause(&error)),
            }
        }
        Ok(())
    }

    fn add(&mut self, consensus: &Consensus, document: &[u8]) -> anyhow::Result<()> {
        self.seen.n_consensuses += 1;
        self.seen.n_rejects += consensus.n_rejects as u64;
        for reject in &consensus.rejects {
            self.left_out.print(&format!("{} {}: {}", reject.origin, reject.location, reject.reason));
        }
        if !self.batch.add(consensus) {
            self.seen.n_twice += 1;
            return Ok(());
        }
        if verify(consensus, document, &self.certificates, &self.trusted).is_ok() {
            self.verified.insert(consensus.hour);
            self.seen.n_verified += 1;
        }
        add_statements(&mut self.statements, consensus);
        self.weights.push(weights(consensus, ConsensusSource::Collector));
        if self.weights.len() >= MAX_WEIGHTS {
            self.store.append_weights(&std::mem::take(&mut self.weights))?;
        }
        if self.batch.n_listed() >= MAX_BATCH_LISTED { self.store_batch() } else { Ok(()) }
    }

    /// Stores what was gathered and begins anew.
    fn store_batch(&mut self) -> anyhow::Result<()> {
        let (weights, statements) = (std::mem::take(&mut self.weights), std::mem::take(&mut self.statements));
        let (batch, verified) = (std::mem::take(&mut self.batch), std::mem::take(&mut self.verified));
        let received_at = Timestamp::now();
        let info = |hour| ConsensusInfo { hour, source: ConsensusSource::Collector, verified: verified.contains(&hour), received_at };
        let consensuses: Vec<ConsensusInfo> = batch.hours().map(info).collect();
        let AppliedSpans { n_consensuses, n_already_known, .. } =
            self.store.append_weighed_spans(&consensuses, &mut batch.spans().into_iter(), &weights, &statements)?;
        self.seen.n_stored += n_consensuses as u64;
        self.seen.n_twice += n_already_known as u64;
        Ok(())
    }
}

impl Seen {
    fn summary(&self, left_out: &LeftOut) -> String {
        [
            format!("{} of {} consensuses taken in", count(self.n_stored), count(self.n_consensuses)),
            format!("{} verified", count(self.n_verified)),
            format!("{} of hours known already", count(self.n_twice)),
            format!("{} other documents", count(left_out.n_passed_over())),
            format!("{} unreadable", count(left_out.n_failures())),
            format!("{} rejects", count(self.n_rejects)),
        ]
        .join(", ")
    }
}

/// True if a file is called what CollecTor calls a consensus, such as `2026-02-15-18-00-00-consensus-microdesc`.
fn is_consensus_name(origin: &str) -> bool {
    let name = origin.rsplit(['/', '\\', ':']).next().unwrap_or_default();
    name.contains("-consensus")
}
