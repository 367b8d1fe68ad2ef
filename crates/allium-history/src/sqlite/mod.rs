//! The store as an SQLite file: everything that speaks SQL. `docs/store.md` describes the file.

mod check;
mod check_spans;
mod columns;
mod connection;
mod consensuses;
mod describe;
mod documents;
mod events;
mod exact;
mod failure;
mod families;
mod figures;
mod hour_weights;
mod hours;
mod load;
mod locations;
mod measures;
mod network_weights;
mod notes;
mod proofs;
mod prune;
mod record;
mod relay_ids;
mod relay_states;
mod relays;
mod schema;
mod sizes;
mod sources;
mod span_rows;
mod stats;
mod texts;
mod timeline;
mod upkeep;
mod worker_states;

pub use connection::SqliteStore;
