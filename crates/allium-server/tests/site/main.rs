//! The pages and the API as a client sees them: requests into the router, answers out.

#![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

mod api;
mod calendar;
mod charts;
mod connections;
mod definitions;
mod design;
mod figures;
mod forecasts;
mod groups;
mod held;
mod hostile;
mod incidents;
mod lists;
mod odd;
mod one_answer;
mod operators;
mod outside;
mod pages;
mod plain;
mod routes;
mod search;
mod searches;
mod snapshots;
mod support;
mod validators;
