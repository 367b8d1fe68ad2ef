//! Key certificates: with them the authorities, whose identity keys are kept offline, name the keys that they sign with.
//!
//! Input: certificates of version 3 one after the other, as authorities serve them under `/tor/keys/all` and as CollecTor
//! keeps them. Each is checked in itself: the identity key has the digest that it claims, the identity key has signed the
//! certificate, and the signing key has signed the identity key. Certificates of authorities that are not trusted are
//! passed over. Their times are checked where they are used.

use std::collections::BTreeMap;

use allium_model::time::parse_tor_time;
use allium_model::{Fingerprint, Reject, Timestamp};

use super::authorities::TrustedAuthority;
use super::key::{Key, sha1};
use crate::consensus::lines::{Line, Lines, take_object};

const MAX_OBJECT_BYTES: usize = 4096;
/// An authority has a handful of valid certificates; CollecTor keeps all of many years.
const MAX_CERTIFICATES: usize = 10_000;
const BEGIN: &[u8] = b"dir-key-certificate-version";

/// The certificates at hand.
#[derive(Debug, Clone, Default)]
pub struct Certificates {
    certificates: BTreeMap<KeyPair, Certificate>,
}

/// Digests of identity and signing key.
type KeyPair = (Fingerprint, Fingerprint);

#[derive(Debug, Clone)]
struct Certificate {
    published: Timestamp,
    expires: Timestamp,
    signing_key: Key,
}

impl Certificates {
    /// Adds the certificates of trusted authorities in a document, and returns what is wrong with others of theirs.
    /// Of two certificates of one pair of keys the one that is valid for longer counts.
    pub fn add(&mut self, document: &[u8], origin: &str, trusted: &[TrustedAuthority]) -> Vec<Reject> {
        let mut rejects = Vec::new();
        let mut lines = Lines::new(document);
        while let Some(line) = lines.take() {
            if line.keyword != BEGIN {
                continue;
            }
            let fields = Fields::read(line, &mut lines);
            let is_trusted = |identity: &Fingerprint| trusted.iter().any(|authority| authority.identity == *identity);
            if let Some(relay) = fields.identity.filter(is_trusted) {
                match fields.check(document) {
                    Ok(certificate) => self.keep((relay, certificate.signing_key.digest()), certificate),
                    Err(reason) => rejects.push(Reject {
                        origin: origin.to_owned(),
                        location: line.location(),
                        relay: Some(relay),
                        reason: reason.to_owned(),
                    }),
                }
            }
        }
        rejects
    }

    /// Adds the certificates of others.
    pub fn extend(&mut self, others: &Self) {
        others.certificates.iter().for_each(|(keys, certificate)| self.keep(*keys, certificate.clone()));
    }

    /// Number of certificates.
    pub fn len(&self) -> usize {
        self.certificates.len()
    }

    /// True if there is no certificate.
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty()
    }

    /// True if there is a certificate for this pair of keys, valid or not.
    pub fn contains(&self, identity: Fingerprint, signing_key: Fingerprint) -> bool {
        self.certificates.contains_key(&(identity, signing_key))
    }

    /// The signing key, if it is certified for that instant.
    pub(super) fn signing_key(&self, keys: KeyPair, at: Timestamp) -> Option<&Key> {
        let certificate = self.certificates.get(&keys).filter(|certificate| certificate.published <= at && at < certificate.expires);
        certificate.map(|certificate| &certificate.signing_key)
    }

    fn keep(&mut self, keys: KeyPair, certificate: Certificate) {
        let is_better = self.certificates.get(&keys).is_none_or(|kept| kept.expires < certificate.expires);
        if is_better && self.certificates.len() < MAX_CERTIFICATES {
            self.certificates.insert(keys, certificate);
        }
    }
}

/// A certificate as it is written.
#[derive(Default)]
struct Fields {
    start: usize,
    is_version_3: bool,
    identity: Option<Fingerprint>,
    published: Option<Timestamp>,
    expires: Option<Timestamp>,
    identity_key: Option<Vec<u8>>,
    signing_key: Option<Vec<u8>>,
    cross_certificate: Option<Vec<u8>>,
    certification: Option<Vec<u8>>,
    /// End of the signed part.
    signed_end: usize,
}

impl Fields {
    fn read(begin: Line<'_>, lines: &mut Lines<'_>) -> Self {
        let mut fields = Self { start: begin.start, is_version_3: begin.arguments == b"3", ..Self::default() };
        while let Some(line) = lines.take_until(&[BEGIN]) {
            let text = || std::str::from_utf8(line.arguments).ok();
            match line.keyword {
                b"fingerprint" => fields.identity = text().and_then(|text| text.parse().ok()),
                b"dir-key-published" => fields.published = text().and_then(|text| parse_tor_time(text).ok()),
                b"dir-key-expires" => fields.expires = text().and_then(|text| parse_tor_time(text).ok()),
                b"dir-identity-key" => fields.identity_key = take_object(lines, MAX_OBJECT_BYTES),
                b"dir-signing-key" => fields.signing_key = take_object(lines, MAX_OBJECT_BYTES),
                b"dir-key-crosscert" => fields.cross_certificate = take_object(lines, MAX_OBJECT_BYTES),
                b"dir-key-certification" => {
                    fields.signed_end = line.start + line.keyword.len() + 1;
                    fields.certification = take_object(lines, MAX_OBJECT_BYTES);
                    break;
                }
                _ => {}
            }
        }
        fields
    }

    fn check(self, document: &[u8]) -> Result<Certificate, &'static str> {
        if !self.is_version_3 {
            return Err("not a certificate of version 3");
        }
        let (published, expires) = self.published.zip(self.expires).ok_or("no times of validity")?;
        let key = |der: Option<Vec<u8>>| der.and_then(|der| Key::from_der(&der));
        let identity_key = key(self.identity_key).ok_or("no usable identity key")?;
        let signing_key = key(self.signing_key).ok_or("no usable signing key")?;
        if Some(identity_key.digest()) != self.identity {
            return Err("the identity key has another digest");
        }
        let signed = document.get(self.start..self.signed_end).filter(|signed| signed.ends_with(b"\ndir-key-certification\n"));
        let signed = signed.ok_or("no certification")?;
        if !identity_key.has_signed(&sha1(signed), &self.certification.ok_or("no certification")?) {
            return Err("the identity key has not signed it");
        }
        if !signing_key.has_signed(identity_key.digest().as_bytes(), &self.cross_certificate.ok_or("no cross-certificate")?) {
            return Err("the signing key has not signed the identity key");
        }
        Ok(Certificate { published, expires, signing_key })
    }
}
