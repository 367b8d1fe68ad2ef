//! Assets of pages: the stylesheet, at an address that changes with its content, and scripts. The icon is part of the page: it is
//! shorter than the request for it would be.

use std::sync::LazyLock;

/// The stylesheet.
pub(crate) const STYLESHEET: &str = include_str!("../assets/allium.css");

/// The icon: 32 × 32 pixels.
pub(crate) const ICON: &[u8] = include_bytes!("../assets/icon.png");

static STYLESHEET_PATH: LazyLock<String> = LazyLock::new(|| format!("/assets/allium-{:016x}.css", content_hash(STYLESHEET.as_bytes())));
static ICON_DATA: LazyLock<String> = LazyLock::new(|| format!("data:image/png;base64,{}", base64(ICON)));
static ICON_PATH: LazyLock<String> = LazyLock::new(|| format!("/assets/icon-{:016x}.png", content_hash(ICON)));

/// Address of the stylesheet.
pub(crate) fn stylesheet_path() -> &'static str {
    &STYLESHEET_PATH
}

/// The icon as an address that holds it.
pub(crate) fn icon_data() -> &'static str {
    &ICON_DATA
}

/// Address of the icon for clients that ask for it by name.
pub(crate) fn icon_path() -> &'static str {
    &ICON_PATH
}

/// A part of the interactive view, as it is and as it was compressed with the bundle.
struct Script {
    path: &'static str,
    plain: &'static [u8],
    brotli: &'static [u8],
    gzip: &'static [u8],
}

/// The parts of the interactive view, or none where the program was built without it. Their names change with their content.
const SCRIPTS: &[Script] = include!(concat!(env!("OUT_DIR"), "/scripts.rs"));

static WORLD: LazyLock<String> = LazyLock::new(allium_charts::world_svg);
static WORLD_PATH: LazyLock<String> = LazyLock::new(|| format!("/assets/world-{:016x}.svg", content_hash(WORLD.as_bytes())));

/// Address of the script of charts; `None` where the program was built without it.
pub(crate) fn script_path() -> Option<&'static str> {
    SCRIPTS.iter().map(|script| script.path).find(|path| path.starts_with("/assets/charts-"))
}

/// Address of the outlines of the world, for the interactive view.
pub(crate) fn world_path() -> &'static str {
    &WORLD_PATH
}

/// The addresses of all assets.
pub(crate) fn paths() -> impl Iterator<Item = &'static str> {
    [stylesheet_path(), icon_path(), world_path()].into_iter().chain(SCRIPTS.iter().map(|script| script.path))
}

/// A file that pages load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asset {
    pub(crate) media_type: &'static str,
    /// Compression of `bytes`, in the words of HTTP.
    pub(crate) encoding: Option<&'static str>,
    pub(crate) bytes: &'static [u8],
}

/// The asset at this path, in the smallest of its forms that `accepts` (of a coding such as `br`) allows.
pub(crate) fn find(path: &str, accepts: impl Fn(&str) -> bool) -> Option<Asset> {
    let plain = |media_type, bytes| Some(Asset { media_type, encoding: None, bytes });
    match path {
        p if p == stylesheet_path() => plain("text/css; charset=utf-8", STYLESHEET.as_bytes()),
        p if p == icon_path() => plain("image/png", ICON),
        p if p == world_path() => plain("image/svg+xml", WORLD.as_bytes()),
        p => {
            let script = SCRIPTS.iter().find(|script| script.path == p)?;
            let kept = [(Some("br"), script.brotli), (Some("gzip"), script.gzip), (None, script.plain)];
            let (encoding, bytes) = kept.into_iter().find(|(encoding, _)| encoding.is_none_or(&accepts))?;
            Some(Asset { media_type: "text/javascript; charset=utf-8", encoding, bytes })
        }
    }
}

/// Names versions of a content, protects nothing.
pub(crate) fn content_hash(bytes: &[u8]) -> u64 {
    allium_model::fnv_1a(bytes.iter().copied())
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = three.iter().enumerate().fold(0u32, |bits, (i, byte)| bits | u32::from(*byte) << (16 - 8 * i));
        let digit = |i: usize| if i <= three.len() { char::from(DIGITS[(bits >> (18 - 6 * i)) as usize & 63]) } else { '=' };
        out.extend((0..4).map(digit));
    }
    out
}

#[cfg(test)]
mod tests {
    use allium_charts::{Theme, shared_colours};

    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy")];
        for (plain, encoded) in cases {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert!(icon_data().starts_with("data:image/png;base64,iVBORw0KGgo"));
    }

    #[test]
    fn pictures_and_pages_have_the_same_colours() {
        let (light, dark) = STYLESHEET.split_once("prefers-color-scheme: dark").unwrap();
        for (theme, css) in [(Theme::Light, light), (Theme::Dark, dark)] {
            for (name, colour) in shared_colours(theme) {
                assert!(css.contains(&format!("--{name}: {colour};")), "{name} {colour}");
            }
        }
    }
}
