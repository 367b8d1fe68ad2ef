//! Typed configuration: defaults, then a TOML file, then environment variables, then flags; later ones win.
//!
//! Every key has one name. In the file it is `onionoo.url` (section `[onionoo]`, key `url`), in the environment
//! `ALLIUM_ONIONOO_URL`. A key that nobody knows is an error that suggests the nearest one, wherever it stands:
//! a misspelt setting must not be silently ignored.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use allium_detect::Settings;
use allium_history::StoreUrl;
use allium_model::{Bounds, CLOCK_TOLERANCE_SECS, Timestamp};
use allium_sources::read::Limits;
use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::checks::check;

/// Prefix of every environment variable of ours.
const ENV_PREFIX: &str = "ALLIUM_";

/// All settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The store: a path, or `sqlite:PATH`.
    pub(crate) store: StoreUrl,
    /// The scores of forecasts that `evaluate forecast` wrote: forecast.json beside the store unless set.
    pub(crate) scoreboard: Option<PathBuf>,
    /// Places at which pages are served, between commas: `127.0.0.1:8080`, `localhost:8080`, `unix:/run/allium.sock`.
    pub(crate) listen: String,
    /// Beginning of the service's addresses, such as `https://tor.example` or `https://tor.example/allium`; as clients or a trusted proxy
    /// call it where empty.
    pub(crate) address: String,
    /// Proxies that are believed in `Forwarded` and `X-Forwarded-…`: addresses, prefixes, and `unix` for all that use a unix socket.
    pub(crate) trusted_proxies: Vec<String>,
    /// Seconds by which a time in a document may lie after the clock's and is still believed.
    pub(crate) clock_tolerance_secs: u32,
    /// Limits of what is served at a time.
    pub(crate) serve: ServeConfig,
    /// Events that are logged, as tracing's filter directives: `info`, `allium=debug`.
    pub(crate) log: String,
    /// Sources that are visited: `onionoo`, `directory`, `collector`.
    pub(crate) sources: Vec<String>,
    /// Origin and limits of Onionoo documents.
    pub(crate) onionoo: OnionooConfig,
    /// Directory servers that are asked for consensuses.
    pub(crate) directory: DirectoryConfig,
    /// Source of consensuses that were missed.
    pub(crate) collector: CollectorConfig,
    /// Thresholds of the detector.
    pub(crate) detect: DetectConfig,
    /// Limits for questions to the domains that relays claim.
    pub(crate) proofs: ProofsConfig,
}

/// Limits of what is served at a time. A megabyte is 2^20 bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServeConfig {
    /// Connections; fewer where the process may have fewer descriptors.
    pub(crate) max_connections: usize,
    /// Connections of one address, unless it is a trusted proxy's or this machine's.
    pub(crate) max_connections_per_address: usize,
    /// Clients that listen to changes of incidents; at most three quarters of the connections.
    pub(crate) max_listeners: usize,
    /// Megabytes of disk for large answers, in files of the directory for temporary files.
    pub(crate) exports_mb: u64,
    /// Megabytes of resident memory that the program should not exceed; a sixteenth is for answers that are kept.
    pub(crate) memory_mb: u64,
}

impl ServeConfig {
    /// The limits of the server, within the descriptors that the process may have.
    pub(crate) fn limits(&self) -> allium_server::Limits {
        let limits = allium_server::Limits {
            max_connections: self.max_connections,
            max_connections_per_address: self.max_connections_per_address,
            max_listeners: self.max_listeners,
            cache_bytes: (self.memory_mb << 20) / 16,
            exports_bytes: self.exports_mb << 20,
            memory_bytes: self.memory_mb << 20,
            ..allium_server::Limits::default()
        };
        limits.within_descriptors()
    }
}

/// Settings of the detector.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DetectConfig {
    /// Fewer exits are short of capacity whatever was usual; 0 for no such number.
    pub(crate) fewest_exits: u32,
    /// The same of guards.
    pub(crate) fewest_guards: u32,
}

impl DetectConfig {
    /// The detector's settings.
    pub(crate) fn settings(&self) -> Settings {
        Settings { fewest: [self.fewest_exits, self.fewest_guards], ..Settings::default() }
    }
}

/// Settings of the checks of claimed domains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ProofsConfig {
    /// True if `serve` asks domains.
    pub(crate) enabled: bool,
    /// Number of domains that are asked at a time.
    pub(crate) concurrency: usize,
    /// DNS resolvers as `ADDRESS` or `ADDRESS:PORT`; those of the system where there are none, and with a proxy none at all.
    pub(crate) resolvers: Vec<String>,
    /// Addresses that are asked though they are not on the public internet, as `ADDRESS:PORT`.
    pub(crate) allow_addresses: Vec<SocketAddr>,
    /// A file of certificates, PEM, of the only authorities that count; those that the system trusts unless set.
    pub(crate) ca_file: Option<PathBuf>,
    /// Seconds that asking a domain may take.
    pub(crate) timeout_secs: u64,
}

