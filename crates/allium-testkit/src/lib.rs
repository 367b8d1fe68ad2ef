//! Support of tests that several packages share: networks made by hand, signed documents, files of packs, and the promises of decoders.
//!
//! Only tests, benchmarks and fuzz targets depend on this crate. Each module is a feature.
#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise, helpers included")]

#[cfg(feature = "decoders")]
pub mod decoders;
#[cfg(feature = "relays")]
pub mod relays;
#[cfg(feature = "signing")]
pub mod signing;
#[cfg(feature = "spans_file")]
pub mod spans_file;
#[cfg(feature = "tar")]
pub mod tar;
