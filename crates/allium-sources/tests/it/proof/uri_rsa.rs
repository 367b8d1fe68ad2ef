//! uri-rsa: files behind certificates.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use allium_model::ProofMethod;
use allium_sources::proof::{Finding, Prover, ProverOptions};

use super::web::{Authority, Reply, Valid, Web, whole};
use super::zone::{Dns, Signing, a};
use super::{domain, relay};

const PATH: &str = "/.well-known/tor-relay/rsa-fingerprint.txt";

/// One domain, one server, one prover.
struct Scene {
    dns: Dns,
    web: Web,
    prover: Prover,
}

impl Scene {
    async fn of(names: &[&str], valid: Valid, reply: Reply) -> Self {
        let authority = Authority::new();
        let web = Web::start(&authority, names, valid, reply).await;
        let dns = dns().await;
        let prover = prover(&dns, &authority.pem, &[web.address]);
        Self { dns, web, prover }
    }

    /// A server with a good certificate that answers every path with these bytes.
    async fn answering(bytes: Vec<u8>) -> Self {
        Self::of(&["good.org"], Valid::Today, Arc::new(move |_| Some(bytes.clone()))).await
    }

    /// Findings of `good.org` about relays 1 and 2.
    async fn ask(&self) -> Vec<Finding> {
        self.prover.ask(&domain("good.org"), ProofMethod::UriRsa, &[relay(1), relay(2)]).await
    }
}

async fn dns() -> Dns {
    let records = vec![
        a("good.org.", "127.0.0.1"),
        a("private.org.", "10.0.0.7"),
        a("metadata.org.", "169.254.169.254"),
        a("loopback.org.", "127.0.0.2"),
        a("six.org.", "::1"),
        a("mapped.org.", "::ffff:127.0.0.1"),
        a("nat64.org.", "64:ff9b::7f00:1"),
        a("mixed.org.", "127.0.0.1"),
        a("mixed.org.", "fd00::1"),
    ];
    Dns::start(Signing::None, records, Vec::new()).await
}

fn prover(dns: &Dns, roots: &[u8], allowed: &[SocketAddr]) -> Prover {
    let options = ProverOptions {
        resolvers: vec![dns.address],
        allowed: allowed.to_vec(),
        roots: roots.to_vec(),
        timeout: Duration::from_secs(5),
        ..ProverOptions::default()
    };
    Prover::new(&options).unwrap()
}

fn file(text: &str) -> Vec<u8> {
    whole("200 OK", "Content-Type: text/plain\r\n", text.as_bytes())
}

fn broken(reason: &str) -> Vec<Finding> {
    vec![Finding::Broken(reason.to_owned()); 2]
}

#[tokio::test]
async fn one_file_speaks_for_all_relays_of_a_domain() {
    let scene = Scene::answering(file(&format!("# ours\n{}\r\n{}\n", relay(1), relay(9).to_string().to_lowercase()))).await;
    let not_named = Finding::NotNamed("its file lists 2 relays, but not the relay that claims it".to_owned());
    assert_eq!(scene.ask().await, [Finding::Named, not_named]);
    let asked = scene.web.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with(&format!("GET {PATH} HTTP/1.1\r\n")), "{}", asked[0]);
    assert!(asked[0].to_lowercase().contains("\r\nuser-agent: allium/"), "{}", asked[0]);
    assert!(asked[0].to_lowercase().contains("\r\nhost: good.org\r\n"), "{}", asked[0]);
}

#[tokio::test]
async fn what_a_server_answers_instead_of_a_file_is_told_in_our_own_words() {
    let page = "<html><script>alert(1)</script>\u{1b}[2J\u{1b}]0;title\u{7}\n</html>";
    let many = format!("{}\n", relay(9)).repeat(25_000);
    let cases: [(Vec<u8>, &str); 7] = [
        (whole("404 Not Found", "", b"none"), "HTTP status 404"),
        (whole("403 Forbidden", "", b""), "HTTP status 403"),
        (whole("204 No Content", "", b""), "HTTP status 204"),
        (file(page), "its file is no list of fingerprints: several lines and none is a fingerprint"),
        (file(&many), "its file is no list of fingerprints: more than 20000 lines"),
        (whole("200 OK", "", &vec![b' '; (1 << 20) + 1]), "its file has more than 1048576 bytes"),
        (whole("200 OK", "Content-Encoding: gzip\r\n", &[0x1f, 0x8b, 8, 0]), "its file is compressed, which was not requested"),
    ];
    for (answer, expected) in cases {
        assert_eq!(Scene::answering(answer).await.ask().await, broken(expected));
    }
    for status in ["500 Internal Server Error", "503 Service Unavailable", "429 Too Many Requests"] {
        let found = Scene::answering(whole(status, "", b"")).await.ask().await;
        assert_eq!(found[0], Finding::Nothing(format!("HTTP status {}", &status[..3])), "a server in trouble says nothing for good");
    }
}

