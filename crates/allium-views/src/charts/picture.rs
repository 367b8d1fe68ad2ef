//! From SVG to PNG, with the font that comes with the program, so that a machine without fonts draws the same.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};

use crate::error::RequestError;
use crate::params::Params;

/// Name of the font in pictures.
pub(crate) const FONT: &str = "Noto Sans";

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Theme {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

/// How wide a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Size {
    /// For screens wider than a phone: 960 pixels.
    #[default]
    Wide,
    /// For phones: 360 pixels, drawn with twice as many.
    Narrow,
}

impl Size {
    /// The width in CSS pixels.
    pub(crate) const fn width(self) -> f64 {
        match self {
            Self::Wide => 960.0,
            Self::Narrow => 360.0,
        }
    }

    /// Pixels of the picture per CSS pixel.
    const fn scale(self) -> f32 {
        match self {
            Self::Wide => 1.0,
            Self::Narrow => 2.0,
        }
    }
}

/// How a picture is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Look {
    pub(crate) theme: Theme,
    pub(crate) size: Size,
    /// Whether title and note stand in the picture, for use outside a page.
    pub(crate) caption: bool,
}

impl Look {
    /// Reads the parameters `theme`, `size` and `caption`.
    pub(crate) fn of(params: &Params) -> Result<Self, RequestError> {
        let choose = |name: &str, default: bool, [first, second]: [&str; 2]| match params.one(name)? {
            None => Ok(default),
            Some(value) if value == first => Ok(false),
            Some(value) if value == second => Ok(true),
            Some(other) => Err(RequestError::bad(name, other, format!("{first} or {second}"))),
        };
        Ok(Self {
            theme: if choose("theme", false, ["light", "dark"])? { Theme::Dark } else { Theme::Light },
            size: if choose("size", false, ["wide", "narrow"])? { Size::Narrow } else { Size::Wide },
            caption: choose("caption", false, ["no", "yes"])?,
        })
    }

    /// The parameters that a look is read from.
    pub(crate) const NAMES: [&'static str; 3] = ["theme", "size", "caption"];
}

static OPTIONS: LazyLock<Options<'static>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(notosans::REGULAR_TTF.to_vec());
    fonts.load_font_data(notosans::BOLD_TTF.to_vec());
    fonts.set_sans_serif_family(FONT);
    Options { font_family: FONT.to_owned(), fontdb: Arc::new(fonts), ..Options::default() }
});

/// The picture as PNG. The SVG is one of ours: it refers to nothing outside.
pub(crate) fn png(svg: &str, look: Look) -> Result<Vec<u8>, RequestError> {
    rasterise(svg, look.size.scale()).map_err(|error| {
        tracing::error!(error, "a picture could not be drawn");
        RequestError::Internal
    })
}

fn rasterise(svg: &str, scale: f32) -> Result<Vec<u8>, String> {
    let tree = Tree::from_str(svg, &OPTIONS).map_err(|error| error.to_string())?;
    let [width, height] = [tree.size().width(), tree.size().height()].map(|side| (side * scale).ceil() as u32);
    let mut pixels = Pixmap::new(width, height).ok_or("the picture has no size")?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    encoded(&pixels).map_err(|error| error.to_string())
}

/// Pixels as PNG. The ground of our pictures is opaque: three channels say everything. Flat colours compress best without filters, and
/// so they also compress fastest: a chart takes 2 ms and 13 kB, against 17 ms and 17 kB with filters chosen line by line.
fn encoded(pixels: &Pixmap) -> Result<Vec<u8>, png::EncodingError> {
    let mut rgb = Vec::with_capacity(pixels.data().len() / 4 * 3);
    pixels.data().chunks_exact(4).for_each(|pixel| rgb.extend_from_slice(&pixel[..3]));
    let mut out = Vec::with_capacity(1 << 16);
    let mut encoder = png::Encoder::new(&mut out, pixels.width(), pixels.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_deflate_compression(png::DeflateCompression::Level(4));
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&rgb)?;
    writer.finish()?;
    Ok(out)
}
