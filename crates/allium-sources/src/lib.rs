//! Documents that the Tor network publishes, fetched and decoded.
//!
//! Input: documents from files (plain, gzip, Zstandard or xz) or over HTTPS. Output: the types of `allium-model` and, beside them, a list
//! of [`Reject`](allium_model::Reject)s: one line for everything that could not be understood, with file, location and reason. One
//! unreadable field costs that field and nothing else; a truncated document is refused as a whole, because a missing relay would read as a
//! vanished one.
//!
//! Everything in the documents is written by strangers. Sizes are capped before and after decompression, lengths and
//! numbers are capped field by field, control characters are replaced; markup and bidirectional text are kept as they
//! are and made inert where they are shown.
//!
//! Deliberately unknown here: the clock, the store, and the meaning of the figures.
//!
//! ```
//! use allium_model::{Bounds, DocumentKind};
//! use allium_sources::onionoo::{Document, decode};
//!
//! let text = br#"{"version":"8.0","relays_published":"2026-02-15 18:00:00","relays":[
//!   {"fingerprint":"000004ACBB9D29BCBA17256BB35928DDBFC8ABA9","nickname":"lisdex","running":true,
//!    "last_seen":"2026-02-15 18:00:00","consensus_weight":-1}
//! ],"bridges_published":"2026-02-15 18:00:00","bridges":[]}"#;
//! let Document::Details(details) = decode(DocumentKind::Details, text, "example", Bounds::default()).unwrap() else { unreachable!() };
//! assert_eq!(details.relays[0].nickname.as_deref(), Some("lisdex"));
//! assert_eq!(details.header.rejects[0].location, "relays[0] 000004ACBB9D29BCBA17256BB35928DDBFC8ABA9 field consensus_weight");
//! ```

pub mod address;
pub mod collector;
pub mod consensus;
pub mod directory;
pub mod error;
mod http;
pub mod onionoo;
pub mod presence;
pub mod proof;
pub mod read;
mod rejects;
mod whole;

pub use error::Error;
