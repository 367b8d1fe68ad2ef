//! A DNS server on loopback: a root zone, signed with a key of its own, and zones below it.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hickory_server::Server;
use hickory_server::dnssec::NxProofKind;
use hickory_server::net::runtime::{Time, TokioRuntimeProvider};
use hickory_server::proto::dnssec::crypto::Ed25519SigningKey;
use hickory_server::proto::dnssec::rdata::{DNSKEY, DS};
use hickory_server::proto::dnssec::{Algorithm, DigestType, DnssecSigner, SigningKey};
use hickory_server::proto::rr::rdata::{A, AAAA, NS, SOA, TXT};
use hickory_server::proto::rr::{Name, RData, Record, RecordType};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use tokio::net::{TcpListener, UdpSocket};

/// A zone as written by hand.
pub(crate) type Zone = InMemoryZoneHandler<TokioRuntimeProvider>;

/// Handles of a running server.
pub(crate) struct Dns {
    pub(crate) address: SocketAddr,
    /// The root's key, as in a zone file.
    pub(crate) anchor: String,
    root: Arc<Zone>,
}

pub(crate) fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

/// A record that is never cached.
pub(crate) fn record(owner: &str, data: RData) -> Record {
    Record::from_rdata(name(owner), 0, data)
}

pub(crate) fn a(owner: &str, address: &str) -> Record {
    match address.parse().unwrap() {
        std::net::IpAddr::V4(address) => record(owner, RData::A(A(address))),
        std::net::IpAddr::V6(address) => record(owner, RData::AAAA(AAAA(address))),
    }
}

pub(crate) fn txt(owner: &str, texts: &[&str]) -> Record {
    record(owner, RData::TXT(TXT::new(texts.iter().map(|text| (*text).to_owned()).collect())))
}

fn zone(origin: &str, records: Vec<Record>) -> Zone {
    let mut zone = Zone::empty(name(origin), ZoneType::Primary, AxfrPolicy::Deny, Some(NxProofKind::Nsec));
    let soa = SOA::new(name("ns.invalid."), name("nobody.invalid."), 1, 3600, 600, 86400, 0);
    let frame = [record(origin, RData::SOA(soa)), record(origin, RData::NS(NS(name("ns.invalid."))))];
    frame.into_iter().chain(records).for_each(|record| assert!(zone.upsert_mut(record, 1)));
    zone
}

fn key() -> Ed25519SigningKey {
    Ed25519SigningKey::from_pkcs8(&Ed25519SigningKey::generate_pkcs8().unwrap()).unwrap()
}

/// Signs a zone; gives its key.
fn sign(zone: &mut Zone, origin: &str) -> DNSKEY {
    let key = key();
    let dnskey = DNSKEY::from_key(&key.to_public_key().unwrap());
    let signer = DnssecSigner::new(dnskey.clone(), Box::new(key), name(origin), Duration::from_secs(86400));
    zone.add_zone_signing_key_mut(signer).unwrap();
    zone.secure_zone_mut().unwrap();
    dnskey
}

fn ds(owner: &str, key: &DNSKEY) -> Record {
    let digest = key.to_digest(&name(owner), DigestType::SHA256).unwrap();
    let ds = DS::new(key.calculate_key_tag().unwrap(), Algorithm::ED25519, DigestType::SHA256, digest.as_ref().to_owned());
    record(owner, RData::DNSSEC(hickory_server::proto::dnssec::rdata::DNSSECRData::DS(ds)))
}

fn anchor(key: &DNSKEY) -> String {
    use hickory_server::proto::dnssec::PublicKey as _;
    format!(". IN DNSKEY 257 3 15 {}\n", STANDARD.encode(key.public_key().public_bytes()))
}

/// Parents know the keys of zones, so they are asked for DS records.
struct Servers {
    root: Catalog,
    all: Catalog,
    /// Number of questions for addresses of IPv4 so far.
    n_asked: AtomicUsize,
    /// Zones that answer from the second of these questions on.
    later: Option<Catalog>,
}

