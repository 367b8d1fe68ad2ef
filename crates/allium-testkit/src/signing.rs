//! Authorities of a test network: they certify keys and sign consensuses as real ones do.

use std::fmt::Write;
use std::sync::LazyLock;

use allium_model::Fingerprint;
use allium_sources::consensus::Flavour;
use allium_sources::consensus::verify::TrustedAuthority;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::rand_core::{CryptoRng, Error, RngCore};
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sha1::{Digest, Sha1};
use sha2::Sha256;

/// The same keys in every test.
pub static AUTHORITIES: LazyLock<Vec<TestAuthority>> = LazyLock::new(|| (1..=3).map(TestAuthority::new).collect());

/// An authority with both of its keys.
pub struct TestAuthority {
    name: String,
    identity: RsaPrivateKey,
    signing: RsaPrivateKey,
}

/// Numbers that look random: splitmix64. Test keys protect nothing.
struct Numbers(u64);

impl RngCore for Numbers {
    fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]));
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Numbers {}

impl TestAuthority {
    fn new(seed: u64) -> Self {
        let mut numbers = Numbers(seed);
        let mut key = || RsaPrivateKey::new(&mut numbers, 1024).unwrap();
        Self { name: format!("authority{seed}"), identity: key(), signing: key() }
    }

    /// The authority as a client trusts it.
    pub fn trusted(&self) -> TrustedAuthority {
        TrustedAuthority { name: self.name.clone(), identity: digest(&self.identity), directory: None }
    }

    /// Its certificate, valid in these years.
    ///
    /// # Panics
    /// Never: text takes all that is written.
    pub fn certificate(&self, years: std::ops::Range<u16>) -> String {
        let mut text = format!(
            "dir-key-certificate-version 3\nfingerprint {}\ndir-key-published {:04}-01-01 00:00:00\ndir-key-expires {:04}-01-01 00:00:00\n",
            digest(&self.identity),
            years.start,
            years.end
        );
        write!(text, "dir-identity-key\n{}", object("RSA PUBLIC KEY", &der(&self.identity))).unwrap();
        write!(text, "dir-signing-key\n{}", object("RSA PUBLIC KEY", &der(&self.signing))).unwrap();
        let cross_certificate = sign(&self.signing, &Sha1::digest(der(&self.identity)));
        write!(text, "dir-key-crosscert\n{}dir-key-certification\n", object("ID SIGNATURE", &cross_certificate)).unwrap();
        let certification = sign(&self.identity, &Sha1::digest(&text));
        text + &object("SIGNATURE", &certification)
    }

    fn signature(&self, signed: &str, flavour: Flavour) -> String {
        let (algorithm, digest_of_signed) = match flavour {
            Flavour::Ns => ("", Sha1::digest(signed).to_vec()),
            Flavour::Microdesc => ("sha256 ", Sha256::digest(signed).to_vec()),
        };
        let signature = object("SIGNATURE", &sign(&self.signing, &digest_of_signed));
        format!("directory-signature {algorithm}{} {}\n{signature}", digest(&self.identity), digest(&self.signing))
    }
}

/// All authorities as a client trusts them.
pub fn trusted() -> Vec<TrustedAuthority> {
    AUTHORITIES.iter().map(TestAuthority::trusted).collect()
}

/// The certificates of all, valid in these years.
pub fn certificates(years: std::ops::Range<u16>) -> String {
    AUTHORITIES.iter().map(|authority| authority.certificate(years.clone())).collect()
}

/// The document with its signatures replaced by those of these authorities.
///
/// # Panics
/// The document is not text, or has no signature to replace.
pub fn signed(document: &[u8], flavour: Flavour, authorities: &[TestAuthority]) -> Vec<u8> {
    let text = std::str::from_utf8(document).unwrap();
    let body = &text[..text.find("directory-signature").unwrap()];
    let start = body.find("network-status-version").unwrap();
    let signed = format!("{}directory-signature ", &body[start..]);
    let signatures: String = authorities.iter().map(|authority| authority.signature(&signed, flavour)).collect();
    format!("{body}{signatures}").into_bytes()
}

fn sign(key: &RsaPrivateKey, digest: &[u8]) -> Vec<u8> {
    key.sign(Pkcs1v15Sign::new_unprefixed(), digest).unwrap()
}

fn der(key: &RsaPrivateKey) -> Vec<u8> {
    key.to_public_key().to_pkcs1_der().unwrap().into_vec()
}

fn digest(key: &RsaPrivateKey) -> Fingerprint {
    Fingerprint::new(Sha1::digest(der(key)).into())
}

fn object(label: &str, bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
