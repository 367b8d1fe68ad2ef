//! Orders of a table: those of its columns, or those that an index knows.

use super::{Column, Table, TableState};
use crate::error::RequestError;
use crate::params::Params;

/// Finds the rows that fit and orders them.
pub(crate) enum Finder {
    /// The table, which looks at every row and orders by columns.
    Table,
    /// An index, before the table gets the rows; it knows these orders.
    Index(Vec<Order>),
}

/// Something to order by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// Its name in addresses.
    pub(crate) name: &'static str,
    /// Its name in the list of orders.
    pub(crate) label: String,
    /// Its name in a sentence.
    pub(crate) words: String,
    /// True if the largest comes first at the first click.
    pub(crate) starts_descending: bool,
}

impl<R> Column<'_, R> {
    fn as_order(&self) -> Option<Order> {
        let name = self.order?;
        let words = self.about.as_ref().unwrap_or(&self.label).clone();
        Some(Order { name, label: self.label.clone(), words, starts_descending: self.is_numeric })
    }
}

impl<R> Table<'_, R> {
    /// All orders.
    pub(super) fn orders(&self) -> Vec<Order> {
        match &self.style.finder {
            Finder::Table => self.columns.iter().filter_map(Column::as_order).collect(),
            Finder::Index(orders) => orders.clone(),
        }
    }

    /// The order that an address asks for, and whether the largest comes first.
    pub(super) fn sort(&self, params: &Params) -> Result<(&'static str, bool), RequestError> {
        let text = params.one("sort")?.unwrap_or(self.default_sort);
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        let names: Vec<&'static str> = self.orders().iter().map(|order| order.name).collect();
        let allowed = || format!("{}; each with a leading - for the largest first", names.join(", "));
        let found = names.iter().find(|known| **known == name);
        found.map(|name| (*name, descending)).ok_or_else(|| RequestError::bad("sort", text, allowed()))
    }

    /// The value of `sort` that stands for a state.
    pub(super) fn sort_value(state: &TableState) -> String {
        format!("{}{}", if state.descending { "-" } else { "" }, state.sort)
    }
}
