//! Countries by the names that people call them: ISO 3166's short and long name, names in other languages, codes of two and three
//! letters (keshvar's tables), and what those tables leave out.
//!
//! Names are compared without case, accents, punctuation and a leading "the".

use std::collections::HashMap;
use std::sync::LazyLock;

use allium_model::CountryCode;
use keshvar::CountryIterator;

/// Names in use that the tables leave out.
const MORE_NAMES: &[(&str, &str)] = &[
    ("holland", "nl"),
    ("britain", "gb"),
    ("scotland", "gb"),
    ("wales", "gb"),
    ("northern ireland", "gb"),
    ("us of a", "us"),
    ("u s", "us"),
    ("u s a", "us"),
    ("u k", "gb"),
    ("america", "us"),
    ("turkiye", "tr"),
    ("korea", "kr"),
    ("republic of korea", "kr"),
    ("eswatini", "sz"),
    ("vatican", "va"),
    ("macau", "mo"),
    ("uae", "ae"),
    ("emirates", "ae"),
    ("bosnia", "ba"),
    ("congo kinshasa", "cd"),
    ("dr congo", "cd"),
    ("congo brazzaville", "cg"),
    ("cabo verde", "cv"),
    ("cape verde", "cv"),
    ("ivory coast", "ci"),
    ("east timor", "tl"),
    ("brasil", "br"),
    ("schweiz", "ch"),
    ("suisse", "ch"),
    ("svizzera", "ch"),
    ("osterreich", "at"),
    ("espana", "es"),
    ("italia", "it"),
    ("sverige", "se"),
    ("norge", "no"),
    ("danmark", "dk"),
    ("suomi", "fi"),
    ("polska", "pl"),
    ("magyarorszag", "hu"),
    ("hellas", "gr"),
    ("kosovo", "xk"),
    ("xk", "xk"),
];

/// Codes that stand for no country and that GeoIP tables have all the same.
const OTHER_CODES: &[&str] = &["xk", "eu", "ap"];

static NAMES: LazyLock<HashMap<String, CountryCode>> = LazyLock::new(names);
static CODES: LazyLock<HashMap<String, CountryCode>> = LazyLock::new(codes);

/// The country with this name.
pub(super) fn named(name: &str) -> Option<CountryCode> {
    NAMES.get(&folded(name)).copied()
}

/// The country with this code of two or three letters, in either case; `uk` is in use for `gb`.
pub(super) fn coded(code: &str) -> Option<CountryCode> {
    CODES.get(&code.to_ascii_lowercase()).copied()
}

fn names() -> HashMap<String, CountryCode> {
    let mut found = HashMap::new();
    for country in CountryIterator::new() {
        let Ok(code) = country.alpha2().to_string().parse::<CountryCode>() else { continue };
        let own = [country.iso_short_name(), country.iso_long_name()];
        for name in own.iter().chain(country.unofficial_name_list()) {
            // ISO writes "Moldova (the Republic of)"; people leave the brackets out.
            let short = name.split(['(', '[', ',']).next().unwrap_or(name);
            found.entry(folded(name)).or_insert(code);
            if !matches!(folded(short).as_str(), "korea" | "congo" | "virgin islands" | "saint martin") {
                found.entry(folded(short)).or_insert(code);
            }
        }
    }
    for (name, code) in MORE_NAMES {
        found.extend(code.parse().ok().map(|code| ((*name).to_owned(), code)));
    }
    found.remove("");
    found
}

fn codes() -> HashMap<String, CountryCode> {
    let mut found: HashMap<String, CountryCode> =
        HashMap::from_iter(OTHER_CODES.iter().filter_map(|code| Some(((*code).to_owned(), code.parse().ok()?))));
    for country in CountryIterator::new() {
        let Ok(code) = country.alpha2().to_string().parse::<CountryCode>() else { continue };
        found.insert(code.to_string(), code);
        found.insert(country.alpha3().to_string().to_ascii_lowercase(), code);
    }
    found.extend("gb".parse().ok().map(|code| ("uk".to_owned(), code)));
    found
}

/// A name as it is compared.
fn folded(name: &str) -> String {
    let plain: String = name.to_lowercase().chars().map(plain).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    words.strip_prefix(&["the"]).unwrap_or(&words).join(" ")
}

/// A letter without its accent; a space for what is no letter.
fn plain(c: char) -> char {
    match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'ç' | 'č' => 'c',
        'è' | 'é' | 'ê' | 'ë' | 'ě' => 'e',
        'ì' | 'í' | 'î' | 'ï' | 'ı' => 'i',
        'ñ' | 'ň' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => 'o',
        'ù' | 'ú' | 'û' | 'ü' | 'ů' => 'u',
        'ý' => 'y',
        'ř' => 'r',
        'š' | 'ş' => 's',
        'ž' => 'z',
        c if c.is_alphanumeric() => c,
        _ => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_have_many_names() {
        for (name, code) in [
            ("Germany", "de"),
            ("DEUTSCHLAND", "de"),
            ("the Netherlands", "nl"),
            ("Holland", "nl"),
            ("USA", "us"),
            ("United States", "us"),
            ("U.S.A.", "us"),
            ("UK", "gb"),
            ("England", "gb"),
            ("Czechia", "cz"),
            ("Czech Republic", "cz"),
            ("Russia", "ru"),
            ("Россия", "ru"),
            ("South Korea", "kr"),
            ("North Korea", "kp"),
            ("Turkey", "tr"),
            ("Türkiye", "tr"),
            ("Moldova", "md"),
            ("Iran", "ir"),
            ("Vietnam", "vn"),
            ("Taiwan", "tw"),
            ("Bosnia and Herzegovina", "ba"),
            ("Hong Kong", "hk"),
            ("Côte d'Ivoire", "ci"),
            ("Kosovo", "xk"),
            ("North Macedonia", "mk"),
            ("Bolivia", "bo"),
            ("Venezuela", "ve"),
            ("Syria", "sy"),
            ("Tanzania", "tz"),
            ("Laos", "la"),
            ("Brunei", "bn"),
            ("Macao", "mo"),
            ("Österreich", "at"),
        ] {
            assert_eq!(named(name).map(|code| code.to_string()).as_deref(), Some(code), "{name}");
        }
        assert_eq!(named("Atlantis"), None);
        assert_eq!(named(""), None);
    }

    #[test]
    fn codes_are_those_of_iso_3166() {
        for (text, code) in [("DE", "de"), ("deu", "de"), ("uk", "gb"), ("GBR", "gb"), ("xk", "xk")] {
            assert_eq!(coded(text).map(|code| code.to_string()).as_deref(), Some(code), "{text}");
        }
        assert_eq!(coded("r2"), None);
        assert_eq!(coded("zz"), None);
    }
}