/// Settings of the directory source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DirectoryConfig {
    /// Addresses of authorities or mirrors, such as `http://193.23.244.244:80`; those of the authorities where there are none.
    pub(crate) urls: Vec<String>,
    /// Authorities whose signatures count, as `NAME FINGERPRINT [ADDRESS:PORT]`; those of the public network where there are none.
    pub(crate) authorities: Vec<String>,
    /// Seconds between visits.
    pub(crate) poll_secs: u64,
    /// Seconds that one answer may take.
    pub(crate) timeout_secs: u64,
    /// Seconds that a whole visit may take.
    pub(crate) visit_secs: u64,
}

/// Settings of the CollecTor source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CollectorConfig {
    /// Address of the service.
    pub(crate) url: String,
    /// Most consensuses that one visit fetches, the latest first.
    pub(crate) max_consensuses: usize,
    /// Seconds between visits.
    pub(crate) poll_secs: u64,
    /// Seconds that one answer may take.
    pub(crate) timeout_secs: u64,
    /// Seconds that a whole visit may take.
    pub(crate) visit_secs: u64,
}

/// Settings of the Onionoo source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OnionooConfig {
    /// Address of the service; the documents lie below it.
    pub(crate) url: String,
    /// Kinds of document to fetch.
    pub(crate) documents: Vec<String>,
    /// Directory that keeps fetched documents; beside the store unless set.
    pub(crate) cache: Option<PathBuf>,
    /// A SOCKS5 proxy such as `socks5h://127.0.0.1:9050`; empty for none.
    pub(crate) proxy: String,
    /// Seconds between visits.
    pub(crate) poll_secs: u64,
    /// Seconds that one answer may take.
    pub(crate) timeout_secs: u64,
    /// Seconds that a whole visit may take.
    pub(crate) visit_secs: u64,
    /// Further attempts per document and visit.
    pub(crate) retries: usize,
    /// Bytes that a document of graphs may have after decompression; details may have half of that, a summary an eighth.
    pub(crate) max_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store: StoreUrl::from("allium.db"),
            scoreboard: None,
            listen: "127.0.0.1:8080".to_owned(),
            address: String::new(),
            trusted_proxies: ["127.0.0.0/8", "::1", "unix"].map(str::to_owned).to_vec(),
            clock_tolerance_secs: CLOCK_TOLERANCE_SECS as u32,
            serve: ServeConfig::default(),
            log: "info".to_owned(),
            sources: vec!["onionoo".to_owned()],
            onionoo: OnionooConfig::default(),
            directory: DirectoryConfig::default(),
            collector: CollectorConfig::default(),
            detect: DetectConfig::default(),
            proofs: ProofsConfig::default(),
        }
    }
}

impl Default for ServeConfig {
    fn default() -> Self {
        let limits = allium_server::Limits::default();
        Self {
            max_connections: limits.max_connections,
            max_connections_per_address: limits.max_connections_per_address,
            max_listeners: limits.max_listeners,
            exports_mb: limits.exports_bytes >> 20,
            memory_mb: limits.memory_bytes >> 20,
        }
    }
}

impl Default for ProofsConfig {
    fn default() -> Self {
        Self { enabled: true, concurrency: 4, resolvers: Vec::new(), allow_addresses: Vec::new(), ca_file: None, timeout_secs: 30 }
    }
}

impl Default for DirectoryConfig {
    fn default() -> Self {
        Self { urls: Vec::new(), authorities: Vec::new(), poll_secs: 300, timeout_secs: 120, visit_secs: 300 }
    }
}

impl Default for CollectorConfig {
    fn default() -> Self {
        Self {
            url: "https://collector.torproject.org".to_owned(),
            max_consensuses: 80,
            poll_secs: 3600,
            timeout_secs: 120,
            visit_secs: 1800,
        }
    }
}

impl Default for OnionooConfig {
    fn default() -> Self {
        Self {
            url: "https://onionoo.torproject.org".to_owned(),
            documents: ["details", "uptime"].map(str::to_owned).to_vec(),
            cache: None,
            proxy: String::new(),
            poll_secs: 300,
            timeout_secs: 120,
            visit_secs: 600,
            retries: 4,
            max_bytes: 192 << 20,
        }
    }
}

/// The layers above the defaults, lowest first.
#[derive(Debug, Default)]
pub(crate) struct Layers<'a> {
    /// A TOML file.
    pub(crate) file: Option<&'a Path>,
    /// Environment variables; those without our prefix are passed over.
    pub(crate) environment: Vec<(String, String)>,
    /// Flags of the command line by key.
    pub(crate) flags: Vec<(&'static str, Value)>,
}

