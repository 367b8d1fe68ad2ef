//! The directory protocol: the newest consensus from any server that has it, authorities and mirrors alike.
//!
//! Input: `/tor/status-vote/current/consensus[-microdesc]` and `/tor/keys/all` over plain HTTP, compressed or not. No server is trusted: a
//! consensus is accepted only if more than half of the trusted authorities signed it, it is of the flavour asked for, and newer than the
//! one already known. Output: that consensus, or the fact that there is none.
//!
//! Method: servers are tried in turn, each visit beginning with another one, until one has a newer consensus. As no
//! server should be asked in vain by every client, a visit ends when [`MAX_UNCHANGED`] of them have nothing newer. Keys are
//! fetched when a signature needs one that is not at hand, from the server that sent the consensus.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use allium_model::{ConsensusHour, Fingerprint};
use reqwest::Url;

use crate::consensus::verify::{Certificates, TrustedAuthority, missing, public_network, verify};
use crate::consensus::{Consensus, Flavour, LIMITS, decode};
use crate::error::Error;
pub use crate::http::HttpOptions;
use crate::http::{Http, base_url, below, off_the_loop};
use crate::read::plain_text;

/// Number of servers without anything newer that are asked in one visit.
pub const MAX_UNCHANGED: usize = 2;

/// Tor's names for its compressions differ from those of the web.
const ENCODINGS: &str = "zstd, x-zstd, deflate, gzip, identity";

/// The servers to ask, and the authorities to trust.
#[derive(Debug, Clone)]
pub struct DirectoryOptions {
    /// Addresses such as `http://193.23.244.244:80`.
    pub servers: Vec<String>,
    /// The flavour to ask for.
    pub flavour: Flavour,
    /// Authorities whose signatures count.
    pub trusted: Vec<TrustedAuthority>,
    /// Settings of requests.
    pub http: HttpOptions,
}

impl DirectoryOptions {
    /// These authorities, asked themselves where they serve directories.
    pub fn of(trusted: Vec<TrustedAuthority>) -> Self {
        let servers = trusted.iter().filter_map(|authority| authority.directory).map(|address| format!("http://{address}")).collect();
        Self { servers, flavour: Flavour::Microdesc, trusted, http: HttpOptions::default() }
    }
}

impl Default for DirectoryOptions {
    /// The public Tor network.
    fn default() -> Self {
        Self::of(public_network())
    }
}

/// A consensus that the authorities vouch for.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The consensus.
    pub consensus: Consensus,
    /// The trusted authorities whose signatures were good.
    pub signers: Vec<Fingerprint>,
}

/// Fetches consensuses from directory servers.
#[derive(Debug)]
pub struct Directory {
    http: Http,
    servers: Vec<Url>,
    flavour: Flavour,
    trusted: Vec<TrustedAuthority>,
    certificates: Mutex<Certificates>,
    n_visits: AtomicUsize,
}

impl Directory {
    /// Prepares a client; nothing is sent.
    ///
    /// # Errors
    /// There are no servers or no trusted authorities, an address cannot be used, or the proxy is not SOCKS5.
    pub fn new(options: DirectoryOptions) -> Result<Self, Error> {
        let servers = options.servers.iter().map(|server| base_url(server, true)).collect::<Result<Vec<_>, _>>()?;
        let empty = |option: &str| Error::Option { option: option.to_owned(), reason: "none is set".to_owned() };
        if servers.is_empty() {
            return Err(empty("directory servers"));
        }
        if options.trusted.is_empty() {
            return Err(empty("trusted authorities"));
        }
        Ok(Self {
            http: Http::new(&options.http)?,
            servers,
            flavour: options.flavour,
            trusted: options.trusted,
            certificates: Mutex::default(),
            n_visits: AtomicUsize::new(0),
        })
    }

    /// The newest consensus, if it is newer than `newest`.
    ///
    /// # Errors
    /// No server has a good answer; the error is that of the last one asked, the others are logged.
    pub async fn fetch(&self, newest: Option<ConsensusHour>) -> Result<Option<Verified>, Error> {
        let first = self.n_visits.fetch_add(1, Ordering::Relaxed) % self.servers.len();
        let (mut n_unchanged, mut failure) = (0, None);
        for server in self.servers.iter().cycle().skip(first).take(self.servers.len()) {
            match self.ask(server, newest).await {
                Ok(Some(verified)) => return Ok(Some(verified)),
                Ok(None) => n_unchanged += 1,
                Err(error) => {
                    tracing::warn!(%server, %error, "no consensus from this directory server");
                    failure = Some(error);
                }
            }
            if n_unchanged == MAX_UNCHANGED {
                break;
            }
        }
        match failure {
            Some(error) if n_unchanged == 0 => Err(error),
            _ => Ok(None),
        }
    }

    /// The certificates fetched so far; other sources can verify with them.
    pub fn certificates(&self) -> Certificates {
        self.certificates.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    async fn ask(&self, server: &Url, newest: Option<ConsensusHour>) -> Result<Option<Verified>, Error> {
        let url = below(server, &format!("tor/status-vote/current/{}", self.flavour.resource()))?;
        let Some(document) = self.http.get(&url, ENCODINGS, newest.map(ConsensusHour::start), &LIMITS).await? else { return Ok(None) };
        let origin = url.to_string();
        let (consensus, document) = off_the_loop(move || {
            let document = plain_text(document);
            Ok((decode(&document, &origin)?, document))
        })
        .await?;
        if consensus.flavour != self.flavour {
            return Err(Error::WrongFlavour { origin: consensus.origin, expected: self.flavour, found: consensus.flavour });
        }
        if newest.is_some_and(|newest| consensus.hour <= newest) {
            return Ok(None);
        }
        if !missing(&consensus, &self.certificates(), &self.trusted).is_empty() {
            self.fetch_certificates(server).await?;
        }
        let (certificates, trusted) = (self.certificates(), self.trusted.clone());
        off_the_loop(move || {
            let signers = verify(&consensus, &document, &certificates, &trusted)?;
            Ok(Some(Verified { consensus, signers }))
        })
        .await
    }

    async fn fetch_certificates(&self, server: &Url) -> Result<(), Error> {
        let url = below(server, "tor/keys/all")?;
        let document = self.http.get(&url, ENCODINGS, None, &LIMITS).await?.unwrap_or_default();
        let (origin, trusted, mut certificates) = (url.to_string(), self.trusted.clone(), self.certificates());
        let added = off_the_loop(move || {
            for reject in certificates.add(&document, &origin, &trusted) {
                tracing::warn!(origin = reject.origin, location = reject.location, reason = reject.reason, "certificate rejected");
            }
            Ok(certificates)
        });
        *self.certificates.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = added.await?;
        Ok(())
    }
}
