//! Logs go to standard error, one line per event: time, level, target, sentence, fields.
//!
//! No visitor's address is ever logged. Text from the network is logged through `?` or `%` fields, which the formatter escapes.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

/// Starts logging with these filter directives.
pub(crate) fn start(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::builder().parse(filter).with_context(|| format!("cannot understand the log filter {filter:?}"))?;
    // The resolver complains of every zone that is not as it should be; what matters of that is a finding of ours.
    let filter = match filter.to_string().contains("hickory") {
        true => filter,
        false => ["hickory_net=off", "hickory_resolver=off"]
            .into_iter()
            .try_fold(filter, |filter, directive| Ok::<_, anyhow::Error>(filter.add_directive(directive.parse()?)))?,
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .try_init()
        .map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))
}