#[async_trait]
impl RequestHandler for Servers {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, response_handle: R) -> ResponseInfo {
        let kind = request.request_info().ok().map(|info| info.query.query_type());
        let is_later = kind == Some(RecordType::A) && self.n_asked.fetch_add(1, Ordering::SeqCst) > 0;
        let catalog = match &self.later {
            Some(later) if is_later => later,
            _ if kind == Some(RecordType::DS) => &self.root,
            _ => &self.all,
        };
        catalog.handle_request::<R, T>(request, response_handle).await
    }
}

/// Signatures of the zones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signing {
    /// The root and `signed.org` as they should be; `broken.org` with another key than the root knows; `unsigned.org` not at all.
    Mixed,
    /// Nothing, as if a resolver had stripped the signatures.
    None,
}

/// A free port for both UDP and TCP: one that is free for the former may be taken for the latter.
async fn one_port() -> (UdpSocket, TcpListener, SocketAddr) {
    loop {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        match TcpListener::bind(address).await {
            Ok(listener) => return (socket, listener, address),
            Err(error) => assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}"),
        }
    }
}

impl Dns {
    /// Starts a server. The root zone has `records`; `zones` are below it.
    pub(crate) async fn start(signing: Signing, records: Vec<Record>, zones: Vec<(&str, Vec<Record>)>) -> Self {
        Self::start_with(signing, records, zones, None).await
    }

    /// Starts a server that answers the first question for an address with one of these records, every further one with the other.
    pub(crate) async fn turning(first: Record, then: Record) -> Self {
        let mut later = Catalog::new();
        later.upsert(name(".").into(), vec![Arc::new(zone(".", vec![then]))]);
        Self::start_with(Signing::None, vec![first], Vec::new(), Some(later)).await
    }

    async fn start_with(signing: Signing, records: Vec<Record>, zones: Vec<(&str, Vec<Record>)>, later: Option<Catalog>) -> Self {
        let mut root = zone(".", records);
        let mut all = Catalog::new();
        for (origin, records) in zones {
            let mut below = zone(origin, records);
            root.upsert_mut(record(origin, RData::NS(NS(name("ns.invalid.")))), 1);
            match origin {
                "signed.org." if signing == Signing::Mixed => {
                    let key = sign(&mut below, origin);
                    root.upsert_mut(ds(origin, &key), 1);
                }
                "broken.org." if signing == Signing::Mixed => {
                    sign(&mut below, origin);
                    root.upsert_mut(ds(origin, &DNSKEY::from_key(&key().to_public_key().unwrap())), 1);
                }
                _ => {}
            }
            all.upsert(name(origin).into(), vec![Arc::new(below)]);
        }
        let known = match signing {
            Signing::Mixed => sign(&mut root, "."),
            Signing::None => DNSKEY::from_key(&key().to_public_key().unwrap()),
        };
        let (root, mut only_root) = (Arc::new(root), Catalog::new());
        all.upsert(name(".").into(), vec![root.clone()]);
        only_root.upsert(name(".").into(), vec![root.clone()]);
        let (socket, listener, address) = one_port().await;
        let mut server = Server::new(Servers { root: only_root, all, n_asked: AtomicUsize::new(0), later });
        server.register_socket(socket);
        server.register_listener(listener, Duration::from_secs(5), 1 << 16);
        tokio::spawn(async move { server.block_until_done().await.unwrap() });
        Self { address, anchor: anchor(&known), root }
    }

    /// Gives a name of the root zone another address.
    pub(crate) async fn move_to(&self, owner: &str, address: &str) {
        let moved = a(owner, address);
        self.root.records_mut().await.retain(|key, _| key.name != name(owner).into());
        assert!(self.root.upsert(moved, 2).await);
    }
}
