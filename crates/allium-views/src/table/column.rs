//! Columns of a table, defined once for the page, the JSON and the CSV.

use super::Cell;
use crate::markup::Html;

/// A column of a table.
pub(crate) struct Column<'a, R> {
    pub(super) name: &'static str,
    pub(super) label: String,
    pub(super) about: Option<String>,
    pub(super) method: Option<&'static str>,
    /// A class of its own, in place of that of its part of a card.
    pub(super) class: Option<&'static str>,
    pub(super) card: Card,
    pub(super) is_more: bool,
    pub(super) is_numeric: bool,
    /// The name of the order that its heading sorts by.
    pub(super) order: Option<&'static str>,
    pub(super) is_searched: bool,
    /// True if it is in JSON and CSV too.
    pub(super) is_data: bool,
    pub(super) cell: Box<dyn Fn(&R) -> Cell + 'a>,
    /// The cell on the page, where that shows it otherwise.
    pub(super) shown: Option<ShownCell<'a, R>>,
}

/// A cell on the page, of a row.
pub(super) type ShownCell<'a, R> = Box<dyn Fn(&R) -> Html + 'a>;

/// The part of a column on the card of a narrow screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Card {
    /// The heading.
    Title,
    /// Beside the heading.
    Badge,
    /// Across the whole card.
    Across,
    /// One of the figures that matter, with its label.
    Figure,
    /// Not on it.
    Hidden,
}

impl<'a, R> Column<'a, R> {
    /// A column of numbers, right-aligned, that sorts with the largest first.
    ///
    /// `name` is its name in addresses, JSON and CSV and says the unit where one is needed; `label` is its heading on the page,
    /// with the unit in which the page shows it.
    pub(crate) fn number(name: &'static str, label: impl Into<String>, cell: impl Fn(&R) -> Cell + 'a) -> Self {
        let label = label.into();
        Self {
            name,
            about: Some(label.clone()),
            label,
            method: None,
            class: None,
            card: Card::Hidden,
            is_more: false,
            is_numeric: true,
            order: Some(name),
            is_searched: false,
            is_data: true,
            cell: Box::new(cell),
            shown: None,
        }
    }

    /// A column of texts, left-aligned, that sorts with the first of the alphabet first and is searched.
    pub(crate) fn text(name: &'static str, label: impl Into<String>, cell: impl Fn(&R) -> Cell + 'a) -> Self {
        Self { is_numeric: false, is_searched: true, ..Self::number(name, label, cell) }
    }

    /// A column of the data, which no page shows.
    pub(crate) fn data(name: &'static str, cell: impl Fn(&R) -> Cell + 'a) -> Self {
        Self::text(name, name, cell).plain()
    }

    /// Says in a few more words what it holds.
    pub(crate) fn about(self, words: impl Into<String>) -> Self {
        Self { about: Some(words.into()), ..self }
    }

    /// The heading in `docs/methods.md` that defines it.
    pub(crate) fn method(self, anchor: &'static str) -> Self {
        Self { method: Some(anchor), ..self }
    }

    /// Shown only with all columns, or where the table is sorted by it.
    pub(crate) fn more(self) -> Self {
        Self { is_more: true, ..self }
    }

    /// Cannot be sorted by.
    pub(crate) fn unsorted(self) -> Self {
        Self { order: None, ..self }
    }

    /// Its heading sorts by an order of another name, which an index knows.
    pub(crate) fn sorted_by(self, order: &'static str) -> Self {
        Self { order: Some(order), ..self }
    }

    /// Its heading says everything.
    pub(crate) fn plain(self) -> Self {
        Self { about: None, ..self }
    }

    /// Has a class of its own, by which the stylesheet knows where it hides.
    pub(crate) fn class(self, class: &'static str) -> Self {
        Self { class: Some(class), ..self }
    }

    /// Is on the page only.
    pub(crate) fn page_only(self) -> Self {
        Self { is_data: false, ..self }
    }

    /// The page shows its cells so.
    pub(crate) fn shown(self, html: impl Fn(&R) -> Html + 'a) -> Self {
        Self { shown: Some(Box::new(html)), ..self }
    }

    /// Is the heading of a card on narrow screens, and of the row.
    pub(crate) fn title_of_card(self) -> Self {
        Self { card: Card::Title, ..self }
    }

    /// Stands beside the heading of a card.
    pub(crate) fn badge_of_card(self) -> Self {
        Self { card: Card::Badge, ..self }
    }

    /// Stands across the whole card.
    pub(crate) fn across_card(self) -> Self {
        Self { card: Card::Across, ..self }
    }

    /// Is one of the figures on a card; three fit.
    pub(crate) fn on_card(self) -> Self {
        Self { card: Card::Figure, ..self }
    }

    /// The cell of a row on the page.
    pub(super) fn html(&self, row: &R) -> Html {
        self.shown.as_ref().map_or_else(|| (self.cell)(row).html(), |shown| shown(row))
    }

    /// Its class.
    pub(super) fn classes(&self) -> String {
        let card = match self.card {
            Card::Title => "k-t",
            Card::Badge => "k-b",
            Card::Across => "k-a",
            Card::Figure => "k-f",
            Card::Hidden => "",
        };
        let side = if self.is_numeric { "n" } else { "" };
        [side, self.class.unwrap_or(card)].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}
