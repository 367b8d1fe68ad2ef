//! Numbers, times and sizes as people read them. The only file that knows about percent signs and decimals.
//!
//! Shares are cut, not rounded: 99.97 % never becomes 100.0 %, and "100" appears only where the share is 1. Units stand
//! in the heading of a column or behind a number in a sentence, so these functions return bare numbers unless they say
//! otherwise.

use allium_model::{ConsensusHour, Fraction, Timestamp};
use jiff::tz::Offset;

/// Shares closer to a decimal step than this are taken to be on it: far below one hour in five years (2 × 10⁻⁵), far
/// above the noise of sums of floating-point numbers.
const NOISE: f64 = 1e-9;

/// Plain text for a figure that nobody measured.
pub const NO_DATA: &str = "no data";

/// The share in percent, without the sign, cut to `decimals`.
///
/// ```
/// use allium_model::Fraction;
/// use allium_words::format::percent;
/// assert_eq!(percent(Fraction::ONE, 1), "100.0");
/// assert_eq!(percent(Fraction::new(0.9999).unwrap(), 1), "99.9");
/// assert_eq!(percent(Fraction::new(0.0001).unwrap(), 1), "<0.1");
/// ```
pub fn percent(share: Fraction, decimals: usize) -> String {
    let steps_per_percent = 10f64.powi(decimals as i32);
    let all = 100.0 * steps_per_percent;
    let share = share.get();
    let steps = if share > 1.0 - NOISE { all } else { ((share + NOISE) * all).floor().min(all - 1.0) };
    if steps < 1.0 && share > NOISE {
        return format!("<{:.decimals$}", 1.0 / steps_per_percent);
    }
    format!("{:.decimals$}", steps / steps_per_percent)
}

/// An interval of shares in percent with one decimal: "97.8–99.5".
pub fn percent_span(low: Fraction, high: Fraction) -> String {
    format!("{}\u{2013}{}", percent(low, 1), percent(high, 1))
}

/// A difference of shares in percentage points, with its sign, rounded to two decimals.
pub fn points(difference: f64) -> String {
    let rounded = (difference * 10_000.0).round() / 100.0;
    match rounded {
        r if r > 0.0 => format!("+{r:.2}"),
        r if r < 0.0 => format!("\u{2212}{:.2}", -r),
        _ => "0.00".to_owned(),
    }
}

/// A width of a distribution of shares in percentage points, rounded to two decimals, without sign.
pub fn width(share: f64) -> String {
    format!("{:.2}", share.abs() * 100.0)
}

/// A whole number with a comma between thousands.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 relay`, `2 relays`: a number and its noun.
pub fn counted(number: usize, noun: &str) -> String {
    counted_as(number, noun, &format!("{noun}s"))
}

/// `1 country`, `2 countries`: a number and its noun, which has a plural of its own.
pub fn counted_as(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number as u64), if number == 1 { one } else { many })
}

/// A number with a fixed count of decimals, rounded, with a minus sign that is one.
pub fn number(number: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", number.abs());
    let is_zero = text.bytes().all(|b| matches!(b, b'0' | b'.'));
    if number < 0.0 && !is_zero { format!("\u{2212}{text}") } else { text }
}

/// The number itself, but 0 for -0, which sums of nothing and differences that vanish are.
pub fn unsigned_zero(number: f64) -> f64 {
    // -0 + 0 is 0, and every other number stays as it is.
    number + 0.0
}

/// A number as machines read it: with as many digits as it needs, without grouping; never -0.
pub fn plain(number: f64) -> String {
    unsigned_zero(number).to_string()
}

/// Bytes per second as megabytes (10⁶) per second with two decimals.
pub fn megabytes(bytes_per_sec: u64) -> String {
    let hundredths = bytes_per_sec / 10_000;
    format!("{}.{:02}", count(hundredths / 100), hundredths % 100)
}

/// Bytes per second as gigabits (10⁹) per second with one decimal.
pub fn gigabits(bytes_per_sec: u64) -> String {
    let tenths = bytes_per_sec / 12_500_000;
    format!("{}.{}", count(tenths / 10), tenths % 10)
}

/// A size with its unit: `36.1 MB`.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// A length of time in hours: `33 h`, `5 days 3 h`, `412 days`.
pub fn hours(hours: f64) -> String {
    let tenths = (hours * 10.0).round();
    let whole = hours.round() as u64;
    if hours < 48.0 {
        return if tenths % 10.0 == 0.0 { format!("{whole} h") } else { format!("{:.1} h", tenths / 10.0) };
    }
    match (whole / 24, whole % 24) {
        (days, 0) => format!("{days} days"),
        (days, rest) if days < 30 => format!("{days} days {rest} h"),
        (days, _) => format!("{} days", count(days)),
    }
}

/// Time from an instant to `now`, or from `now` to a later instant.
pub fn relative(instant: Timestamp, now: Timestamp) -> String {
    let secs = now.as_second().saturating_sub(instant.as_second());
    let span = match secs.unsigned_abs() / 60 {
        0 => "less than a minute".to_owned(),
        minutes @ 1..120 => format!("{minutes} min"),
        minutes @ 120..2_880 => format!("{} h", minutes / 60),
        minutes @ 2_880..86_400 => format!("{} days", minutes / 1_440),
        minutes @ 86_400..1_051_200 => format!("{} months", minutes / 43_830),
        minutes => format!("{} years", minutes / 525_960),
    };
    if secs < 0 { format!("in {span}") } else { format!("{span} ago") }
}

/// Origin of a document, as visitors may know it: an address as it is, of a file its name without the folders.
pub fn origin(origin: &str) -> &str {
    if origin.contains("://") { origin } else { origin.rsplit(['/', '\\']).next().unwrap_or(origin) }
}

