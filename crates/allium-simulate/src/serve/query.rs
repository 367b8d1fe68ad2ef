//! The parameters of a request.
//!
//! Understood: `type`, `running`, `search`, `lookup`, `country`, `as`, `flag`, `contact`, `fields`, `limit`, `offset`. They are joined by
//! "and"; of a repeated one only the first counts; `+` stands for itself.

use std::collections::HashSet;

/// Parameters of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// True if relays are wanted, false with `type=bridge`; `None` without a type.
    pub relays: Option<bool>,
    /// Only relays that are running, or only others.
    pub running: Option<bool>,
    /// Words that must all match: part of the nickname, or the beginning of the fingerprint.
    pub search: Vec<String>,
    /// Fingerprints in upper case.
    pub lookup: Option<HashSet<String>>,
    /// Country code in lower case; `xz` for unknown.
    pub country: Option<String>,
    /// AS numbers such as `AS64512`; `AS0` for unknown.
    pub asns: Option<HashSet<String>>,
    /// A relay flag, in lower case.
    pub flag: Option<String>,
    /// Words that the contact must contain, in lower case.
    pub contact: Vec<String>,
    /// Fields of details to show.
    pub fields: Option<HashSet<String>>,
    /// Number of relays to skip.
    pub offset: usize,
    /// Number of relays to show at most.
    pub limit: Option<usize>,
}

impl Query {
    /// Reads what follows the question mark.
    ///
    /// # Errors
    /// The reason in a sentence: an unknown parameter, one without `=`, or a bad value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut query = Self::default();
        let mut seen = HashSet::new();
        for parameter in text.split('&').filter(|part| !part.is_empty()) {
            let (key, value) = parameter.split_once('=').ok_or_else(|| format!("parameter without value: {parameter}"))?;
            let value = percent_decoded(value).ok_or_else(|| format!("bad encoding in {key}"))?;
            if seen.insert(key) {
                query.set(key, &value).ok_or_else(|| format!("unknown parameter or bad value: {key}"))?;
            }
        }
        Ok(query)
    }

    fn set(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "type" => self.relays = Some(choice(value, "relay", "bridge")?),
            "running" => self.running = Some(choice(value, "true", "false")?),
            "search" => self.search = words(value, |word| word.len() <= 40 && !word.contains(':'))?,
            "lookup" => self.lookup = Some(list(value, |f| is_fingerprint(f).then(|| f.to_ascii_uppercase()))?),
            "country" => self.country = Some(Some(value).filter(|v| v.len() == 2 && v.is_ascii())?.to_ascii_lowercase()),
            "as" => self.asns = Some(list(value, as_number)?),
            "flag" => self.flag = Some(Some(value).filter(|v| is_word(v))?.to_ascii_lowercase()),
            "contact" => self.contact = words(&value.to_lowercase(), |_| true)?,
            "fields" => self.fields = Some(list(value, |f| is_word(f).then(|| f.to_owned()))?),
            "offset" => self.offset = count(value)?,
            "limit" => self.limit = Some(count(value)?),
            _ => return None,
        }
        Some(())
    }

    /// True if no parameter is given.
    pub(super) fn is_everything(&self) -> bool {
        *self == Self::default()
    }
}

fn choice(value: &str, yes: &str, no: &str) -> Option<bool> {
    if value.eq_ignore_ascii_case(yes) {
        return Some(true);
    }
    value.eq_ignore_ascii_case(no).then_some(false)
}

fn words(value: &str, fits: impl Fn(&str) -> bool) -> Option<Vec<String>> {
    let words: Vec<String> = value.split_whitespace().map(str::to_owned).collect();
    (!words.is_empty() && words.iter().all(|word| fits(word))).then_some(words)
}

fn list(value: &str, item: impl Fn(&str) -> Option<String>) -> Option<HashSet<String>> {
    value.split(',').map(item).collect()
}

fn as_number(value: &str) -> Option<String> {
    let digits = value.strip_prefix("AS").or_else(|| value.strip_prefix("as")).unwrap_or(value);
    let number: u32 = digits.parse().ok()?;
    Some(format!("AS{number}"))
}

fn is_fingerprint(value: &str) -> bool {
    value.len() == 40 && value.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_word(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// At most six digits; negative numbers are 0.
fn count(value: &str) -> Option<usize> {
    if value.len() > 6 {
        return None;
    }
    value.parse::<i64>().ok().map(|n| n.max(0) as usize)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
        bytes.push((digit()? * 16 + digit()?) as u8);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_parameters_are_refused() {
        for bad in [
            "fingerprint=0011",
            "limit",
            "limit=1234567",
            "limit=x",
            "running=yes",
            "type=node",
            "lookup=00",
            "search=",
            "search=%zz",
            "search=a:b",
            "order=random",
            "fields=a.b",
        ] {
            assert!(Query::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_the_first_of_repeated_parameters_counts() {
        let query = Query::parse("limit=3&limit=9&offset=-4&search=a%20B+c").unwrap();
        assert_eq!((query.limit, query.offset), (Some(3), 0));
        assert_eq!(query.search, ["a", "B+c"]);
    }
}
