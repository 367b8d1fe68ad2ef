//! The store through its public interface.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise, helpers included")]

mod bits;
mod common;
mod conformance;
mod sqlite;
