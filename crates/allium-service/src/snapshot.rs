//! Everything that pages show, at one moment.

use std::sync::Arc;

use allium_analysis::{PastStandings, Sizes};
use allium_model::{IncidentNote, SourceFailure, SourceReport, Timestamp};
use allium_words::format::at_secs;

use crate::changes::Changes;
use crate::forecasts::Outlook;
use crate::incidents::IncidentLog;
use crate::info::SiteInfo;
use crate::scoreboard::Scoreboard;
use crate::unrecorded::Unrecorded;
use crate::view::View;

/// Everything that pages show, at one moment. Immutable: an answer made from one snapshot never mixes two states. Cheap to clone.
#[derive(Clone)]
pub struct Snapshot {
    generation: u64,
    modified: Timestamp,
    info: Arc<SiteInfo>,
    view: Option<Arc<View>>,
    incidents: Option<Arc<IncidentLog>>,
    changes: Arc<Changes>,
    outlook: Outlook,
    scoreboard: Option<Arc<Scoreboard>>,
    sizes: Arc<Sizes>,
    past_standings: Option<Arc<PastStandings>>,
    stored_sources: Arc<[SourceReport]>,
    unrecorded: Arc<Unrecorded>,
    /// What is stored, with failures that are not.
    sources: Arc<[SourceReport]>,
    waiting_for: Arc<str>,
}

/// A part of the state, made anew.
pub enum Patch {
    /// The network as of a consensus.
    Network(Box<View>),
    /// Incidents as the detector sees them; notes stay beside them unless the log brings its own.
    Incidents(Box<IncidentLog>),
    /// All notes about incidents; nothing changes before there are incidents.
    Notes(Vec<IncidentNote>),
    /// Forecasts, or why there are none.
    Outlook(Outlook),
    /// Scores of forecasts that an evaluation wrote; `None` where there are none.
    Scoreboard(Option<Box<Scoreboard>>),
    /// Sizes of the network and its parts over time.
    Sizes(Sizes),
    /// Ranks of operators at earlier times.
    Standings(PastStandings),
    /// The state of the sources in the store, by name.
    Sources(Vec<SourceReport>),
    /// A failure of the source of this name that the store could not hold.
    Unrecorded(String, SourceFailure),
    /// The name of a source whose failures the store holds.
    Recorded(String),
    /// Why there is no view yet, such as "the first fetch failed: connection refused".
    Waiting(String),
}

impl Snapshot {
    /// The state before anything is known.
    pub(crate) fn empty(info: SiteInfo) -> Self {
        Self {
            generation: 0,
            modified: Timestamp::UNIX_EPOCH,
            info: Arc::new(info),
            view: None,
            incidents: None,
            changes: Arc::default(),
            outlook: Outlook::default(),
            scoreboard: None,
            sizes: Arc::default(),
            past_standings: None,
            stored_sources: Arc::default(),
            unrecorded: Arc::default(),
            sources: Arc::default(),
            waiting_for: "the first fetch is under way".into(),
        }
    }

    /// The next state: this one with some parts made anew.
    ///
    /// Its time of modification is `now`, but at least a second after that of this one: validators of HTTP count in seconds, and two
    /// states must not share one.
    pub(crate) fn patched(&self, patches: impl IntoIterator<Item = Patch>, now: Timestamp) -> Self {
        let modified = at_secs(now.as_second().max(self.modified.as_second() + 1));
        let mut next = Self { generation: self.generation + 1, modified, ..self.clone() };
        patches.into_iter().for_each(|patch| next.take(patch));
        next
    }

    fn take(&mut self, patch: Patch) {
        match patch {
            Patch::Network(view) => self.view = Some(Arc::from(view)),
            Patch::Incidents(log) => {
                let log = match self.incidents.as_deref() {
                    Some(before) => log.with_notes_of(before),
                    None => *log,
                };
                self.follow(log);
            }
            Patch::Notes(notes) => {
                if let Some(log) = self.incidents.as_deref() {
                    self.follow(log.clone().with_notes(&notes));
                }
            }
            Patch::Outlook(outlook) => self.outlook = outlook,
            Patch::Scoreboard(scoreboard) => self.scoreboard = scoreboard.map(Arc::from),
            Patch::Sizes(sizes) => self.sizes = Arc::new(sizes),
            Patch::Standings(past) => self.past_standings = Some(Arc::new(past)),
            Patch::Sources(sources) => {
                self.stored_sources = sources.into();
                self.show_sources();
            }
            Patch::Unrecorded(source, failure) => {
                Arc::make_mut(&mut self.unrecorded).add(source, failure);
                self.show_sources();
            }
            Patch::Recorded(source) => {
                Arc::make_mut(&mut self.unrecorded).forget(&source);
                self.show_sources();
            }
            Patch::Waiting(reason) => self.waiting_for = reason.into(),
        }
    }

