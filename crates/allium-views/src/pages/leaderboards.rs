//! `/leaderboards` and `/leaderboards/<category>`: who leads in what, by which formula.

use allium_analysis::PastStandings;
use allium_analysis::leaderboards::{Category, MIN_RELAYS, RARE_COUNTRY_RELAYS, Ranked, Unit};
use allium_model::{Fraction, OperatorId, Timestamp};
use allium_service::{Snapshot, View};
use allium_words::format;
use askama::Template;

use crate::error::RequestError;
use crate::foreign::Foreign;
use crate::form::Form;
use crate::markup::Html;
use crate::page::{Alternate, Frame, PageHtml, framed, render};
use crate::pages::earlier::Earlier;
use crate::pages::operators::identity;
use crate::params::Params;
use crate::route::{Data, FixedData, FixedPage, href};
use crate::table::{Cell, Column, Search, Style, Table, TableHtml};

/// Ranks of each category on the page of all.
const SHOWN: usize = 10;

#[derive(Template)]
#[template(path = "leaderboards.html")]
struct LeaderboardsPage {
    page: Frame,
    sentence: Html,
    boards: Vec<Board>,
}

framed!(LeaderboardsPage);

struct Board {
    name: &'static str,
    title: &'static str,
    formula: String,
    n_eligible: String,
    rows: Vec<BoardRow>,
    /// True if ranks of a month ago are known.
    moves: bool,
}

struct BoardRow {
    rank: usize,
    moved: Html,
    operator: Html,
    score: String,
    n_relays: String,
}

/// Renders the page of all categories.
pub(crate) fn html(snapshot: &Snapshot, view: &View, now: Timestamp) -> Result<PageHtml, RequestError> {
    let past = snapshot.past_standings();
    let page = LeaderboardsPage {
        page: Frame::of(snapshot, view, now, FixedPage::Leaderboards.path())
            .with_alternate(Alternate::of(&Data::Fixed(FixedData::Leaderboards))),
        sentence: sentence(view),
        boards: Category::ALL.into_iter().map(|category| board(Earlier::of(view, past, category), view, category)).collect(),
    };
    render(&page)
}

fn sentence(view: &View) -> Html {
    let leader = |category: Category| view.operators.leaderboards.ranking(category).first().map(|ranked| (category, *ranked));
    let Some((category, ranked)) = leader(Category::ReliabilityMasters).or_else(|| leader(Category::ConsensusWeight)) else {
        return Html::words("Nobody is ranked yet.");
    };
    let words = match category {
        Category::ReliabilityMasters => format!(
            "leads the {} operators with {MIN_RELAYS} relays and more in reliability: up {} of six months.",
            format::count(view.operators.leaderboards.ranking(category).len() as u64),
            score_words(category, &ranked)
        ),
        _ => format!("has the most weight: {}.", score_words(category, &ranked)),
    };
    Html::joined([operator(view, &ranked), Html::words(words)], " ")
}

fn board(earlier: Earlier<'_>, view: &View, category: Category) -> Board {
    let ranking = view.operators.leaderboards.ranking(category);
    let row = |ranked: &Ranked| BoardRow {
        rank: ranked.rank,
        moved: id(view, ranked).map_or_else(Html::unknown, |id| earlier.moved(id, ranked.rank)),
        operator: operator(view, ranked),
        score: score_words(category, ranked),
        n_relays: format::count(ranked.n_relays as u64),
    };
    Board {
        name: category.name(),
        title: title(category),
        formula: formula(category),
        n_eligible: format::counted(ranking.len(), "operator"),
        rows: ranking.iter().take(SHOWN).map(row).collect(),
        moves: earlier.knows_month_ago(),
    }
}

fn operator(view: &View, ranked: &Ranked) -> Html {
    let operator_idx = ranked.operator_idx as usize;
    let name = view.operator_name(operator_idx);
    id(view, ranked).map_or_else(Html::unknown, |id| Html::link(&href::operator(id), &Html::safe(Foreign::short(&name))))
}

fn id<'a>(view: &'a View, ranked: &Ranked) -> Option<&'a OperatorId> {
    view.operators.list().get(ranked.operator_idx as usize).map(|operator| &operator.id)
}

/// Indices of an operator's relays in the record.
fn relays_of(view: &View, ranked: &Ranked) -> Vec<usize> {
    let operator = view.operators.list().get(ranked.operator_idx as usize);
    operator.into_iter().flat_map(|operator| &operator.members).map(|i| *i as usize).collect()
}

