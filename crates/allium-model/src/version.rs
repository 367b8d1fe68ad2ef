//! Versions of Tor and the order in which they came.
//!
//! A version is `MAJOR.MINOR.MICRO.PATCHLEVEL`, then a status such as `-alpha`, `-rc` or none for a release, then `-dev` for what was built
//! between it and the next (Tor's version-spec). Numbers are compared as numbers; of versions with the same numbers alpha comes before
//! beta, beta before rc, rc before the release, and each before its own `-dev`. Other software, which names itself before the numbers,
//! comes after Tor; what has no numbers at all comes last. Differences that mean nothing decide by text, so that no two texts are equal.

/// The place of a version among others; compare two of these.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TorVersion {
    has_no_numbers: bool,
    software: String,
    numbers: Vec<u64>,
    status: (Status, u64),
    is_dev: bool,
    text: String,
}

/// The stage of a version on its way to a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Status {
    Alpha,
    Beta,
    Candidate,
    Release,
}

impl TorVersion {
    /// The place of a version as consensuses and documents write it: `0.4.9.3-alpha-dev`; never fails.
    pub fn of(text: &str) -> Self {
        let start = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
        let (software, version) = text.split_at(start);
        let software = software.trim().to_ascii_lowercase();
        let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
        let (numbers, tail) = version.split_at(end);
        let tag = tail.split_whitespace().next().unwrap_or_default();
        Self {
            has_no_numbers: numbers.is_empty(),
            software: if software == "tor" { String::new() } else { software },
            numbers: numbers.split('.').filter(|number| !number.is_empty()).map(|number| number.parse().unwrap_or(u64::MAX)).collect(),
            status: tag.split('-').find_map(status).unwrap_or((Status::Release, 0)),
            is_dev: tag.split('-').any(|part| part == "dev"),
            text: text.to_owned(),
        }
    }

    /// The numbers of a version of Tor, major first; `None` for other software and for what is no version.
    pub fn tor_numbers(&self) -> Option<&[u64]> {
        (self.software.is_empty() && !self.has_no_numbers).then_some(&self.numbers)
    }
}

/// A status and the number that may follow it: `rc2`.
fn status(part: &str) -> Option<(Status, u64)> {
    let names = [("alpha", Status::Alpha), ("beta", Status::Beta), ("rc", Status::Candidate), ("pre", Status::Candidate)];
    names.into_iter().find_map(|(name, status)| {
        let number = part.strip_prefix(name)?;
        let number = if number.is_empty() { Some(0) } else { number.trim_start_matches('.').parse().ok() };
        number.map(|number| (status, number))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_in_the_order_in_which_they_were_made() {
        let ordered = [
            "0.2.9.17",
            "0.4.5",
            "0.4.8.9",
            "0.4.8.21",
            "0.4.8.21-dev",
            "0.4.9.1-alpha",
            "0.4.9.1-alpha-dev",
            "0.4.9.1-beta",
            "0.4.9.1-rc",
            "0.4.9.1-rc2",
            "0.4.9.1-rc10",
            "0.4.9.1-rc10-dev",
            "0.4.9.1",
            "0.4.9.1-dev",
            "0.4.9.3-alpha",
            "0.4.9.3-alpha-dev",
            "0.4.9.10-alpha",
            "0.4.10.1",
            "0.10.0.0",
            "1.0.0",
            "99999999999999999999.1",
            "Arti 1.4.0",
            "Arti 1.10.0",
            "",
            "git",
        ];
        for (i, a) in ordered.iter().enumerate() {
            for (j, b) in ordered.iter().enumerate() {
                assert_eq!(TorVersion::of(a).cmp(&TorVersion::of(b)), i.cmp(&j), "{a} {b}");
            }
        }
    }

    #[test]
    fn what_means_nothing_does_not_move_a_version() {
        let between =
            |low: &str, text: &str, high: &str| TorVersion::of(low) < TorVersion::of(text) && TorVersion::of(text) < TorVersion::of(high);
        assert!(between("0.4.8.21", "0.4.8.21 (git-2fa0c4f5ee3a1b0e)", "0.4.8.22"));
        assert!(between("0.4.8.21", "Tor 0.4.8.21", "0.4.8.22"));
        assert!(between("0.4.8.20", "0.4.8.21-custom", "0.4.8.22"));
        assert_eq!(TorVersion::of("Tor 0.4.8.21-dev").tor_numbers(), Some(&[0, 4, 8, 21][..]));
        assert_eq!(["Arti 1.4.0", "", "git"].map(|text| TorVersion::of(text).tor_numbers().is_some()), [false; 3]);
    }
}
