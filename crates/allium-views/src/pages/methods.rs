//! `/methods`: how every figure is made, rendered from `docs/methods.md`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use allium_model::Timestamp;
use allium_service::Snapshot;
use askama::Template;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use crate::error::RequestError;
use crate::page::{Frame, PageHtml, framed, render};
use crate::route::href;

const SOURCE: &str = include_str!("../../../../docs/methods.md");

static BODY: LazyLock<String> = LazyLock::new(|| markdown(SOURCE));

#[derive(Template)]
#[template(path = "methods.html")]
struct Methods {
    page: Frame,
    body: &'static str,
}

framed!(Methods);

/// Renders the page.
pub(crate) fn html(snapshot: &Snapshot, now: Timestamp) -> Result<PageHtml, RequestError> {
    let page = match snapshot.view() {
        Some(view) => Frame::of(snapshot, view, now, href::METHODS),
        None => Frame::bare(snapshot, href::METHODS),
    };
    render(&Methods { page, body: BODY.as_str() })
}

/// Our own Markdown as HTML; headings get the identifiers that repository pages give them, unless they name their own
/// as in `## Uptime {#uptime}`.
pub(crate) fn markdown(source: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_HEADING_ATTRIBUTES | Options::ENABLE_FOOTNOTES;
    let mut events: Vec<Event<'_>> = Parser::new_ext(source, options).collect();
    let mut taken = BTreeSet::new();
    for i in 0..events.len() {
        let Event::Start(Tag::Heading { id: None, .. }) = &events[i] else { continue };
        let slug = unused(slug(&heading_text(&events[i + 1..])), &mut taken);
        if let Event::Start(Tag::Heading { id, .. }) = &mut events[i] {
            *id = Some(CowStr::from(slug));
        }
    }
    let mut out = String::with_capacity(source.len() * 2);
    html::push_html(&mut out, events.into_iter().map(without_inline_style));
    out
}

fn heading_text(events: &[Event<'_>]) -> String {
    let is_inside = |event: &&Event<'_>| {
        !matches!(
            event,
            Event::End(TagEnd::Heading(
                HeadingLevel::H1 | HeadingLevel::H2 | HeadingLevel::H3 | HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6
            ))
        )
    };
    let text = |event: &Event<'_>| match event {
        Event::Text(text) | Event::Code(text) => text.to_string(),
        _ => String::new(),
    };
    events.iter().take_while(is_inside).map(text).collect()
}

fn slug(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

fn unused(slug: String, taken: &mut BTreeSet<String>) -> String {
    let numbered = (1..).map(|n| format!("{slug}-{n}"));
    let free = std::iter::once(slug.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or(slug);
    taken.insert(free.clone());
    free
}

/// Tables come without the inline styles that the content security policy refuses, and raw HTML as text.
fn without_inline_style(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Start(Tag::Table(columns)) => Event::Start(Tag::Table(vec![pulldown_cmark::Alignment::None; columns.len()])),
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        other => other,
    }
}
