//! Answers as they leave the pages: what is said, in which form, how long it may be kept. Headers are the business of a server.

use std::borrow::Cow;

use allium_model::Timestamp;
use allium_service::Snapshot;
use allium_words::inert::url_encoded;

use crate::error::RequestError;
use crate::form::Form;
use crate::{api, assets, pages};

/// The media type of pages.
pub(crate) const HTML: &str = "text/html; charset=utf-8";

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status, in numbers of HTTP.
    pub status: u16,
    /// The media type of the body; `None` where there is no body.
    pub media_type: Option<&'static str>,
    /// The body.
    pub body: Cow<'static, [u8]>,
    /// Time for which the answer may be kept; `None` where nothing is known about that.
    pub cache: Option<CachePolicy>,
    /// True if the page loads the script that makes charts interactive.
    pub scripts: bool,
    /// Time at which the content last changed.
    pub modified: Option<Timestamp>,
    /// The header of the request that chose between forms of the answer.
    pub vary: Option<&'static str>,
    /// The content coding of the body, in the word of HTTP.
    pub encoding: Option<&'static str>,
    /// The address that a client is sent to.
    pub location: Option<String>,
}

/// Time for which an answer may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CachePolicy {
    /// A minute, then only if nothing changed.
    Minute,
    /// A day.
    Day,
    /// For ever: another content has another address.
    Forever,
    /// Not at all.
    Never,
}

impl Answer {
    /// Something that is shown, as of a time.
    pub(crate) fn of(media_type: &'static str, modified: Option<Timestamp>, body: impl Into<Vec<u8>>) -> Self {
        Self { modified, ..Self::new(200, media_type, Cow::Owned(body.into()), CachePolicy::Minute) }
    }

    /// Something that never changes.
    pub(crate) const fn fixed(media_type: &'static str, body: &'static [u8], cache: CachePolicy) -> Self {
        Self::new(200, media_type, Cow::Borrowed(body), cache)
    }

    /// A body that is not kept anywhere.
    pub fn not_kept(status: u16, media_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, media_type, Cow::Owned(body.into()), CachePolicy::Never)
    }

    /// An error as a page.
    pub fn error_page(snapshot: &Snapshot, error: &RequestError) -> Self {
        Self::not_kept(error.status(), HTML, pages::error::html(snapshot, error))
    }

    /// An error as JSON.
    pub fn error_json(error: &RequestError) -> Self {
        Self::not_kept(error.status(), Form::Json.media_type(), api::error_json(error))
    }

    /// Sends the client to another address.
    pub fn redirect(status: u16, to: String) -> Self {
        let nothing = Self::new(status, "", Cow::Borrowed(&[]), CachePolicy::Never);
        Self { media_type: None, cache: None, location: Some(to), ..nothing }
    }

    /// Sends the client to another address with the same query. Bytes beyond ASCII, which a header cannot hold, are encoded.
    pub(crate) fn moved(status: u16, to: String, query: &str) -> Self {
        let ascii = |c: char| if c.is_ascii() { c.to_string() } else { url_encoded(c.encode_utf8(&mut [0; 4])) };
        let query: String = query.chars().map(ascii).collect();
        Self::redirect(status, if query.is_empty() { to } else { format!("{to}?{query}") })
    }

    /// The entity tag of the body, for answers that may be asked for again. It is weak, because compression changes the bytes and
    /// not what they say.
    pub fn etag(&self) -> Option<String> {
        (self.cache == Some(CachePolicy::Minute)).then(|| format!("W/\"{:016x}\"", assets::content_hash(&self.body)))
    }

    const fn new(status: u16, media_type: &'static str, body: Cow<'static, [u8]>, cache: CachePolicy) -> Self {
        Self {
            status,
            media_type: Some(media_type),
            body,
            cache: Some(cache),
            scripts: false,
            modified: None,
            vary: None,
            encoding: None,
            location: None,
        }
    }
}

impl CachePolicy {
    /// The value of `Cache-Control`.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Minute => "public, max-age=60",
            Self::Day => "public, max-age=86400",
            Self::Forever => "public, max-age=31536000, immutable",
            Self::Never => "no-store",
        }
    }
}
