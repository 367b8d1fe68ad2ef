//! Files of directory servers and CollecTor: consensuses, certificates, an index.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use allium_model::time::parse_tor_time;
use allium_model::{ConsensusHour, Timestamp};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::answer::{accepts, gzip, http_date, unchanged_since};
use super::{Fault, Handle, error, error_page};
use crate::Network;
use crate::consensus::{Flavour, certificates, document, file_name};
use crate::onionoo::tor_time;

/// CollecTor's recent files are not older.
const RECENT_HOURS: i32 = 72;
const RECENT: &str = "/recent/relay-descriptors/";
const ZSTD_LEVEL: i32 = 3;

/// File that a path serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource {
    /// The newest consensus, from a directory server.
    Newest(Flavour, Form),
    /// The certificates of this hour, from a directory server.
    Keys(Form),
    /// CollecTor's list of files; compressed or not.
    Index(bool),
    /// A consensus that CollecTor keeps.
    Kept(Flavour, ConsensusHour),
    /// The certificates of a year, which CollecTor keeps; by the first hour of it.
    KeptKeys(ConsensusHour),
}

/// Compression by a directory server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As the client likes it.
    Negotiated,
    /// Deflated, whatever the client accepts: `.z`.
    Deflated,
}

impl Resource {
    pub(super) fn of_path(path: &str) -> Option<Self> {
        match path {
            "/index/index.json" => return Some(Self::Index(false)),
            "/index/index.json.gz" => return Some(Self::Index(true)),
            _ => {}
        }
        if let Some(name) = path.strip_prefix(RECENT) {
            return Self::kept(name);
        }
        let (path, form) = path.strip_suffix(".z").map_or((path, Form::Negotiated), |path| (path, Form::Deflated));
        match path.strip_prefix("/tor/")? {
            "keys/all" => Some(Self::Keys(form)),
            path => {
                let name = path.strip_prefix("status-vote/current/")?;
                Flavour::ALL.into_iter().find(|flavour| flavour.name() == name).map(|flavour| Self::Newest(flavour, form))
            }
        }
    }

    fn kept(name: &str) -> Option<Self> {
        if let Some(name) = name.strip_prefix("certs/") {
            return hour_of(name, "certs").map(Self::KeptKeys);
        }
        Flavour::ALL.into_iter().find_map(|flavour| {
            let name = name.strip_prefix(flavour.collector_path())?.strip_prefix('/')?;
            hour_of(name, flavour.name()).map(|hour| Self::Kept(flavour, hour))
        })
    }
}

/// The hour of `2026-02-15-18-00-00-consensus`.
fn hour_of(name: &str, kind: &str) -> Option<ConsensusHour> {
    let time = name.strip_suffix(kind)?.strip_suffix('-')?;
    let (date, time) = time.split_at_checked("2026-02-15".len())?;
    let instant = parse_tor_time(&format!("{date} {}", time.strip_prefix('-')?.replace('-', ":"))).ok()?;
    Some(ConsensusHour::containing(instant)).filter(|hour| hour.start() == instant)
}

/// Makes files, and remembers their entries in the index.
pub(super) struct Files {
    network: Handle,
    listed: Mutex<BTreeMap<(ConsensusHour, Flavour), Listed>>,
    newest: Mutex<BTreeMap<Flavour, (ConsensusHour, Arc<String>)>>,
}

/// A file in the index.
#[derive(Clone)]
struct Listed {
    size: usize,
    sha256: String,
}

impl Files {
    pub(super) const fn new(network: Handle) -> Self {
        Self { network, listed: Mutex::new(BTreeMap::new()), newest: Mutex::new(BTreeMap::new()) }
    }

