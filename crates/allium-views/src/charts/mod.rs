//! Charts: described once, given out as HTML, PNG, SVG, CSV, JSON and an interactive view.
//!
//! A [`Chart`] is a title that says what to see, a note (as of when, from where, over what, how many) and a [`Kind`] with
//! exactly the values that are drawn. From it follow a [`Table`] (the HTML table, the CSV file), a picture (SVG, and PNG
//! made from it with the font that comes with the program), JSON, and what the interactive view draws. Nothing is drawn
//! that is not in the table, and the same description gives the same bytes.
//!
//! # How a page offers charts
//!
//! 1. Write `fn chart(view: &View, params: &Params, …, name: &str) -> Result<Chart, RequestError>` that makes the chart of
//!    that name, or [`RequestError::NoSuchPage`].
//! 2. Put it on the page: `Figure::of(&chart, "/country/de/charts", &query)`, where `query` is the page's own canonical
//!    query part (`""` or `"?period=1_year"`), and `{{ figure }}` in the template. Set `page.script` with
//!    [`crate::page::Page::with_charts`] so that the interactive view can load.
//! 3. Add one route beside the page's: `.route("/country/{cc}/charts/{file}", get(…))` with a handler that calls
//!    `chart_answer(&site, &headers, &uri, file, |view, params, name| …)`. `file` is `NAME.png`, `.svg`, `.csv` or `.json`;
//!    the parameters `theme` (`light`, `dark`), `size` (`wide`, `narrow`) and `caption` (`yes`) are read from the address
//!    and every other one is the page's.
//!
//! Values are in the unit of their [`Unit`]: shares are 0 to 1. A missing value is `None`, drawn hatched or left out, and an
//! empty cell in CSV. Text from the network may stand in labels as it is: it is escaped where it leaves.

#![allow(dead_code, unused_imports, reason = "kinds that no page draws are tested here")]

mod axes;
mod bars;
mod boxes;
mod calendar;
mod canvas;
mod figure;
mod flow;
mod heat;
mod histogram;
mod map;
mod marks;
mod matrix;
mod palette;
mod picture;
mod scatter;
mod table;
mod time;
mod unit;
mod world;

use serde::Serialize;

pub(crate) use self::bars::{Bar, Bars, Reference};
pub(crate) use self::boxes::{BoxRow, Boxes};
pub(crate) use self::calendar::Calendar;
pub(crate) use self::figure::Figure;
pub(crate) use self::flow::{Flow, Stream};
pub(crate) use self::heat::{Heat, HeatRow};
pub(crate) use self::histogram::{Histogram, Mark};
pub(crate) use self::map::{Place, WorldMap};
pub(crate) use self::matrix::Matrix;
pub(crate) use self::picture::{Look, Size};
pub(crate) use self::scatter::{Dot, Scatter};
pub(crate) use self::table::{Cell, Column, Table};
pub(crate) use self::time::{Band, Event, Line, Time};
pub(crate) use self::unit::Unit;
pub(crate) use self::world::{country_name, world_svg};

use self::canvas::Canvas;
use crate::error::RequestError;
use crate::text::inert;

/// A chart as it is described.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Chart {
    /// Names the chart within its page and in its address: small letters, digits and `-`.
    pub(crate) name: String,
    /// A sentence that says what to see.
    pub(crate) title: String,
    /// As of when, from which source, over what, how many.
    pub(crate) note: String,
    /// What is drawn.
    #[serde(flatten)]
    pub(crate) kind: Kind,
}

/// The kinds of charts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Lines over time with bands and events.
    Time(Time),
    /// Horizontal bars with reference lines; also gauges, which are single bars.
    Bars(Bars),
    /// Rows of cells over time: heat strips and uptime images.
    Heat(Heat),
    /// A cell per day, a row per month.
    Calendar(Calendar),
    /// How often values fall into classes.
    Histogram(Histogram),
    /// Distributions beside each other.
    Boxes(Boxes),
    /// Two quantities of many things.
    Scatter(Scatter),
    /// Correlations of each with each.
    Matrix(Matrix),
    /// A value per country.
    Map(WorldMap),
    /// How many go from which state to which.
    Flow(Flow),
}