#[tokio::test]
async fn long_files_are_read_whole_and_endless_ones_are_not() {
    let lines: String = (0..10_000).map(|i| format!("{i:040x}\n")).collect();
    let found = Scene::answering(file(&format!("{lines}{}\n", relay(2)))).await.ask().await;
    assert_eq!(found[1], Finding::Named);
    // Without a length, and more than is read.
    let mut endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    endless.resize(3 << 20, b'#');
    assert_eq!(Scene::answering(endless).await.ask().await, broken("its file has more than 1048576 bytes"));
    let mut cut_off = whole("200 OK", "", lines.as_bytes());
    cut_off.truncate(1000);
    assert_eq!(Scene::answering(cut_off).await.ask().await[0], Finding::Nothing("the answer broke off".to_owned()));
}

#[tokio::test]
async fn a_server_that_never_answers_is_waited_for_no_longer_than_told() {
    let authority = Authority::new();
    let web = Web::start(&authority, &["good.org"], Valid::Today, Arc::new(|_| None)).await;
    let dns = dns().await;
    let options = ProverOptions {
        resolvers: vec![dns.address],
        allowed: vec![web.address],
        roots: authority.pem.clone(),
        timeout: Duration::from_millis(500),
        ..ProverOptions::default()
    };
    let found = Prover::new(&options).unwrap().ask(&domain("good.org"), ProofMethod::UriRsa, &[relay(1)]).await;
    assert_eq!(found, [Finding::Nothing("no answer in time".to_owned())]);
}

#[tokio::test]
async fn certificates_must_be_valid_for_the_domain() {
    let named: Reply = Arc::new(|_| Some(file(&relay(1).to_string())));
    let cases = [
        (["good.org"], Valid::Before, "its certificate has expired"),
        (["good.org"], Valid::Later, "its certificate is not valid yet"),
        (["evil.org"], Valid::Today, "its certificate is for another name"),
        (["www.good.org"], Valid::Today, "its certificate is for another name"),
    ];
    for (names, valid, expected) in cases {
        let scene = Scene::of(&names, valid, named.clone()).await;
        assert_eq!(scene.ask().await, broken(expected), "{names:?} {valid:?}");
        assert!(scene.web.asked().is_empty(), "nothing is asked of a stranger");
    }
    let (ours, theirs) = (Authority::new(), Authority::named("theirs"));
    let web = Web::start(&theirs, &["good.org"], Valid::Today, named).await;
    let prover = prover(&dns().await, &ours.pem, &[web.address]);
    let found = prover.ask(&domain("good.org"), ProofMethod::UriRsa, &[relay(1), relay(2)]).await;
    assert_eq!(found, broken("its certificate is not from a trusted authority, or an intermediate certificate is missing"));
}

#[tokio::test]
async fn redirects_stay_on_the_host_over_https() {
    let moved = |to: &str| whole("301 Moved Permanently", &format!("Location: {to}\r\n"), b"");
    let to = |target: &'static str| -> Reply {
        Arc::new(move |path| Some(if path == "/there" { file(&relay(1).to_string()) } else { moved(target) }))
    };
    for target in ["/there", "https://good.org/there"] {
        let scene = Scene::of(&["good.org"], Valid::Today, to(target)).await;
        assert_eq!(scene.ask().await[0], Finding::Named, "{target}");
    }
    let refused = [
        "https://private.org/there",
        "https://www.good.org/there",
        "https://10.0.0.7/there",
        "https://[::1]/there",
        "https://good.org:8443/there",
        "https://me@good.org/there",
        "http://good.org/there",
        "file:///etc/passwd",
        "/again",
    ];
    for target in refused {
        let scene = Scene::of(&["good.org", "www.good.org", "private.org"], Valid::Today, to(target)).await;
        let found = scene.ask().await;
        assert!(matches!(&found[0], Finding::Broken(_)), "{target}: {found:?}");
        assert!(scene.web.asked().len() <= 4, "{target}: {:?}", scene.web.asked());
    }
}

