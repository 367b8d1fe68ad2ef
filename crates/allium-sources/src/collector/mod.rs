//! CollecTor, the archive of what the Tor network publishes about itself.
//!
//! There are two ways to its consensuses. Its archives are files that the user has downloaded ([`archive`]): documents of any
//! hour, in any order, not verified unless the keys of their time are at hand. Its recent documents, those of the last
//! 72 hours, are fetched ([`Collector`]): what a store has missed is found in the index, checked against the digest there
//! and against the signatures of the authorities.

pub mod archive;
pub mod index;
mod tar;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use allium_model::ConsensusHour;
use reqwest::Url;
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, timeout_at};

use self::index::{Index, Listed};
use crate::consensus::verify::{Certificates, TrustedAuthority, missing, public_network, verify};
use crate::consensus::{Consensus, Flavour, LIMITS, decode};
use crate::directory::Verified;
use crate::error::Error;
pub use crate::http::HttpOptions;
use crate::http::{Http, base_url, below, off_the_loop};
use crate::read::Limits;

const ENCODINGS: &str = "gzip";
const INDEX: &str = "index/index.json.gz";
/// The index lists every file of the archive.
const INDEX_LIMITS: Limits = Limits { max_compressed_bytes: 32 << 20, max_bytes: 128 << 20, max_ratio: 1000 };

/// Settings for fetching recent documents.
#[derive(Debug, Clone)]
pub struct CollectorOptions {
    /// Such as `https://collector.torproject.org`.
    pub base_url: String,
    /// The flavour to fetch.
    pub flavour: Flavour,
    /// Authorities whose signatures count.
    pub trusted: Vec<TrustedAuthority>,
    /// Number of consensuses that one visit fetches at most, the latest first.
    pub max_consensuses: usize,
    /// Time that a whole visit may take; the files that it does not reach are left to the next one.
    pub deadline: Duration,
    /// Settings of requests.
    pub http: HttpOptions,
}

impl Default for CollectorOptions {
    /// The public Tor network, and all that CollecTor keeps as recent.
    fn default() -> Self {
        Self {
            base_url: "https://collector.torproject.org".to_owned(),
            flavour: Flavour::Microdesc,
            trusted: public_network(),
            max_consensuses: 80,
            deadline: Duration::from_secs(1800),
            http: HttpOptions::default(),
        }
    }
}

/// Result of one visit.
#[derive(Debug, Default)]
pub struct Visit {
    /// Consensuses that were not known, earliest first.
    pub consensuses: Vec<Verified>,
    /// Files that could not be had or must not be used, and why; they are tried again at the next visit.
    pub failures: Vec<(String, Error)>,
}

/// Fetches recent consensuses from CollecTor.
#[derive(Debug)]
pub struct Collector {
    http: Http,
    base: Url,
    options: CollectorOptions,
    certificates: Mutex<Certificates>,
}

impl Collector {
    /// Prepares a client; nothing is sent.
    ///
    /// # Errors
    /// An address that is neither HTTPS nor loopback, no trusted authorities, or a proxy that is not SOCKS5.
    pub fn new(options: CollectorOptions) -> Result<Self, Error> {
        if options.trusted.is_empty() {
            return Err(Error::Option { option: "trusted authorities".to_owned(), reason: "none is set".to_owned() });
        }
        let (http, base) = (Http::new(&options.http)?, base_url(&options.base_url, false)?);
        Ok(Self { http, base, options, certificates: Mutex::default() })
    }

    /// Adds certificates from elsewhere: CollecTor keeps those of the last days only, which may be none.
    pub fn add_certificates(&self, more: &Certificates) {
        self.certificates.lock().unwrap_or_else(PoisonError::into_inner).extend(more);
    }

