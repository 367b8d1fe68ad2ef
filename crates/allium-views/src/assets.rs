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

/// The parts of the interactive view by path, or none where the program was built without it. Their names change with their content.
const SCRIPTS: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/scripts.rs"));

static WORLD: LazyLock<String> = LazyLock::new(crate::charts::world_svg);
static WORLD_PATH: LazyLock<String> = LazyLock::new(|| format!("/assets/world-{:016x}.svg", content_hash(WORLD.as_bytes())));

/// Where the script of charts is; `None` where the program was built without it.
pub(crate) fn script_path() -> Option<&'static str> {
    SCRIPTS.iter().map(|(path, _)| *path).find(|path| path.starts_with("/assets/charts-"))
}

/// Where the outlines of the world are, for the interactive view.
pub(crate) fn world_path() -> &'static str {
    &WORLD_PATH
}

/// The asset at this path with its media type.
pub(crate) fn find(path: &str) -> Option<(&'static str, &'static [u8])> {
    match path {
        p if p == stylesheet_path() => Some(("text/css; charset=utf-8", STYLESHEET.as_bytes())),
        p if p == icon_path() => Some(("image/png", ICON)),
        p if p == world_path() => Some(("image/svg+xml", WORLD.as_bytes())),
        p => SCRIPTS.iter().find(|(path, _)| *path == p).map(|(_, bytes)| ("text/javascript; charset=utf-8", *bytes)),
    }
}

/// FNV-1a, 64 bits: names versions of a content, protects nothing.
pub(crate) fn content_hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
