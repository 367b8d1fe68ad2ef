//! The directory authorities: names, keys, certificates.
//!
//! Each of the nine has an identity key for ever and a signing key per calendar year (UTC), certified from a week before the
//! year to a week after it. Keys are made from the seed when they are first needed, and exist in memory only. They are
//! worth nothing: anyone who knows the seed has them.

mod key;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use allium_model::{ConsensusHour, Fingerprint};

use crate::dice::Dice;
use crate::onionoo::tor_time;
use crate::stage::N_AUTHORITIES;
pub(crate) use key::{Key, object, sha1};

/// Nicknames of the directory authorities.
pub(crate) const NAMES: [&str; N_AUTHORITIES] = ["alder", "birch", "cedar", "elder", "hazel", "maple", "rowan", "spruce", "willow"];
const DAY_SECS: i64 = 86_400;
/// Time before and after its year for which a signing key is certified.
const OVERLAP_SECS: i64 = 7 * DAY_SECS;

/// The keys of a network's authorities.
pub(crate) struct Authorities {
    seed: u64,
    identities: OnceLock<Vec<Key>>,
    certified: Mutex<BTreeMap<i16, Arc<Vec<Certified>>>>,
}

/// The signing key of an authority in a year.
pub(crate) struct Certified {
    pub(crate) signing: Key,
    pub(crate) certificate: String,
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorities")
    }
}

impl Authorities {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed, identities: OnceLock::new(), certified: Mutex::new(BTreeMap::new()) }
    }

    /// The digests of their identity keys, in the order of [`NAMES`].
    pub(crate) fn identities(&self) -> [Fingerprint; N_AUTHORITIES] {
        let keys = self.identity_keys();
        std::array::from_fn(|i| keys[i].digest())
    }

    /// The keys with which they sign at this hour, in the order of [`NAMES`].
    pub(crate) fn certified(&self, hour: ConsensusHour) -> Arc<Vec<Certified>> {
        let year = hour.civil().year();
        let mut certified = self.certified.lock().unwrap_or_else(PoisonError::into_inner);
        certified.entry(year).or_insert_with(|| Arc::new(self.certify(year))).clone()
    }

    fn identity_keys(&self) -> &[Key] {
        self.identities.get_or_init(|| (0..N_AUTHORITIES as u64).map(|i| Key::generate(&mut Dice::keyed(&[self.seed, 50, i]))).collect())
    }

    fn certify(&self, year: i16) -> Vec<Certified> {
        let certify = |(i, identity): (usize, &Key)| {
            let signing = Key::generate(&mut Dice::keyed(&[self.seed, 51, i as u64, year as u64]));
            let certificate =
                certificate(identity, &signing, year_start_secs(year) - OVERLAP_SECS, year_start_secs(year + 1) + OVERLAP_SECS);
            Certified { signing, certificate }
        };
        self.identity_keys().iter().enumerate().map(certify).collect()
    }
}

fn year_start_secs(year: i16) -> i64 {
    let year = i64::from(year) - 1;
    // Days from 1970 to the first of January by the Gregorian calendar.
    (year * 365 + year / 4 - year / 100 + year / 400 - 719_162) * DAY_SECS
}

/// A key certificate of version 3 (dir-spec, section 3.1).
fn certificate(identity: &Key, signing: &Key, published_secs: i64, expires_secs: i64) -> String {
    let mut text = format!(
        "dir-key-certificate-version 3\nfingerprint {}\ndir-key-published {}\ndir-key-expires {}\ndir-identity-key\n{}dir-signing-key\n{}",
        identity.digest(),
        tor_time(published_secs),
        tor_time(expires_secs),
        identity.public(),
        signing.public(),
    );
    text.push_str("dir-key-crosscert\n");
    text.push_str(&object("ID SIGNATURE", &signing.sign(identity.digest().as_bytes())));
    text.push_str("dir-key-certification\n");
    let signature = identity.sign(&sha1(text.as_bytes()));
    text.push_str(&object("SIGNATURE", &signature));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_begin_on_the_first_of_january() {
        for (year, start) in [(1970, "1970-01-01T00"), (2000, "2000-01-01T00"), (2024, "2024-01-01T00"), (2026, "2026-01-01T00")] {
            let hour: ConsensusHour = format!("{start}:00:00Z").parse().unwrap();
            assert_eq!(year_start_secs(year), hour.start_secs());
        }
    }
}