    /// Fetches the consensuses of all hours that are listed and not `known`.
    ///
    /// # Errors
    /// The index cannot be had or read. What is wrong with one file costs that file; what comes after the deadline is left out.
    pub async fn fetch(&self, known: &(dyn Fn(ConsensusHour) -> bool + Sync)) -> Result<Visit, Error> {
        let until = Instant::now() + self.options.deadline;
        let too_long = || Error::VisitTooLong { limit_secs: self.options.deadline.as_secs() };
        let index = timeout_at(until, self.index()).await.map_err(|_| too_long())??;
        let mut wanted: Vec<&Listed> = index.consensuses.iter().filter(|listed| !known(listed.hour)).collect();
        wanted.truncate(self.options.max_consensuses);
        let (mut visit, mut are_certificates_fetched) = (Visit::default(), false);
        visit.failures.extend(index.bad_entries());
        for listed in wanted.into_iter().rev() {
            let asked = timeout_at(until, self.consensus(listed, &index, &mut are_certificates_fetched)).await;
            let Ok(found) = asked else {
                visit.failures.push((listed.path.clone(), too_long()));
                break;
            };
            match found {
                Ok(verified) => visit.consensuses.push(verified),
                Err(error) => {
                    tracing::warn!(path = listed.path, %error, "no consensus from this file");
                    visit.failures.push((listed.path.clone(), error));
                }
            }
        }
        Ok(visit)
    }

    async fn index(&self) -> Result<Index, Error> {
        let url = below(&self.base, INDEX)?;
        let json = self.http.get(&url, ENCODINGS, None, &INDEX_LIMITS).await?.unwrap_or_default();
        let (origin, flavour) = (url.to_string(), self.options.flavour);
        off_the_loop(move || Index::read(&json, &origin, flavour)).await
    }

    async fn consensus(&self, listed: &Listed, index: &Index, are_certificates_fetched: &mut bool) -> Result<Verified, Error> {
        let url = below(&self.base, &listed.path)?;
        let document = self.http.get(&url, ENCODINGS, None, &LIMITS).await?.unwrap_or_default();
        let (listed, flavour, origin) = (listed.clone(), self.options.flavour, url.to_string());
        let (consensus, document) = off_the_loop(move || Ok((checked(&document, &origin, &listed, flavour)?, document))).await?;
        let has_missing = !missing(&consensus, &self.certificates(), &self.options.trusted).is_empty();
        if has_missing && !std::mem::replace(are_certificates_fetched, true) {
            self.fetch_certificates(index).await;
        }
        let (certificates, trusted) = (self.certificates(), self.options.trusted.clone());
        off_the_loop(move || {
            let signers = verify(&consensus, &document, &certificates, &trusted)?;
            Ok(Verified { consensus, signers })
        })
        .await
    }

    /// Reads the certificates in the index. Without a certificate its signatures are not counted; the count of good signatures then
    /// explains more than an error here.
    async fn fetch_certificates(&self, index: &Index) {
        for path in &index.certificates {
            let document = match below(&self.base, path) {
                Ok(url) => self.http.get(&url, ENCODINGS, None, &LIMITS).await,
                Err(error) => Err(error),
            };
            match document {
                Ok(document) => {
                    let mut certificates = self.certificates.lock().unwrap_or_else(PoisonError::into_inner);
                    certificates.add(&document.unwrap_or_default(), path, &self.options.trusted);
                }
                Err(error) => tracing::warn!(path, %error, "no certificates from this file"),
            }
        }
    }

    fn certificates(&self) -> Certificates {
        self.certificates.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The consensus, if the file has the digest and the hour that the index states.
fn checked(document: &[u8], origin: &str, listed: &Listed, flavour: Flavour) -> Result<Consensus, Error> {
    if listed.sha256.as_ref().is_some_and(|digest| digest[..] != Sha256::digest(document)[..]) {
        return Err(Error::Digest { origin: origin.to_owned() });
    }
    let consensus = decode(document, origin)?;
    if consensus.flavour != flavour {
        return Err(Error::WrongFlavour { origin: consensus.origin, expected: flavour, found: consensus.flavour });
    }
    if consensus.hour != listed.hour {
        return Err(Error::WrongHour { origin: consensus.origin, expected: listed.hour, found: consensus.hour });
    }
    Ok(consensus)
}
