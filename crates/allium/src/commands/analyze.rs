//! `allium analyze`: the network as the store knows it, for people or for programs.

use std::io::{self, BufWriter, Write};

use allium_analysis::{NetworkReport, PeriodFigures};
use allium_model::Period;
use allium_service::View;
use allium_words::format::{count, gigabits, percent};
use anyhow::Context as _;

use crate::cli::{AnalyzeArgs, Format};
use crate::config::Config;
use allium_service::workers::doubt::open_believed;

/// Writes the report to standard output.
pub(crate) fn run(config: &Config, args: &AnalyzeArgs) -> anyhow::Result<()> {
    let store = open_believed(&config.store, &config.detect.settings())?;
    let record = store.load()?.with_context(|| format!("{} is empty: import or ingest documents first", config.store))?;
    let report = NetworkReport::compute_in_parallel(&record);
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        Format::Text => write_text(&mut out, &report)?,
        Format::Json => {
            let view = View::new(record, report);
            serde_json::to_writer(&mut out, &allium_views::network_report_json(&view)).map_err(io::Error::from)?;
            writeln!(out)?;
        }
    }
    Ok(out.flush()?)
}

fn write_text(out: &mut impl Write, report: &NetworkReport) -> io::Result<()> {
    let network = &report.network;
    writeln!(out, "The Tor network as of the consensus of {}\n", report.as_of)?;
    let role = &network.running_by_role;
    let n = |number: usize| count(number as u64);
    writeln!(out, "{:>9}  relays seen in the last 7 days", n(network.n_relays))?;
    writeln!(out, "{:>9}  running: {} guard, {} exit, {} neither", n(network.n_running), n(role.guard), n(role.exit), n(role.middle))?;
    writeln!(out, "{:>9}  autonomous systems, {} countries", n(network.n_autonomous_systems), n(network.n_countries))?;
    let advertised = network.advertised_bandwidth.map_or_else(|| "unknown".to_owned(), gigabits);
    writeln!(out, "{advertised:>9}  Gbit/s advertised by running relays\n")?;
    writeln!(out, "Uptime over relays, in percent")?;
    writeln!(
        out,
        "{:<12}{:>9}{:>9}{:>10}{:>9}{:>9}{:>9}{:>9}{:>9}",
        "period", "relays", "mean", "weighted", "5 %", "25 %", "median", "75 %", "95 %"
    )?;
    for period in Period::ALL {
        write_period(out, period.label(), network.uptime[period.index()].as_ref())?;
    }
    writeln!(out, "\nUptime over 1 month by flag, in percent")?;
    for flag in &network.by_flag {
        write_period(out, flag.flag.name(), flag.uptime[Period::OneMonth.index()].as_ref())?;
    }
    Ok(())
}

fn write_period(out: &mut impl Write, name: &str, figures: Option<&PeriodFigures>) -> io::Result<()> {
    let Some(figures) = figures else { return writeln!(out, "{name:<12}{:>9}", "no data") };
    let weighted = figures.weighted_mean.map_or_else(|| "no data".to_owned(), |share| percent(share, 2));
    write!(out, "{name:<12}{:>9}{:>9}{weighted:>10}", count(figures.n_relays as u64), percent(figures.mean, 2))?;
    for quantile in figures.quantiles {
        write!(out, "{:>9}", percent(quantile, 2))?;
    }
    writeln!(out)
}
