//! Regions and subregions of countries by the United Nations' M49 standard, and the names of ISO 3166.
//!
//! The region of a country is keshvar's knowledge (ISO 3166 with M49); here are only the numbers by which M49 names the regions.
//! `eu` and `ap`, which GeoIP tables use beside the codes of countries, lie nowhere; nor does Antarctica.

use std::fmt;
use std::str::FromStr;

use allium_model::{CountryCode, ParseError};
use keshvar::{Alpha2, Country, Region as Continent, SubRegion};

/// A region or subregion of M49, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region {
    code: u16,
    name: &'static str,
    within: Option<u16>,
}

/// Number, name, and the number of the region around it.
const REGIONS: [Region; 27] = [
    region(2, "Africa"),
    region(9, "Oceania"),
    region(19, "Americas"),
    region(142, "Asia"),
    region(150, "Europe"),
    subregion(5, "South America", 19),
    subregion(11, "Western Africa", 2),
    subregion(13, "Central America", 19),
    subregion(14, "Eastern Africa", 2),
    subregion(15, "Northern Africa", 2),
    subregion(17, "Middle Africa", 2),
    subregion(18, "Southern Africa", 2),
    subregion(21, "Northern America", 19),
    subregion(29, "Caribbean", 19),
    subregion(30, "Eastern Asia", 142),
    subregion(34, "Southern Asia", 142),
    subregion(35, "South-eastern Asia", 142),
    subregion(39, "Southern Europe", 150),
    subregion(53, "Australia and New Zealand", 9),
    subregion(54, "Melanesia", 9),
    subregion(57, "Micronesia", 9),
    subregion(61, "Polynesia", 9),
    subregion(143, "Central Asia", 142),
    subregion(145, "Western Asia", 142),
    subregion(151, "Eastern Europe", 150),
    subregion(154, "Northern Europe", 150),
    subregion(155, "Western Europe", 150),
];

const fn region(code: u16, name: &'static str) -> Region {
    Region { code, name, within: None }
}

const fn subregion(code: u16, name: &'static str, within: u16) -> Region {
    Region { code, name, within: Some(within) }
}

impl Region {
    /// The English name, such as `Eastern Europe`.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The region around a subregion.
    pub fn within(self) -> Option<Self> {
        self.within.and_then(Self::of_code)
    }

    /// True if it is a part of a region.
    pub const fn is_subregion(self) -> bool {
        self.within.is_some()
    }

    /// The region in which a country lies.
    pub fn of(country: CountryCode) -> Option<Self> {
        Self::of_code(match iso(country)?.maybe_region()? {
            Continent::Africa => 2,
            Continent::Americas => 19,
            Continent::Asia => 142,
            Continent::Europe => 150,
            Continent::Oceania => 9,
            Continent::Antarctica => return None,
        })
    }

    /// The subregion in which a country lies.
    pub fn subregion_of(country: CountryCode) -> Option<Self> {
        Self::of_code(match iso(country)?.maybe_subregion()? {
            SubRegion::AustraliaAndNewZealand => 53,
            SubRegion::Caribbean => 29,
            SubRegion::CentralAmerica => 13,
            SubRegion::CentralAsia => 143,
            SubRegion::EasternAfrica => 14,
            SubRegion::EasternAsia => 30,
            SubRegion::EasternEurope => 151,
            SubRegion::Melanesia => 54,
            SubRegion::Micronesia => 57,
            SubRegion::MiddleAfrica => 17,
            SubRegion::NorthernAfrica => 15,
            SubRegion::NorthernAmerica => 21,
            SubRegion::NorthernEurope => 154,
            SubRegion::Polynesia => 61,
            SubRegion::SouthAmerica => 5,
            SubRegion::SouthEasternAsia => 35,
            SubRegion::SouthernAfrica => 18,
            SubRegion::SouthernAsia => 34,
            SubRegion::SouthernEurope => 39,
            SubRegion::WesternAfrica => 11,
            SubRegion::WesternAsia => 145,
            SubRegion::WesternEurope => 155,
        })
    }

    fn of_code(code: u16) -> Option<Self> {
        REGIONS.into_iter().find(|region| region.code == code)
    }
}

impl fmt::Display for Region {
    /// The number of M49, in three digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.code)
    }
}

impl FromStr for Region {
    type Err = ParseError;

    /// Reads a number of M49, with or without leading zeros.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let is_short = text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
        let code = text.parse().ok().filter(|_| is_short);
        code.and_then(Self::of_code).ok_or_else(|| ParseError::new("expected the M49 number of a region, such as 150", text))
    }
}

/// The short name that ISO 3166 gives a country.
pub fn country_name(country: CountryCode) -> Option<&'static str> {
    iso(country).map(|country| country.iso_short_name())
}

fn iso(country: CountryCode) -> Option<Country> {
    Alpha2::try_from(country.as_str().to_ascii_uppercase().as_str()).ok().map(|alpha2| alpha2.to_country())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_lie_where_m49_says() {
        let cases = [
            ("de", "150", "155"),
            ("us", "019", "021"),
            ("cz", "150", "151"),
            ("gb", "150", "154"),
            ("es", "150", "039"),
            ("cy", "142", "145"),
            ("tr", "142", "145"),
            ("br", "019", "005"),
            ("mx", "019", "013"),
            ("jm", "019", "029"),
            ("au", "009", "053"),
            ("fj", "009", "054"),
            ("za", "002", "018"),
            ("eg", "002", "015"),
            ("kz", "142", "143"),
            ("jp", "142", "030"),
            ("in", "142", "034"),
            ("sg", "142", "035"),
        ];
        for (country, region, subregion) in cases {
            let country: CountryCode = country.parse().unwrap();
            assert_eq!(Region::of(country).unwrap().to_string(), region, "{country}");
            let found = Region::subregion_of(country).unwrap();
            assert_eq!(found.to_string(), subregion, "{country}");
            assert_eq!(found.within(), Region::of(country), "{country}");
        }
        for nowhere in ["eu", "ap", "aq", "a1"] {
            assert_eq!(Region::of(nowhere.parse().unwrap()), None, "{nowhere}");
        }
    }

    #[test]
    fn numbers_are_read_back() {
        for region in REGIONS {
            assert_eq!(region.to_string().parse(), Ok(region));
        }
        for wrong in ["", "1", "0150", "+150", "europe", "276"] {
            assert!(wrong.parse::<Region>().is_err(), "{wrong}");
        }
    }
}
