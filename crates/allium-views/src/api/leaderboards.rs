//! The first ranks of all leaderboards for programs.

use allium_analysis::leaderboards::{Category, Ranked, Unit};
use allium_service::View;
use allium_words::inert::csv_cell;
use serde::Serialize;

use crate::error::RequestError;
use crate::form::{Form, to_json, write_csv};
use crate::pages::leaderboards::formula;
use crate::params::Params;

/// Places of each category.
const PLACES: usize = 25;

/// All leaderboards.
#[derive(Serialize)]
struct BoardsJson {
    as_of: String,
    leaderboards: Vec<BoardJson>,
}

#[derive(Serialize)]
struct BoardJson {
    category: &'static str,
    formula: String,
    unit: &'static str,
    n_eligible: usize,
    places: Vec<PlaceJson>,
}

#[derive(Serialize)]
struct PlaceJson {
    rank: usize,
    operator: Option<String>,
    name: String,
    score: f64,
    at_least: bool,
    n_relays: usize,
}

/// `/api/v1/leaderboards`
pub(crate) fn leaderboards(view: &View, params: &Params, form: Form) -> Result<String, RequestError> {
    params.only(&[])?;
    match form {
        Form::Csv => csv(view),
        Form::Json => {
            let leaderboards = Category::ALL.into_iter().map(|category| board(view, category)).collect();
            to_json(&BoardsJson { as_of: view.as_of().to_string(), leaderboards })
        }
    }
}

fn board(view: &View, category: Category) -> BoardJson {
    BoardJson {
        category: category.name(),
        formula: formula(category),
        unit: unit(category),
        n_eligible: view.operators.leaderboards.ranking(category).len(),
        places: first_ranks(view, category).map(|ranked| ranked_json(view, ranked)).collect(),
    }
}

fn ranked_json(view: &View, ranked: &Ranked) -> PlaceJson {
    PlaceJson {
        rank: ranked.rank,
        operator: id(view, ranked),
        name: view.operator_name(ranked.operator_idx as usize),
        score: ranked.score,
        at_least: ranked.at_least,
        n_relays: ranked.n_relays,
    }
}

fn csv(view: &View) -> Result<String, RequestError> {
    let header = ["category", "rank", "operator", "name", "score", "unit", "n_relays"].map(str::to_owned).to_vec();
    let lines = Category::ALL.into_iter().flat_map(|category| first_ranks(view, category).map(move |ranked| line(view, category, ranked)));
    write_csv(header, lines)
}

fn line(view: &View, category: Category, ranked: &Ranked) -> Vec<String> {
    vec![
        category.name().to_owned(),
        ranked.rank.to_string(),
        id(view, ranked).unwrap_or_default(),
        csv_cell(&view.operator_name(ranked.operator_idx as usize)),
        ranked.score.to_string(),
        unit(category).to_owned(),
        ranked.n_relays.to_string(),
    ]
}

fn first_ranks(view: &View, category: Category) -> impl Iterator<Item = &Ranked> {
    view.operators.leaderboards.ranking(category).iter().take(PLACES)
}

fn id(view: &View, ranked: &Ranked) -> Option<String> {
    view.operators.list().get(ranked.operator_idx as usize).map(|operator| operator.id.to_string())
}

const fn unit(category: Category) -> &'static str {
    match category.unit() {
        Unit::Rate => "bytes_per_sec",
        Unit::Bytes => "bytes",
        Unit::Share => "share",
        Unit::Count => "count",
        Unit::Days => "days",
        Unit::Score => "score",
    }
}
