//! The countries of the world: names, outlines, middles.
//!
//! Outlines come from Natural Earth at 1:50 million (public domain), made by `scripts/world.js` into `assets/world.txt`; codes
//! from ISO 3166-1. A country that is too small to be drawn, or that Natural Earth does not know apart, is a point.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use allium_model::CountryCode;

const WORLD: &str = include_str!("../assets/world.txt");

/// The width and height of the outlines' plane.
pub(crate) const PLANE: (f64, f64) = (960.0, 418.0);

/// A country on the map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Country {
    /// The middle of its largest part.
    pub(crate) middle: (f64, f64),
    /// The `d` of an SVG path; empty where the country is only a point.
    pub(crate) outline: &'static str,
}

static COUNTRIES: LazyLock<BTreeMap<CountryCode, Country>> = LazyLock::new(|| WORLD.lines().filter_map(read).collect());

/// Kosovo's code in [`WORLD`]; it has none in ISO 3166-1.
const KOSOVO: u16 = 983;

fn read(line: &'static str) -> Option<(CountryCode, Country)> {
    let mut fields = line.split('\t');
    let number: u16 = fields.next()?.parse().ok()?;
    let (x, y) = fields.next()?.split_once(' ')?;
    let middle = (x.parse().ok()?, y.parse().ok()?);
    let code = if number == KOSOVO { "xk".to_owned() } else { rust_iso3166::from_numeric(number)?.alpha2.to_lowercase() };
    Some((code.parse().ok()?, Country { middle, outline: fields.next()? }))
}

/// Every country of the map, by code.
pub(crate) fn countries() -> &'static BTreeMap<CountryCode, Country> {
    &COUNTRIES
}

/// The map as SVG whose shapes are named by country code, for the interactive view.
pub fn world_svg() -> String {
    let (width, height) = PLANE;
    let mut out = format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\">");
    for (code, Country { middle: (x, y), outline }) in countries() {
        if !outline.is_empty() {
            let _ = write!(out, "<path name=\"{code}\" d=\"{outline}\"/>");
        }
        if outline.len() < LEAST_OUTLINE {
            let _ = write!(out, "<circle name=\"{code}\" cx=\"{x}\" cy=\"{y}\" r=\"3\"/>");
        }
    }
    out.push_str("</svg>\n");
    out
}

/// An outline with fewer bytes is too small to see.
pub(crate) const LEAST_OUTLINE: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_knows_large_and_small_countries() {
        let has = |code: &str| countries().get(&code.parse().unwrap());
        assert!(countries().len() > 235);
        assert!(["de", "us", "fr", "xk", "cz"].iter().all(|code| has(code).is_some_and(|c| !c.outline.is_empty())));
        assert!(["sg", "hk", "gi", "re", "mt", "sc"].iter().all(|code| has(code).is_some()));
        assert!(countries().values().all(|c| (0.0..=PLANE.0).contains(&c.middle.0) && (0.0..=PLANE.1).contains(&c.middle.1)));
    }
}
