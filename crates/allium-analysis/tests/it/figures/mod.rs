//! What the reports promise, on small records whose answers can be worked out by hand.

mod network;
mod properties;
mod relay;
mod search;
mod strip;
mod support;
