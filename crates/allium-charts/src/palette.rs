//! Colours of pictures. The data scale is the one of the stylesheet (cividis kin: dark blue to yellow, even in lightness);
//! lines differ in colour and in dash, so that neither is needed alone.

use crate::classes::uptime_class;
use crate::picture::Theme;

/// The colours of a theme, each as `#rrggbb`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Palette {
    pub(crate) ground: &'static str,
    pub(crate) ink: &'static str,
    pub(crate) soft: &'static str,
    pub(crate) line: &'static str,
    pub(crate) edge: &'static str,
    pub(crate) tint: &'static str,
    pub(crate) hatch: &'static str,
    /// From down throughout to up throughout; the classes `u0` to `u10` of the stylesheet.
    pub(crate) scale: [&'static str; 11],
    /// Colours of lines and dots that have to be distinguishable.
    pub(crate) lines: [&'static str; 4],
}

const LIGHT: Palette = Palette {
    ground: "#fcfcfb",
    ink: "#1b1f24",
    soft: "#555d66",
    line: "#d9dcdf",
    edge: "#7d858d",
    tint: "#f1f2f2",
    hatch: "#9aa1a8",
    scale: ["#e6b800", "#d1ac34", "#bca147", "#a89553", "#948a5c", "#817e63", "#6d7268", "#5a666b", "#485a6d", "#354d6f", "#23406f"],
    lines: ["#23406f", "#b86e00", "#008f86", "#7a1f1f"],
};

const DARK: Palette = Palette {
    ground: "#14161a",
    ink: "#e4e6e8",
    soft: "#a2a9b1",
    line: "#2e3339",
    edge: "#7a828b",
    tint: "#1c1f24",
    hatch: "#5d656e",
    scale: ["#ffe066", "#ecd574", "#d9ca80", "#c6c089", "#b4b590", "#a2a997", "#909e9c", "#7e93a0", "#6d87a3", "#5b7ba6", "#4a6fa8"],
    lines: ["#8fb4ee", "#ffcf66", "#c0577f", "#f2f2f2"],
};

/// Dashes of lines, in the order of [`Palette::lines`].
pub(crate) const DASHES: [&str; 4] = ["", "6 3", "2 3", "8 3 2 3"];

impl Palette {
    /// The colours of a theme.
    pub(crate) const fn of(theme: Theme) -> &'static Self {
        match theme {
            Theme::Light => &LIGHT,
            Theme::Dark => &DARK,
        }
    }

    /// The colour of a value on the scale, 0 to 1, in eleven steps.
    pub(crate) fn at(&self, share: f64) -> &'static str {
        self.scale[(share.clamp(0.0, 1.0) * 10.0).round() as usize]
    }

    /// The colour of an uptime: the classes of the strips.
    pub(crate) fn uptime(&self, share: f64) -> &'static str {
        let class = uptime_class(allium_model::Fraction::clamped(share));
        let step = class.strip_prefix('u').and_then(|digits| digits.parse::<usize>().ok());
        step.map_or(self.hatch, |step| self.scale[step])
    }
}

/// The colours that pictures share with the stylesheet, by the name of its custom property.
pub fn shared_colours(theme: Theme) -> impl Iterator<Item = (String, &'static str)> {
    let palette = Palette::of(theme);
    let named = [("bg", palette.ground), ("ink", palette.ink), ("soft", palette.soft), ("line", palette.line), ("hatch", palette.hatch)];
    let scale = palette.scale.iter().enumerate().map(|(class, colour)| (format!("u{class}"), *colour));
    named.into_iter().map(|(name, colour)| (name.to_owned(), colour)).chain(scale)
}

/// Black or white, whichever is easier to read on a colour written as `#rrggbb`.
pub(crate) fn ink_on(ground: &str) -> &'static str {
    let [r, g, b] = linear(ground);
    let luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    // WCAG's contrast ratio: that to white against that to black.
    if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 { "#ffffff" } else { "#000000" }
}

/// The channels of `#rrggbb`, proportional to light.
fn linear(hex: &str) -> [f64; 3] {
    [1, 3, 5].map(|at| {
        let digits = hex.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let channel = f64::from(digits.unwrap_or(0)) / 255.0;
        if channel <= 0.040_45 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A colour as a dichromat sees it: Machado, Oliveira, Fernandes (2009), severity 1.
    fn seen(colour: [f64; 3], deficiency: Option<[[f64; 3]; 3]>) -> [f64; 3] {
        let Some(matrix) = deficiency else { return colour };
        matrix.map(|row| row.iter().zip(colour).map(|(m, c)| m * c).sum::<f64>().clamp(0.0, 1.0))
    }

    fn lab([r, g, b]: [f64; 3]) -> [f64; 3] {
        let xyz = [
            (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.950_47,
            0.2126 * r + 0.7152 * g + 0.0722 * b,
            (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.088_83,
        ];
        let [x, y, z] = xyz.map(|t| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 });
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    const PROTANOPIA: [[f64; 3]; 3] =
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]];
    const DEUTERANOPIA: [[f64; 3]; 3] =
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]];

    /// The smallest difference (CIE 1976 ΔE) between any two colours, over normal and dichromatic sight.
    fn least_difference(colours: &[&str]) -> f64 {
        let mut least = f64::INFINITY;
        for sight in [None, Some(PROTANOPIA), Some(DEUTERANOPIA)] {
            let labs: Vec<_> = colours.iter().map(|hex| lab(seen(linear(hex), sight))).collect();
            for (i, a) in labs.iter().enumerate() {
                for b in &labs[i + 1..] {
                    least = least.min(a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt());
                }
            }
        }
        least
    }

    #[test]
    fn status_and_lines_differ_for_colour_blind_people_too() {
        for palette in [&LIGHT, &DARK] {
            let status: Vec<_> = [10, 7, 3, 0].map(|class| palette.scale[class]).to_vec();
            let (of_status, of_lines) = (least_difference(&status), least_difference(&palette.lines));
            assert!(of_status >= 25.0, "status {of_status:.1}");
            assert!(of_lines >= 30.0, "lines {of_lines:.1}");
        }
    }

    #[test]
    fn the_usual_traffic_light_would_fail() {
        assert!(least_difference(&["#28a745", "#ffc107", "#fd7e14", "#dc3545"]) < 5.0);
    }

    #[test]
    fn words_can_be_read_on_every_class() {
        for colour in [&LIGHT, &DARK].into_iter().flat_map(|palette| palette.scale) {
            let luminance = |[r, g, b]: [f64; 3]| 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
            let (ground, ink) = (luminance(linear(colour)), luminance(linear(ink_on(colour))));
            assert!(ground.max(ink) / ground.min(ink) >= 4.5, "{colour}");
        }
    }
}
