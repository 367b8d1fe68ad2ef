//! `allium evaluate`: backtests and scoreboards, one file each.

pub(crate) mod detect;
pub(crate) mod forecast;
pub(crate) mod network;
