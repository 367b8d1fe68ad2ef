//! One file per command.

pub(crate) mod ahead;
pub(crate) mod analyze;
pub(crate) mod demo;
pub(crate) mod evaluate;
pub(crate) mod export;
pub(crate) mod forecast;
pub(crate) mod import;
pub(crate) mod import_collector;
pub(crate) mod import_presence;
pub(crate) mod ingest;
mod left_out;
pub(crate) mod repair;
pub(crate) mod replay;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod simulate;
pub(crate) mod store;
pub(crate) mod token;
