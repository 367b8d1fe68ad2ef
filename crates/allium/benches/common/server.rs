//! A running server, and what it answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::process::{PROGRAM, cpu_secs_of, resident_mb_of};

const PATIENCE: Duration = Duration::from_secs(30);
/// For how long a server does nothing that has nothing more to do.
const IDLE: Duration = Duration::from_secs(8);

/// Command that starts a server.
pub(crate) struct Start {
    command: Command,
}

impl Start {
    /// Serves a store without any source, at a port of its own.
    pub(crate) fn offline(store: &Path) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--offline", "--listen", "127.0.0.1:0", "--store"]).arg(store);
        Self { command }.log("warn")
    }

    /// Serves as a configuration says.
    pub(crate) fn configured(file: &Path) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--config"]).arg(file);
        Self { command }.log("warn")
    }

    /// The same server below a shell's commands, which end in starting it as `"$@"`.
    pub(crate) fn below(self, script: &str) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(self.command.get_program()).args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            value.map(|value| command.env(name, value));
        }
        Self { command }
    }

    /// The same with a log filter.
    pub(crate) fn log(self, filter: &str) -> Self {
        self.set("ALLIUM_LOG", filter)
    }

    /// The same with a setting by the name of its environment variable.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// A server that tells clients apart by their address, as one without a proxy in front does.
    pub(crate) fn without_proxy(self) -> Self {
        self.set("ALLIUM_TRUSTED_PROXIES", "")
    }

    /// Starts the server and waits for its first answer.
    pub(crate) fn run(mut self) -> anyhow::Result<Server> {
        let mut child = self.command.env_remove("ALLIUM_CONFIG").stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stderr.take().context("no standard error")?).lines();
        let said = Arc::new(Mutex::new(Vec::new()));
        let mut server = Server { child, address: SocketAddr::from(([127, 0, 0, 1], 0)), said: Arc::clone(&said) };
        server.address = loop {
            let line = lines.next().with_context(|| format!("the server ended: {:?}", server.said()))??;
            let address = line.strip_prefix("Pages at http://").and_then(|rest| rest.trim_end_matches('/').parse().ok());
            server.said().push(line);
            if let Some(address) = address {
                break address;
            }
        };
        std::thread::spawn(move || {
            let keep = |line| said.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            lines.map_while(Result::ok).for_each(keep);
        });
        server.wait_for("/healthz", PATIENCE)?;
        Ok(server)
    }
}

/// The program's server with data, on a port of its own; ends when the value is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    said: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Lines that it has printed.
    pub(crate) fn said(&self) -> MutexGuard<'_, Vec<String>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its process.
    pub(crate) fn id(&self) -> String {
        self.child.id().to_string()
    }

    /// Memory that it has at this moment, in megabytes.
    pub(crate) fn resident_mb(&self) -> anyhow::Result<f64> {
        resident_mb_of(&self.id())
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
        let cpu_secs = || cpu_secs_of(&self.id());
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

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) -> anyhow::Result<()> {
        let status = Command::new("kill").args([&format!("-{name}"), &self.id()]).status()?;
        if status.success() { Ok(()) } else { bail!("kill -{name} failed") }
    }

    /// Waits for its end; how it ended and after which time, or `None` where it goes on for longer.
    pub(crate) fn ended_within(&mut self, patience: Duration) -> anyhow::Result<Option<(ExitStatus, Duration)>> {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some((status, begun.elapsed())));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(None)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A store with the files beside it, copied into a folder.
pub(crate) fn copied(store: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let copy = folder.join("store.db");
    std::fs::copy(store, &copy)?;
    Ok(copy)
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
