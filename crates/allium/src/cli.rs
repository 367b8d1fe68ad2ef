//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use allium_forecast::models::Kind;
use allium_model::ConsensusHour;
use allium_server::Listen;
use allium_service::SiteAddress;
use allium_simulate::scenario::Event;
use allium_sources::consensus::verify::TrustedAuthority;
use clap::{Args, Parser, Subcommand, ValueEnum};
use toml::Value;

/// Report how reliable the Tor network is, why, and what comes next
#[derive(Debug, Parser)]
#[command(name = "allium", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct GlobalArgs {
    /// The store file [default: allium.db]
    #[arg(long, global = true, value_name = "PATH")]
    store: Option<String>,
    /// A configuration file (TOML)
    #[arg(long, global = true, value_name = "PATH", env = "ALLIUM_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Log filter, such as `warn` or `allium=debug` [default: info]
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Simulate a network and serve its pages; needs no internet
    Demo(DemoArgs),
    /// Fetch, store and serve pages
    Serve(ServeArgs),
    /// Fetch once into the store
    Ingest(IngestArgs),
    /// Import documents from files into the store
    #[command(subcommand)]
    Import(ImportCommand),
    /// Export the store for other programs
    #[command(subcommand)]
    Export(ExportCommand),
    /// Report on the network in the store
    Analyze(AnalyzeArgs),
    /// Find relays, operators, autonomous systems, countries, families, flags and versions in the store
    Search(SearchArgs),
    /// Forecast the uptime of every relay
    Forecast(ForecastArgs),
    /// Run the detector over the stored history and write its incidents
    Replay(ReplayArgs),
    /// Evaluate forecasts by back-tests and the detector by injected faults
    #[command(subcommand)]
    Evaluate(EvaluateCommand),
    /// Simulate a network; write or serve its documents
    Simulate(SimulateArgs),
    /// Check, copy, prune or upgrade the store
    #[command(subcommand)]
    Store(StoreCommand),
    /// Manage tokens, whose holders acknowledge, annotate and merge incidents
    #[command(subcommand)]
    Token(TokenCommand),
}

/// Commands on tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Create a token and print it; it is shown only once
    Create {
        /// Name of the token, shown beside the notes of its holder
        name: String,
    },
    /// List tokens by name (the secrets are not stored)
    List,
    /// Revoke a token
    Revoke {
        /// Name of the token
        name: String,
    },
}

/// Kinds of documents to import.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Import Onionoo documents, plain or compressed (.gz, .zst, .xz)
    ///
    /// A document that cannot be read is named and left out; the others are stored, and the exit status is 1.
    Onionoo {
        /// Documents, or directories that hold them
        #[arg(required = true, value_name = "DIR|FILE")]
        paths: Vec<PathBuf>,
    },
    /// Import consensuses of either flavour: documents, directories or tars, plain or compressed (.gz, .zst, .xz), in any order
    ///
    /// A file may hold several consensuses. One that cannot be read is named and left out; the others are stored, and the exit status
    /// is 1.
    Collector(CollectorArgs),
    /// Import a pack of hourly lists of running relays; CSV files may be compressed (.gz, .zst, .xz)
    Presence(PresenceArgs),
}

/// The files of a pack.
#[derive(Debug, Args)]
pub(crate) struct PresenceArgs {
    /// CSV: snapshot,fetched_at,running,guard,exit
    #[arg(long, value_name = "FILE")]
    pub(crate) snapshots: PathBuf,
    /// Parquet: fingerprint, first_snapshot, end_snapshot, guard, exit
    #[arg(long, value_name = "FILE")]
    pub(crate) spans: PathBuf,
    /// CSV: fingerprint,nickname,ipv4,as,as_name,country,contact,family
    #[arg(long, value_name = "FILE")]
    pub(crate) relays: PathBuf,
}

/// Consensuses, and the authorities whose signatures count.
#[derive(Debug, Args)]
pub(crate) struct CollectorArgs {
    /// Documents and tars, or directories that hold them
    #[arg(required = true, value_name = "DIR|FILE")]
    pub(crate) paths: Vec<PathBuf>,
    /// Key certificates of the authorities, such as CollecTor's certs.tar.xz; without them nothing is marked as verified
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) certificates: Vec<PathBuf>,
    /// Trust these authorities instead of those of the public network of 2026; may be repeated
    #[arg(long, value_name = "NAME FINGERPRINT")]
    pub(crate) authority: Vec<TrustedAuthority>,
}

