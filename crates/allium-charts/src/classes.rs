//! Classes in which uptime is coloured, finer towards 100 %, where relays spend their time.

use allium_model::Fraction;

/// Lower bounds of the classes `u1` to `u9`; `u0` is exactly 0 and `u10` exactly 1.
const BOUNDS: [f64; 9] = [0.0, 0.2, 0.4, 0.6, 0.75, 0.85, 0.9, 0.95, 0.98];

/// The name of the class of an interval with this uptime: `u0` for down throughout, `u10` for up throughout, `un` where nobody measured.
pub fn uptime_class(uptime: Option<Fraction>) -> &'static str {
    const NAMES: [&str; 9] = ["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9"];
    match uptime.map(Fraction::get) {
        None => "un",
        Some(share) if share <= 1e-9 => "u0",
        Some(share) if share >= 1.0 - 1e-9 => "u10",
        Some(share) => NAMES[BOUNDS.partition_point(|bound| *bound <= share).saturating_sub(1)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_all_up_or_all_down_has_the_extreme_classes() {
        let cases = [
            (None, "un"),
            (Some(0.0), "u0"),
            (Some(0.001), "u1"),
            (Some(0.2), "u2"),
            (Some(0.5), "u3"),
            (Some(0.9), "u7"),
            (Some(0.9999), "u9"),
            (Some(1.0), "u10"),
        ];
        for (share, expected) in cases {
            assert_eq!(uptime_class(share.and_then(Fraction::new)), expected, "{share:?}");
        }
    }
}
