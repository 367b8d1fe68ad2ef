//! Everything that pages show, at one moment.

use std::sync::Arc;

use allium_analysis::{PastStandings, Sizes};
use allium_model::{IncidentNote, SourceReport, Timestamp};

use crate::changes::Changes;
use crate::forecasts::Outlook;
use crate::incidents::IncidentLog;
use crate::scoreboard::Scoreboard;
use crate::site::SiteInfo;
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
    /// The state of the sources, by name.
    Sources(Vec<SourceReport>),
    /// Why there is no view yet, such as "the first fetch failed: connection refused".
    Waiting(String),
}

impl Snapshot {
    /// The state before anything is known.
    pub(crate) fn empty(info: SiteInfo, now: Timestamp) -> Self {
        Self {
            generation: 0,
            modified: now,
            info: Arc::new(info),
            view: None,
            incidents: None,
            changes: Arc::default(),
            outlook: Outlook::default(),
            scoreboard: None,
            sizes: Arc::default(),
            past_standings: None,
            sources: Arc::default(),
            waiting_for: "the first fetch is under way".into(),
        }
    }

    /// The next state: this one with some parts made anew. `now` becomes the time of modification, which never goes back.
    pub(crate) fn patched(&self, patches: impl IntoIterator<Item = Patch>, now: Timestamp) -> Self {
        let mut next = Self { generation: self.generation + 1, modified: now.max(self.modified), ..self.clone() };
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
            Patch::Sources(sources) => self.sources = sources.into(),
            Patch::Waiting(reason) => self.waiting_for = reason.into(),
        }
    }

    fn follow(&mut self, log: IncidentLog) {
        self.changes = Arc::new(self.changes.followed(self.incidents.as_deref(), &log));
        self.incidents = Some(Arc::new(log));
    }

    /// The number of this state: one more with each that is published.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Time at which this state was published.
    pub const fn modified(&self) -> Timestamp {
        self.modified
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
