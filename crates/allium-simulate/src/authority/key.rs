//! RSA keys out of a seed, and signatures as the directory protocol wants them: PKCS #1 v1.5 padding around a bare digest.
//!
//! Primes are searched here, not by the `rsa` crate, because a seed stands for its bytes for ever and the crate's search may change. Keys
//! have 1024 bits, the least that verifiers accept: made quickly, and not secret anyway.

use allium_model::Fingerprint;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::EncodeRsaPublicKey as _;
use rsa::{BigUint, Pkcs1v15Sign, RsaPrivateKey};
use sha1::{Digest as _, Sha1};

use crate::dice::Dice;

const PRIME_BITS: usize = 512;
const EXPONENT: u32 = 65_537;
/// Rounds of Miller and Rabin's test; a random odd number of this size that passes one is prime all but certainly.
const ROUNDS: usize = 8;
const SMALL_PRIMES_BELOW: u32 = 2000;

/// A key pair.
pub(crate) struct Key {
    private: RsaPrivateKey,
    der: Vec<u8>,
}

impl Key {
    /// The key for these dice.
    pub(crate) fn generate(dice: &mut Dice) -> Self {
        let small = small_primes();
        loop {
            let (p, q) = (prime(dice, &small), prime(dice, &small));
            // Fails for equal primes only, and for those of which one less is a multiple of the exponent.
            let Ok(private) = RsaPrivateKey::from_p_q(p, q, BigUint::from(EXPONENT)) else { continue };
            let Ok(der) = private.to_public_key().to_pkcs1_der() else { continue };
            return Self { der: der.as_bytes().to_vec(), private };
        }
    }

    /// SHA-1 of the public key, by which it is known.
    pub(crate) fn digest(&self) -> Fingerprint {
        Fingerprint::new(sha1(&self.der))
    }

    /// The public key as an object.
    pub(crate) fn public(&self) -> String {
        object("RSA PUBLIC KEY", &self.der)
    }

    /// The signature of a digest.
    pub(crate) fn sign(&self, digest: &[u8]) -> Vec<u8> {
        self.private.sign(Pkcs1v15Sign::new_unprefixed(), digest).expect("digests are shorter than keys")
    }
}

pub(crate) fn sha1(bytes: &[u8]) -> [u8; 20] {
    Sha1::digest(bytes).into()
}

/// Bytes between a line that begins and one that ends an object, 64 characters a line.
pub(crate) fn object(name: &str, bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let mut object = format!("-----BEGIN {name}-----\n");
    for at in (0..text.len()).step_by(64) {
        object.push_str(&text[at..text.len().min(at + 64)]);
        object.push('\n');
    }
    object.push_str(&format!("-----END {name}-----\n"));
    object
}

fn small_primes() -> Vec<u32> {
    let mut primes: Vec<u32> = Vec::new();
    for n in 3..SMALL_PRIMES_BELOW {
        if n % 2 == 1 && primes.iter().take_while(|p| *p * *p <= n).all(|p| n % p != 0) {
            primes.push(n);
        }
    }
    primes
}

/// The first prime from a random odd number on, with the two highest bits set.
fn prime(dice: &mut Dice, small: &[u32]) -> BigUint {
    let mut bytes: Vec<u8> = (0..PRIME_BITS / 8).map(|_| dice.bits() as u8).collect();
    bytes[0] |= 0b1100_0000;
    bytes[PRIME_BITS / 8 - 1] |= 1;
    let start = BigUint::from_bytes_be(&bytes);
    let remainder = |p: u32| (&start % p).to_bytes_be().iter().fold(0, |n, byte| n * 256 + u32::from(*byte));
    let remainders: Vec<u32> = small.iter().map(|p| remainder(*p)).collect();
    for step in (0u32..).step_by(2) {
        let divisible = small.iter().zip(&remainders).any(|(p, remainder)| (remainder + step % p) % p == 0);
        if !divisible {
            let candidate = &start + step;
            if is_prime(&candidate, dice) {
                return candidate;
            }
        }
    }
    unreachable!("primes are dense")
}

/// Miller and Rabin's test of an odd number.
fn is_prime(n: &BigUint, dice: &mut Dice) -> bool {
    let one = BigUint::from(1u32);
    let minus_one = n - &one;
    let mut odd = minus_one.clone();
    let mut twos = 0;
    while &odd % 2u32 == BigUint::from(0u32) {
        odd >>= 1;
        twos += 1;
    }
    (0..ROUNDS).all(|_| {
        let mut power = BigUint::from(dice.bits() | 2).modpow(&odd, n);
        if power == one || power == minus_one {
            return true;
        }
        (1..twos).any(|_| {
            power = &power * &power % n;
            power == minus_one
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_are_recognised() {
        let mut dice = Dice::keyed(&[1]);
        for (n, prime) in [("101", true), ("341", false), ("561", false), ("170141183460469231731687303715884105727", true)] {
            let n = BigUint::parse_bytes(n.as_bytes(), 10).unwrap();
            assert_eq!(is_prime(&n, &mut dice), prime, "{n}");
        }
    }

    #[test]
    fn a_seed_stands_for_a_key() {
        let key = || Key::generate(&mut Dice::keyed(&[2]));
        assert_eq!(key().digest(), key().digest());
        assert_eq!(key().sign(&[7; 20]), key().sign(&[7; 20]));
        assert_eq!(key().sign(&[7; 20]).len(), 128);
    }
}
