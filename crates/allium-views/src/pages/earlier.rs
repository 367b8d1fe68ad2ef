//! Earlier ranks of operators in the leaderboards, in cells and in words.

use allium_analysis::PastStandings;
use allium_analysis::leaderboards::{Category, Ranked};
use allium_analysis::standings::MOVEMENT_DAYS;
use allium_model::{ConsensusHour, OperatorId};
use allium_service::View;
use allium_words::format;

use crate::markup::{Day, Html};
use crate::table::{Cell, Column};

/// The earlier ranks of one category.
#[derive(Clone, Copy)]
pub(crate) struct Earlier<'a> {
    view: &'a View,
    past: Option<&'a PastStandings>,
    category: Category,
}

impl<'a> Earlier<'a> {
    /// The earlier ranks of a category; `past` is `None` while they are computed.
    pub(crate) const fn of(view: &'a View, past: Option<&'a PastStandings>, category: Category) -> Self {
        Self { view, past, category }
    }

    /// The rank a month ago; `None` where the operator had none then, or nobody had.
    pub(crate) fn month_ago(&self, id: &OperatorId) -> Option<usize> {
        self.past?.month_ago(self.category, self.view.as_of())?.rank(id, self.category)
    }

    /// True if the ranks of a month ago are known.
    pub(crate) fn knows_month_ago(&self) -> bool {
        self.past.is_some_and(|past| past.month_ago(self.category, self.view.as_of()).is_some())
    }

    /// The best rank up to today's, and the time at which it was first held.
    pub(crate) fn best(&self, id: &OperatorId, today: usize) -> Option<(usize, ConsensusHour)> {
        let best = self.past?.best(id, self.category, self.view.as_of());
        let is_known = self.past?.n_times(self.category, self.view.as_of()) > 0;
        is_known.then(|| best.filter(|(rank, _)| *rank <= today).unwrap_or((today, self.view.as_of())))
    }

    /// Extent of the knowledge of earlier ranks, in a sentence.
    pub(crate) fn sentence(&self) -> String {
        let Some(past) = self.past else { return "Earlier places are being worked out.".to_owned() };
        let as_of = self.view.as_of();
        match past.first(self.category, as_of) {
            None => format!(
                "Not enough history for earlier places: {}.",
                self.view.record.known.first().map_or_else(
                    || "our own record holds no consensus".to_owned(),
                    |first| format!("our own record begins {} and does not tell what is counted here", format::date(first.start()))
                )
            ),
            Some(first) => format!(
                "Best places are those at {} since {}.",
                match past.n_times(self.category, as_of) {
                    1 => "one earlier time".to_owned(),
                    n => format!("{n} earlier times"),
                },
                format::date(first.start())
            ),
        }
    }

    /// Ranks that an operator moved within a month, as a small shape with words; a dash where that is not known.
    pub(crate) fn moved(&self, id: &OperatorId, today: usize) -> Html {
        match (self.knows_month_ago(), self.month_ago(id)) {
            (false, _) => Html::words("\u{2013}"),
            (true, None) => Html::words("new"),
            (true, Some(before)) => movement(before, today),
        }
    }

    /// The earlier ranks of an operator for the end of a sentence; empty where nothing is known.
    pub(crate) fn words(&self, id: &OperatorId, today: usize) -> String {
        let Some((best, at)) = self.best(id, today) else { return String::new() };
        let before = match (self.knows_month_ago(), self.month_ago(id)) {
            (false, _) => String::new(),
            (true, None) => format!("; none {MOVEMENT_DAYS} days ago"),
            (true, Some(before)) => format!("; No. {before} {MOVEMENT_DAYS} days ago"),
        };
        let best =
            if best < today { format!(", at best No. {best} ({})", format::date(at.start())) } else { ", its best so far".to_owned() };
        format!("{before}{best}")
    }

    /// The columns of a ranking; without earlier ranks they stand among the further ones.
    pub(crate) fn columns(self, id: impl Fn(&Ranked) -> Option<&'a OperatorId> + Copy + 'a) -> Vec<Column<'a, Ranked>> {
        let days = MOVEMENT_DAYS;
        let month_ago = Column::number("rank_30_days_ago", format!("{days} days ago"), move |ranked: &Ranked| {
            id(ranked).and_then(|id| self.month_ago(id)).map_or(Cell::Nothing, Cell::count)
        })
        .about(format!("place {days} days ago"))
        .method("earlier-places");
        let moved = Column::number("places_gained", "Moved", move |ranked: &Ranked| self.moved_cell(ranked, id(ranked)))
            .about(format!("places gained in {days} days"))
            .method("earlier-places");
        let best = Column::number("best_rank", "Best place", move |ranked: &Ranked| self.best_cell(ranked, id(ranked)))
            .about("best place so far, and since when")
            .method("earlier-places");
        let best_at = Column::number("best_rank_at", "Best place at", move |ranked: &Ranked| {
            Cell::day(id(ranked).and_then(|id| self.best(id, ranked.rank)).map(|(_, at)| at))
        })
        .about("when the best place was held first")
        .method("earlier-places")
        .more();
        let columns = vec![month_ago, moved, best, best_at];
        let is_known = self.past.is_some_and(|past| past.n_times(self.category, self.view.as_of()) > 0);
        if is_known { columns } else { columns.into_iter().map(Column::more).collect() }
    }

    fn moved_cell(&self, ranked: &Ranked, id: Option<&OperatorId>) -> Cell {
        let Some(id) = id.filter(|_| self.knows_month_ago()) else { return Cell::Nothing };
        let value = self.month_ago(id).map(|before| before as f64 - ranked.rank as f64);
        Cell::Marked { html: self.moved(id, ranked.rank), value }
    }

    fn best_cell(&self, ranked: &Ranked, id: Option<&OperatorId>) -> Cell {
        let Some((rank, at)) = id.and_then(|id| self.best(id, ranked.rank)) else { return Cell::Nothing };
        let since = [Html::words(format!("{},", format::count(rank as u64))), Html::safe(Day(at.start()))];
        Cell::Marked { html: Html::joined(since, " "), value: Some(rank as f64) }
    }
}

/// `▲ 3`, `▼ 2` or `=`, with words for those who do not see shapes.
fn movement(before: usize, today: usize) -> Html {
    let (shape, words) = match before.cmp(&today) {
        std::cmp::Ordering::Greater => ("\u{25B2}", "up"),
        std::cmp::Ordering::Less => ("\u{25BC}", "down"),
        std::cmp::Ordering::Equal => return Html::words("="),
    };
    let n = format::count(before.abs_diff(today) as u64);
    let picture = Html::element("span", &[("aria-hidden", "true")], &Html::words(shape));
    Html::joined([picture, Html::tag("span", "vh", words), Html::words(n)], " ")
}
