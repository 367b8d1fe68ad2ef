//! A running server, and what it answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::process::{PROGRAM, cpu_secs_of};

const PATIENCE: Duration = Duration::from_secs(30);
/// For how long a server does nothing that has nothing more to do.
const IDLE: Duration = Duration::from_secs(8);

/// The program's server with data, on a port of its own; ends when the value is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(store: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--offline", "--listen", "127.0.0.1:0", "--log", "warn", "--store"])
            .arg(store)
            .env_remove("ALLIUM_CONFIG")
            .stderr(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let mut said = BufReader::new(child.stderr.take().context("no standard error")?);
        said.read_line(&mut line)?;
        std::thread::spawn(move || said.lines().for_each(drop));
        let address = line.trim().strip_prefix("Pages at http://").and_then(|rest| rest.trim_end_matches('/').parse().ok());
        let server = Self { child, address: address.with_context(|| format!("the server said {line:?}"))? };
        server.wait_for("/healthz", PATIENCE)?;
        Ok(server)
    }

    /// Waits until a page is there.
    pub(crate) fn wait_for(&self, path: &str, patience: Duration) -> anyhow::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            if get(self.address, path, false).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bail!("the server has no {path} after {} s", patience.as_secs())
    }

    /// Waits until the server has done nothing for some seconds: its computations after a start are over then.
    pub(crate) fn wait_until_idle(&self, patience: Duration) -> anyhow::Result<()> {
        let begun = Instant::now();
        let cpu_secs = || cpu_secs_of(&self.child.id().to_string());
        let mut before = cpu_secs()?;
        while begun.elapsed() < patience {
            std::thread::sleep(IDLE);
            let after = cpu_secs()?;
            if after - before < IDLE.as_secs_f64() / 100.0 {
                return Ok(());
            }
            before = after;
        }
        bail!("the server is busy after {} s", patience.as_secs())
    }

    /// A page as text.
    pub(crate) fn page(&self, path: &str) -> anyhow::Result<String> {
        Ok(String::from_utf8_lossy(&get(self.address, path, false)?).into_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All bytes of an answer, as a browser would ask for it or uncompressed; an error unless it is 200.
pub(crate) fn get(address: SocketAddr, path: &str, compressed: bool) -> anyhow::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let encodings = if compressed { "gzip, deflate, br, zstd" } else { "identity" };
    let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept-Encoding: {encodings}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    if !answer.starts_with(b"HTTP/1.1 200") {
        bail!("{path}: {}", String::from_utf8_lossy(&answer).lines().next().unwrap_or_default());
    }
    Ok(answer)
}
