//! What people say about incidents, beside what was detected.

use jiff::Timestamp;

/// Something that the holder of a token did about an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentNote {
    /// Its number in the store; later ones are larger.
    pub id: i64,
    /// The id of the incident.
    pub incident: String,
    /// When.
    pub at: Timestamp,
    /// The name of the token; a stranger's text like the note's own.
    pub by: String,
    /// What was done.
    pub action: NoteAction,
    /// What was said; empty where nothing was.
    pub text: String,
}

/// What was done about an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteAction {
    /// Somebody knows of it and looks after it.
    Acknowledge,
    /// Something was said.
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
