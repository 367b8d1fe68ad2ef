//! The network's whole history as a presence pack, and what really happened in it.
//!
//! Three files are one pack where they have the same `Last-Modified`: in accelerated time another hour may begin between two requests.

use std::sync::{Mutex, PoisonError};

use allium_model::ConsensusHour;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::answer::{http_date, unchanged_since};
use super::{Fault, Handle, error, error_page};
use crate::Network;
use crate::presence::{FILES, pack};
use crate::truth;

/// File that a path serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource {
    /// A file of the pack, by its index in [`FILES`].
    File(usize),
    /// Effects of the scripted events.
    Truth,
}

impl Resource {
    pub(super) fn of_path(path: &str) -> Option<Self> {
        if path == "/truth.jsonl" {
            return Some(Self::Truth);
        }
        let name = path.strip_prefix("/presence/")?;
        FILES.iter().position(|file| *file == name).map(Self::File)
    }
}

/// Makes packs, and keeps the one of the newest hour.
pub(super) struct Packs {
    network: Handle,
    newest: Mutex<Option<(ConsensusHour, [Vec<u8>; 3])>>,
}

impl Packs {
    pub(super) const fn new(network: Handle) -> Self {
        Self { network, newest: Mutex::new(None) }
    }

    pub(super) fn answer(&self, resource: Resource, headers: &HeaderMap, fault: Option<&Fault>) -> Response {
        if let Some(page) = fault.and_then(error_page) {
            return page;
        }
        let network = self.network.read().unwrap_or_else(PoisonError::into_inner);
        let modified = network.now().start();
        let common =
            [(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")), (header::LAST_MODIFIED, http_date(modified))];
        if unchanged_since(headers, modified) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let Ok(mut bytes) = self.bytes(resource, &network) else {
            return error(StatusCode::INTERNAL_SERVER_ERROR, "the pack could not be made");
        };
        if let Some(Fault::Truncated(n_bytes)) = fault {
            bytes.truncate(*n_bytes);
        }
        (common, bytes).into_response()
    }

    fn bytes(&self, resource: Resource, network: &Network) -> std::io::Result<Vec<u8>> {
        let Resource::File(file_idx) = resource else {
            let mut lines = Vec::new();
            truth::write(network, &mut lines)?;
            return Ok(lines);
        };
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        match newest.as_ref() {
            Some((hour, files)) if *hour == network.now() => Ok(files[file_idx].clone()),
            _ => Ok(newest.insert((network.now(), pack(network)?)).1[file_idx].clone()),
        }
    }
}
