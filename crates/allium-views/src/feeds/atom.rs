//! Feeds as RFC 4287.

use allium_words::format::rfc3339;
use atom_syndication::{
    Category, Content, Entry as AtomEntry, Feed as AtomFeed, FixedDateTime, Generator, Link, Person, Text, WriteConfig,
};

use super::{Entry, Feed};
use crate::error::RequestError;

/// The feed as XML.
pub(super) fn written(feed: Feed) -> Result<String, RequestError> {
    let link = |rel: &str, href: &str| Link { rel: rel.to_owned(), href: href.to_owned(), ..Link::default() };
    let atom = AtomFeed {
        title: Text::plain(feed.title),
        id: feed.id,
        updated: instant(feed.updated)?,
        authors: vec![Person { name: "Allium".to_owned(), ..Person::default() }],
        generator: Some(Generator { value: "Allium".to_owned(), ..Generator::default() }),
        links: vec![link("self", &feed.itself), link("alternate", &feed.page)],
        entries: feed.entries.into_iter().map(entry).collect::<Result<_, _>>()?,
        ..AtomFeed::default()
    };
    let config = WriteConfig { write_document_declaration: true, indent_size: None };
    let bytes = atom.write_with_config(Vec::new(), config).map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}

fn entry(entry: Entry) -> Result<AtomEntry, RequestError> {
    let category = |term: &str| Category { term: term.to_owned(), ..Category::default() };
    Ok(AtomEntry {
        title: Text::plain(entry.title),
        id: entry.id,
        updated: instant(entry.updated)?,
        published: Some(instant(entry.published)?),
        links: vec![Link { rel: "alternate".to_owned(), href: entry.link, ..Link::default() }],
        categories: entry.categories.into_iter().map(category).collect(),
        content: Some(Content { content_type: Some("text".to_owned()), value: Some(entry.summary), ..Content::default() }),
        ..AtomEntry::default()
    })
}

fn instant(at: allium_model::Timestamp) -> Result<FixedDateTime, RequestError> {
    rfc3339(at).parse().map_err(|_| failed(&"an instant that is none"))
}

fn failed(error: &dyn std::fmt::Display) -> RequestError {
    tracing::error!(%error, "a feed could not be written");
    RequestError::Internal
}
