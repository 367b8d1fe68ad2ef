//! `allium search`: what a question finds in the store, as on `/search`.
//!
//! Incidents are not searched: they come from the detector, which a running service has.

use std::io::{self, BufWriter, Write};

use allium_analysis::NetworkReport;
use allium_service::View;
use allium_service::workers::doubt::open_believed;
use allium_views::SearchJson;
use allium_words::inert::inert;
use allium_words::json::to_json;
use anyhow::Context as _;

use crate::cli::{Format, SearchArgs};
use crate::config::Config;

/// Writes what is found to standard output.
pub(crate) fn run(config: &Config, args: &SearchArgs) -> anyhow::Result<()> {
    let store = open_believed(&config.store, &config.detect.settings())?;
    let record = store.load()?.with_context(|| format!("{} is empty: import or ingest documents first", config.store))?;
    let report = NetworkReport::compute_in_parallel(&record);
    let view = View::new(record, report);
    let question = view.question(&args.question.join(" "))?;
    let found = SearchJson::of(&view, None, &question);
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        Format::Text => write_text(&mut out, &found)?,
        Format::Json => write!(out, "{}", to_json(&found)?)?,
    }
    Ok(out.flush()?)
}

fn write_text(out: &mut impl Write, found: &SearchJson) -> io::Result<()> {
    writeln!(out, "{}, as of the consensus of {}", inert(&found.question), found.as_of)?;
    writeln!(out, "Understood as {}", inert(&found.understood.join(", and ")))?;
    if found.found.is_empty() {
        return writeln!(out, "\nNothing is found");
    }
    for of in &found.found {
        writeln!(out, "\n{} ({})", of.kind.replace('_', " "), of.n)?;
        for thing in &of.first {
            let mark = if thing.is_exact { "=" } else { " " };
            writeln!(out, "{mark} {}  {}  {}", inert(&thing.name), inert(&thing.about), thing.href)?;
        }
    }
    Ok(())
}
