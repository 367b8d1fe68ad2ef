//! Facts about the service itself.

use crate::address::SiteAddress;

/// Facts about the service that every page states.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SiteInfo {
    /// Version of the program.
    pub version: String,
    /// True where the network shown is simulated; every page says so.
    pub demo: bool,
    /// Contact of whoever runs this service, as plain text.
    pub contact: Option<String>,
    /// Address of the same service as an onion service, such as `http://….onion`; sent as `Onion-Location`.
    pub onion: Option<String>,
    /// Beginning of the addresses of this service; as clients or a trusted proxy call it unless set.
    pub address: Option<SiteAddress>,
}
