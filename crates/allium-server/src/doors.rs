//! Where the server listens: addresses, names that stand for addresses, and unix sockets.
//!
//! A name is resolved once, when its doors are opened, and the server listens at each of its addresses that this machine has. A unix socket
//! may be connected to by every user of the machine, as a port on loopback may; the folder that holds it narrows that down.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use allium_service::host_and_port;
use tokio::net::{TcpListener, UnixListener, lookup_host};

/// Rights of a unix socket: whoever reaches it may connect.
const MODE: u32 = 0o666;

/// A place to listen at: `127.0.0.1:8080`, `localhost:8080`, `[::1]:0`, `unix:/run/allium.sock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A name or an address, with a port; port 0 lets the system choose.
    Tcp(String),
    /// A unix socket, by the path of its file.
    Unix(PathBuf),
}

/// The reason why a text is no place to listen at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenError(String);

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected ADDRESS:PORT, NAME:PORT or unix:PATH, such as 127.0.0.1:8080; found {:?}", self.0)
    }
}

impl std::error::Error for ListenError {}

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> std::result::Result<Self, ListenError> {
        let refused = || ListenError(text.chars().take(120).collect());
        match text.strip_prefix("unix:") {
            Some(path) if path.is_empty() || path.ends_with('/') || path.contains('\0') => Err(refused()),
            Some(path) => Ok(Self::Unix(PathBuf::from(path))),
            None => {
                let (host, port) = text.rsplit_once(':').ok_or_else(refused)?;
                // Without a port, because 0 is none that an address can have.
                let is_host = host_and_port(host).is_some_and(|_| !host.contains(':') || host.ends_with(']'));
                let is_port = port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
                if is_host && is_port { Ok(Self::Tcp(text.to_owned())) } else { Err(refused()) }
            }
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => f.write_str(address),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A place at which connections are accepted. A socket file of ours is removed with it.
#[derive(Debug)]
pub enum Door {
    /// A port at an address.
    Tcp(TcpListener),
    /// A unix socket.
    Unix(UnixListener, SocketFile),
}

impl fmt::Display for Door {
    /// `http://127.0.0.1:8080/`, or `unix:/run/allium.sock`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(listener) => match listener.local_addr() {
                Ok(address) => write!(f, "http://{address}/"),
                Err(error) => write!(f, "an unknown address ({error})"),
            },
            Self::Unix(_, file) => write!(f, "unix:{}", file.path.display()),
        }
    }
}

impl Listen {
    /// Opens its doors: one, or as many as the name has addresses on this machine.
    ///
    /// # Errors
    /// The name has no address here, a port is taken, a file is in the way, or another program answers at the socket.
    pub async fn open(&self) -> Result<Vec<Door>> {
        match self {
            Self::Tcp(address) => tcp(address).await,
            Self::Unix(path) => unix(path).map(|door| vec![door]),
        }
    }
}

async fn tcp(address: &str) -> Result<Vec<Door>> {
    // A name may be listed twice.
    let addresses: BTreeSet<SocketAddr> = lookup_host(address).await?.collect();
    let (mut doors, mut absent) = (Vec::new(), None);
    for address in addresses {
        match TcpListener::bind(address).await {
            Ok(listener) => doors.push(Door::Tcp(listener)),
            // Names such as localhost have an address of IPv6 where the machine has no IPv6.
            Err(error) if is_absent(&error) => absent = Some(error),
            Err(error) => return Err(Error::new(error.kind(), format!("{address}: {error}"))),
        }
    }
    if doors.is_empty() { Err(absent.unwrap_or_else(|| Error::new(ErrorKind::NotFound, "the name has no address"))) } else { Ok(doors) }
}

/// True if the machine does not have the address or its kind of addresses.
fn is_absent(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::AddrNotAvailable | ErrorKind::Unsupported) || error.to_string().contains("not supported")
}

fn unix(path: &Path) -> Result<Door> {
    make_way(path)?;
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(MODE))?;
    let file = SocketFile { path: path.to_owned(), id: id_of(path)? };
    Ok(Door::Unix(listener, file))
}

/// Removes the socket of a program that has ended without doing so; anything else stays and is an error.
fn make_way(path: &Path) -> Result<()> {
    let found = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if !found.file_type().is_socket() {
        return Err(Error::new(ErrorKind::AlreadyExists, "there is a file that is no socket"));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Err(Error::new(ErrorKind::AddrInUse, "another program answers there")),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        Err(error) => Err(error),
    }
}

/// A socket file of ours, removed at the end unless somebody has put another in its place.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    id: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if id_of(&self.path).is_ok_and(|id| id == self.id) {
            // It is in nobody's way: the next start replaces it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn id_of(path: &Path) -> Result<(u64, u64)> {
    let metadata = std::fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use super::*;

    #[test]
    fn places_are_written_as_they_are_read() {
        for text in
            ["127.0.0.1:8080", "localhost:8080", "[::1]:0", "0.0.0.0:80", "tor.example:65535", "unix:/run/allium.sock", "unix:a b.sock"]
        {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_place_is_refused_with_what_is_expected() {
        for text in ["", "8080", ":8080", "localhost", "localhost:", "localhost:http", "localhost:65536", "127.0.0.1:+80", "::1:8080"]
            .into_iter()
            .chain(["http://127.0.0.1:8080", "127.0.0.1:8080/", "127.0.0.1 :8080", "unix:", "unix:/run/", "everywhere", "[localhost]:80"])
        {
            let error = text.parse::<Listen>().unwrap_err().to_string();
            assert!(error.starts_with("expected ADDRESS:PORT, NAME:PORT or unix:PATH"), "{text}: {error}");
        }
    }
}
