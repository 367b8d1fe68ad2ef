//! uri-rsa: fetching the file of a domain.
//!
//! `GET https://DOMAIN/.well-known/tor-relay/rsa-fingerprint.txt` on a connection of its own. The certificate must be valid for the domain, with
//! TLS 1.2 or later. At most [`MAX_REDIRECTS`] redirects are followed, on the same host, to HTTPS on port 443. Addresses are judged where the
//! connection is made, so a name that changes its address in between gains nothing. With a proxy, the proxy resolves names.

use std::error::Error as StdError;
use std::io;

use allium_model::AroiDomain;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Certificate, Response, StatusCode, Url, tls};
use rustls::CertificateError;

use super::dns::{Dns, Unresolved};
use super::file::MAX_BYTES;
use super::{Finding, ProverOptions};
use crate::error::Error;
use crate::http::{CONNECT_TIMEOUT, body, socks_proxy};
use crate::read::Limits;

const PATH: &str = "/.well-known/tor-relay/rsa-fingerprint.txt";
const MAX_REDIRECTS: usize = 3;

/// Fetches files.
#[derive(Debug, Clone)]
pub(super) struct Uri {
    client: reqwest::Client,
}

impl Uri {
    pub(super) fn new(options: &ProverOptions, dns: Option<&Dns>) -> Result<Self, Error> {
        // An error means that the process has chosen a provider before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(&options.user_agent)
            .no_proxy()
            .no_gzip()
            .referer(false)
            .https_only(true)
            .tls_version_min(tls::Version::TLS_1_2)
            .pool_max_idle_per_host(0)
            .timeout(options.timeout)
            .connect_timeout(CONNECT_TIMEOUT.min(options.timeout))
            .redirect(Policy::custom(|attempt| if stays(&attempt) { attempt.follow() } else { attempt.error("redirect refused") }));
        let unusable = |reason: String| Error::Option { option: "proofs".to_owned(), reason };
        if !options.roots.is_empty() {
            let roots = Certificate::from_pem_bundle(&options.roots).map_err(|error| unusable(error.to_string()))?;
            builder = builder.tls_certs_only(roots);
        }
        builder = match (&options.proxy, dns) {
            // With `socks5` names would be resolved here, against the wish of an operator who set a proxy.
            (Some(address), _) => builder.proxy(socks_proxy(&address.replacen("socks5://", "socks5h://", 1))?),
            (None, Some(dns)) => builder.dns_resolver(Resolver(dns.clone())),
            (None, None) => return Err(unusable("neither a resolver nor a proxy".to_owned())),
        };
        Ok(Self { client: builder.build().map_err(|error| unusable(innermost(&error)))? })
    }

    /// The bytes of a domain's file, or why they cannot be had.
    pub(super) async fn get(&self, domain: &AroiDomain) -> Result<Vec<u8>, Finding> {
        let url = address_of(domain).ok_or_else(|| Finding::Broken("its name makes no address of a page".to_owned()))?;
        let request = self.client.get(url.clone()).header(ACCEPT, "text/plain").header(ACCEPT_ENCODING, "identity");
        let response = request.send().await.map_err(|error| finding(&error))?;
        check_head(&response)?;
        let limits = Limits { max_bytes: MAX_BYTES, max_compressed_bytes: MAX_BYTES, ..Limits::default() };
        body(&url, response, &limits).await.map_err(|error| match error {
            Error::TooLarge { limit_bytes, .. } => Finding::Broken(format!("its file has more than {limit_bytes} bytes")),
            Error::TimedOut { .. } => Finding::Nothing("the answer took too long".to_owned()),
            _ => Finding::Nothing("the answer broke off".to_owned()),
        })
    }
}

/// The address of a domain's file; `None` if the parser of requests would ask anything but that domain at port 443. An address of the
/// internet in place of a name would never come before the resolver, which is where addresses are judged.
fn address_of(domain: &AroiDomain) -> Option<Url> {
    let url: Url = format!("https://{domain}{PATH}").parse().ok()?;
    let is_plain = is_plain(&url) && url.scheme() == "https" && url.path() == PATH;
    (is_plain && url.domain() == Some(domain.as_str())).then_some(url)
}

/// True if an address has neither a user nor a port of its own.
fn is_plain(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none() && url.port().is_none()
}

fn stays(attempt: &Attempt<'_>) -> bool {
    let (to, from) = (attempt.url(), attempt.previous().first());
    let stays = from.is_some_and(|from| to.scheme() == "https" && from.domain().is_some() && from.domain() == to.domain());
    is_plain(to) && stays && attempt.previous().len() <= MAX_REDIRECTS
}

/// A server in trouble settles nothing; everything else but a plain 200 is an answer that proves nothing.
fn check_head(response: &Response) -> Result<(), Finding> {
    let status = response.status();
    let words = format!("HTTP status {}", status.as_u16());
    match status {
        StatusCode::OK if response.headers().contains_key(CONTENT_ENCODING) => {
            Err(Finding::Broken("its file is compressed, which was not requested".to_owned()))
        }
        StatusCode::OK => Ok(()),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Err(Finding::Nothing(words)),
        _ if status.is_server_error() => Err(Finding::Nothing(words)),
        _ => Err(Finding::Broken(words)),
    }
}

/// Resolves names for the connection that is about to be made.
struct Resolver(Dns);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let dns = self.0.clone();
        Box::pin(async move {
            let addresses = dns.addresses(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Finding that an error without an answer amounts to.
fn finding(error: &reqwest::Error) -> Finding {
    if let Some(unresolved) = causes(error).find_map(|cause| cause.downcast_ref::<Unresolved>()) {
        return unresolved.finding();
    }
    if let Some(error) = causes(error).find_map(tls_error) {
        return Finding::Broken(tls_words(error));
    }
    if error.is_redirect() {
        return Finding::Broken("it redirects to another host or port, to plain HTTP, or in a circle".to_owned());
    }
    if error.is_timeout() {
        return Finding::Nothing("no answer in time".to_owned());
    }
    Finding::Nothing(if error.is_connect() { "no connection to port 443" } else { "no complete answer" }.to_owned())
}

fn causes<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let source = |error: &&'a (dyn StdError + 'static)| {
        let error: &'a (dyn StdError + 'static) = *error;
        error.source()
    };
    std::iter::successors(Some(error as &'a (dyn StdError + 'static)), source)
}

/// The error of TLS, which comes inside one of input and output, or inside several.
fn tls_error<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let inner = || cause.downcast_ref::<io::Error>()?.get_ref();
    cause.downcast_ref().or_else(|| tls_error(inner()?))
}

fn tls_words(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(wrong) = error else {
        return "no TLS connection can be made".to_owned();
    };
    let words = match wrong {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "its certificate is not valid yet",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => "its certificate is for another name",
        CertificateError::UnknownIssuer => "its certificate is not from a trusted authority, or an intermediate certificate is missing",
        CertificateError::Revoked => "its certificate is revoked",
        _ => "its certificate is not valid",
    };
    words.to_owned()
}

fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(String::new, ToString::to_string)
}