    pub(super) fn answer(&self, resource: Resource, headers: &HeaderMap, fault: Option<&Fault>) -> Response {
        if let Some(page) = fault.and_then(error_page) {
            return page;
        }
        let older_hours = if let Some(Fault::Older(hours)) = fault { *hours as i32 } else { 0 };
        let network = self.network.read().unwrap_or_else(PoisonError::into_inner);
        let Some((text, modified)) = self.text(resource, &network, older_hours) else {
            return error(StatusCode::NOT_FOUND, "no such document");
        };
        drop(network);
        let common = [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain")), (header::LAST_MODIFIED, http_date(modified))];
        if unchanged_since(headers, modified) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let mut bytes = text.as_bytes().to_vec();
        if let Some(Fault::Truncated(n_bytes)) = fault {
            bytes.truncate(*n_bytes);
        }
        match resource {
            Resource::Index(true) => (common, gzip(&bytes)).into_response(),
            Resource::Newest(_, form) | Resource::Keys(form) => match tor_encoding(headers, form) {
                Some(encoding) => (common, [(header::CONTENT_ENCODING, encoding)], compressed(&bytes, encoding)).into_response(),
                None => (common, bytes).into_response(),
            },
            _ if accepts(headers, "gzip") => (common, [(header::CONTENT_ENCODING, "gzip")], gzip(&bytes)).into_response(),
            _ => (common, bytes).into_response(),
        }
    }

    /// The text, and when it was made.
    fn text(&self, resource: Resource, network: &Network, older_hours: i32) -> Option<(Arc<String>, Timestamp)> {
        let hour = network.newest()?.plus(-older_hours);
        let is_recent = |hour: &ConsensusHour| (1 - RECENT_HOURS..=0).contains(&hour.hours_since(network.now()));
        match resource {
            Resource::Newest(flavour, _) => Some((self.consensus(network, hour, flavour)?, hour.start())),
            Resource::Keys(_) => Some((certificates(network, network.now()).into(), year_start(network.now()).start())),
            Resource::Index(_) => Some((self.index(network, hour).into(), hour.start())),
            Resource::Kept(flavour, hour) => {
                let hour = Some(hour).filter(is_recent)?;
                Some((kept(network, hour, flavour)?.into(), hour.start()))
            }
            Resource::KeptKeys(start) => {
                recent_years(network).contains(&start).then(|| (kept_certificates(network, start).into(), start.start()))
            }
        }
    }

    /// A consensus; the one asked for last is kept ready.
    fn consensus(&self, network: &Network, hour: ConsensusHour, flavour: Flavour) -> Option<Arc<String>> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, text)) = newest.get(&flavour).filter(|(ready, _)| *ready == hour) {
            return Some(text.clone());
        }
        let text = Arc::new(document(network, hour, flavour)?);
        newest.insert(flavour, (hour, text.clone()));
        Some(text)
    }

    fn index(&self, network: &Network, newest: ConsensusHour) -> String {
        let hours: Vec<ConsensusHour> = (1 - RECENT_HOURS..=0).map(|i| network.now().plus(i)).filter(|hour| *hour <= newest).collect();
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        listed.retain(|(hour, _), _| hour.hours_since(network.now()) > -RECENT_HOURS);
        let mut files = |flavour: Flavour| -> Vec<Value> {
            let known = hours.iter().filter(|hour| network.is_known(**hour));
            let file = |hour: &ConsensusHour| {
                let listed =
                    listed.entry((*hour, flavour)).or_insert_with(|| Listed::of(&kept(network, *hour, flavour).unwrap_or_default()));
                listed.json(&file_name(*hour, flavour), *hour)
            };
            known.map(file).collect()
        };
        let certs = recent_years(network)
            .into_iter()
            .map(|start| Listed::of(&kept_certificates(network, start)).json(&certificates_name(start), start))
            .collect::<Vec<_>>();
        let created = tor_time(newest.start_secs() + 6 * 60);
        let index = json!({
            "index_created": created[..16],
            "build_revision": "0000000",
            "path": "http://127.0.0.1",
            "directories": [{"path": "recent", "directories": [{"path": "relay-descriptors", "directories": [
                {"path": "certs", "files": certs},
                {"path": "consensuses", "files": files(Flavour::Ns)},
                {"path": "microdescs", "directories": [{"path": "consensus-microdesc", "files": files(Flavour::Microdesc)}]},
            ]}]}],
        });
        index.to_string()
    }
}

impl Listed {
    fn of(text: &str) -> Self {
        Self { size: text.len(), sha256: STANDARD.encode(Sha256::digest(text)) }
    }

    fn json(&self, name: &str, hour: ConsensusHour) -> Value {
        let (time, published) = (tor_time(hour.start_secs() + 5 * 60), tor_time(hour.start_secs()));
        json!({
            "path": name, "size": self.size, "last_modified": time[..16], "sha256": self.sha256,
            "first_published": published[..16], "last_published": published[..16],
        })
    }
}

/// A consensus as CollecTor keeps it.
fn kept(network: &Network, hour: ConsensusHour, flavour: Flavour) -> Option<String> {
    document(network, hour, flavour).map(|text| format!("{}{text}", flavour.annotation()))
}

/// Certificates as CollecTor keeps them.
fn kept_certificates(network: &Network, start: ConsensusHour) -> String {
    certificates(network, start).replace("dir-key-certificate-version", "@type dir-key-certificate-3 1.0\ndir-key-certificate-version")
}

fn certificates_name(start: ConsensusHour) -> String {
    file_name(start, Flavour::Ns).replace("consensus", "certs")
}

fn year_start(hour: ConsensusHour) -> ConsensusHour {
    let t = hour.civil();
    hour.plus(-24 * i32::from(t.day_of_year() - 1) - i32::from(t.hour()))
}

/// First hours of the years of recent consensuses.
fn recent_years(network: &Network) -> Vec<ConsensusHour> {
    let mut years = vec![year_start(network.now().plus(1 - RECENT_HOURS)), year_start(network.now())];
    years.dedup();
    years
}

/// The best compression that a directory server and the client share; `None` for plain.
fn tor_encoding(headers: &HeaderMap, form: Form) -> Option<&'static str> {
    match form {
        Form::Deflated => Some("deflate"),
        Form::Negotiated => ["x-zstd", "deflate", "gzip"].into_iter().find(|encoding| accepts(headers, encoding)),
    }
}

/// Writing to a vector cannot fail; if it did, the reader would see a body cut short.
fn compressed(bytes: &[u8], encoding: &str) -> Vec<u8> {
    match encoding {
        "x-zstd" => zstd::encode_all(bytes, ZSTD_LEVEL).unwrap_or_default(),
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::fast());
            encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default()
        }
        _ => gzip(bytes),
    }
}