/// `15 Feb 2026 18:00 UTC`.
pub fn instant(instant: Timestamp) -> String {
    let civil = Offset::UTC.to_datetime(instant);
    format!("{} {:02}:{:02} UTC", date_of(civil.date()), civil.hour(), civil.minute())
}

/// `15 Feb 2026`.
pub fn date(instant: Timestamp) -> String {
    date_of(Offset::UTC.to_datetime(instant).date())
}

/// The same of a date: `15 Feb 2026`.
pub fn day(date: jiff::civil::Date) -> String {
    date_of(date)
}

/// `Feb 2026`.
pub fn month(year: i16, month: i8) -> String {
    format!("{} {year}", month_name(month))
}

/// `Feb`.
pub fn month_name(month: i8) -> &'static str {
    const NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    usize::try_from(month).ok().and_then(|m| m.checked_sub(1)).and_then(|m| NAMES.get(m)).copied().unwrap_or("")
}

/// The instant that many seconds after 1970-01-01T00:00:00Z; the last representable one for numbers beyond it.
pub fn at_secs(secs: i64) -> Timestamp {
    Timestamp::from_second(secs).unwrap_or(Timestamp::MAX)
}

/// An instant as machines read it: RFC 3339 in UTC without fractions of a second.
pub fn rfc3339(instant: Timestamp) -> String {
    at_secs(instant.as_second()).to_string()
}

/// A consensus as people read it: its valid-after time.
pub fn hour(hour: ConsensusHour) -> String {
    instant(hour.start())
}

fn date_of(date: jiff::civil::Date) -> String {
    format!("{} {} {}", date.day(), month_name(date.month()), date.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_cut_towards_honesty() {
        let cases = [
            (1.0, 2, "100.00"),
            (1.0 - 1e-12, 2, "100.00"),
            (0.999_99, 2, "99.99"),
            (0.9997, 1, "99.9"),
            (0.29, 2, "29.00"),
            (0.57, 0, "57"),
            (0.0, 2, "0.00"),
            (0.000_01, 2, "<0.01"),
            (0.004_999, 1, "0.4"),
            (0.000_078_123, 4, "0.0078"),
        ];
        for (share, decimals, expected) in cases {
            assert_eq!(percent(Fraction::new(share).unwrap(), decimals), expected, "{share}");
        }
    }

    #[test]
    fn folders_of_the_server_are_not_told() {
        assert_eq!(origin("/srv/data/details.json.zst"), "details.json.zst");
        assert_eq!(origin("https://onionoo.example/details"), "https://onionoo.example/details");
    }

    #[test]
    fn differences_carry_their_sign() {
        assert_eq!(points(-0.0123), "\u{2212}1.23");
        assert_eq!(points(0.5), "+50.00");
        assert_eq!(points(-0.000_000_1), "0.00");
    }

    #[test]
    fn no_form_of_a_number_is_minus_zero() {
        for value in [-0.0, -1e-300, -1e-12, -4e-5, -0.004, -0.04, 0.0, 0.004] {
            let forms = [
                points(value),
                width(value),
                number(value, 0),
                number(value, 1),
                number(value, 2),
                hours(value),
                plain(unsigned_zero(value)),
            ];
            for form in &forms[..6] {
                let is_zero = form.bytes().filter(u8::is_ascii_digit).all(|digit| digit == b'0');
                assert!(!is_zero || !form.starts_with(['-', '\u{2212}']), "{value}: {form}");
            }
            assert_ne!(forms[6], "-0");
        }
        assert_eq!((plain(-0.0), plain(-0.5), plain(1e21)), ("0".to_owned(), "-0.5".to_owned(), "1000000000000000000000".to_owned()));
        assert_eq!((number(-0.004, 2), number(-0.006, 2)), ("0.00".to_owned(), "\u{2212}0.01".to_owned()));
    }

    #[test]
    fn numbers_are_grouped_and_cut() {
        assert_eq!([0, 999, 1_000, 12_345_678].map(count), ["0", "999", "1,000", "12,345,678"]);
        assert_eq!(megabytes(1_234_567_890), "1,234.56");
        assert_eq!(gigabits(125_000_000_000), "1,000.0");
        assert_eq!(size(36_123_456), "36.1 MB");
        assert_eq!([0.5, 33.0, 51.0, 48.0, 24.0 * 412.0].map(hours), ["0.5 h", "33 h", "2 days 3 h", "2 days", "412 days"]);
        assert_eq!((counted(1, "relay"), counted(9707, "relay")), ("1 relay".to_owned(), "9,707 relays".to_owned()));
        let families = [0, 1, 2000].map(|n| counted_as(n, "family", "families"));
        assert_eq!(families, ["0 families", "1 family", "2,000 families"]);
    }

    #[test]
    fn times_are_absolute_and_relative() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let then = at("2026-02-15T18:00:00Z");
        assert_eq!(instant(then), "15 Feb 2026 18:00 UTC");
        let cases = [
            ("2026-02-15T18:00:20Z", "less than a minute ago"),
            ("2026-02-15T19:30:00Z", "90 min ago"),
            ("2026-02-17T03:00:00Z", "33 h ago"),
            ("2026-03-01T18:00:00Z", "14 days ago"),
            ("2026-11-22T18:00:00Z", "9 months ago"),
            ("2029-11-22T18:00:00Z", "3 years ago"),
            ("2026-02-15T15:00:00Z", "in 3 h"),
        ];
        for (now, expected) in cases {
            assert_eq!(relative(then, at(now)), expected);
        }
    }
}
