//! The design system: colours that can be distinguished and read.

use std::collections::BTreeMap;

use crate::support::{attributes, get, record, site_of};

fn stylesheet() -> String {
    let site = site_of(record(1));
    let path = attributes(&get(&site, "/").text(), "href").into_iter().find(|link| link.ends_with(".css")).unwrap();
    get(&site, &path).text()
}

/// The colours of the light theme and of the dark one, by name.
fn themes(css: &str) -> [BTreeMap<String, [f64; 3]>; 2] {
    let theme = |block: &str| {
        let pairs =
            block.split('}').next().unwrap_or_default().split(';').filter_map(|line| line.trim().strip_prefix("--")?.split_once(": #"));
        pairs.map(|(name, hex)| (name.to_owned(), rgb(hex.trim()))).collect()
    };
    let mut blocks = css.split(":root {").skip(1);
    [theme(blocks.next().unwrap()), theme(blocks.next().unwrap())]
}

fn rgb(hex: &str) -> [f64; 3] {
    [0, 2, 4].map(|at| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0)
}

fn linear(channel: f64) -> f64 {
    if channel <= 0.040_45 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
}

/// Relative luminance as in WCAG 2.2.
fn luminance(colour: [f64; 3]) -> f64 {
    let [r, g, b] = colour.map(linear);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn text_and_controls_have_the_contrast_of_wcag_aa() {
    for (theme, name) in themes(&stylesheet()).iter().zip(["light", "dark"]) {
        for (front, back, least) in [
            ("ink", "bg", 7.0),
            ("soft", "bg", 4.5),
            ("accent", "bg", 4.5),
            ("up", "bg", 4.5),
            ("down", "bg", 4.5),
            ("ink", "tint", 7.0),
            ("soft", "tint", 4.5),
            ("accent", "tint", 4.5),
            ("up", "tint", 4.5),
            ("down", "tint", 4.5),
            ("edge", "bg", 3.0),
            ("u10", "bg", 3.0),
            ("u0", "u10", 3.0),
        ] {
            let found = contrast(theme[front], theme[back]);
            assert!(found >= least, "{name}: {front} on {back} has {found:.2}, wanted {least}");
        }
    }
}

#[test]
fn the_scale_runs_evenly_from_dark_to_light() {
    for theme in themes(&stylesheet()) {
        // Perceived lightness (CIE L*) must fall in equal steps, so that hue is never needed to order two classes.
        let lightness: Vec<_> = (0..=10).map(|class| 116.0 * luminance(theme[&format!("u{class}")]).cbrt() - 16.0).collect();
        let steps: Vec<_> = lightness.windows(2).map(|pair| pair[0] - pair[1]).collect();
        let mean = steps.iter().sum::<f64>() / 10.0;
        assert!(steps.iter().all(|step| *step > 0.0 && (step - mean).abs() < mean * 0.35), "{steps:?}");
    }
}

#[test]
fn every_class_of_a_page_is_known_to_the_stylesheet_or_carries_no_style() {
    let css = stylesheet();
    let site = site_of(record(3));
    for class in attributes(&get(&site, "/relays").text(), "class").iter().flat_map(|classes| classes.split_whitespace()) {
        let unstyled = ["c-u6", "c-bw", "c-cc", "c-vs", "c-dt"];
        assert!(css.contains(&format!(".{class}")) || unstyled.contains(&class), "{class}");
    }
}
