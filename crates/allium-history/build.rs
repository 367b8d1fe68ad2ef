//! Refuses to compile against an SQLite without the table of its pages, with which the store could keep no sums.

/// The option that `.cargo/config.toml` gives.
const OPTION: &str = "SQLITE_ENABLE_DBPAGE_VTAB";

fn main() {
    println!("cargo::rerun-if-env-changed=LIBSQLITE3_FLAGS");
    if !std::env::var("LIBSQLITE3_FLAGS").is_ok_and(|flags| flags.contains(OPTION)) {
        println!("cargo::error=LIBSQLITE3_FLAGS lacks -D{OPTION}: build inside the repository, whose .cargo/config.toml sets it");
    }
}
