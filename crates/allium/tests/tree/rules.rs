//! Rules of dependencies: crates on crates, on packages, and under which licences.

/// Workspace crates and the workspace crates that each may use.
pub(crate) const ARROWS: &[(&str, &[&str])] = &[
    ("allium-model", &[]),
    ("allium-stats", &[]),
    ("allium-sources", &["allium-model"]),
    ("allium-simulate", &["allium-model", "allium-stats"]),
    ("allium-history", &["allium-model"]),
    ("allium-analysis", &["allium-model", "allium-stats"]),
    ("allium-forecast", &["allium-model", "allium-stats"]),
    ("allium-detect", &["allium-model", "allium-stats"]),
    ("allium-words", &["allium-model", "allium-stats", "allium-analysis", "allium-forecast", "allium-detect"]),
    ("allium-charts", &["allium-model", "allium-words"]),
    (
        "allium-service",
        &[
            "allium-model",
            "allium-stats",
            "allium-sources",
            "allium-history",
            "allium-analysis",
            "allium-forecast",
            "allium-detect",
            "allium-words",
        ],
    ),
    (
        "allium-views",
        &[
            "allium-model",
            "allium-stats",
            "allium-analysis",
            "allium-forecast",
            "allium-detect",
            "allium-words",
            "allium-charts",
            "allium-service",
        ],
    ),
    ("allium-server", &["allium-model", "allium-detect", "allium-words", "allium-charts", "allium-service", "allium-views"]),
    (
        "allium",
        &[
            "allium-model",
            "allium-stats",
            "allium-sources",
            "allium-simulate",
            "allium-history",
            "allium-analysis",
            "allium-forecast",
            "allium-detect",
            "allium-words",
            "allium-charts",
            "allium-service",
            "allium-views",
            "allium-server",
        ],
    ),
    ("allium-testkit", &["allium-model", "allium-sources", "allium-simulate", "allium-history", "allium-analysis"]),
];

/// Dependencies and the only workspace crates that may use them.
pub(crate) const HOLDERS: &[(&str, &[&str])] = &[
    ("axum", &["allium-server", "allium-simulate"]),
    ("tower-http", &["allium-server", "allium-simulate"]),
    ("askama", &["allium-views"]),
    ("pulldown-cmark", &["allium-views"]),
    ("resvg", &["allium-charts"]),
    ("rusqlite", &["allium-history", "allium-testkit"]),
    ("reqwest", &["allium-sources"]),
    ("hickory-resolver", &["allium-sources"]),
    ("clap", &["allium"]),
];

const ASYNC_AND_HTTP: &[&str] = &["tokio", "mio", "hyper", "axum", "reqwest", "async-std", "futures-core"];
const SQL: &[&str] = &["rusqlite", "libsqlite3-sys"];
const HTML: &[&str] = &["askama", "pulldown-cmark"];
const PURE: &[&str] =
    &["allium-model", "allium-stats", "allium-analysis", "allium-forecast", "allium-detect", "allium-words", "allium-charts"];

/// Workspace crates, and packages that must not be reached from them, not even far below.
pub(crate) const OUT_OF_REACH: &[(&[&str], &[&str])] =
    &[(PURE, ASYNC_AND_HTTP), (PURE, SQL), (PURE, HTML), (&["allium-history"], ASYNC_AND_HTTP), (&["allium-history"], HTML)];

/// Dependencies that no source file names, with the reason.
pub(crate) const UNNAMED: &[(&str, &str, &str)] = &[];

/// Licences under which a dependency may come; each expression must be satisfiable with these.
pub(crate) const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "0BSD",
    "MIT-0",
];
