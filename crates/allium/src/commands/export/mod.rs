//! `allium export history`: the exact history as tables that other programs query.
//!
//! Three tables, of which `docs/export.md` states the columns: `spans` and `consensuses` in a directory per month, `relays`
//! once. Rows are written as they are made, so that the memory is that of the history and one row group. Two exports of one
//! store are the same bytes. The directory appears when all of it is on disk.

mod consensuses;
mod csv_file;
mod month;
mod parquet_file;
mod relays;
mod spans;
mod table;
mod target;

use std::path::Path;

use allium_history::{ExactHistory, History as _, SqliteHistory};
use allium_views::format::count;
use anyhow::Context as _;

use crate::cli::{ExportHistoryArgs, TableFormat};
use crate::config::Config;
use crate::progress::Progress;
use table::{Column, Sink};
use target::Target;

/// Rows of each table.
#[derive(Debug, Default)]
struct Written {
    n_months: u64,
    n_spans: u64,
    n_consensuses: u64,
    n_relays: u64,
}

/// Reads the history as of one moment, writes it beside the directory that is asked for, then puts it there.
pub(crate) fn run(config: &Config, args: &ExportHistoryArgs) -> anyhow::Result<()> {
    let store = SqliteHistory::open_read_only(&config.store)?;
    let target = Target::prepare(&args.out, args.replace)?;
    let progress = Progress::start(2);
    progress.step(&format!("reading {}", config.store.display()));
    let history = store.exact()?;
    progress.step("writing");
    let written = write(&history, target.dir(), args.format).with_context(|| format!("cannot write {}", args.out.display()))?;
    target.publish()?;
    progress.finish(&format!("{}: {}", args.out.display(), written.summary()));
    Ok(())
}

fn write(history: &ExactHistory, dir: &Path, format: TableFormat) -> anyhow::Result<Written> {
    let mut written = Written::default();
    for month in month::months(history.timeline.known()) {
        let dir = dir.join(format!("month={}", month.name));
        std::fs::create_dir(&dir)?;
        let mut table = open(&dir, "spans", spans::COLUMNS, format)?;
        written.n_spans += spans::write(&history.timeline, &month, table.as_mut())?;
        table.finish()?;
        let mut table = open(&dir, "consensuses", consensuses::COLUMNS, format)?;
        written.n_consensuses += consensuses::write(history, &month, table.as_mut())?;
        table.finish()?;
        target::sync_dir(&dir)?;
        written.n_months += 1;
    }
    let mut table = open(dir, "relays", relays::COLUMNS, format)?;
    written.n_relays += relays::write(&history.relays, table.as_mut())?;
    table.finish()?;
    target::sync_dir(dir)?;
    Ok(written)
}

/// An empty table in a new file.
fn open(dir: &Path, name: &str, columns: &'static [Column], format: TableFormat) -> anyhow::Result<Box<dyn Sink>> {
    Ok(match format {
        TableFormat::Parquet => Box::new(parquet_file::ParquetFile::create(&dir.join(format!("{name}.parquet")), name, columns)?),
        TableFormat::Csv => Box::new(csv_file::CsvFile::create(&dir.join(format!("{name}.csv")), columns)?),
    })
}

impl Written {
    fn summary(&self) -> String {
        let Self { n_months, n_spans, n_consensuses, n_relays } = self;
        let n = |number: &u64| count(*number);
        format!("{} months, {} consensuses, {} spans, {} relays", n(n_months), n(n_consensuses), n(n_spans), n(n_relays))
    }
}
