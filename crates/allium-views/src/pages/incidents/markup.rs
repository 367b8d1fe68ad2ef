//! Incidents as HTML: words with links, colours and shapes. The sentences are those of [`allium_words::incidents`].

use allium_detect::{Scope, ScopeKind, Severity, Status};
use allium_model::{Asn, CountryCode, IncidentNote, NoteAction};
use allium_service::View;
use allium_words::incidents::{Names, scope_name, severity_word};

use crate::foreign::Foreign;
use crate::markup::Html;
use crate::route::{GroupKind, href};

/// The scope with a link to its page where it has one.
pub(crate) fn scope_link(scope: &Scope, view: &View) -> Html {
    let name = Html::words(scope_name(scope, view));
    match scope.kind {
        ScopeKind::Country if scope.key.parse::<CountryCode>().is_ok() => Html::link(&GroupKind::Country.href(&scope.key), &name),
        ScopeKind::As if scope.key.parse::<Asn>().is_ok() => Html::link(&GroupKind::As.href(&scope.key), &name),
        ScopeKind::Operator if scope.key.parse().is_ok_and(|id| view.operator(&id).is_some()) => {
            Html::link(&format!("/operator/{}", scope.key), &name)
        }
        _ => name,
    }
}

/// A status as word, colour and shape.
pub(crate) fn status_html(status: Status) -> Html {
    let (class, word) = match status {
        Status::Active => ("down", "Active"),
        Status::Recovering => ("half", "Recovering"),
        Status::Resolved => ("up", "Over"),
        Status::Permanent => ("off", "Lasting"),
        Status::Merged => ("off", "Merged"),
    };
    Html::tag("span", &format!("st {class}"), word)
}

/// A severity as word and shape: the bar before the word is the wider the more severe.
pub(crate) fn severity_html(severity: Severity) -> Html {
    let class = match severity {
        Severity::Minor => "sv s1",
        Severity::Moderate => "sv s2",
        Severity::Major => "sv s3",
        Severity::Critical => "sv s4",
    };
    Html::tag("span", class, severity_word(severity))
}

/// A note as HTML: author, action, words.
pub(crate) fn note(note: &IncidentNote) -> Html {
    let what = match &note.action {
        NoteAction::Acknowledge => Html::words("acknowledged it"),
        NoteAction::Annotate => Html::words("noted"),
        NoteAction::Merge(into) => {
            let link = Html::link(&href::incident(into), &Html::words("another incident"));
            Html::joined([Html::words("said that it is part of"), link], " ")
        }
        NoteAction::Separate => Html::words("said that it is an incident of its own"),
    };
    let who = Html::joined([Html::safe(Foreign::short(&note.by)), what], " ");
    if note.text.is_empty() {
        return Html::joined([who, Html::words("")], ".");
    }
    Html::joined([who, Html::safe(Foreign::long(&note.text))], ": ")
}
