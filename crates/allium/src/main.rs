//! The `allium` program: reads the configuration, the clock and the network, and wires the crates together.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

mod checks;
mod cli;
mod commands;
mod config;
mod logging;
mod progress;
mod setup;
mod signals;

use cli::{Cli, Command, EvaluateCommand, ExportCommand, ImportCommand, StoreCommand, TokenCommand};
use config::{Config, Layers};

/// Allocator: gives freed memory back to the system by itself; see `docs/operations.md`, "Memory".
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            progress::complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let layers = Layers { file: cli.global.config.as_deref(), environment: environment()?, flags: cli.settings() };
    let config = Config::load(&layers)?;
    logging::start(&config.log)?;
    match &cli.command {
        Command::Demo(args) => commands::demo::run(&config, args),
        Command::Serve(args) => commands::serve::run(&config, args),
        Command::Ingest(args) => commands::ingest::run(&config, args),
        Command::Import(ImportCommand::Onionoo { paths }) => commands::import::run(&config, paths),
        Command::Import(ImportCommand::Collector(args)) => commands::import_collector::run(&config, args),
        Command::Import(ImportCommand::Presence(args)) => commands::import_presence::run(&config, args),
        Command::Export(ExportCommand::History(args)) => commands::export::run(&config, args),
        Command::Analyze(args) => commands::analyze::run(&config, args),
        Command::Search(args) => commands::search::run(&config, args),
        Command::Forecast(args) => commands::forecast::run(&config, args),
        Command::Evaluate(EvaluateCommand::Detect(args)) => commands::evaluate::detect::run(&config, args),
        Command::Replay(args) => commands::replay::run(&config, args),
        Command::Evaluate(EvaluateCommand::Forecast(args)) => commands::evaluate::forecast::run(&config, args),
        Command::Evaluate(EvaluateCommand::Network(args)) => commands::evaluate::network::run(&config, args),
        Command::Simulate(args) => commands::simulate::run(args),
        Command::Store(StoreCommand::Check) => commands::store::check(&config),
        Command::Store(StoreCommand::Mend { dry_run }) => commands::store::mend(&config, *dry_run),
        Command::Store(StoreCommand::Repair { out }) => commands::repair::run(&config, out.as_deref()),
        Command::Store(StoreCommand::Backup { to }) => commands::store::backup(&config, to),
        Command::Store(StoreCommand::Prune(args)) => commands::store::prune(&config, args),
        Command::Store(StoreCommand::Stats) => commands::store::stats(&config),
        Command::Store(StoreCommand::Upgrade) => commands::store::upgrade(&config),
        Command::Token(TokenCommand::Create { name }) => commands::token::create(&config, name),
        Command::Token(TokenCommand::List) => commands::token::list(&config),
        Command::Token(TokenCommand::Revoke { name }) => commands::token::revoke(&config, name),
    }
}

/// Our part of the environment as text; `ALLIUM_CONFIG` is left out because it names the configuration file itself.
fn environment() -> anyhow::Result<Vec<(String, String)>> {
    let is_ours = |name: &OsString| name.to_string_lossy().starts_with("ALLIUM_") && name != "ALLIUM_CONFIG";
    let text = |text: OsString| text.into_string().map_err(|text| anyhow::anyhow!("the environment has {text:?}, which is not UTF-8"));
    std::env::vars_os().filter(|(name, _)| is_ours(name)).map(|(name, value)| Ok((text(name)?, text(value)?))).collect()
}

/// True if output stopped because nobody reads on, as in `allium analyze | head`: no failure of ours.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>()).any(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}