fn table<'a>(view: &'a View, past: Option<&'a PastStandings>, category: Category) -> Table<'a, Ranked> {
    let mut columns = columns(view, category);
    columns.extend(Earlier::of(view, past, category).columns(move |ranked: &Ranked| id(view, ranked)));
    Table {
        path: href::leaderboard(category),
        api: Data::Leaderboard(category).address(),
        caption: title(category).to_owned(),
        noun: ("operator", "operators"),
        columns,
        choices: Vec::new(),
        key: Box::new(|ranked| id(view, ranked).map_or_else(String::new, ToString::to_string)),
        default_sort: "rank",
        style: Style { search: Search::group(view, |ranked: &Ranked| relays_of(view, ranked)), ..Style::default() },
    }
}

fn columns(view: &View, category: Category) -> Vec<Column<'_, Ranked>> {
    vec![
        Column::number("rank", "Place", |ranked: &Ranked| Cell::count(ranked.rank)).method("leaderboards").badge_of_card(),
        Column::text("operator", "Operator", |ranked: &Ranked| {
            Cell::link(&view.operator_name(ranked.operator_idx as usize), id(view, ranked).map_or_else(String::new, href::operator))
        })
        .method("operators")
        .title_of_card(),
        Column::text("known_by", "Known by", |ranked: &Ranked| {
            id(view, ranked).map_or(Cell::Nothing, |id| Cell::Words(identity(id).to_owned()))
        })
        .method("operators"),
        Column::number("score", heading(category), move |ranked: &Ranked| score_cell(category, ranked)).method("leaderboards").on_card(),
        Column::number("n_relays", "Relays", |ranked: &Ranked| Cell::count(ranked.n_relays))
            .method("leaderboards")
            .about("relays that the figure rests on")
            .on_card(),
        Column::text("id", "Id", |ranked: &Ranked| id(view, ranked).map_or(Cell::Nothing, |id| Cell::Words(id.to_string()))).more(),
    ]
}

#[derive(Template)]
#[template(path = "leaderboard.html")]
struct LeaderboardPage {
    page: Frame,
    title: &'static str,
    sentence: Html,
    formula: String,
    earlier: String,
    table: TableHtml,
}

framed!(LeaderboardPage);

/// Renders the page of one category.
pub(crate) fn category_html(
    snapshot: &Snapshot,
    view: &View,
    now: Timestamp,
    category: Category,
    params: &Params,
) -> Result<PageHtml, RequestError> {
    let past = snapshot.past_standings();
    let table = table(view, past, category);
    let state = table.strict_state(params)?;
    let ranking = view.operators.leaderboards.ranking(category);
    let page = LeaderboardPage {
        page: Frame::of(snapshot, view, now, FixedPage::Leaderboards.path()).with_alternate(Alternate::of(&Data::Leaderboard(category))),
        title: title(category),
        sentence: match ranking.first() {
            None => Html::words(format!("{}: nobody is eligible, or no document in use tells it.", title(category))),
            Some(ranked) => {
                let words = format!("leads {} with {}.", format::counted(ranking.len(), "operator"), score_words(category, ranked));
                Html::joined([operator(view, ranked), Html::words(words)], " ")
            }
        },
        formula: formula(category),
        earlier: Earlier::of(view, past, category).sentence(),
        table: table.html(ranking, &state)?,
    };
    render(&page)
}

/// One category for programs.
pub(crate) fn category_data(
    view: &View,
    past: Option<&PastStandings>,
    category: Category,
    params: &Params,
    form: Form,
) -> Result<String, RequestError> {
    let table = table(view, past, category);
    table.data(view.as_of(), view.operators.leaderboards.ranking(category), params, form)
}

fn score_cell(category: Category, ranked: &Ranked) -> Cell {
    let score = ranked.score;
    match category.unit() {
        _ if ranked.at_least => Cell::Marked { html: Html::words(format!("≥ {}", format::count(score as u64))), value: Some(score) },
        Unit::Rate => Cell::Rate(score as u64),
        Unit::Bytes => Cell::Number(score / 1e12, 2),
        Unit::Share => Cell::share(Fraction::clamped(score), 3),
        Unit::Count | Unit::Days => Cell::Count(score as u64),
        Unit::Score => Cell::Number(score, 2),
    }
}

