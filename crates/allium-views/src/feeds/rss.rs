//! Feeds as RSS 2.0.

use allium_words::format::rfc3339;
use rss::extension::Extension;
use rss::{Category, Channel, Guid, Item};

use super::{Entry, Feed};
use crate::error::RequestError;

/// The feed as XML.
pub(super) fn written(feed: Feed) -> Result<String, RequestError> {
    let attrs = [("rel", "self".to_owned()), ("type", "application/rss+xml".to_owned()), ("href", feed.itself)];
    let attrs = attrs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let itself = Extension { name: "atom:link".to_owned(), attrs, ..Extension::default() };
    let channel = Channel {
        title: twice_escaped(&feed.title),
        link: feed.page,
        description: "Outages, surges, flapping, lost flags, short capacity and doubtful data, one item each.".to_owned(),
        generator: Some("Allium".to_owned()),
        last_build_date: Some(date(feed.updated)),
        ttl: Some("10".to_owned()),
        extensions: [("atom".to_owned(), [("link".to_owned(), vec![itself])].into())].into(),
        items: feed.entries.into_iter().map(item).collect(),
        namespaces: [("atom".to_owned(), "http://www.w3.org/2005/Atom".to_owned())].into(),
        ..Channel::default()
    };
    let bytes = channel.write_to(Vec::new()).map_err(|error| error.to_string());
    bytes.and_then(|bytes| String::from_utf8(bytes).map_err(|error| error.to_string())).map_err(|error| {
        tracing::error!(error, "a feed could not be written");
        RequestError::Internal
    })
}

fn item(entry: Entry) -> Item {
    let category = |name: &str| Category { name: name.to_owned(), ..Category::default() };
    let updated = if entry.updated > entry.published { format!(" As of {}.", rfc3339(entry.updated)) } else { String::new() };
    Item {
        title: Some(twice_escaped(&entry.title)),
        link: Some(entry.link),
        guid: Some(Guid { value: entry.id, permalink: false }),
        pub_date: Some(date(entry.published)),
        description: Some(format!("{}{updated}", twice_escaped(&entry.summary))),
        categories: entry.categories.into_iter().map(category).collect(),
        ..Item::default()
    }
}

/// `Sun, 15 Feb 2026 18:00:00 +0000`, as RFC 2822 wants it.
fn date(at: allium_model::Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// Readers take titles and descriptions for HTML: escaped here for that, and by the writer for XML.
fn twice_escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
