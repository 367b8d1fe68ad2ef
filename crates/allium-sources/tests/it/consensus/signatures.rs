//! Consensuses that are verified, and those that are not.

use allium_sources::Error;
use allium_sources::consensus::verify::{Certificates, TrustedAuthority, missing, public_network, verify};
use allium_sources::consensus::{Flavour, decode};

use super::{good, read, real_consensuses};
use allium_testkit::signing::{AUTHORITIES, certificates, signed, trusted};

fn known(text: &str) -> Certificates {
    let mut certificates = Certificates::default();
    let rejects = certificates.add(text.as_bytes(), "certificates", &trusted());
    assert_eq!(rejects, []);
    certificates
}

/// Number of authorities with a good signature on the document, or the number of the three that did not suffice.
fn vouched(document: &[u8], certificates: &Certificates) -> Result<usize, usize> {
    match verify(&decode(document, "test").unwrap(), document, certificates, &trusted()) {
        Ok(signers) => Ok(signers.len()),
        Err(Error::Unverified { n_good, n_needed: 2, .. }) => Err(n_good),
        other => panic!("{other:?}"),
    }
}

fn flavours() -> [(Vec<u8>, Flavour); 2] {
    [(read("ns"), Flavour::Ns), (read("microdesc"), Flavour::Microdesc)]
}

#[test]
fn more_than_half_of_the_authorities_must_sign() {
    let certificates = known(&certificates(2025..2027));
    for (document, flavour) in flavours() {
        assert_eq!(vouched(&document, &certificates), Err(0));
        for (n, expected) in [(1, Err(1)), (2, Ok(2)), (3, Ok(3))] {
            assert_eq!(vouched(&signed(&document, flavour, &AUTHORITIES[..n]), &certificates), expected);
        }
    }
}

#[test]
fn an_authority_counts_once_however_often_it_signs() {
    let certificates = known(&certificates(2025..2027));
    let once = signed(&read("ns"), Flavour::Ns, &AUTHORITIES[..1]);
    let text = String::from_utf8(once).unwrap();
    let signature = &text[text.find("directory-signature").unwrap()..];
    assert_eq!(vouched(format!("{text}{signature}{signature}").as_bytes(), &certificates), Err(1));
}

#[test]
fn any_change_to_what_is_signed_breaks_the_signatures() {
    let certificates = known(&certificates(2025..2027));
    for (document, flavour) in flavours() {
        let text = String::from_utf8(signed(&document, flavour, &AUTHORITIES)).unwrap();
        let changes = [("Bandwidth=610", "Bandwidth=611"), ("V2Dir Valid", "Valid"), ("18:00:00", "17:00:00"), ("Wmm=10000", "Wmm=1")];
        for (from, to) in changes {
            assert_eq!(vouched(text.replacen(from, to, 1).as_bytes(), &certificates), Err(0), "{from}");
        }
        // What stands before is CollecTor's and not signed.
        assert_eq!(vouched(format!("@downloaded-at 2026-02-15 18:05:00\n{text}").as_bytes(), &certificates), Ok(3));
    }
}

#[test]
fn certificates_must_be_valid_at_valid_after() {
    let document = signed(&read("ns"), Flavour::Ns, &AUTHORITIES);
    for (years, expected) in [(2024..2026, Err(0)), (2025..2027, Ok(3)), (2026..2027, Ok(3)), (2027..2028, Err(0))] {
        assert_eq!(vouched(&document, &known(&certificates(years.clone()))), expected, "{years:?}");
    }
    let mut both = known(&certificates(2025..2027));
    both.add(certificates(2020..2021).as_bytes(), "older", &trusted());
    assert_eq!((vouched(&document, &both), both.len()), (Ok(3), 3));
}

#[test]
fn without_certificates_nothing_is_verified_and_the_missing_are_named() {
    let document = signed(&read("ns"), Flavour::Ns, &AUTHORITIES);
    assert_eq!(vouched(&document, &Certificates::default()), Err(0));
    let consensus = decode(&document, "test").unwrap();
    assert_eq!(missing(&consensus, &Certificates::default(), &trusted()).len(), 3);
    let one = known(&AUTHORITIES[0].certificate(2025..2027));
    assert_eq!(missing(&consensus, &one, &trusted()).len(), 2);
    let error = verify(&consensus, &document, &one, &trusted()).unwrap_err();
    assert_eq!(error.to_string(), "test: good signatures of 1 authorities, 2 are needed (2 lack a certificate)");
}

#[test]
fn authorities_that_are_not_trusted_do_not_count() {
    let document = signed(&read("ns"), Flavour::Ns, &AUTHORITIES);
    let mut certificates_of_all = Certificates::default();
    certificates_of_all.add(certificates(2025..2027).as_bytes(), "all", &public_network());
    assert!(certificates_of_all.is_empty());
    let consensus = decode(&document, "test").unwrap();
    assert!(verify(&consensus, &document, &known(&certificates(2025..2027)), &public_network()).is_err());
}

