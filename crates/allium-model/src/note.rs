//! Notes on incidents, which stand beside what was detected.

use jiff::Timestamp;

/// A note that the holder of a token made on an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentNote {
    /// Its number in the store; later ones are larger.
    pub id: i64,
    /// The id of the incident.
    pub incident: String,
    /// Time of the note.
    pub at: Timestamp,
    /// The name of the token; a stranger's text like the note's own.
    pub by: String,
    /// The action.
    pub action: NoteAction,
    /// Text of the note; may be empty.
    pub text: String,
}

/// Action of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteAction {
    /// Somebody knows of it and looks after it.
    Acknowledge,
    /// Somebody adds a text.
    Annotate,
    /// It is held to be part of the incident with this id.
    Merge(String),
    /// It is held to be an incident of its own again.
    Separate,
}

impl NoteAction {
    /// The name in the store, JSON and addresses, such as `acknowledge`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Annotate => "annotate",
            Self::Merge(_) => "merge",
            Self::Separate => "separate",
        }
    }

    /// The action of a name; `into` is the incident that a merge leads to. `None` where they do not fit.
    pub fn of(name: &str, into: Option<&str>) -> Option<Self> {
        match (name, into) {
            ("acknowledge", None) => Some(Self::Acknowledge),
            ("annotate", None) => Some(Self::Annotate),
            ("merge", Some(into)) => Some(Self::Merge(into.to_owned())),
            ("separate", None) => Some(Self::Separate),
            _ => None,
        }
    }
}
