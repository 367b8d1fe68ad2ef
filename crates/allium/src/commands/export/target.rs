//! The directory that an export becomes: written under a temporary name, then renamed, so that it never appears half written.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

/// A directory that is being written.
pub(super) struct Target {
    /// The path asked for.
    path: PathBuf,
    /// A temporary directory beside that path; removed when the value is dropped.
    workshop: TempDir,
    /// In the workshop.
    dir: PathBuf,
    replace: bool,
}

impl Target {
    /// Refuses a path that exists, unless it is empty, or an earlier export that is to be replaced.
    pub(super) fn prepare(out: &Path, replace: bool) -> anyhow::Result<Self> {
        let path = if out.exists() { out.canonicalize() } else { std::path::absolute(out) };
        let path = path.with_context(|| format!("cannot use {}", out.display()))?;
        refuse_taken(&path, replace)?;
        let beside = path.parent().with_context(|| format!("{} cannot be written as a whole", out.display()))?;
        let cannot = || format!("cannot write beside {}", out.display());
        fs::create_dir_all(beside).with_context(cannot)?;
        let workshop = tempfile::Builder::new().prefix(".allium-export-").tempdir_in(beside).with_context(cannot)?;
        let dir = workshop.path().join("new");
        fs::create_dir(&dir).with_context(cannot)?;
        Ok(Self { path, workshop, dir, replace })
    }

    /// Directory to write into.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Moves it to its path. Only then an earlier export is removed, and it comes back if this fails.
    pub(super) fn publish(self) -> anyhow::Result<()> {
        if self.replace && self.path.exists() {
            self.swap()?;
        } else {
            // Fails where files have appeared meanwhile.
            fs::rename(&self.dir, &self.path).with_context(|| format!("cannot write {}", self.path.display()))?;
        }
        self.path.parent().map_or(Ok(()), sync_dir).context("cannot bring the directory to the disk")
    }

    fn swap(&self) -> anyhow::Result<()> {
        refuse_taken(&self.path, true)?;
        let earlier = self.workshop.path().join("earlier");
        let cannot = || format!("cannot replace {}", self.path.display());
        fs::rename(&self.path, &earlier).with_context(cannot)?;
        fs::rename(&self.dir, &self.path).or_else(|error| fs::rename(&earlier, &self.path).and(Err(error))).with_context(cannot)
    }
}

fn refuse_taken(path: &Path, replace: bool) -> anyhow::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let entries = fs::read_dir(path).with_context(|| format!("cannot write into {}", path.display()))?;
    for entry in entries {
        let name = entry?.file_name();
        if !replace {
            bail!("{} is not empty; --replace replaces an earlier export", path.display());
        }
        if !is_ours(&name) {
            bail!("{} holds {}, which is no part of an export", path.display(), name.to_string_lossy());
        }
    }
    Ok(())
}

/// True if an export may hold a file or directory of this name.
fn is_ours(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with("month=") || name == "relays.parquet" || name == "relays.csv")
}

/// Brings the names in a directory to the disk.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
