//! Forecasts as HTML; the sentences are those of [`allium_words::forecasts`].

use allium_forecast::Label;
use allium_words::forecasts::label_word;

use crate::markup::Html;

/// A label as shape, colour and word.
pub(super) fn label_html(label: Label) -> Html {
    let class = match label {
        Label::Critical => "fl f-cr",
        Label::AtRisk => "fl f-ri",
        Label::Monitor => "fl f-mo",
        Label::Improving => "fl f-im",
        Label::Stable => "fl f-st",
    };
    Html::element("span", &[("class", class)], &Html::words(label_word(label)))
}
