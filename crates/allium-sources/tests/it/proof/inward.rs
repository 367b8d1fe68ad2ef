//! Contacts that lead inwards: to addresses of machines beside this one, by name, by redirect or after a while.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use allium_model::{AroiContact, ProofMethod};
use allium_sources::proof::{Finding, Prover, ProverOptions};
use tokio::net::TcpListener;

use super::web::{Authority, Reply, Valid, Web, whole};
use super::zone::{Dns, Signing, a};
use super::{domain, relay};

const REFUSED: &str = "its name leads to an address that is not on the public internet";
const CIRCLE: &str = "it redirects to another host or port, to plain HTTP, or in a circle";

fn prover(dns: &Dns, roots: &[u8], allowed: SocketAddr) -> Prover {
    let options = ProverOptions {
        resolvers: vec![dns.address],
        allowed: vec![allowed],
        roots: roots.to_vec(),
        timeout: Duration::from_secs(5),
        ..ProverOptions::default()
    };
    Prover::new(&options).unwrap()
}

async fn ask(prover: &Prover, name: &str) -> Finding {
    prover.ask(&domain(name), ProofMethod::UriRsa, &[relay(1)]).await.remove(0)
}

fn names_the_relay() -> Vec<u8> {
    whole("200 OK", "Content-Type: text/plain\r\n", relay(1).to_string().as_bytes())
}

/// A page that leads to an address, but for the path `/there`, which names the relay.
fn leads_to(target: &'static str) -> Reply {
    let moved = whole("302 Found", &format!("Location: {target}\r\n"), b"");
    Arc::new(move |path| Some(if path == "/there" { names_the_relay() } else { moved.clone() }))
}

#[tokio::test]
async fn the_address_that_was_judged_is_the_one_connected_to() {
    let authority = Authority::new();
    let dns = Dns::turning(a("good.org.", "127.0.0.1"), a("good.org.", "127.0.0.2")).await;
    let web = Web::start(&authority, &["good.org"], Valid::Today, Arc::new(|_| Some(names_the_relay()))).await;
    let prover = prover(&dns, &authority.pem, web.address);
    assert_eq!(ask(&prover, "good.org").await, Finding::Named, "no second question leads elsewhere");
    assert_eq!(ask(&prover, "good.org").await, Finding::Broken(REFUSED.to_owned()), "the second connection is judged again");
    assert_eq!(web.n_connections(), 1);
}

#[tokio::test]
async fn a_name_that_turns_inwards_for_the_redirect_is_refused() {
    let authority = Authority::new();
    let dns = Dns::turning(a("good.org.", "127.0.0.1"), a("good.org.", "127.0.0.2")).await;
    let web = Web::start(&authority, &["good.org"], Valid::Today, leads_to("/there")).await;
    // The machine behind the second answer listens at the same port.
    let inner = TcpListener::bind(("127.0.0.2", web.address.port())).await.unwrap();
    assert_eq!(ask(&prover(&dns, &authority.pem, web.address), "good.org").await, Finding::Broken(REFUSED.to_owned()));
    assert_eq!(web.n_connections(), 1);
    let came = tokio::time::timeout(Duration::ZERO, inner.accept()).await;
    assert!(came.is_err(), "nothing comes to the inner machine: {came:?}");
}

#[tokio::test]
async fn redirects_to_addresses_and_other_hosts_connect_to_nothing() {
    let targets = [
        "https://127.0.0.1/there",
        "https://127.1/there",
        "https://0x7f.0.0.0x1/there",
        "https://2130706433/there",
        "https://[::1]/there",
        "https://[::ffff:127.0.0.1]/there",
        "https://good.org./there",
        "https://good.org:8443/there",
        "https://user@good.org/there",
        "https://user:pw@good.org/there",
        "https://sub.good.org/there",
        "https://localhost/there",
        "//127.0.0.1/there",
        "http://good.org/there",
    ];
    for target in targets {
        let authority = Authority::new();
        let dns = Dns::start(Signing::None, vec![a("good.org.", "127.0.0.1"), a("sub.good.org.", "127.0.0.1")], Vec::new()).await;
        let names = ["good.org", "sub.good.org", "localhost", "127.0.0.1"];
        let web = Web::start(&authority, &names, Valid::Today, leads_to(target)).await;
        let found = ask(&prover(&dns, &authority.pem, web.address), "good.org").await;
        assert_eq!((found, web.n_connections()), (Finding::Broken(CIRCLE.to_owned()), 1), "{target}");
    }
}

#[tokio::test]
async fn refused_hosts_answer_alike_whatever_listens_there() {
    let (ours, theirs) = (Authority::new(), Authority::named("theirs"));
    let reply: Reply = Arc::new(|_| Some(names_the_relay()));
    let good = Web::start(&ours, &["mixed.org"], Valid::Today, reply.clone()).await;
    let expired = Web::start(&ours, &["mixed.org"], Valid::Before, reply.clone()).await;
    let stranger = Web::start(&theirs, &["mixed.org"], Valid::Today, reply).await;
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ports = [good.address, expired.address, stranger.address, plain.local_addr().unwrap(), closed];
    // Besides each of these ports, which would be asked, the name leads to a machine that must not be.
    let dns = Dns::start(Signing::None, vec![a("mixed.org.", "127.0.0.1"), a("mixed.org.", "10.0.0.7")], Vec::new()).await;
    for port in ports {
        assert_eq!(ask(&prover(&dns, &ours.pem, port), "mixed.org").await, Finding::Broken(REFUSED.to_owned()), "{port}");
    }
    assert_eq!([&good, &expired, &stranger].map(Web::n_connections), [0, 0, 0]);
    assert!(tokio::time::timeout(Duration::ZERO, plain.accept()).await.is_err());
}

#[test]
fn contacts_with_addresses_claim_nothing() {
    for host in ["127.0.0.0x1", "127.0x1", "0x7f.0.0.0x1", "127.1.2.0x3", "127.0.0.1", "１２７。0。0。0x1", "2130706433", "[::1]"] {
        let contact = format!("url:https://{host}/ proof:uri-rsa ciissversion:2");
        assert_eq!(AroiContact::of(&contact).claim(), None, "{contact}");
    }
}
