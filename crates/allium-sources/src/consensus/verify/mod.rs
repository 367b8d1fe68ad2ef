//! Verification of a consensus: its signatures against the keys of trusted authorities.
//!
//! Question: did more than half of the trusted authorities sign this document? Input: the document and what was decoded
//! from it, certificates of the authorities' signing keys, and the list of trusted authorities. Method (dir-spec, section
//! 1.4 and 3.4.1): each authority counts once; its signature counts if a certificate that was valid at the consensus's
//! valid-after names the signing key, and that key has signed the digest of everything from `network-status-version` to
//! the first `directory-signature`, the space after it included. The digest is SHA-1 for the ns flavour and SHA-256 for
//! the microdesc flavour; there SHA-1 does not count.
//!
//! RSA comes from the `rsa` crate, on which Arti's `tor-llcrypto` builds too. Nothing secret is handled here.

mod authorities;
mod certificate;
mod key;

use std::collections::BTreeSet;

use allium_model::Fingerprint;

pub use self::authorities::{TrustedAuthority, public_network};
pub use self::certificate::Certificates;
use super::{Consensus, Flavour, Signature, SignatureAlgorithm};
use crate::error::Error;
use key::{sha1, sha256};

/// The trusted authorities that signed the document, if they are more than half of all trusted ones.
///
/// `document` are the bytes from which `consensus` was decoded.
///
/// # Errors
/// [`Error::Unverified`] if they are not, with the number that did sign.
pub fn verify(
    consensus: &Consensus,
    document: &[u8],
    certificates: &Certificates,
    trusted: &[TrustedAuthority],
) -> Result<Vec<Fingerprint>, Error> {
    let signed = document.get(consensus.signed.clone()).unwrap_or_default();
    let digests = Digests { sha1: sha1(signed), sha256: sha256(signed) };
    let identities: BTreeSet<Fingerprint> = trusted.iter().map(|authority| authority.identity).collect();
    let is_good = |signature: &&Signature| {
        let key = certificates.signing_key((signature.identity, signature.signing_key), consensus.hour.start());
        let digest = digests.of(consensus.flavour, &signature.algorithm);
        key.zip(digest).is_some_and(|(key, digest)| key.has_signed(digest, &signature.bytes))
    };
    let signatures = consensus.signatures.iter().filter(|signature| identities.contains(&signature.identity));
    let signers: BTreeSet<Fingerprint> = signatures.filter(is_good).map(|signature| signature.identity).collect();
    let n_needed = identities.len() / 2 + 1;
    if signers.len() < n_needed {
        let (origin, n_missing) = (consensus.origin.clone(), missing(consensus, certificates, trusted).len());
        return Err(Error::Unverified { origin, n_good: signers.len(), n_needed, n_missing });
    }
    Ok(signers.into_iter().collect())
}

/// Identity and signing key of the trusted authorities whose signatures cannot be checked for want of a certificate.
pub fn missing(consensus: &Consensus, certificates: &Certificates, trusted: &[TrustedAuthority]) -> Vec<(Fingerprint, Fingerprint)> {
    let keys = consensus.signatures.iter().map(|signature| (signature.identity, signature.signing_key));
    let is_trusted = |identity: Fingerprint| trusted.iter().any(|authority| authority.identity == identity);
    keys.filter(|(identity, key)| is_trusted(*identity) && !certificates.contains(*identity, *key)).collect()
}

/// Digests of what is signed.
struct Digests {
    sha1: [u8; 20],
    sha256: [u8; 32],
}

impl Digests {
    fn of(&self, flavour: Flavour, algorithm: &SignatureAlgorithm) -> Option<&[u8]> {
        match (flavour, algorithm) {
            (_, SignatureAlgorithm::Sha256) => Some(&self.sha256),
            (Flavour::Ns, SignatureAlgorithm::Sha1) => Some(&self.sha1),
            (Flavour::Microdesc, SignatureAlgorithm::Sha1) | (_, SignatureAlgorithm::Other(_)) => None,
        }
    }
}