/// Exports for other programs.
#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// Export the exact history of all relays, as tables partitioned by month
    History(ExportHistoryArgs),
}

/// Options of `export history`.
#[derive(Debug, Args)]
pub(crate) struct ExportHistoryArgs {
    /// The directory to write; it appears when all of it is written
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Form of the tables
    #[arg(long, value_enum, default_value_t = TableFormat::Parquet)]
    pub(crate) format: TableFormat,
    /// Replace an earlier export in that directory
    #[arg(long)]
    pub(crate) replace: bool,
}

/// Form of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// Compressed columns with types
    Parquet,
    /// Text
    Csv,
}

/// Commands on the store.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Check every invariant; exit with 0 only if all hold
    Check,
    /// Remove what lies ahead of the clock or before Tor began: consensuses, documents, graphs, attributes, weights, events, visits
    Mend {
        /// Print what would be removed, and remove nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Make a sound store out of a damaged one, whose file is kept under another name, and print what is lost; nobody may use it meanwhile
    Repair {
        /// Write the sound store there, and leave the damaged one where it is
        #[arg(long, value_name = "PATH")]
        out: Option<PathBuf>,
    },
    /// Copy the store while it is in use
    Backup {
        /// The file to write
        #[arg(value_name = "PATH")]
        to: PathBuf,
    },
    /// Remove consensuses before a time, and relays not seen since
    Prune(PruneArgs),
    /// Print sizes and counts
    Stats,
    /// Upgrade a store that an older Allium wrote to the format of this one
    Upgrade,
}

/// Options of `store prune`.
#[derive(Debug, Args)]
pub(crate) struct PruneArgs {
    /// The first consensus to keep, RFC 3339, a whole hour
    #[arg(long, value_name = "TIME")]
    pub(crate) before: ConsensusHour,
    /// Give the space back to the file system; needs free space of up to twice the size of what is kept for a while
    #[arg(long)]
    pub(crate) vacuum: bool,
}

/// Options of the sources.
#[derive(Debug, Args, Default)]
pub(crate) struct SourceArgs {
    /// Sources to visit: onionoo, directory, collector [default: onionoo]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    sources: Vec<String>,
    /// Address of the Onionoo service
    #[arg(long, value_name = "URL")]
    onionoo_url: Option<String>,
    /// SOCKS5 proxy to fetch through, such as socks5h://127.0.0.1:9050
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
}

/// Options of `ingest`.
#[derive(Debug, Args)]
pub(crate) struct IngestArgs {
    /// Then ask domains that relays claim for their proofs, as far as checks are due
    #[arg(long)]
    pub(crate) proofs: bool,
    #[command(flatten)]
    source: SourceArgs,
}

/// Options of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where to serve pages, such as localhost:8080 or unix:/run/allium.sock; may be repeated [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT|unix:PATH", value_delimiter = ',')]
    listen: Vec<Listen>,
    /// Beginning of the service's addresses, such as `https://tor.example/allium` [default: as clients call it]
    #[arg(long, value_name = "URL")]
    address: Option<SiteAddress>,
    /// Serve the store and fetch nothing
    #[arg(long)]
    pub(crate) offline: bool,
    #[command(flatten)]
    source: SourceArgs,
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where to serve pages, such as localhost:8080 or unix:/run/allium.sock; may be repeated [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT|unix:PATH", value_delimiter = ',')]
    listen: Vec<Listen>,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// Seconds of real time between two consensuses of the simulated network
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) hour_every: u64,
}

/// Choice of a synthetic network.
#[derive(Debug, Args)]
pub(crate) struct NetworkArgs {
    /// Seed; the same seed gives the same network
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Relays running at a time
    #[arg(long, default_value_t = 1500, value_parser = clap::value_parser!(u32).range(10..=200_000))]
    pub(crate) relays: u32,
    /// Days of history
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=4000))]
    pub(crate) days: u32,
    /// The newest consensus, RFC 3339, a whole hour [default: the last hour for demo, 2026-01-01T00:00:00Z for simulate]
    #[arg(long, value_name = "TIME")]
    pub(crate) end: Option<ConsensusHour>,
}

