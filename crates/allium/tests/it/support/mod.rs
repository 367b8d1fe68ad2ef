//! Locations of the real data, and the program as a process.

pub(crate) mod running;

use std::path::{Path, PathBuf};

/// The folder of real data beside the repository; where it is missing, that is said and the test has nothing to do.
pub(crate) fn real_data() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if data.is_dir() {
        return Some(data);
    }
    println!("skipped: no real data");
    None
}
