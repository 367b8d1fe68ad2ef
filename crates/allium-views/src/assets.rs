//! What pages load beside themselves: one stylesheet and one icon, at addresses that change with their content.

use std::sync::LazyLock;

/// The stylesheet.
pub(crate) const STYLESHEET: &str = include_str!("../assets/allium.css");

/// The icon: 32 × 32 pixels.
pub(crate) const ICON: &[u8] = include_bytes!("../assets/icon.png");

static STYLESHEET_PATH: LazyLock<String> = LazyLock::new(|| format!("/assets/allium-{:016x}.css", content_hash(STYLESHEET.as_bytes())));
static ICON_PATH: LazyLock<String> = LazyLock::new(|| format!("/assets/icon-{:016x}.png", content_hash(ICON)));

/// Where the stylesheet is.
pub(crate) fn stylesheet_path() -> &'static str {
    &STYLESHEET_PATH
}

/// Where the icon is.
pub(crate) fn icon_path() -> &'static str {
    &ICON_PATH
}

/// Where the script of charts is; `None` where the program was built without it.
pub(crate) fn script_path() -> Option<&'static str> {
    None
}

/// The asset at this path with its media type.
pub(crate) fn find(path: &str) -> Option<(&'static str, &'static [u8])> {
    match path {
        p if p == stylesheet_path() => Some(("text/css; charset=utf-8", STYLESHEET.as_bytes())),
        p if p == icon_path() => Some(("image/png", ICON)),
        _ => None,
    }
}

/// FNV-1a, 64 bits: names versions of a content, protects nothing.
pub(crate) fn content_hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
