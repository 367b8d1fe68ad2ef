//! What people may say about incidents, and who takes it down.
//!
//! Pages and the API check what is said; whether a token opens writing, and where it is written, is the business of a [`Desk`].

use std::sync::Arc;

use allium_model::{IncidentNote, NoteAction};

use crate::error::RequestError;
use crate::incidents::IncidentLog;

/// The longest text of a note, in characters.
pub(crate) const LONGEST_TEXT: usize = 2_000;

/// Notes that an incident may have.
pub const MAX_NOTES: usize = 200;

/// Takes down what the holders of tokens say.
pub trait Desk: Send + Sync {
    /// Takes a note down, and gives all notes that there are. May wait for the disk.
    ///
    /// # Errors
    /// Why it was not taken down.
    fn take_down(&self, token: &str, said: Said) -> Result<Vec<IncidentNote>, DeskError>;
}

/// Something that somebody says about an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The id of the incident, which exists.
    pub incident: String,
    /// What is done; a merge leads to another incident that exists, and not in a circle.
    pub action: NoteAction,
    /// At most 2,000 characters.
    pub text: String,
}

/// Why a note was not taken down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeskError {
    /// The token opens nothing.
    WrongToken,
    /// The incident has as many notes as it may.
    Full,
    /// The store could not be written; the reason has been logged.
    Failed,
}

impl From<DeskError> for RequestError {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::WrongToken => Self::WrongToken,
            DeskError::Full => Self::BadBody(format!("the incident has {MAX_NOTES} notes already, which is all that it may have")),
            DeskError::Failed => Self::Internal,
        }
    }
}

impl Said {
    /// What is said in a request about an incident of a log; `into` is where a merge leads, and separates where it is empty.
    ///
    /// # Errors
    /// The reason why it cannot be said.
    pub fn of(log: &IncidentLog, id: &str, action: &str, text: &str, into: Option<&str>) -> Result<Self, RequestError> {
        let incident = log.get(id).ok_or(RequestError::NoSuchPage)?.id.clone();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.chars().count() > LONGEST_TEXT {
            return Err(RequestError::BadBody(format!("a text may have {LONGEST_TEXT} characters")));
        }
        let into = into.map(str::trim).filter(|into| !into.is_empty());
        let action = match (action, into) {
            ("acknowledge", None) => NoteAction::Acknowledge,
            ("annotate", None) if text.is_empty() => return Err(RequestError::BadBody("an annotation needs a text".to_owned())),
            ("annotate", None) => NoteAction::Annotate,
            ("merge", Some(into)) => merge(log, &incident, into)?,
            ("merge" | "separate", None) => NoteAction::Separate,
            _ => return Err(RequestError::BadBody("only a merge leads into another incident".to_owned())),
        };
        Ok(Self { incident, action, text })
    }
}

fn merge(log: &IncidentLog, id: &str, into: &str) -> Result<NoteAction, RequestError> {
    let quoted: String = into.chars().take(60).collect();
    let into = log.get(into).ok_or_else(|| RequestError::BadBody(format!("there is no incident {quoted:?} to merge into")))?;
    if log.would_circle(id, &into.id) {
        return Err(RequestError::BadBody("that would merge an incident into itself".to_owned()));
    }
    Ok(NoteAction::Merge(into.id.clone()))
}

/// A desk that a site may have.
pub(crate) type SharedDesk = Arc<dyn Desk>;
