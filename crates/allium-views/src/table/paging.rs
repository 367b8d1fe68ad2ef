//! Ways to cut a long list: by cursors, or into numbered pages.

use std::ops::Range;

use super::{Table, TableState};
use crate::error::RequestError;
use crate::params::Params;

/// Rows of a page, or of a JSON answer, unless the address says otherwise.
pub(super) const LIMIT: usize = 100;

/// The most rows of a page or of a JSON answer.
const MAX_LIMIT: usize = 1_000;

/// The last page that an address can ask for.
const MAX_PAGE: usize = 1_000_000;

/// A way to cut a long list.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Paging {
    /// `limit` rows from the one behind `cursor` on.
    Cursors,
    /// The page `page` of those with `per` rows each; the numbers of rows that are offered, the default first.
    Numbered(&'static [usize]),
}

/// The part of a list that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Position {
    /// So many rows from the one behind the row with this key on.
    Behind {
        cursor: Option<String>,
        /// `None` where the address does not say.
        limit: Option<usize>,
    },
    /// A page of those with so many rows each, from 1 on.
    Page { number: usize, per_page: usize },
}

/// A link to another part of the list.
pub(crate) struct PageLink {
    pub(crate) label: String,
    /// `None` for the page itself and for a gap.
    pub(crate) href: Option<String>,
    pub(crate) rel: Option<&'static str>,
    pub(crate) is_current: bool,
}

impl PageLink {
    fn to(label: impl Into<String>, rel: Option<&'static str>, href: String) -> Self {
        Self { label: label.into(), href: Some(href), rel, is_current: false }
    }

    fn here(number: usize) -> Self {
        Self { label: number.to_string(), href: None, rel: None, is_current: true }
    }

    fn gap() -> Self {
        Self { label: "…".to_owned(), href: None, rel: None, is_current: false }
    }
}

impl Paging {
    /// Its parameters.
    pub(super) const fn names(self) -> [&'static str; 2] {
        match self {
            Self::Cursors => ["limit", "cursor"],
            Self::Numbered(_) => ["page", "per"],
        }
    }

    pub(super) fn position(self, params: &Params) -> Result<Position, RequestError> {
        match self {
            Self::Cursors => {
                let cursor = params.one("cursor")?.map(str::to_owned);
                Ok(Position::Behind { limit: params.number("limit", 1..=MAX_LIMIT)?, cursor })
            }
            Self::Numbered(offered) => {
                let per_page = rows_per_page(offered, params)?;
                Ok(Position::Page { number: params.number("page", 1..=MAX_PAGE)?.unwrap_or(1), per_page })
            }
        }
    }

    /// Rows of a page unless the address says otherwise.
    pub(super) fn default_rows(self) -> usize {
        match self {
            Self::Cursors => LIMIT,
            Self::Numbered(offered) => offered.first().copied().unwrap_or(LIMIT),
        }
    }
}

fn rows_per_page(offered: &[usize], params: &Params) -> Result<usize, RequestError> {
    let Some(rows) = params.number("per", 1..=usize::MAX)? else { return Ok(offered.first().copied().unwrap_or(LIMIT)) };
    let allowed = || offered.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    if offered.contains(&rows) { Ok(rows) } else { Err(RequestError::bad("per", &rows.to_string(), allowed())) }
}

impl Position {
    /// The beginning of the list, with as many rows at once.
    pub(super) fn first(&self) -> Self {
        match self {
            Self::Behind { limit, .. } => Self::Behind { cursor: None, limit: *limit },
            Self::Page { per_page, .. } => Self::Page { number: 1, per_page: *per_page },
        }
    }
}

impl<R> Table<'_, R> {
    /// The rows that are shown of those found; where the address names no number, so many.
    pub(super) fn shown(&self, found: &[&R], position: &Position, unless_said: usize) -> Result<Range<usize>, RequestError> {
        match position {
            Position::Behind { cursor, limit } => {
                let start = self.start_behind(found, cursor.as_deref())?;
                Ok(start..start.saturating_add(limit.unwrap_or(unless_said)).min(found.len()))
            }
            Position::Page { number, per_page } => {
                let n_pages = found.len().div_ceil(*per_page).max(1);
                if *number > n_pages {
                    return Err(RequestError::bad("page", &number.to_string(), format!("a whole number from 1 to {n_pages}")));
                }
                let start = (number - 1) * per_page;
                Ok(start..(start + per_page).min(found.len()))
            }
        }
    }

    /// The index of the row behind the one that a cursor names.
    fn start_behind(&self, found: &[&R], cursor: Option<&str>) -> Result<usize, RequestError> {
        let Some(cursor) = cursor else { return Ok(0) };
        let allowed = "a next_cursor of the same list; if the network has moved on since, start again without it";
        let index = found.iter().position(|row| (self.key)(row) == cursor);
        index.map(|index| index + 1).ok_or_else(|| RequestError::bad("cursor", cursor, allowed))
    }

    /// Links to the other parts of the list.
    pub(super) fn page_links(&self, found: &[&R], shown: &Range<usize>, state: &TableState) -> Vec<PageLink> {
        match &state.position {
            Position::Behind { limit, .. } => self.cursor_links(found, shown, state, *limit),
            Position::Page { number, per_page } => self.numbered_links(state, *number, *per_page, found.len()),
        }
    }

    fn cursor_links(&self, found: &[&R], shown: &Range<usize>, state: &TableState, limit: Option<usize>) -> Vec<PageLink> {
        let from = |index: usize| {
            let cursor = index.checked_sub(1).and_then(|before| found.get(before)).map(|row| (self.key)(row));
            self.href(&self.path, &state.at(Position::Behind { cursor, limit }))
        };
        let mut links = Vec::new();
        if shown.start > 0 {
            links.push(PageLink::to("First", None, from(0)));
            links.push(PageLink::to("Previous", Some("prev"), from(shown.start.saturating_sub(limit.unwrap_or(LIMIT)))));
        }
        if shown.end < found.len() {
            links.push(PageLink::to("Next", Some("next"), from(shown.end)));
        }
        links
    }

    /// First, last and the pages around the present one.
    fn numbered_links(&self, state: &TableState, current: usize, per_page: usize, n_rows: usize) -> Vec<PageLink> {
        let n_pages = n_rows.div_ceil(per_page).max(1);
        let href = |number: usize| self.href(&self.path, &state.at(Position::Page { number, per_page }));
        let is_near = |page: &usize| *page == 1 || *page == n_pages || page.abs_diff(current) <= 2;
        let mut links = Vec::new();
        if current > 1 {
            links.push(PageLink::to("Previous", Some("prev"), href(current - 1)));
        }
        let mut before = 0;
        for page in (1..=n_pages).filter(is_near) {
            links.extend((page > before + 1).then(PageLink::gap));
            links.push(if page == current { PageLink::here(page) } else { PageLink::to(page.to_string(), None, href(page)) });
            before = page;
        }
        if current < n_pages {
            links.push(PageLink::to("Next", Some("next"), href(current + 1)));
        }
        links
    }
}
