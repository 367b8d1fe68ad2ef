//! Reasons why a chart cannot be written in a form.

/// A chart that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its table does not fit CSV.
    #[error("the table of a chart does not fit CSV")]
    Csv(#[from] csv::Error),
    /// Its description does not fit JSON.
    #[error("the description of a chart does not fit JSON")]
    Json(#[from] serde_json::Error),
    /// Its SVG cannot be read by the rasteriser.
    #[error("the SVG of a chart cannot be drawn")]
    Svg(#[from] resvg::usvg::Error),
    /// Its picture has no width or no height.
    #[error("the picture of a chart has no size")]
    NoSize,
    /// Its pixels cannot be written as PNG.
    #[error("the picture of a chart cannot be written as PNG")]
    Png(#[from] png::EncodingError),
}
