//! Errors of this crate.

/// Why a model cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A file that is no model.
    #[error("not a model: {0}")]
    Unreadable(String),
    /// A model of another version of the program.
    #[error("the model is of another format, learned from other features, or damaged: train it again")]
    Incompatible,
}