#[tokio::test]
async fn addresses_beside_the_public_internet_are_not_asked() {
    let scene = Scene::answering(file(&relay(1).to_string())).await;
    let refused = broken("its name leads to an address that is not on the public internet");
    for name in ["private.org", "metadata.org", "loopback.org", "six.org", "mapped.org", "nat64.org", "mixed.org"] {
        let found = scene.prover.ask(&domain(name), ProofMethod::UriRsa, &[relay(1), relay(2)]).await;
        assert_eq!(found, refused, "{name}");
    }
    assert!(scene.web.asked().is_empty());
    // Nothing is allowed unless it is named.
    let prover = prover(&scene.dns, &[], &[]);
    assert_eq!(prover.ask(&domain("good.org"), ProofMethod::UriRsa, &[relay(1), relay(2)]).await, refused);
    let found = prover.ask(&domain("router.local"), ProofMethod::UriRsa, &[relay(1), relay(2)]).await;
    assert_eq!(found, broken("its name is not in the public DNS"));
    let found = prover.ask(&domain("nobody.org"), ProofMethod::UriRsa, &[relay(1), relay(2)]).await;
    assert_eq!(found, broken("its name has no address"));
}

#[tokio::test]
async fn a_name_that_moves_inwards_between_two_connections_is_refused() {
    let moved = whole("302 Found", "Location: /there\r\n", b"");
    let scene = Scene::of(&["good.org"], Valid::Today, Arc::new(move |_| Some(moved.clone()))).await;
    assert_eq!(scene.ask().await, broken("it redirects to another host or port, to plain HTTP, or in a circle"));
    // The same name, the same redirect; but after the first connection the name leads elsewhere.
    scene.dns.move_to("good.org.", "10.0.0.7").await;
    assert_eq!(scene.ask().await, broken("its name leads to an address that is not on the public internet"));
    scene.dns.move_to("good.org.", "127.0.0.1").await;
    let n_before = scene.web.asked().len();
    let (first, ()) = tokio::join!(scene.ask(), async {
        while scene.web.asked().len() == n_before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        scene.dns.move_to("good.org.", "10.0.0.7").await;
    });
    // Whether the move was seen after the first or a later connection, what it leads to is never asked.
    assert!(matches!(&first[0], Finding::Broken(_)), "{first:?}");
}

#[tokio::test]
async fn nobody_who_listens_and_a_resolver_that_is_gone_say_nothing_for_good() {
    let scene = Scene::answering(Vec::new()).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let ask = |prover: Prover| async move { prover.ask(&domain("good.org"), ProofMethod::UriRsa, &[relay(1)]).await };
    assert_eq!(ask(prover(&scene.dns, &[], &[closed])).await, [Finding::Nothing("no connection to port 443".to_owned())]);
    assert_eq!(scene.ask().await[0], Finding::Nothing("no complete answer".to_owned()));
    let options = ProverOptions { resolvers: vec![closed], timeout: Duration::from_secs(2), ..ProverOptions::default() };
    let found = ask(Prover::new(&options).unwrap()).await;
    assert!(matches!(found[0], Finding::Nothing(_)), "{found:?}");
}

#[tokio::test]
async fn without_resolver_and_proxy_nothing_is_asked() {
    let prover = Prover::new(&ProverOptions::default()).unwrap();
    assert!(!prover.can_ask(ProofMethod::UriRsa) && !prover.can_ask(ProofMethod::DnsRsa));
    let found = prover.ask(&domain("good.org"), ProofMethod::UriRsa, &[relay(1)]).await;
    assert_eq!(found, [Finding::Nothing("uri-rsa cannot be checked here".to_owned())]);
    let options = ProverOptions { proxy: Some("socks5h://127.0.0.1:9".to_owned()), ..ProverOptions::default() };
    let prover = Prover::new(&options).unwrap();
    assert!(prover.can_ask(ProofMethod::UriRsa) && !prover.can_ask(ProofMethod::DnsRsa), "TXT records do not go through a proxy");
    assert!(Prover::new(&ProverOptions { proxy: Some("http://127.0.0.1:9".to_owned()), ..ProverOptions::default() }).is_err());
}
