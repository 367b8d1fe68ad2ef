//! Locations of the real data, and the program as a process.

pub(crate) mod consensus;
pub(crate) mod running;

use std::path::{Path, PathBuf};
use std::process::Command;

use self::running::{PATIENCE, Running};

/// The folder of real data beside the repository; where it is missing, that is said and the test has nothing to do.
pub(crate) fn real_data() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if data.is_dir() {
        return Some(data);
    }
    println!("skipped: no real data");
    None
}

/// Runs the program to success.
pub(crate) fn run(args: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_allium")).args(args).env_remove("ALLIUM_CONFIG").output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Serves a store without any source, and waits until its pages are made.
pub(crate) fn serve(store: &str) -> Running {
    let server = Running::start(&["serve", "--offline", "--listen", "127.0.0.1:0", "--store", store], "Pages at http://");
    let begun = std::time::Instant::now();
    while !server.get("/api/v1/network")["as_of"].is_string() {
        assert!(begun.elapsed() < PATIENCE, "no page is made");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    server
}