impl Config {
    /// File that holds the scores of forecasts.
    pub(crate) fn scoreboard(&self) -> PathBuf {
        self.scoreboard.clone().unwrap_or_else(|| self.store.beside("forecast.json"))
    }

    /// Puts the layers on top of each other.
    pub(crate) fn load(layers: &Layers<'_>) -> anyhow::Result<Self> {
        let known = known_keys()?;
        let mut settings: BTreeMap<String, (Value, String)> = BTreeMap::new();
        if let Some(path) = layers.file {
            let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the configuration {}", path.display()))?;
            let table: Table = text.parse().with_context(|| format!("cannot understand the configuration {}", path.display()))?;
            for (key, value) in flatten(&table) {
                require_known(&key, &known, &path.display().to_string())?;
                settings.insert(key.clone(), (value, format!("{}: {key}", path.display())));
            }
        }
        for (name, text) in &layers.environment {
            let Some(rest) = name.strip_prefix(ENV_PREFIX) else { continue };
            let key = known.keys().find(|key| env_name(key) == rest);
            let Some(key) = key else {
                let names: Vec<String> = known.keys().map(|key| format!("{ENV_PREFIX}{}", env_name(key))).collect();
                bail!("the environment has the unknown setting {name}{}", suggest(name, names.iter().map(String::as_str)));
            };
            settings.insert(key.clone(), (env_value(text, &known[key]), format!("environment variable {name}")));
        }
        for (key, value) in &layers.flags {
            settings.insert((*key).to_owned(), (value.clone(), format!("flag for {key}")));
        }
        build(&settings)
    }

    /// Most bytes that are read of an Onionoo document, fetched or from a file: a quarter of `onionoo.max_bytes` where it is compressed.
    pub(crate) fn limits(&self) -> Limits {
        let max_bytes = self.onionoo.max_bytes;
        Limits { max_bytes, max_compressed_bytes: max_bytes / 4, ..Limits::default() }
    }

    /// The times that can be, by the clock's time.
    pub(crate) fn bounds(&self, now: Timestamp) -> Bounds {
        Bounds::at(now, i64::from(self.clock_tolerance_secs))
    }

    /// Directory that keeps fetched documents.
    pub(crate) fn cache_dir(&self) -> PathBuf {
        self.onionoo.cache.clone().unwrap_or_else(|| self.store.with_suffix(".cache"))
    }
}

/// Sets the settings one after the other, so that an error names the origin of the value that does not fit.
fn build(settings: &BTreeMap<String, (Value, String)>) -> anyhow::Result<Config> {
    let mut table = Table::new();
    let mut config = Config::default();
    for (key, (value, origin)) in settings {
        insert(&mut table, key, value.clone());
        config = Value::Table(table.clone())
            .try_into()
            .map_err(|error: toml::de::Error| anyhow::anyhow!("{origin}: {}", error.message().lines().next().unwrap_or_default()))?;
        check(key, value).map_err(|error| anyhow::anyhow!("{origin}: {error:#}"))?;
    }
    Ok(config)
}

/// Every key with an example value that shows its type.
fn known_keys() -> anyhow::Result<BTreeMap<String, Value>> {
    let onionoo = OnionooConfig { cache: Some(PathBuf::from("cache")), ..Default::default() };
    let proofs = ProofsConfig { ca_file: Some(PathBuf::from("ca.pem")), ..Default::default() };
    let complete = Config { scoreboard: Some(PathBuf::from("forecast.json")), onionoo, proofs, ..Default::default() };
    let Value::Table(table) = Value::try_from(complete).context("the defaults do not fit TOML")? else {
        bail!("the defaults are no table")
    };
    Ok(flatten(&table).into_iter().collect())
}

fn flatten(table: &Table) -> Vec<(String, Value)> {
    let below = |(key, value): (&String, &Value)| match value {
        Value::Table(inner) => flatten(inner).into_iter().map(|(rest, value)| (format!("{key}.{rest}"), value)).collect(),
        other => vec![(key.clone(), other.clone())],
    };
    table.iter().flat_map(below).collect()
}

