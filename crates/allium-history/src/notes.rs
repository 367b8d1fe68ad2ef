//! Tokens and notes as the store knows them.

use allium_model::{NoteAction, Timestamp};

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// SHA-256 of it.
    pub hash: [u8; 32],
    /// Time at which it was made.
    pub created_at: Timestamp,
    /// Time at which it was revoked; `None` while it is valid.
    pub revoked_at: Option<Timestamp>,
}

/// A note on an incident that is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNote {
    /// The id of the incident.
    pub incident: String,
    /// Time at which it was submitted.
    pub at: Timestamp,
    /// The number of the token that authorises it.
    pub token_id: i64,
    /// The action.
    pub action: NoteAction,
    /// The text.
    pub text: String,
}
