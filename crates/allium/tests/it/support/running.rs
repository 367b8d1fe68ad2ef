//! The program as a process that ends with the test.
#![allow(dead_code, reason = "no test needs all of it")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Time that anything may take that must happen at last.
pub(crate) const PATIENCE: Duration = Duration::from_secs(150);

/// A program that ends with the test.
pub(crate) struct Running {
    pub(crate) child: Child,
    /// Address at which it listens.
    pub(crate) url: String,
    /// Lines that it printed until it was ready.
    pub(crate) said: Vec<String>,
}

impl Running {
    /// Starts the program and waits until it has said `last`.
    pub(crate) fn start(args: &[&str], last: &str) -> Self {
        Self::of(Command::new(env!("CARGO_BIN_EXE_allium")).args(args), last)
    }

    /// Starts this command, which becomes or begins the program, and waits until it has said `last`.
    pub(crate) fn of(command: &mut Command, last: &str) -> Self {
        let mut child = command.env_remove("ALLIUM_CONFIG").stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        while !said.last().is_some_and(|line: &String| line.starts_with(last)) {
            said.push(lines.next().expect("the program goes on").unwrap());
        }
        std::thread::spawn(move || lines.for_each(drop));
        let url = said.iter().find_map(|line| Some(line[line.find("http://")?..].trim_end_matches('/').to_owned())).unwrap();
        Self { child, url, said }
    }

    /// Asks it to stop, and waits.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        let begun = Instant::now();
        loop {
            match self.child.try_wait().unwrap() {
                Some(status) => return status,
                None => assert!(begun.elapsed() < PATIENCE, "it does not end"),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn get(&self, path: &str) -> serde_json::Value {
        serde_json::from_str(&self.text(path)).unwrap_or_default()
    }

    /// The text at a path; empty where it cannot be had.
    pub(crate) fn text(&self, path: &str) -> String {
        let address = self.url.trim_start_matches("http://");
        let Ok(mut stream) = TcpStream::connect(address) else { return String::new() };
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").map_or_else(String::new, |(_, body)| body.to_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
