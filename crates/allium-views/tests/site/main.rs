//! The pages and the API as a client sees them: requests into the router, answers out.

mod api;
mod design;
mod hostile;
mod lists;
mod pages;
mod support;
