//! `allium export history`: the exact history as tables that other programs query.
//!
//! `docs/export.md` states the tables and their columns: `relays` once, all others in a directory per month. Rows are written as they
//! are made, so that the memory is that of the history and one row group. Two exports of one store are the same bytes. The
//! directory appears when all of it is on disk.

mod consensuses;
mod csv_file;
mod events;
mod group_hours;
mod month;
mod output;
mod parquet_file;
mod relay_days;
mod relays;
mod spans;
mod table;
mod target;
mod weights;

use std::path::Path;

use allium_history::{Event, ExactHistory, Store};
use allium_model::Timestamp;
use allium_words::format::count;
use anyhow::Context as _;

use crate::cli::{ExportHistoryArgs, TableFormat};
use crate::config::Config;
use crate::progress::Progress;
use allium_service::workers::doubt::open_believed;
use month::Month;
use output::Table;
use target::Target;

/// Rows of each table.
#[derive(Debug, Default)]
struct Written {
    n_months: u64,
    n_spans: u64,
    n_consensuses: u64,
    n_relay_days: u64,
    n_group_hours: u64,
    n_events: u64,
    n_relays: u64,
}

/// Reads the history as of one moment, writes it beside the directory that is asked for, then puts it there.
pub(crate) fn run(config: &Config, args: &ExportHistoryArgs) -> anyhow::Result<()> {
    let store = open_believed(&config.store, &config.detect.settings())?;
    let target = Target::prepare(&args.out, args.replace)?;
    let progress = Progress::start(2);
    progress.step(&format!("reading {}", config.store));
    let written = store.at_one_moment(|store| {
        let (history, events) = (store.exact()?, store.events(None, Timestamp::MIN, Timestamp::MAX)?);
        progress.step("writing");
        write(store, &history, &events, target.dir(), args.format).with_context(|| format!("cannot write {}", args.out.display()))
    })??;
    target.publish()?;
    progress.finish(&format!("{}: {}", args.out.display(), written.summary()));
    Ok(())
}

fn write(store: &dyn Store, history: &ExactHistory, events: &[Event], dir: &Path, format: TableFormat) -> anyhow::Result<Written> {
    let mut written = Written::default();
    for (name, month) in month::months(history.timeline.known(), events) {
        let dir = dir.join(format!("month={name}"));
        std::fs::create_dir(&dir)?;
        write_month(store, history, &month, &dir, format, &mut written)?;
        target::sync_dir(&dir)?;
        written.n_months += 1;
    }
    let mut table = Table::new(dir, "relays", relays::COLUMNS, format);
    table.open()?;
    relays::write(&history.relays, &mut table)?;
    written.n_relays = table.finish()?;
    target::sync_dir(dir)?;
    Ok(written)
}

fn write_month(
    store: &dyn Store,
    history: &ExactHistory,
    month: &Month<'_>,
    dir: &Path,
    format: TableFormat,
    written: &mut Written,
) -> anyhow::Result<()> {
    let mut table = Table::new(dir, "spans", spans::COLUMNS, format);
    spans::write(&history.timeline, month, &mut table)?;
    written.n_spans += table.finish()?;
    let mut table = Table::new(dir, "consensuses", consensuses::COLUMNS, format);
    consensuses::write(history, month, &mut table)?;
    written.n_consensuses += table.finish()?;
    let mut table = Table::new(dir, "relay_days", relay_days::COLUMNS, format);
    relay_days::write(store, month, &mut table)?;
    written.n_relay_days += table.finish()?;
    let mut table = Table::new(dir, "group_hours", group_hours::COLUMNS, format);
    group_hours::write(store, month, &mut table)?;
    written.n_group_hours += table.finish()?;
    let mut table = Table::new(dir, "events", events::COLUMNS, format);
    events::write(month.events, &mut table)?;
    written.n_events += table.finish()?;
    Ok(())
}

impl Written {
    fn summary(&self) -> String {
        let Self { n_months, n_spans, n_consensuses, n_relay_days, n_group_hours, n_events, n_relays } = self;
        let n = |number: &u64| count(*number);
        format!(
            "{} months, {} consensuses, {} spans, {} days of relays, {} hours of groups, {} events, {} relays",
            n(n_months),
            n(n_consensuses),
            n(n_spans),
            n(n_relay_days),
            n(n_group_hours),
            n(n_events),
            n(n_relays)
        )
    }
}
