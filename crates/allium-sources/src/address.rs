//! Addresses that an operator configures, checked before anything is sent to them.

use crate::Error;
use crate::http::{base_url, socks_proxy};

/// Checks the address of a service, below which its documents lie.
///
/// # Errors
/// It is no address, has a query or a fragment, or is neither HTTPS nor loopback; plain HTTP to other machines only where it `may_be_plain`.
pub fn check_base(text: &str, may_be_plain: bool) -> Result<(), Error> {
    base_url(text, may_be_plain).map(drop)
}

/// Checks the address of a SOCKS5 proxy.
///
/// # Errors
/// It is no address or that of another kind of proxy.
pub fn check_proxy(text: &str) -> Result<(), Error> {
    socks_proxy(text).map(drop)
}
