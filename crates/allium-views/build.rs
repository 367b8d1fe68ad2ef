//! Embeds the bundle of the interactive charts (`make scripts` writes it to `scripts/dist`) where it has been made.
//!
//! Without it the program is complete but for the interactive view; the build says so.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("scripts").join("dist");
    // A path that is not there would make every build run this again, and compile the crate again.
    println!("cargo:rerun-if-changed={}", if folder.is_dir() { "scripts/dist" } else { "scripts" });
    println!("cargo:rerun-if-changed=build.rs");
    let mut files: Vec<_> = match fs::read_dir(&folder) {
        Ok(entries) => entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| is_whole(path)).collect(),
        Err(_) => Vec::new(),
    };
    files.sort();
    if files.is_empty() {
        println!("cargo:warning=built without the interactive view of charts: `make scripts` makes it (needs Node.js)");
    }
    let mut list = String::from("&[\n");
    for path in &files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let bytes = |ending: &str| format!("include_bytes!({:?})", compressed(path, ending));
        let (plain, brotli, gzip) = (bytes(""), bytes(".br"), bytes(".gz"));
        let _ = writeln!(list, "    Script {{ path: {:?}, plain: {plain}, brotli: {brotli}, gzip: {gzip} }},", format!("/assets/{name}"));
    }
    list.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR").unwrap_or_default()).join("scripts.rs"), list)
}

/// True if it is a script that lies there compressed as well.
fn is_whole(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "js") && [".br", ".gz"].iter().all(|ending| compressed(path, ending).exists())
}

fn compressed(path: &Path, ending: &str) -> PathBuf {
    path.with_extension(format!("js{ending}"))
}
