//! The input of every page and answer.

use allium_model::Timestamp;
use allium_service::{Snapshot, View};

use crate::error::RequestError;
use crate::params::Params;

/// Snapshot, network and time that a page or an answer is made from.
pub(crate) struct Shown<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) view: &'a View,
    pub(crate) now: Timestamp,
    pub(crate) query: &'a str,
}

impl Shown<'_> {
    /// The parameters of the address.
    pub(crate) fn params(&self) -> Result<Params, RequestError> {
        Params::read(self.query)
    }

    /// Refuses parameters.
    pub(crate) fn no_params(&self) -> Result<(), RequestError> {
        self.params()?.only(&[])
    }
}
