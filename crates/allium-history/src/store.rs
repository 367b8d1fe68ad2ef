//! The small interfaces that a store is made of, whatever database is behind it.

use crate::Error;

/// States of workers: blobs by name, which only the worker that saved one can read.
///
/// A state is a copy of what the record implies, kept to save time. Nothing in the store depends on one.
pub trait State {
    /// Keeps the state of a worker in place of the one before. It is compressed; up to 1 GiB is accepted.
    ///
    /// # Errors
    /// [`Error::StateTooLarge`]; else as [`crate::History::apply`].
    fn save_state(&mut self, name: &str, state: &[u8]) -> Result<(), Error>;

    /// Reads the state that a worker saved last; `None` if it saved none.
    ///
    /// # Errors
    /// [`Error::Corrupt`] names the worker whose state is damaged.
    fn load_state(&self, name: &str) -> Result<Option<Vec<u8>>, Error>;
}