/// Options of `simulate`.
#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// A fault, such as `outage as rank 1 at 2025-12-31T00:00:00Z for 12h`; may be repeated
    ///
    /// outage WHOM at TIME for SPAN [share N%] [onset SPAN] [recovery SPAN] [back N%]
    /// flap WHOM at TIME for SPAN [share N%] [every SPAN]
    /// lose FLAG WHOM at TIME for SPAN [share N%]
    /// flood N [as ASN] at TIME for SPAN [onset SPAN] [recovery SPAN]
    /// missing at TIME for SPAN
    /// stale at TIME for SPAN
    /// late at TIME for SPAN by SPAN
    /// authorities N silent|unsigned|garbled at TIME for SPAN
    ///
    /// WHOM is `as AS64512`, `country de`, `operator example-op-1.example` or `version 0.4.8.11` (or `rank N`, the Nth largest), `random N`, or `all`.
    /// TIME is a whole hour, RFC 3339. SPAN is whole hours, days or weeks: 12h, 3d, 1w.
    #[arg(long, value_name = "EVENT", verbatim_doc_comment)]
    pub(crate) event: Vec<Event>,
    /// A file with an event per line; `#` begins a comment line
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// Write into this directory, with the truth about the events in truth.jsonl
    #[arg(long, value_name = "DIR", required_unless_present = "listen")]
    pub(crate) out: Option<PathBuf>,
    /// With --out: kinds of documents to write
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',', default_value = "onionoo", requires = "out")]
    pub(crate) write: Vec<Simulated>,
    /// With --out and consensuses: number of hours to write, the latest
    #[arg(long, value_name = "N", default_value_t = 72, requires = "out", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) consensus_hours: u32,
    /// Serve Onionoo documents, the directory protocol, CollecTor's recent files and packs of lists here (loopback only)
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// With --listen: seconds of real time between two consensuses; the network stands still without it
    #[arg(long, value_name = "SECONDS", requires = "listen", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) hour_every: Option<u64>,
}

/// Documents of a simulated network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Simulated {
    /// details.json, uptime.json and so on
    Onionoo,
    /// Signed consensuses of both flavours and certificates, as CollecTor keeps them
    Consensuses,
    /// A pack of hourly lists, in presence/
    Presence,
}

/// Options of `analyze`.
#[derive(Debug, Args)]
pub(crate) struct AnalyzeArgs {
    /// Form of the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Options of `search`.
#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// What to look for, such as `AS24940`, `203.0.113.4`, `flag:exit country:de` or `'"Jane Roe"'`; docs/search.md has the language
    #[arg(required = true, value_name = "QUESTION")]
    pub(crate) question: Vec<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Options of `evaluate forecast`.
#[derive(Debug, Args)]
pub(crate) struct EvaluateForecastArgs {
    /// The first origin, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = origin)]
    pub(crate) from: ConsensusHour,
    /// No origin is later than this, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = origin)]
    pub(crate) to: ConsensusHour,
    /// More origins, RFC 3339, such as those in a flood of short-lived relays
    #[arg(long, value_name = "TIME", value_delimiter = ',', value_parser = origin)]
    pub(crate) also: Vec<ConsensusHour>,
    /// Horizon of the forecasts in days
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=90))]
    pub(crate) horizon_days: u16,
    /// Models to score besides the one in use and conditional quantiles, by name [default: all]
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = model)]
    pub(crate) models: Vec<Kind>,
    /// Write the scoreboard, forecast.json, into this directory, and each origin as it is done into its forecast-origins/
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Reuse origins that an earlier run with the same data and models left in forecast-origins/
    #[arg(long, requires = "out")]
    pub(crate) resume: bool,
}

/// A model or baseline by its name.
fn model(name: &str) -> Result<Kind, String> {
    Kind::named(name).ok_or_else(|| format!("one of {}", Kind::ALL.map(Kind::name).join(", ")))
}

/// Options of `evaluate network`.
#[derive(Debug, Args)]
pub(crate) struct EvaluateNetworkArgs {
    /// Days between two days as of which the network is forecast
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=90))]
    pub(crate) step_days: u16,
    /// Write the scores, network.json, into this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// An instant, or a date that stands for its first hour.
fn origin(text: &str) -> Result<ConsensusHour, String> {
    hour_containing(text).or_else(|error| hour_containing(&format!("{text}T00:00:00Z")).map_err(|_| error))
}

/// Options of `forecast`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ForecastArgs {
    #[command(subcommand)]
    pub(crate) action: Option<ForecastAction>,
    /// Forecast as of this time, RFC 3339; nothing later is used [default: the newest consensus]
    #[arg(long, value_name = "TIME", value_parser = hour_containing)]
    pub(crate) as_of: Option<ConsensusHour>,
    /// Horizon of the forecast in days
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=90))]
    pub(crate) horizon_days: u16,
    /// Form of the forecast
    #[arg(long, value_enum, default_value_t = ForecastFormat::Csv)]
    pub(crate) format: ForecastFormat,
    /// A model that `forecast train` wrote; without it one is trained on the data known by then
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,
}