#[test]
fn sha1_does_not_vouch_for_the_microdesc_flavour() {
    let document = String::from_utf8(read("microdesc")).unwrap().replace("sha256 ", "");
    let document = signed(document.as_bytes(), Flavour::Ns, &AUTHORITIES);
    assert_eq!(vouched(&document, &known(&certificates(2025..2027))), Err(0));
}

#[test]
fn forged_certificates_are_rejected() {
    let good = AUTHORITIES[0].certificate(2025..2027);
    let other = AUTHORITIES[1].certificate(2025..2027);
    let part = |text: &str, from: &str, to: &str| text[text.find(from).unwrap()..text.find(to).unwrap()].to_owned();
    let own_key = part(&good, "dir-signing-key", "dir-key-crosscert");
    let swapped_key = good.replace(&own_key, &part(&other, "dir-signing-key", "dir-key-crosscert"));
    let cross = good
        .replace(&part(&good, "dir-key-crosscert", "dir-key-certification"), &part(&other, "dir-key-crosscert", "dir-key-certification"));
    let identity = good.replace(&part(&good, "dir-identity-key", "dir-signing-key"), &part(&other, "dir-identity-key", "dir-signing-key"));
    let cases = [
        (good.replace("dir-key-expires 2027", "dir-key-expires 2099"), "the identity key has not signed it"),
        (swapped_key, "the identity key has not signed it"),
        (cross, "the identity key has not signed it"),
        (identity, "the identity key has another digest"),
        (good.replace("version 3", "version 4"), "not a certificate of version 3"),
        (good.replace("dir-key-published 2025", "dir-key-published then"), "no times of validity"),
        (good.replace("dir-signing-key\n", "dir-other-key\n"), "no usable signing key"),
        (good.replace("dir-key-certification\n", "dir-key-certification x\n"), "no certification"),
        (good[..good.rfind("-----BEGIN SIGNATURE").unwrap()].to_owned(), "no certification"),
    ];
    for (forged, reason) in cases {
        let mut certificates = Certificates::default();
        // A good one after it is read all the same.
        let rejects = certificates.add(format!("{forged}\n{other}").as_bytes(), "forged", &trusted());
        assert_eq!(rejects.iter().map(|reject| reject.reason.as_str()).collect::<Vec<_>>(), [reason]);
        assert_eq!(certificates.len(), 1, "{reason}");
    }
}

#[test]
fn a_damaged_or_cut_certificate_is_none() {
    let good = AUTHORITIES[0].certificate(2025..2027);
    let (signed_end, end) = (good.find("dir-key-certification\n").unwrap(), good.rfind("-----END").unwrap());
    let known = |document: &[u8]| {
        let mut certificates = Certificates::default();
        certificates.add(document, "damaged", &trusted());
        certificates.len()
    };
    for offset in (0..end).step_by(7) {
        let mut damaged = good.clone().into_bytes();
        damaged[offset] ^= 0x15;
        // Damage after the signed part can hit the label of the last object, which has no meaning.
        assert!(known(&damaged) == 0 || offset > signed_end, "{offset}");
        assert_eq!(known(&good.as_bytes()[..offset]), 0, "{offset}");
    }
}

#[test]
fn the_list_of_authorities_can_be_written_down() {
    let authority: TrustedAuthority = "moria1 F533C81CEF0BC0267857C99B2F471ADF249FA232 128.31.0.39:9231".parse().unwrap();
    assert!(public_network().contains(&authority));
    for bad in ["", "moria1", "moria1 F533", "moria1 F533C81CEF0BC0267857C99B2F471ADF249FA232 nowhere", "a b c d"] {
        assert!(bad.parse::<TrustedAuthority>().is_err(), "{bad}");
    }
}

#[test]
fn the_authorities_of_real_consensuses_are_the_trusted_ones() {
    let trusted = public_network();
    for path in real_consensuses().iter().filter(|path| path.to_string_lossy().contains("/2026-")) {
        let consensus = allium_sources::consensus::decode_file(path, &allium_sources::consensus::LIMITS).unwrap();
        assert_eq!(consensus.authorities.len(), trusted.len());
        for authority in &consensus.authorities {
            let directory = Some((authority.address, authority.dir_port).into());
            assert!(trusted.iter().any(|trusted| trusted.identity == authority.identity && trusted.directory == directory));
        }
        // No certificates were published beside these documents, so their signatures cannot be checked.
        assert_eq!(missing(&consensus, &Certificates::default(), &trusted).len(), consensus.signatures.len());
    }
    assert_eq!(good("ns").authorities.len(), 3);
}
