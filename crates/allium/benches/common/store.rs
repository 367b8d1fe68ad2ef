//! Stores that benches serve: of the real documents and hourly lists where they are, else of simulated ones.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::{PROGRAM, run};

/// Data of the real network, where it is.
pub(crate) fn real(name: &str) -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    Some(dir).filter(|dir| dir.is_dir())
}

/// Onionoo documents of a network of the size of the real one, written into `out`.
pub(crate) fn simulated_documents(out: &Path) -> anyhow::Result<()> {
    run(Command::new(PROGRAM).args(["simulate", "--relays", "9700", "--days", "730", "--out"]).arg(out))?;
    std::fs::remove_file(out.join("bandwidth.json"))?;
    Ok(std::fs::remove_file(out.join("weights.json"))?)
}

/// Makes the store of a pack of hourly lists.
pub(crate) fn import_pack(pack: &Path, store: &Path) -> Command {
    let file = |name: &str| pack.join(name);
    let mut import = Command::new(PROGRAM);
    import.args(["import", "presence", "--snapshots"]).arg(file("snapshots.csv.zst")).arg("--spans").arg(file("presence.parquet"));
    import.arg("--relays").arg(file("relays.csv.zst")).arg("--store").arg(store);
    import
}

/// Adds Onionoo documents to a store.
pub(crate) fn import_documents(documents: &Path, store: &Path) -> Command {
    let mut import = Command::new(PROGRAM);
    import.args(["import", "onionoo", "--store"]).arg(store).arg(documents);
    import
}

/// Makes a store of the real network's size at `store`; returns what it is of.
pub(crate) fn large(scratch: &Path, store: &Path) -> anyhow::Result<&'static str> {
    if let (Some(pack), Some(documents)) = (real("presence"), real("onionoo-2026-02-15")) {
        run(&mut import_pack(&pack, store))?;
        run(&mut import_documents(&documents, store))?;
        return Ok("the real pack and documents of 2026-02-15");
    }
    let documents = scratch.join("documents");
    simulated_documents(&documents)?;
    run(&mut import_documents(&documents, store))?;
    Ok("simulated documents of 9,700 running relays; no real data")
}

/// Makes a small simulated store with incidents in it at `store`.
pub(crate) fn small(scratch: &Path, store: &Path) -> anyhow::Result<()> {
    let out = scratch.join("small");
    let mut simulate = Command::new(PROGRAM);
    simulate.args(["simulate", "--relays", "300", "--days", "40", "--event", "outage as rank 1 at 2025-12-31T18:00:00Z for 3d"]);
    run(simulate.args(["--write", "onionoo,presence", "--out"]).arg(&out))?;
    run(&mut import_pack(&out.join("presence"), store))?;
    run(&mut import_documents(&out, store))?;
    Ok(())
}
