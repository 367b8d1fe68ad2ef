//! A value per country on a world map; countries too small to see, and those drawn as points only, get a dot.

use allium_model::CountryCode;
use serde::Serialize;

use crate::canvas::{Anchor, Canvas};
use crate::picture::Size;
use crate::table::{Cell, Column, Table};
use crate::unit::Unit;
use crate::world::{LEAST_OUTLINE, PLANE, countries};

const LEGEND: f64 = 44.0;

/// A value per country, with the classes in which it is coloured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorldMap {
    /// Unit of the values.
    pub unit: Unit,
    /// Name of what the value shows, such as "Uptime".
    pub what: String,
    /// Lower bounds of the classes above the lowest, rising; at most ten.
    pub breaks: Vec<f64>,
    /// The countries with their values.
    #[serde(rename = "places")]
    pub countries: Vec<CountryValue>,
}

/// A country.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CountryValue {
    /// The country.
    #[serde(serialize_with = "code_text")]
    pub country: CountryCode,
    /// Its name.
    pub name: String,
    /// Address of its page.
    pub href: Option<String>,
    /// Its value; `None` where nobody measured.
    pub value: Option<f64>,
    /// Number of its relays.
    pub n_relays: u64,
}

fn code_text<S: serde::Serializer>(code: &CountryCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.as_str())
}

/// The height of the picture in pixels.
pub(crate) fn height(size: Size) -> f64 {
    size.width() / PLANE.0 * PLANE.1 + LEGEND
}

impl WorldMap {
    pub(crate) fn table(&self) -> Table {
        let columns = vec![
            Column::new("Country", Unit::Number),
            Column::new("Code", Unit::Number),
            Column::new(self.what.clone(), self.unit),
            Column::new("Relays", Unit::Count),
        ];
        let row = |country: &CountryValue| {
            vec![
                Cell::linked(&country.name, country.href.as_deref()),
                Cell::Text(country.country.to_string()),
                Cell::number(country.value),
                Cell::Number(country.n_relays as f64),
            ]
        };
        Table { columns, rows: self.countries.iter().map(row).collect() }
    }

    /// The step of the data scale for a value: the steps are spread over the classes.
    fn step(&self, value: f64) -> f64 {
        let class = self.breaks.partition_point(|bound| *bound <= value);
        class as f64 / self.breaks.len().max(1) as f64
    }

    pub(crate) fn draw(&self, canvas: &mut Canvas) {
        let scale = canvas.width / PLANE.0;
        let palette = canvas.palette;
        let fill = |code: &CountryCode| {
            let country = self.countries.iter().find(|country| country.country == *code)?;
            Some(country.value.map_or("url(#un)", |value| palette.at(self.step(value))))
        };
        let plane = format!("transform=\"translate(0 {}) scale({scale:.4})\"", canvas.top);
        let edge = format!("stroke=\"{}\" stroke-width=\"0.5\" {plane}", palette.ground);
        let empty: String = countries().iter().filter(|(code, _)| fill(code).is_none()).map(|(_, country)| country.outline).collect();
        canvas.path(&empty, &format!("fill=\"{}\" {edge}", palette.line));
        for (code, country) in countries() {
            let Some(fill) = fill(code) else { continue };
            if !country.outline.is_empty() {
                canvas.path(country.outline, &format!("fill=\"{fill}\" {edge}"));
            }
            if country.outline.len() < LEAST_OUTLINE {
                let (x, y) = (country.middle.0 * scale, canvas.top + country.middle.1 * scale);
                canvas.circle(x, y, if scale < 1.0 { 2.0 } else { 3.5 }, &format!("fill=\"{fill}\" stroke=\"{}\"", palette.ink));
            }
        }
        self.draw_legend(canvas);
    }

    fn draw_legend(&self, canvas: &mut Canvas) {
        let (n, y) = (self.breaks.len() + 2, canvas.bottom - 30.0);
        let width = ((canvas.width - 16.0) / n as f64).min(96.0);
        for class in 0..=self.breaks.len() {
            let x = 8.0 + class as f64 * width;
            let share = class as f64 / self.breaks.len().max(1) as f64;
            let fill = canvas.palette.at(share);
            canvas.rect(x, y, width - 2.0, 10.0, fill);
            let is_whole = |bound: f64| self.unit == Unit::Share && ((bound * 100.0).round() - bound * 100.0).abs() < 1e-9;
            let tick = |bound: f64| self.unit.tick(bound, if is_whole(bound) { 0.01 } else { bound * 0.1 });
            let words = match class.checked_sub(1).and_then(|below| self.breaks.get(below)) {
                Some(bound) => format!("≥ {}", tick(*bound)),
                None => self.breaks.first().map_or_else(String::new, |bound| format!("< {}", tick(*bound))),
            };
            canvas.words_within((x, y + 24.0), Anchor::Start, 10.0, canvas.palette.soft, &words, width + 4.0);
        }
        let x = 8.0 + (n - 1) as f64 * width;
        canvas.unknown(x, y, width - 2.0, 10.0);
        canvas.words(x, y + 24.0, Anchor::Start, 10.0, canvas.palette.soft, "no data");
    }
}