impl Chart {
    /// A chart with a name, a sentence and a note.
    pub(crate) fn new(name: impl Into<String>, title: impl Into<String>, note: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), title: title.into(), note: note.into(), kind }
    }

    /// Exactly what is drawn, as rows and columns.
    pub(crate) fn table(&self) -> Table {
        match &self.kind {
            Kind::Time(kind) => kind.table(),
            Kind::Bars(kind) => kind.table(),
            Kind::Heat(kind) => kind.table(),
            Kind::Calendar(kind) => kind.table(),
            Kind::Histogram(kind) => kind.table(),
            Kind::Boxes(kind) => kind.table(),
            Kind::Scatter(kind) => kind.table(),
            Kind::Matrix(kind) => kind.table(),
            Kind::Map(kind) => kind.table(),
            Kind::Flow(kind) => kind.table(),
        }
    }

    /// The table as CSV.
    pub(crate) fn csv(&self) -> Result<String, RequestError> {
        self.table().csv()
    }

    /// The description as JSON.
    pub(crate) fn json(&self) -> Result<String, RequestError> {
        crate::api::to_json(self)
    }

    /// The picture as SVG.
    pub(crate) fn svg(&self, look: Look) -> String {
        let mut canvas = Canvas::new(look, self.height(look.size), &self.alt());
        if look.caption {
            canvas.caption(&self.title, &self.note);
        }
        match &self.kind {
            Kind::Time(kind) => kind.draw(&mut canvas),
            Kind::Bars(kind) => kind.draw(&mut canvas),
            Kind::Heat(kind) => kind.draw(&mut canvas),
            Kind::Calendar(kind) => kind.draw(&mut canvas),
            Kind::Histogram(kind) => kind.draw(&mut canvas),
            Kind::Boxes(kind) => kind.draw(&mut canvas),
            Kind::Scatter(kind) => kind.draw(&mut canvas),
            Kind::Matrix(kind) => kind.draw(&mut canvas),
            Kind::Map(kind) => kind.draw(&mut canvas),
            Kind::Flow(kind) => kind.draw(&mut canvas),
        }
        canvas.finish()
    }

    /// The picture as PNG.
    pub(crate) fn png(&self, look: Look) -> Result<Vec<u8>, RequestError> {
        picture::png(&self.svg(look), look)
    }

    /// What the picture says to those who do not see it.
    pub(crate) fn alt(&self) -> String {
        let kind = match &self.kind {
            Kind::Time(_) => "Line chart",
            Kind::Bars(_) => "Bar chart",
            Kind::Heat(_) => "Heat strips",
            Kind::Calendar(_) => "Calendar",
            Kind::Histogram(_) => "Histogram",
            Kind::Boxes(_) => "Box plots",
            Kind::Scatter(_) => "Scatter plot",
            Kind::Matrix(_) => "Correlation matrix",
            Kind::Map(_) => "World map",
            Kind::Flow(_) => "Flow diagram",
        };
        inert(&format!("{kind}: {}", self.title))
    }

    /// Whether there is anything to draw.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.kind {
            Kind::Map(kind) => kind.places.iter().all(|place| place.value.is_none()),
            Kind::Matrix(kind) => kind.labels.is_empty(),
            _ => !self.table().has_numbers(),
        }
    }

    /// The height of the picture in pixels, without the caption.
    pub(crate) fn height(&self, size: Size) -> f64 {
        match &self.kind {
            Kind::Time(_) => 300.0,
            Kind::Bars(kind) => kind.height(),
            Kind::Heat(kind) => kind.height(),
            Kind::Calendar(kind) => kind.height(),
            Kind::Histogram(_) => 260.0,
            Kind::Boxes(kind) => kind.height(),
            Kind::Scatter(_) => 360.0,
            Kind::Matrix(kind) => kind.height(size),
            Kind::Map(_) => map::height(size),
            Kind::Flow(kind) => kind.height(),
        }
    }
}

#[cfg(test)]
mod tests;