fn insert(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((section, rest)) => {
            let inner = table.entry(section.to_owned()).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

fn env_name(key: &str) -> String {
    key.to_uppercase().replace('.', "_")
}

/// Text of the environment in the type of the example: lists are separated by commas.
fn env_value(text: &str, example: &Value) -> Value {
    match example {
        Value::Integer(_) => text.trim().parse().map_or_else(|_| Value::String(text.to_owned()), Value::Integer),
        Value::Boolean(_) => text.trim().parse().map_or_else(|_| Value::String(text.to_owned()), Value::Boolean),
        Value::Array(_) if text.trim().is_empty() => Value::Array(Vec::new()),
        Value::Array(_) => Value::Array(text.split(',').map(|part| Value::String(part.trim().to_owned())).collect()),
        _ => Value::String(text.to_owned()),
    }
}

fn require_known(key: &str, known: &BTreeMap<String, Value>, origin: &str) -> anyhow::Result<()> {
    if known.contains_key(key) {
        return Ok(());
    }
    bail!("{origin} has the unknown setting {key}{}", suggest(key, known.keys().map(String::as_str)))
}

/// `; did you mean …?` with the nearest candidate, or the list of all where none is near.
fn suggest<'a>(found: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> String {
    let nearest = candidates.clone().max_by(|a, b| strsim::jaro_winkler(found, a).total_cmp(&strsim::jaro_winkler(found, b)));
    match nearest {
        Some(name) if strsim::jaro_winkler(found, name) > 0.8 => format!("; did you mean {name}?"),
        _ => format!("; known are {}", candidates.collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, environment: &[(&str, &str)], flags: &[(&'static str, Value)]) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("allium.toml");
        std::fs::write(&path, file).unwrap();
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let layers = Layers { file: Some(&path), environment, flags: flags.to_vec() };
        Config::load(&layers).map_err(|error| format!("{error:#}").replace(&path.display().to_string(), "FILE"))
    }

    #[test]
    fn flags_win_over_environment_over_file_over_defaults() {
        let file = "listen = '127.0.0.1:1'\nstore = 'file.db'\n[onionoo]\npoll_secs = 1\ntimeout_secs = 7\n";
        let environment = [
            ("ALLIUM_STORE", "env.db"),
            ("ALLIUM_ONIONOO_POLL_SECS", "2"),
            ("ALLIUM_ONIONOO_DOCUMENTS", "details, weights"),
            ("HOME", "x"),
        ];
        let config = load(file, &environment, &[("onionoo.poll_secs", Value::Integer(3))]).unwrap();
        assert_eq!(config.store, StoreUrl::from("env.db"));
        assert_eq!(config.listen, "127.0.0.1:1");
        assert_eq!(config.onionoo.documents, ["details", "weights"]);
        assert_eq!((config.onionoo.poll_secs, config.onionoo.timeout_secs, config.onionoo.retries), (3, 7, 4));
        assert_eq!(config.cache_dir(), Path::new("env.db.cache"));
    }

    #[test]
    fn unknown_settings_are_errors_that_suggest_the_right_one() {
        /// File, environment, what the error starts with.
        type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
        let cases: [Case<'_>; 7] = [
            ("source = ['onionoo']", &[], "FILE has the unknown setting source; did you mean sources?"),
            ("[directory]\nauthoritys = []", &[], "FILE has the unknown setting directory.authoritys; did you mean directory.authorities?"),
            ("[colector]\nurl = ''", &[], "FILE has the unknown setting colector.url; did you mean collector.url?"),
            ("lisen = '127.0.0.1:1'", &[], "FILE has the unknown setting lisen; did you mean listen?"),
            ("[onionoo]\npol_secs = 1", &[], "FILE has the unknown setting onionoo.pol_secs; did you mean onionoo.poll_secs?"),
            ("", &[("ALLIUM_STOER", "x")], "the environment has the unknown setting ALLIUM_STOER; did you mean ALLIUM_STORE?"),
            ("qqq = 1", &[], "FILE has the unknown setting qqq; known are address, clock_tolerance_secs, collector.max_consensuses"),
        ];
        for (file, environment, expected) in cases {
            let error = load(file, environment, &[]).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    /// The example in the README, as it is read: every setting stands in it, with its default unless it has none.
    #[test]
    fn the_readme_has_every_setting() {
        let readme = include_str!("../../../README.md");
        let example = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let table: Table = example.parse().unwrap();
        let documented: Vec<String> = flatten(&table).into_iter().map(|(key, _)| key).collect();
        let known: Vec<String> = known_keys().unwrap().into_keys().collect();
        let missing: Vec<&String> = known.iter().filter(|key| !documented.contains(key)).collect();
        assert!(missing.is_empty(), "the README lacks {missing:?}");
        load(example, &[], &[]).unwrap();
    }

    #[test]
    fn values_that_do_not_fit_are_blamed_on_their_place() {
        let error = load("[onionoo]\npoll_secs = 'often'", &[], &[]).unwrap_err();
        assert!(error.starts_with("FILE: onionoo.poll_secs: invalid type: string \"often\""), "{error}");
        let error = load("", &[("ALLIUM_LISTEN", "everywhere")], &[]).unwrap_err();
        assert!(error.starts_with("environment variable ALLIUM_LISTEN: expected ADDRESS:PORT, NAME:PORT or unix:PATH"), "{error}");
        let error = load("store = ", &[], &[]).unwrap_err();
        assert!(error.starts_with("cannot understand the configuration FILE: TOML parse error at line 1"), "{error}");
    }
}
