//! Addresses of stores, and the files that lie beside one.
//!
//! A plain path and `sqlite:PATH` are SQLite files. Any other address, such as `postgres://…`, names a backend by its scheme.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The address of a store. Whoever needs the store on a thread of its own clones the address and opens it there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct StoreUrl(pub(crate) Address);

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// Anything with another scheme, which comes first.
    Other(String, String),
}

/// The folder of a file.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl StoreUrl {
    /// The path of a file that belongs to the store: beside it where it is a file, else in the working directory.
    pub fn beside(&self, name: &str) -> PathBuf {
        match &self.0 {
            Address::Sqlite(path) => path.with_file_name(name),
            Address::Other(..) => PathBuf::from(name),
        }
    }

    /// Bytes of the store with its log; `None` where it is no file, or not there.
    pub fn size_bytes(&self) -> Option<u64> {
        let Address::Sqlite(path) = &self.0 else { return None };
        let size_bytes = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.len());
        Some(size_bytes(path).ok()? + size_bytes(&self.with_suffix("-wal")).unwrap_or(0))
    }

    /// As [`StoreUrl::beside`], named as the store with a suffix.
    pub fn with_suffix(&self, suffix: &str) -> PathBuf {
        match &self.0 {
            Address::Sqlite(path) => {
                let mut name = path.file_name().unwrap_or_default().to_owned();
                name.push(suffix);
                path.with_file_name(name)
            }
            Address::Other(..) => PathBuf::from(format!("allium{suffix}")),
        }
    }
}

/// A path as people see it; of other addresses without user name and password.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Address::Sqlite(path) => path.display().fmt(f),
            Address::Other(scheme, rest) => write!(f, "{scheme}://{}", rest.rsplit_once('@').map_or(rest.as_str(), |(_, host)| host)),
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreUrl({self})")
    }
}

impl From<&str> for StoreUrl {
    fn from(text: &str) -> Self {
        if let Some(path) = text.strip_prefix("sqlite:") {
            return Self(Address::Sqlite(path.strip_prefix("//").unwrap_or(path).into()));
        }
        match text.split_once("://") {
            Some((scheme, rest)) => Self(Address::Other(scheme.to_owned(), rest.to_owned())),
            None => Self(Address::Sqlite(text.into())),
        }
    }
}

impl From<String> for StoreUrl {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl FromStr for StoreUrl {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl From<&Path> for StoreUrl {
    fn from(path: &Path) -> Self {
        Self(Address::Sqlite(path.to_path_buf()))
    }
}

impl From<&PathBuf> for StoreUrl {
    fn from(path: &PathBuf) -> Self {
        path.as_path().into()
    }
}

impl From<PathBuf> for StoreUrl {
    fn from(path: PathBuf) -> Self {
        Self(Address::Sqlite(path))
    }
}

impl From<StoreUrl> for String {
    fn from(url: StoreUrl) -> Self {
        match url.0 {
            Address::Sqlite(path) => path.to_string_lossy().into_owned(),
            Address::Other(scheme, rest) => format!("{scheme}://{rest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_sqlite_addresses_are_files() {
        for text in ["dir/tor.db", "sqlite:dir/tor.db", "sqlite://dir/tor.db"] {
            let url = StoreUrl::from(text);
            assert_eq!(url, StoreUrl::from(Path::new("dir/tor.db")), "{text}");
            assert_eq!(url.to_string(), "dir/tor.db");
            assert_eq!(url.beside("forecast.json"), Path::new("dir/forecast.json"));
            assert_eq!(url.with_suffix(".cache"), Path::new("dir/tor.db.cache"));
        }
    }

    #[test]
    fn other_addresses_keep_their_password_to_themselves() {
        let url: StoreUrl = "postgres://allium:secret@db.example/tor".parse().unwrap();
        assert_eq!(url.to_string(), "postgres://db.example/tor");
        assert_eq!(format!("{url:?}"), "StoreUrl(postgres://db.example/tor)");
        assert_eq!(String::from(url.clone()), "postgres://allium:secret@db.example/tor");
        assert_eq!(url.with_suffix(".cache"), Path::new("allium.cache"));
    }
}
