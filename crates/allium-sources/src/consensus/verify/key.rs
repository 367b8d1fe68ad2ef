//! RSA as the directory protocol uses it: PKCS #1 v1.5 padding around a bare digest, without the name of the digest.

use allium_model::Fingerprint;
use rsa::pkcs1::{DecodeRsaPublicKey, EncodeRsaPublicKey};
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};
use sha1::{Digest, Sha1};

/// Shorter keys are refused; longer ones than 4096 bits are too, because checking them takes long.
const MIN_KEY_BITS: usize = 1024;
const EXPONENT: u32 = 65537;

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    key: RsaPublicKey,
    digest: Fingerprint,
}

impl Key {
    /// Decodes a key in DER encoding of PKCS #1; `None` for anything else, and for a size or exponent that Tor does not use.
    pub(super) fn from_der(der: &[u8]) -> Option<Self> {
        let key = RsaPublicKey::from_pkcs1_der(der).ok()?;
        if key.n().bits() < MIN_KEY_BITS || *key.e() != BigUint::from(EXPONENT) {
            return None;
        }
        let digest = sha1(key.to_pkcs1_der().ok()?.as_bytes());
        Some(Self { key, digest: Fingerprint::new(digest) })
    }

    /// SHA-1 of its DER encoding, by which it is known.
    pub(super) fn digest(&self) -> Fingerprint {
        self.digest
    }

    /// True if this key signed that digest.
    pub(super) fn has_signed(&self, digest: &[u8], signature: &[u8]) -> bool {
        self.key.verify(Pkcs1v15Sign::new_unprefixed(), digest, signature).is_ok()
    }
}

pub(super) fn sha1(bytes: &[u8]) -> [u8; 20] {
    Sha1::digest(bytes).into()
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(bytes).into()
}
