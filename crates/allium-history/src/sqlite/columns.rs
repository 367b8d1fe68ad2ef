//! Columns as the types of the model, and back.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use allium_model::{ConsensusHour, Fraction, PortSummary};
use rusqlite::Row;
use rusqlite::types::Type;

use super::failure::Failure;

/// A column of hours; damage beyond the years ±9999 is refused, so that sums of hours cannot overflow.
pub(super) fn hour(row: &Row<'_>, i: usize) -> Result<ConsensusHour, Failure> {
    optional_hour(row, i)?.ok_or_else(|| Failure::Corrupt("an hour is missing".into()))
}

/// A column of hours that may be NULL.
pub(super) fn optional_hour(row: &Row<'_>, i: usize) -> Result<Option<ConsensusHour>, Failure> {
    match row.get::<_, Option<i32>>(i)? {
        Some(hour) if hour.unsigned_abs() > 90_000_000 => Err(Failure::Corrupt(format!("hour {hour} is out of range"))),
        hour => Ok(hour.map(ConsensusHour::new)),
    }
}

/// A text column as the type that it spells.
pub(super) fn parsed<T>(row: &Row<'_>, i: usize) -> Result<Option<T>, Failure>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    parsed_text(row.get_ref(i)?.as_str_or_null().map_err(rusqlite::Error::from)?, i)
}

/// A text of column `i` as the type that it spells.
pub(super) fn parsed_text<T>(text: Option<&str>, i: usize) -> Result<Option<T>, Failure>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let Some(text) = text else { return Ok(None) };
    let value = text.parse().map_err(|error| rusqlite::Error::FromSqlConversionFailure(i, Type::Text, Box::new(error)))?;
    Ok(Some(value))
}

/// A JSON list of texts as the type that they spell; NULL is the empty list.
pub(super) fn list<T>(row: &Row<'_>, i: usize) -> Result<Vec<T>, Failure>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text = row.get_ref(i)?.as_str_or_null().map_err(rusqlite::Error::from)?;
    text.map_or(Ok(Vec::new()), |text| parsed_list(text, i))
}

/// A JSON list of texts of column `i` as the type that they spell.
pub(super) fn parsed_list<T>(text: &str, i: usize) -> Result<Vec<T>, Failure>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let texts: Vec<String> =
        serde_json::from_str(text).map_err(|error| rusqlite::Error::FromSqlConversionFailure(i, Type::Text, Box::new(error)))?;
    let values: Result<_, T::Err> = texts.iter().map(|text| text.parse()).collect();
    values.map_err(|error| rusqlite::Error::FromSqlConversionFailure(i, Type::Text, Box::new(error)).into())
}

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, i: usize) -> Result<Option<T>, Failure> {
    let Some(text) = row.get_ref(i)?.as_str_or_null().map_err(rusqlite::Error::from)? else { return Ok(None) };
    serde_json::from_str(text).map(Some).map_err(|error| rusqlite::Error::FromSqlConversionFailure(i, Type::Text, Box::new(error)).into())
}

/// A summary of ports; NULL is none.
pub(super) fn ports(row: &Row<'_>, i: usize) -> Result<Option<PortSummary>, Failure> {
    let Some(summary): Option<HashMap<String, Vec<String>>> = json(row, i)? else { return Ok(None) };
    match summary.into_iter().next() {
        Some((key, ports)) if key == "accept" => Ok(Some(PortSummary::Accept(ports))),
        Some((key, ports)) if key == "reject" => Ok(Some(PortSummary::Reject(ports))),
        _ => Err(Failure::Corrupt("a port summary that neither accepts nor rejects".into())),
    }
}

/// A share of 0 to 1 that may be NULL.
pub(super) fn share(row: &Row<'_>, i: usize) -> Result<Option<Fraction>, Failure> {
    let Some(share) = row.get::<_, Option<f64>>(i)? else { return Ok(None) };
    Fraction::new(share).map(Some).ok_or_else(|| Failure::Corrupt(format!("{share} in a column of shares")))
}

/// A JSON list; `None` of the empty one.
pub(super) fn optional_list<T: Display>(items: &[T]) -> Option<String> {
    (!items.is_empty()).then(|| json_list(items))
}

/// A JSON list.
pub(super) fn json_list<T: Display>(items: &[T]) -> String {
    serde_json::Value::from_iter(items.iter().map(ToString::to_string)).to_string()
}

/// A summary of ports as JSON.
pub(super) fn json_ports(summary: &PortSummary) -> String {
    let (key, ports) = match summary {
        PortSummary::Accept(ports) => ("accept", ports),
        PortSummary::Reject(ports) => ("reject", ports),
    };
    serde_json::json!({ key: ports }).to_string()
}
