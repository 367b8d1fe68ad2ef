//! Charts: described once, written as SVG, PNG, CSV and JSON. Pages and their HTML are deliberately unknown here.
//!
//! A [`Chart`] is a title that says what to see, a note (as of when, from where, over what, how many) and a [`Kind`] with
//! exactly the values that are drawn. From it follow a [`Table`] (the HTML table, the CSV file), a picture (SVG, and PNG
//! made from it with the font that comes with the program), and JSON, which the interactive view draws. Nothing is drawn
//! that is not in the table, and the same description gives the same bytes.
//!
//! Values are in the unit of their [`Unit`]: shares are 0 to 1. A missing value is `None`, drawn hatched or left out, and an
//! empty cell in CSV. Text from the network may stand in labels as it is: it is escaped where it leaves.

mod axes;
mod bars;
mod boxes;
mod calendar;
mod canvas;
mod classes;
mod error;
#[cfg(any(test, feature = "examples"))]
pub mod examples;
mod flow;
mod heat;
mod histogram;
mod map;
mod matrix;
mod palette;
mod picture;
mod scatter;
mod table;
mod time;
mod unit;
mod world;

use serde::Serialize;

pub use self::bars::{Bar, Bars, Reference};
pub use self::boxes::{BoxRow, Boxes};
pub use self::calendar::Calendar;
pub use self::classes::uptime_class;
pub use self::error::Error;
pub use self::flow::{Flow, Stream};
pub use self::heat::{Heat, HeatRow};
pub use self::histogram::{Histogram, Mark};
pub use self::map::{CountryValue, WorldMap};
pub use self::matrix::Matrix;
pub use self::palette::shared_colours;
pub use self::picture::{Look, Size, Theme};
pub use self::scatter::{Dot, Scatter};
pub use self::table::{Cell, Column, Table};
pub use self::time::{Band, Event, Line, Time};
pub use self::unit::Unit;
pub use self::world::world_svg;

use allium_words::inert::inert;
use allium_words::json::to_json;

use self::canvas::Canvas;

/// A chart as it is described.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chart {
    /// Names the chart within its page and in its address: small letters, digits and `-`.
    pub name: String,
    /// A sentence that says what to see.
    pub title: String,
    /// As of when, from which source, over what, how many.
    pub note: String,
    /// The values that are drawn.
    #[serde(flatten)]
    pub kind: Kind,
}

/// The kinds of charts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// Lines over time with bands and events.
    Time(Time),
    /// Horizontal bars with reference lines; also gauges, which are single bars.
    Bars(Bars),
    /// Rows of cells over time: heat strips and uptime images.
    Heat(Heat),
    /// A cell per day, a row per month.
    Calendar(Calendar),
    /// Numbers of values per class.
    Histogram(Histogram),
    /// Distributions beside each other.
    Boxes(Boxes),
    /// Two quantities of many things.
    Scatter(Scatter),
    /// Correlations of each with each.
    Matrix(Matrix),
    /// A value per country.
    Map(WorldMap),
    /// Numbers that go from state to state.
    Flow(Flow),
}

impl Chart {
    /// A chart with a name, a sentence and a note.
    pub fn new(name: impl Into<String>, title: impl Into<String>, note: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), title: title.into(), note: note.into(), kind }
    }

    /// Exactly what is drawn, as rows and columns.
    pub fn table(&self) -> Table {
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
    ///
    /// # Errors
    /// As [`Table::csv`].
    pub fn csv(&self) -> Result<String, Error> {
        self.table().csv()
    }

    /// The description as JSON.
    ///
    /// # Errors
    /// [`Error::Json`], which no description of a chart gives rise to.
    pub fn json(&self) -> Result<String, Error> {
        Ok(to_json(self)?)
    }

    /// The picture as SVG.
    pub fn svg(&self, look: Look) -> String {
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
    ///
    /// # Errors
    /// [`Error::Svg`], [`Error::NoSize`] and [`Error::Png`] if the picture cannot be drawn.
    pub fn png(&self, look: Look) -> Result<Vec<u8>, Error> {
        picture::png(&self.svg(look), look)
    }

    /// The words of the picture for those who do not see it.
    pub fn alt(&self) -> String {
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

    /// True where there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        match &self.kind {
            Kind::Map(kind) => kind.countries.iter().all(|country| country.value.is_none()),
            Kind::Matrix(kind) => kind.labels.is_empty(),
            _ => !self.table().has_numbers(),
        }
    }

    /// The height of the picture in pixels, without the caption.
    pub fn height(&self, size: Size) -> f64 {
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
