//! The frame that all pages share.

use allium_model::Timestamp;
use allium_service::{Snapshot, View};
use allium_words::format;
use allium_words::inert::inert;
use askama::Template;

use crate::assets;
use crate::error::RequestError;
use crate::markup::{Html, When};
use crate::route::href::METHODS;
use crate::route::{Data, FeedForm, FixedPage, Form, GroupKind, Route};

/// The frame around a page: header, notes and footer.
pub(crate) struct Frame {
    pub(crate) stylesheet: &'static str,
    pub(crate) icon: &'static str,
    /// The script that makes charts interactive, on pages that have charts.
    pub(crate) script: Option<&'static str>,
    /// Path of the navigation entry that the page belongs to.
    pub(crate) section: &'static str,
    pub(crate) demo: bool,
    /// Sentence on the newest consensus, where a newer one should have arrived or it lies ahead of the clock.
    pub(crate) stale: Option<String>,
    pub(crate) as_of: Option<When>,
    pub(crate) as_of_relative: String,
    pub(crate) origin: &'static str,
    pub(crate) version: String,
    pub(crate) contact: Option<String>,
    pub(crate) onion: Option<String>,
    /// Text that a search form on the page starts with.
    pub(crate) search: String,
    pub(crate) alternate: Option<Alternate>,
    /// Feeds of what the page is about: title, Atom, RSS.
    pub(crate) feeds: Vec<(String, String, String)>,
}

/// The same content in other forms.
pub(crate) struct Alternate {
    pub(crate) json: String,
    pub(crate) csv: Option<String>,
}

impl Alternate {
    /// The figures for programs, in their forms.
    pub(crate) fn of(data: &Data) -> Self {
        let csv = data.forms().contains(&Form::Csv).then(|| Route::Data(data.clone(), Form::Csv).address());
        Self { json: data.address(), csv }
    }
}

impl Frame {
    /// The frame of a page that shows a view.
    pub(crate) fn of(snapshot: &Snapshot, view: &View, now: Timestamp, section: &'static str) -> Self {
        let as_of = view.as_of();
        Self {
            stale: view.is_stale(now).then(|| stale_sentence(view, now)),
            as_of: Some(as_of.into()),
            as_of_relative: format::relative(as_of.start(), now),
            origin: view.origin_words(),
            ..Self::bare(snapshot, section)
        }
    }

    /// The frame of a page that shows no view.
    pub(crate) fn bare(snapshot: &Snapshot, section: &'static str) -> Self {
        let info = snapshot.info();
        Self {
            stylesheet: assets::stylesheet_path(),
            icon: assets::icon_data(),
            script: None,
            section,
            demo: info.demo,
            stale: None,
            as_of: None,
            as_of_relative: String::new(),
            origin: "",
            version: info.version.clone(),
            contact: info.contact.clone(),
            onion: info.onion.clone(),
            search: String::new(),
            alternate: None,
            feeds: Vec::new(),
        }
    }

    /// The same with feeds of incidents, which the query part selects; `title` is our own words.
    pub(crate) fn with_feeds(self, title: &str, query: &str) -> Self {
        let [atom, rss] = [FeedForm::Atom, FeedForm::Rss].map(|form| format!("{}{query}", form.path()));
        Self { feeds: vec![(title.to_owned(), atom, rss)], ..self }
    }

    /// The same with other forms of the content.
    pub(crate) fn with_alternate(self, alternate: Alternate) -> Self {
        Self { alternate: Some(alternate), ..self }
    }

    /// The same with the script that makes charts interactive, where the program was built with it.
    pub(crate) fn with_charts(self) -> Self {
        Self { script: assets::script_path(), ..self }
    }

    /// The entries of the navigation.
    pub(crate) const fn nav(&self) -> [(&'static str, &'static str); 12] {
        [
            (FixedPage::Home.path(), "Network"),
            (FixedPage::Relays.path(), "Relays"),
            (FixedPage::Incidents.path(), "Incidents"),
            (FixedPage::Explore.path(), "Explore"),
            (FixedPage::Operators.path(), "Operators"),
            (GroupKind::Country.list_path(), "Countries"),
            (GroupKind::As.list_path(), "AS and more"),
            (FixedPage::Leaderboards.path(), "Leaderboards"),
            (FixedPage::Statistics.path(), "Statistics"),
            (FixedPage::Forecasts.path(), "Forecasts"),
            (FixedPage::DataQuality.path(), "Data quality"),
            (METHODS, "Methods"),
        ]
    }
}

fn stale_sentence(view: &View, now: Timestamp) -> String {
    if view.is_ahead(now) {
        return "The newest consensus taken in lies ahead of the clock.".to_owned();
    }
    let age = format::hours(f64::from(view.age_hours(now)));
    format!("The newest consensus taken in is {age} old; a newer one should have arrived.")
}

/// A page as HTML, with what its frame declares.
#[derive(Debug)]
pub(crate) struct PageHtml {
    pub(crate) html: String,
    /// True if the page loads the script of charts.
    pub(crate) scripts: bool,
}

/// A template of a whole page.
pub(crate) trait Framed: Template {
    /// The frame around it.
    fn frame(&self) -> &Frame;
}

/// Says that the field `page` of a template is its frame.
macro_rules! framed {
    ($template:ty) => {
        impl $crate::page::Framed for $template {
            fn frame(&self) -> &$crate::page::Frame {
                &self.page
            }
        }
    };
}

pub(crate) use framed;

/// Renders a page; a failure is logged and becomes an error page.
pub(crate) fn render(page: &impl Framed) -> Result<PageHtml, RequestError> {
    let html = page.render().map_err(|error| {
        tracing::error!(%error, "a page could not be rendered");
        RequestError::Internal
    })?;
    Ok(PageHtml { html, scripts: page.frame().script.is_some() })
}

/// Beginning of what a page says, as `base.html` has it.
const MAIN: &str = "<main id=\"main\">";

/// A page with a note above what it says.
pub(crate) fn with_note(html: &str, note: &Html) -> String {
    html.replacen(MAIN, &format!("{note}{MAIN}"), 1)
}

/// A search text as it may stand in an input again.
pub(crate) fn search_shown(text_given: &str) -> String {
    inert(text_given)
}
