//! The columns of everything that has a consensus weight: a relay on a day, a group in an hour.

use allium_model::Fraction;

use super::table::{Cell, Column, Kind};

/// Consensuses or relays that were counted, their weight and its share, and the probabilities to be chosen.
pub(super) const COLUMNS: [Column; 6] = [
    Column::required("n_weighed", Kind::Number),
    Column::optional("consensus_weight", Kind::Real),
    Column::optional("consensus_weight_fraction", Kind::Real),
    Column::optional("guard_probability", Kind::Real),
    Column::optional("middle_probability", Kind::Real),
    Column::optional("exit_probability", Kind::Real),
];

/// The cells of [`COLUMNS`]; shares are those of the weight, then of guards, middle relays and exits.
pub(super) fn cells<'a>(n_weighed: u32, weight: Option<f64>, shares: [Option<Fraction>; 4]) -> [Cell<'a>; COLUMNS.len()] {
    let [of_weight, guard, middle, exit] = shares.map(Cell::share);
    [Cell::Number(n_weighed.into()), Cell::real(weight), of_weight, guard, middle, exit]
}
