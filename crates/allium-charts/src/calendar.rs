//! A cell per day of UTC, a row per month: shares in the classes of the uptime strips.

use jiff::tz::Offset;
use serde::Serialize;

use crate::canvas::{Anchor, Canvas};
use crate::table::{Cell, Column, Table};
use crate::unit::Unit;
use allium_words::format;

const ROW: f64 = 22.0;
const DAY_SECS: i64 = 86_400;

/// Days in their order, each as its start in seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calendar {
    /// First second of each day with its share.
    pub days: Vec<(i64, Option<f64>)>,
}

impl Calendar {
    pub(crate) fn table(&self) -> Table {
        let columns = vec![Column::new("Start", Unit::Number), Column::new("End", Unit::Number), Column::new("Uptime", Unit::Share)];
        let row = |(secs, share): &(i64, Option<f64>)| vec![Cell::Time(*secs), Cell::Time(secs + DAY_SECS), Cell::number(*share)];
        Table { columns, rows: self.days.iter().map(row).collect() }
    }

    fn months(&self) -> impl Iterator<Item = &[(i64, Option<f64>)]> {
        self.days.chunk_by(|a, b| month_of(a.0) == month_of(b.0))
    }

    pub(crate) fn height(&self) -> f64 {
        self.months().count() as f64 * ROW + 28.0
    }

    pub(crate) fn draw(&self, canvas: &mut Canvas) {
        let (left, top) = (72.0, canvas.top + 22.0);
        let cell = (canvas.width - left - 12.0) / 31.0;
        for day in [1, 10, 20, 31] {
            canvas.words(left + (f64::from(day) - 0.5) * cell, top - 6.0, Anchor::Middle, 11.0, canvas.palette.soft, &day.to_string());
        }
        for (i, month) in self.months().enumerate() {
            let y = top + i as f64 * ROW;
            let (year, number) = month.first().map_or((0, 1), |(secs, _)| month_of(*secs));
            canvas.words(left - 8.0, y + 15.0, Anchor::End, 12.0, canvas.palette.ink, &format::month(year, number));
            for (secs, share) in month {
                let day = Offset::UTC.to_datetime(format::at_secs(*secs)).day();
                let x = left + f64::from(day - 1) * cell;
                match share {
                    Some(share) => canvas.rect(x, y, cell - 1.0, ROW - 2.0, canvas.palette.uptime(*share)),
                    None => canvas.unknown(x, y, cell - 1.0, ROW - 2.0),
                }
            }
        }
    }
}

fn month_of(secs: i64) -> (i16, i8) {
    let civil = Offset::UTC.to_datetime(format::at_secs(secs));
    (civil.year(), civil.month())
}
