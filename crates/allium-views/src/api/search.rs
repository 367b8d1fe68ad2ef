//! Answers to a question, for programs.

use allium_analysis::Question;
use allium_service::{IncidentLog, View};
use serde::Serialize;

use crate::error::RequestError;
use crate::form::to_json;
use crate::pages::search::found::{Found, OfKind, Thing};
use crate::pages::search::{asked, words};
use crate::params::Params;

/// The answer to a question.
#[derive(Debug, Clone, Serialize)]
pub struct SearchJson {
    /// The newest consensus taken in.
    pub as_of: String,
    /// The question in one form.
    pub question: String,
    /// Each of its terms in words.
    pub understood: Vec<String>,
    /// The one thing that the question names exactly.
    pub exact: Option<ThingJson>,
    /// The findings by kind, those with the thing that the question names first; kinds without a finding are left out.
    pub found: Vec<KindJson>,
}

/// Things of one kind.
#[derive(Debug, Clone, Serialize)]
pub struct KindJson {
    /// The kind: `operators`, `autonomous_systems`, `countries`, `families`, `relays`, `flags`, `versions`, `incidents`.
    pub kind: &'static str,
    /// Their number.
    pub n: usize,
    /// The first of them, what the question names exactly before the others.
    pub first: Vec<ThingJson>,
}

/// A thing that was found.
#[derive(Debug, Clone, Serialize)]
pub struct ThingJson {
    /// Its name.
    pub name: String,
    /// A few words about it.
    pub about: String,
    /// The address of its page.
    pub href: String,
    /// True if the question names exactly it.
    pub is_exact: bool,
}

impl SearchJson {
    /// Asks a question; without a log no incidents are found.
    pub fn of(view: &View, log: Option<&IncidentLog>, question: &Question) -> Self {
        let found = Found::of(view, log, question);
        Self {
            as_of: view.as_of().to_string(),
            question: question.to_string(),
            understood: question.terms().iter().map(words::understood).collect(),
            exact: found.only().cloned().map(ThingJson::of),
            found: found.kinds.into_iter().map(KindJson::of).collect(),
        }
    }
}

impl KindJson {
    fn of(of: OfKind) -> Self {
        Self { kind: of.kind.name(), n: of.n, first: of.first.into_iter().map(ThingJson::of).collect() }
    }
}

impl ThingJson {
    fn of(thing: Thing) -> Self {
        Self { name: thing.name, about: thing.about, href: thing.href, is_exact: thing.is_exact }
    }
}

/// `/api/v1/search`
pub(crate) fn search(view: &View, log: Option<&IncidentLog>, params: &Params) -> Result<String, RequestError> {
    let (question, _) = asked(view, params)?;
    to_json(&SearchJson::of(view, log, &question))
}
