//! Notes about incidents: checked here, recorded by a [`NoteStore`].

use allium_model::{IncidentNote, NoteAction};

use crate::incidents::IncidentLog;

/// The longest text of a note, in characters.
pub const LONGEST_TEXT: usize = 2_000;

/// Notes that an incident may have.
pub const MAX_NOTES: usize = 200;

/// Records the notes of token holders.
pub trait NoteStore: Send + Sync {
    /// Records a note, and gives all notes that there are. May wait for the disk.
    ///
    /// # Errors
    /// The reason why it was not recorded.
    fn record(&self, token: &str, note: NewNote) -> Result<Vec<IncidentNote>, StoreError>;
}

/// A note to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNote {
    /// The id of the incident, which exists.
    pub incident: String,
    /// Action of the note; a merge leads to another incident that exists, and not in a circle.
    pub action: NoteAction,
    /// At most 2,000 characters.
    pub text: String,
}

/// Reasons why a note was not recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The token is not valid.
    #[error("the token is not valid")]
    WrongToken,
    /// The incident has as many notes as it may.
    #[error("the incident has {MAX_NOTES} notes, the most that one may have")]
    Full,
    /// The store could not be written; the reason has been logged.
    #[error("the store could not be written")]
    Failed,
}

/// Reasons why a note cannot be recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// There is no incident of that id.
    #[error("there is no such incident")]
    NoSuchIncident,
    /// The text is too long.
    #[error("a text may have at most {LONGEST_TEXT} characters")]
    TooLong,
    /// An annotation has no text.
    #[error("an annotation needs a text")]
    NoText,
    /// Something other than a merge names another incident, or the action is not known.
    #[error("only a merge leads into another incident")]
    NotAMerge,
    /// There is no incident to merge into; the beginning of the id that was given.
    #[error("there is no incident {0:?} to merge into")]
    NothingToMergeInto(String),
    /// The merge would lead back to the incident.
    #[error("the merge would lead an incident back to itself")]
    Circle,
}

impl NewNote {
    /// A note about an incident of a log; `into` is the incident that a merge leads to, and separates where it is empty.
    ///
    /// # Errors
    /// If the log has no such incident, or the words do not make a note.
    pub fn of(log: &IncidentLog, id: &str, action: &str, text: &str, into: Option<&str>) -> Result<Self, NoteError> {
        let incident = log.get(id).ok_or(NoteError::NoSuchIncident)?.id.clone();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.chars().count() > LONGEST_TEXT {
            return Err(NoteError::TooLong);
        }
        let into = into.map(str::trim).filter(|into| !into.is_empty());
        let action = match (action, into) {
            ("acknowledge", None) => NoteAction::Acknowledge,
            ("annotate", None) if text.is_empty() => return Err(NoteError::NoText),
            ("annotate", None) => NoteAction::Annotate,
            ("merge", Some(into)) => merge(log, &incident, into)?,
            ("merge" | "separate", None) => NoteAction::Separate,
            _ => return Err(NoteError::NotAMerge),
        };
        Ok(Self { incident, action, text })
    }
}

fn merge(log: &IncidentLog, id: &str, into: &str) -> Result<NoteAction, NoteError> {
    let quoted: String = into.chars().take(60).collect();
    let into = log.get(into).ok_or(NoteError::NothingToMergeInto(quoted))?;
    if log.would_circle(id, &into.id) {
        return Err(NoteError::Circle);
    }
    Ok(NoteAction::Merge(into.id.clone()))
}