/// Further commands on forecasts.
#[derive(Debug, Subcommand)]
pub(crate) enum ForecastAction {
    /// Train a model and keep it, unless it is worse than the one already there
    Train(TrainArgs),
}

/// Options of `forecast train`.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Learn from the data known at this time, RFC 3339 [default: the newest consensus]
    #[arg(long, value_name = "TIME", value_parser = hour_containing)]
    pub(crate) as_of: Option<ConsensusHour>,
    /// Horizon of the forecasts in days
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=90))]
    pub(crate) horizon_days: u16,
    /// The model file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// Form of a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ForecastFormat {
    /// A row per relay
    Csv,
    /// The same with the network's figures and the model's scores
    Json,
}

/// The hour in which an instant lies.
fn hour_containing(text: &str) -> Result<ConsensusHour, String> {
    let instant: allium_model::Timestamp = text.parse().map_err(|_| "expected a time such as 2026-02-15T18:00:00Z".to_owned())?;
    Ok(ConsensusHour::containing(instant))
}

/// Options of `replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The first consensus whose incidents are written, RFC 3339; the detector learns from everything before. Incidents that
    /// were detected earlier are not repeated, even if they go on [default: the first one stored]
    #[arg(long, value_name = "TIME", value_parser = parse_hour_from)]
    pub(crate) from: Option<ConsensusHour>,
    /// The last consensus to look at [default: the last one stored]
    #[arg(long, value_name = "TIME", value_parser = hour_containing)]
    pub(crate) to: Option<ConsensusHour>,
    /// Form of the incidents
    #[arg(long, value_enum, default_value_t = Lines::Jsonl)]
    pub(crate) format: Lines,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Subjects of an evaluation.
#[derive(Debug, Subcommand)]
pub(crate) enum EvaluateCommand {
    /// Score all forecast models and baselines at monthly origins
    Forecast(EvaluateForecastArgs),
    /// Score forecasts of the whole network as of past days, beside simpler methods
    Network(EvaluateNetworkArgs),
    /// Score the detector by faults injected into the stored history, beside simpler methods
    Detect(EvaluateDetectArgs),
}

/// Options of `evaluate detect`.
#[derive(Debug, Args)]
pub(crate) struct EvaluateDetectArgs {
    /// The first consensus with injected faults, RFC 3339; the detector learns from everything before [default: the first one stored]
    #[arg(long, value_name = "TIME", value_parser = hour_containing)]
    pub(crate) from: Option<ConsensusHour>,
    /// The consensus before which the faults end [default: the last one stored]
    #[arg(long, value_name = "TIME", value_parser = hour_containing)]
    pub(crate) to: Option<ConsensusHour>,
    /// Seed; the same seed gives the same faults
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// Form of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lines {
    /// One JSON object per line
    Jsonl,
}

/// The first whole hour at or after an instant.
fn parse_hour_from(text: &str) -> Result<ConsensusHour, String> {
    let hour = hour_containing(text)?;
    Ok(if text.parse::<ConsensusHour>().is_ok() { hour } else { hour.next() })
}

/// Form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

impl Cli {
    /// Settings given on the command line, by key.
    pub(crate) fn settings(&self) -> Vec<(&'static str, Value)> {
        let mut settings = Vec::new();
        settings.extend(self.global.store.clone().map(|store| ("store", Value::String(store))));
        settings.extend(self.global.log.clone().map(|log| ("log", Value::String(log))));
        let (listen, source) = match &self.command {
            Command::Serve(args) => (args.listen.as_slice(), Some(&args.source)),
            Command::Demo(args) => (args.listen.as_slice(), None),
            Command::Ingest(args) => (&[][..], Some(&args.source)),
            _ => (&[][..], None),
        };
        if !listen.is_empty() {
            let places: Vec<String> = listen.iter().map(ToString::to_string).collect();
            settings.push(("listen", Value::String(places.join(","))));
        }
        if let Command::Serve(ServeArgs { address: Some(address), .. }) = &self.command {
            settings.push(("address", Value::String(address.to_string())));
        }
        if let Some(source) = source {
            if !source.sources.is_empty() {
                settings.push(("sources", Value::Array(source.sources.iter().cloned().map(Value::String).collect())));
            }
            settings.extend(source.onionoo_url.clone().map(|url| ("onionoo.url", Value::String(url))));
            settings.extend(source.proxy.clone().map(|url| ("onionoo.proxy", Value::String(url))));
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
