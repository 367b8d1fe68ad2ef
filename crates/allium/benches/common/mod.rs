//! What the bench programs share: processes, a running server, stores to serve.
#![allow(dead_code, reason = "no bench needs all of it")]

pub(crate) mod process;
pub(crate) mod server;
pub(crate) mod store;
