//! The program as its users meet it, and its parts put together: one program of all tests, because each would be linked for itself.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests may stop at the first surprise, helpers included, and say what they skip"
)]

mod attack;
mod collector;
mod commands;
mod completion;
mod crash;
mod decoders;
mod detector;
mod disk_full;
mod doors;
mod export;
mod first_seen;
mod forecast;
mod groups;
mod incidents;
mod incumbent_defects;
mod incumbent_defects_groups;
mod labelled_events;
mod left_out;
mod live;
mod parts;
mod paths;
mod presence;
mod proofs;
mod published_uptime;
mod read_only;
mod simulate;
mod support;
mod times;
mod workers;
