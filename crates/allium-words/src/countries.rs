//! Names of countries by ISO 3166-1.

use allium_model::CountryCode;

/// The English short name of a country by ISO 3166-1, without the article and the form of state in brackets; `None` for codes that
/// stand for no country.
pub fn country_name(code: CountryCode) -> Option<String> {
    let text = code.to_string();
    if text == "xk" {
        return Some("Kosovo".to_owned());
    }
    let name = rust_iso3166::from_alpha2(&text.to_uppercase())?.name;
    Some(name.split(" (").next().unwrap_or(name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_iso_3166() {
        let name = |code: &str| country_name(code.parse().unwrap());
        assert_eq!(name("de").as_deref(), Some("Germany"));
        assert_eq!(name("xk").as_deref(), Some("Kosovo"));
        assert_eq!(name("zz"), None);
    }
}
