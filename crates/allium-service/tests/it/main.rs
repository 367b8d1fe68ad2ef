//! Workers of a service, with sources on loopback.
#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise, helpers included")]

mod liar;
mod sources;
