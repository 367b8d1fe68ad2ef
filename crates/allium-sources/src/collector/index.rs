//! CollecTor's index: which files there are.
//!
//! Input: `index.json`, a tree of directories. Of all of it only the recent consensuses and certificates are looked at.
//! Names are compared with the one pattern that they have; others are passed over, so that no name from the
//! index leads anywhere else.

use std::borrow::Cow;

use allium_model::ConsensusHour;
use allium_model::time::parse_tor_time;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::consensus::Flavour;
use crate::consensus::decode_base64;
use crate::error::Error;

/// A consensus that CollecTor has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Of which hour.
    pub hour: ConsensusHour,
    /// Its path below the root of the archive.
    pub path: String,
    /// The digest that its bytes must have; empty if the index states one that is unreadable.
    pub sha256: Option<Vec<u8>>,
}

/// The members of an index that are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Index {
    /// Consensuses of one flavour, latest first.
    pub consensuses: Vec<Listed>,
    /// Paths of files with certificates.
    pub certificates: Vec<String>,
    /// Number of entries on the way to the consensuses, and among them, that are none.
    pub n_bad: usize,
}

const MAX_CERTIFICATE_FILES: usize = 100;

/// A directory. Its entries are read one by one and only on the way to what is wanted, so that a bad entry costs itself.
#[derive(Deserialize)]
struct Node<'a> {
    #[serde(borrow, default)]
    path: Cow<'a, str>,
    #[serde(borrow, default)]
    files: Option<&'a RawValue>,
    #[serde(borrow, default)]
    directories: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow, default)]
    path: Cow<'a, str>,
    #[serde(borrow, default)]
    sha256: Option<Cow<'a, str>>,
}

impl Index {
    /// Reads an index.
    ///
    /// # Errors
    /// It is no JSON, is cut short, or has another structure.
    pub fn read(json: &[u8], origin: &str, flavour: Flavour) -> Result<Self, Error> {
        let root: Node<'_> = serde_json::from_slice(json).map_err(|error| malformed(&error, json, origin))?;
        let dir = dir_of(flavour);
        let (files, n_bad) = root.below(dir);
        let listed = files.iter().filter_map(|file| {
            let hour = hour_of(&file.path, flavour)?;
            let sha256 = file.sha256.as_ref().map(|digest| decode_base64(digest.as_bytes()).unwrap_or_default());
            Some(Listed { hour, path: format!("{dir}/{}", file.path), sha256 })
        });
        let mut consensuses: Vec<Listed> = listed.collect();
        consensuses.sort_by_key(|listed| std::cmp::Reverse(listed.hour));
        let (files, _) = root.below(CERTIFICATES);
        let names = files.iter().map(|file| &file.path).filter(|name| is_plain_name(name));
        let certificates = names.take(MAX_CERTIFICATE_FILES).map(|name| format!("{CERTIFICATES}/{name}")).collect();
        Ok(Self { consensuses, certificates, n_bad })
    }
}

impl Index {
    /// The failure to name for entries that cannot be read.
    pub(super) fn bad_entries(&self) -> Option<(String, Error)> {
        let origin = "index".to_owned();
        (self.n_bad > 0).then(|| (origin.clone(), Error::BadEntries { origin, n: self.n_bad }))
    }
}

const CERTIFICATES: &str = "recent/relay-descriptors/certs";

const fn dir_of(flavour: Flavour) -> &'static str {
    match flavour {
        Flavour::Ns => "recent/relay-descriptors/consensuses",
        Flavour::Microdesc => "recent/relay-descriptors/microdescs/consensus-microdesc",
    }
}

impl<'a> Node<'a> {
    /// The files of a directory some levels down, and the number of entries on the way that are none.
    fn below(&self, path: &str) -> (Vec<File<'a>>, usize) {
        let (name, rest) = path.split_once('/').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let (directories, n_bad) = entries::<Node<'a>>(self.directories);
        let found = directories.into_iter().find(|directory| directory.path == name);
        let (files, n_more) = match (found, rest) {
            (Some(directory), Some(rest)) => directory.below(rest),
            (Some(directory), None) => entries(directory.files),
            (None, _) => (Vec::new(), 0),
        };
        (files, n_bad + n_more)
    }
}

/// The entries of a list that can be read, and the number of those that cannot; something else than a list is one of these.
fn entries<'a, T: Deserialize<'a>>(list: Option<&'a RawValue>) -> (Vec<T>, usize) {
    let Some(list) = list else { return (Vec::new(), 0) };
    let Ok(all) = serde_json::from_str::<Vec<&RawValue>>(list.get()) else { return (Vec::new(), 1) };
    let good: Vec<T> = all.iter().filter_map(|entry| serde_json::from_str(entry.get()).ok()).collect();
    let n_bad = all.len() - good.len();
    (good, n_bad)
}

/// `2026-02-15-18-00-00-consensus` or `…-consensus-microdesc`.
fn hour_of(name: &str, flavour: Flavour) -> Option<ConsensusHour> {
    let (time, kind) = name.split_at_checked("2026-02-15-18-00-00".len())?;
    if kind.strip_prefix('-') != Some(flavour.resource()) {
        return None;
    }
    let (date, time) = time.split_at_checked("2026-02-15".len())?;
    let instant = parse_tor_time(&format!("{date} {}", time.strip_prefix('-')?.replace('-', ":"))).ok()?;
    Some(ConsensusHour::containing(instant)).filter(|hour| hour.start() == instant)
}

fn is_plain_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=200).contains(&name.len()) && name.chars().all(is_plain) && !name.starts_with('.')
}

fn malformed(error: &serde_json::Error, json: &[u8], origin: &str) -> Error {
    let line_start = json.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1)).map(<[u8]>::len).sum::<usize>();
    let byte = (line_start + error.column()) as u64;
    if error.is_eof() {
        return Error::Truncated { origin: origin.to_owned(), byte: json.len() as u64, n_understood: 0 };
    }
    Error::Malformed { origin: origin.to_owned(), byte, reason: "not an index of files".to_owned() }
}
