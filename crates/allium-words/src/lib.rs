//! Words for people, as plain text: one wording for pages, API, feeds, mails and the command line.
//!
//! What comes in: figures, instants, incidents, forecasts, and text that strangers wrote. What goes out: numbers with their
//! units and plurals, dates, sentences, and text that can act on nothing ([`inert`]). HTML, files and sockets are deliberately
//! unknown here.
//!
//! ```
//! use allium_words::format::counted;
//! assert_eq!(counted(1, "relay"), "1 relay");
//! assert_eq!(counted(9707, "relay"), "9,707 relays");
//! ```

pub mod countries;
pub mod csv;
pub mod forecasts;
pub mod format;
pub mod incidents;
pub mod inert;
pub mod json;