/// The figure of a ranked operator with its unit.
pub(crate) fn score_words(category: Category, ranked: &Ranked) -> String {
    let words = figure_words(category.unit(), ranked.score);
    if ranked.at_least { format!("at least {words}") } else { words }
}

fn figure_words(unit: Unit, score: f64) -> String {
    match unit {
        Unit::Rate => format!("{} MB/s", format::megabytes(score as u64)),
        Unit::Bytes => format!("{} TB", format::number(score / 1e12, 2)),
        Unit::Share => Fraction::clamped(score).map_or_else(String::new, |share| format!("{}\u{a0}%", format::percent(share, 3))),
        Unit::Count => format::count(score as u64),
        Unit::Days => format!("{} days", format::count(score as u64)),
        Unit::Score => format::number(score, 2),
    }
}

const fn heading(category: Category) -> &'static str {
    match category.unit() {
        Unit::Rate => "MB/s",
        Unit::Bytes => "TB",
        Unit::Share => "Share, %",
        Unit::Count => "Number",
        Unit::Days => "Days",
        Unit::Score => "Score",
    }
}

/// The name of a category for people.
pub(crate) const fn title(category: Category) -> &'static str {
    match category {
        Category::Bandwidth => "Bandwidth",
        Category::ConsensusWeight => "Consensus weight",
        Category::ExitAuthority => "Exit authority",
        Category::GuardAuthority => "Guard authority",
        Category::ExitOperators => "Exit operators",
        Category::GuardOperators => "Guard operators",
        Category::ReliabilityMasters => "Reliability masters",
        Category::LegacyTitans => "Legacy titans",
        Category::BandwidthMasters => "Bandwidth masters",
        Category::BandwidthLegends => "Bandwidth legends",
        Category::MostDiverse => "Most diverse",
        Category::PlatformDiversity => "Platform diversity",
        Category::NonEuLeaders => "Outside the European Union",
        Category::FrontierBuilders => "Frontier builders",
        Category::NetworkVeterans => "Network veterans",
        Category::Ipv4Leaders => "IPv4 addresses",
        Category::Ipv6Leaders => "IPv6 addresses",
        Category::ValidatedRelays => "Validated relays",
        Category::TotalData => "Data carried",
    }
}

/// The figure that is counted, and the condition of eligibility.
pub(crate) fn formula(category: Category) -> String {
    let enough = format!("operators with {MIN_RELAYS} relays and more that have a figure");
    match category {
        Category::Bandwidth => "Sum of the observed bandwidth of running relays.".to_owned(),
        Category::ConsensusWeight => "Sum of the consensus weight of running relays over that of the running network.".to_owned(),
        Category::ExitAuthority => "Weight of running exits over that of all running exits.".to_owned(),
        Category::GuardAuthority => "Weight of running guards over that of all running guards.".to_owned(),
        Category::ExitOperators => "Running exits.".to_owned(),
        Category::GuardOperators => "Running guards.".to_owned(),
        Category::ReliabilityMasters => format!("Hours up over hours observed in 6 months, of all relays together; {enough}."),
        Category::LegacyTitans => format!("Hours up over hours observed in 5 years, of all relays together; {enough}."),
        Category::BandwidthMasters => format!("Mean over 6 months of what all relays wrote together, interval by interval; {enough}."),
        Category::BandwidthLegends => format!("Mean over 5 years of what all relays wrote together, interval by interval; {enough}."),
        Category::MostDiverse => {
            "Effective number of countries, of autonomous systems and of operating systems of running relays, added; 2 running relays and more."
                .to_owned()
        }
        Category::PlatformDiversity => "Running relays on something else than Linux.".to_owned(),
        Category::NonEuLeaders => "Running relays in countries outside the European Union of 27.".to_owned(),
        Category::FrontierBuilders => {
            format!("Countries with a running relay of the operator in which fewer than {RARE_COUNTRY_RELAYS} relays run.")
        }
        Category::NetworkVeterans => {
            "Whole days (UTC) from the first consensus that listed one of its current relays to the newest; at least so many where our record and \
             graphs begin later than the relay."
                .to_owned()
        }
        Category::Ipv4Leaders => "Distinct IPv4 addresses of running relays.".to_owned(),
        Category::Ipv6Leaders => "Distinct IPv6 addresses of running relays.".to_owned(),
        Category::ValidatedRelays => "Current relays that the domain in their contact names.".to_owned(),
        Category::TotalData => "Bytes written by current relays, as far back as the longest graph of each; bytes read are the same bytes.".to_owned(),
    }
}