    fn show_sources(&mut self) {
        self.sources = self.unrecorded.beside(&self.stored_sources).into();
    }

    fn follow(&mut self, log: IncidentLog) {
        self.changes = Arc::new(self.changes.followed(self.incidents.as_deref(), &log));
        self.incidents = Some(Arc::new(log));
    }

    /// Failures of sources that the store could not hold.
    pub fn unrecorded(&self) -> &Unrecorded {
        &self.unrecorded
    }

    /// The number of this state: one more with each that is published.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The time of modification in whole seconds, which is later with each state. It can lie ahead of the clock where several states
    /// were published within a second.
    pub const fn modified(&self) -> Timestamp {
        self.modified
    }

    /// The time of modification, as far as it is past at `now`: what is ahead of the clock is no validator.
    pub fn modified_by(&self, now: Timestamp) -> Option<Timestamp> {
        (self.modified <= now).then_some(self.modified)
    }

    /// Facts about the service itself.
    pub fn info(&self) -> &SiteInfo {
        &self.info
    }

    /// The network as of the newest consensus; `None` before there is one.
    pub fn view(&self) -> Option<&View> {
        self.view.as_deref()
    }

    /// The incidents; `None` until the detector has walked the history.
    pub fn incidents(&self) -> Option<&IncidentLog> {
        self.incidents.as_deref()
    }

    /// The latest changes of incidents.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Forecasts, or why there are none.
    pub const fn outlook(&self) -> &Outlook {
        &self.outlook
    }

    /// The scores of forecasts, where an evaluation was run.
    pub fn scoreboard(&self) -> Option<&Scoreboard> {
        self.scoreboard.as_deref()
    }

    /// Sizes of the network and its parts over time; empty until they are read, and where the store holds no weights.
    pub const fn sizes(&self) -> &Arc<Sizes> {
        &self.sizes
    }

    /// Ranks of operators at earlier times; `None` until they are computed.
    pub fn past_standings(&self) -> Option<&PastStandings> {
        self.past_standings.as_deref()
    }

    /// The state of the sources, by name.
    pub fn sources(&self) -> &[SourceReport] {
        &self.sources
    }

    /// Why there is no view yet.
    pub fn waiting_for(&self) -> &str {
        &self.waiting_for
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        at_secs(1_771_184_820 + secs)
    }

    #[test]
    fn a_patch_makes_the_next_state_and_leaves_the_one_before() {
        let before = Snapshot::empty(SiteInfo::default());
        let after = before.patched([Patch::Waiting("a".to_owned()), Patch::Outlook(Outlook::Missing("b".to_owned()))], at(0));
        assert_eq!((before.generation(), before.waiting_for()), (0, "the first fetch is under way"));
        assert_eq!((after.generation(), after.waiting_for(), after.modified()), (1, "a", at(0)));
        assert!(matches!(after.outlook(), Outlook::Missing(reason) if reason == "b"));
    }

    #[test]
    fn no_two_states_share_a_second() {
        let first = Snapshot::empty(SiteInfo::default()).patched([], at(0));
        let second = first.patched([], at(0));
        let third = second.patched([], at(-3_600));
        assert_eq!([&first, &second, &third].map(Snapshot::modified), [at(0), at(1), at(2)]);
        assert_eq!((second.modified_by(at(0)), second.modified_by(at(1))), (None, Some(at(1))));
    }

    #[test]
    fn notes_wait_for_incidents_and_stay_with_them() {
        let note = IncidentNote {
            id: 1,
            incident: "a1".to_owned(),
            at: at(0),
            by: "somebody".to_owned(),
            action: allium_model::NoteAction::Acknowledge,
            text: String::new(),
        };
        let empty = Snapshot::empty(SiteInfo::default());
        assert!(empty.patched([Patch::Notes(vec![note.clone()])], at(0)).incidents().is_none());
        let with_log = empty.patched([Patch::Incidents(Box::default())], at(0));
        let noted = with_log.patched([Patch::Notes(vec![note])], at(1)).patched([Patch::Incidents(Box::default())], at(2));
        assert_eq!(noted.incidents().map(|log| log.notes_of("a1").len()), Some(1));
    }
}
