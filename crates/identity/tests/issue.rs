//! What is made here is read by another reader (`x509-cert`) and passes our own path validation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use der::{Decode as _, Encode as _};
use identity::certificate::{IssueError, Issuer, Order, Profile, prepare, prepare_crl};
use identity::key::{Algorithm, PublicKey, Signature};
use identity::x509::path::{Purpose, Question, Revocation, SubIndication, Validation, When, validate};
use identity::x509::{AltName, Certificate, Crl, Name, Revoked};
use model::Instant;
use p256::ecdsa::{SigningKey, signature::Signer as _};

const DAY: i64 = 86_400_000;
const START: Instant = Instant(1_795_000_000_000);

fn signing(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

fn public(seed: u8) -> PublicKey {
    PublicKey::p256(signing(seed).verifying_key().to_sec1_point(false).as_bytes()).unwrap()
}

fn sign(seed: u8, message: &[u8]) -> Signature {
    let signature: p256::ecdsa::Signature = signing(seed).sign(message);
    Signature::from_bytes(Algorithm::Es256, &signature.to_bytes()).unwrap()
}

fn order(seed: u8, subject: Name, profile: Profile) -> Order {
    Order {
        subject,
        key: public(seed),
        serial: [seed | 0x80; 16],
        not_before: START,
        not_after: Instant(START.0 + 300 * DAY),
        profile,
        crl_url: Some("https://authority.example/crl".into()),
    }
}

fn firm() -> Name {
    Name::new().country("JP").organization("北プレス").organization_identifier("NTRJP-1").common_name("seal")
}

fn root() -> Certificate {
    let order = order(1, Name::new().common_name("Root"), Profile::Authority { path_len: 0 });
    let draft = prepare(&order, Issuer::Itself).unwrap();
    let signature = sign(1, draft.to_sign());
    draft.finish(&signature).unwrap()
}

fn issue(order: &Order) -> Certificate {
    let root = root();
    let draft = prepare(order, Issuer::Authority(&root)).unwrap();
    let signature = sign(1, draft.to_sign());
    draft.finish(&signature).unwrap()
}

fn crl(revoked: &[Revoked]) -> Crl {
    let draft = prepare_crl(&root(), 7, START, Instant(START.0 + 30 * DAY), revoked).unwrap();
    let signature = sign(1, draft.to_sign());
    draft.finish(&signature).unwrap()
}

#[test]
fn another_reader_agrees() {
    let names = vec![AltName::Dns("localhost".into()), AltName::Ip(vec![127, 0, 0, 1])];
    let seal = Profile::Seal { names: vec![AltName::Uri("did:web:kita.example".into())] };
    let made = [
        root(),
        issue(&order(2, firm(), seal)),
        issue(&order(3, Name::new().common_name("node"), Profile::Node { names })),
        issue(&order(4, Name::new().common_name("time"), Profile::TimeStamping)),
    ];
    for certificate in &made {
        let theirs = x509_cert::Certificate::from_der(certificate.der()).unwrap();
        assert_eq!(theirs.to_der().unwrap(), certificate.der());
        assert_eq!(theirs.tbs_certificate().to_der().unwrap(), certificate.tbs());
        assert_eq!(theirs.tbs_certificate().subject().to_der().unwrap(), certificate.subject().der());
        assert_eq!(Certificate::from_pem(&certificate.to_pem()).unwrap(), std::slice::from_ref(certificate));
    }
    let revoked = [Revoked { serial: made[1].serial().to_vec(), at: START, reason: Some(1) }];
    for list in [crl(&[]), crl(&revoked)] {
        let theirs =
            x509_cert::crl::CertificateList::<x509_cert::certificate::Rfc5280>::from_der(list.der()).unwrap();
        assert_eq!(theirs.to_der().unwrap(), list.der());
        assert_eq!(list.number(), Some(7));
    }
}

#[test]
fn what_is_issued_serves_its_own_purpose_only() {
    let leaves = [
        (Purpose::Seal, issue(&order(2, firm(), Profile::Seal { names: vec![] }))),
        (
            Purpose::TlsServer,
            issue(&order(3, firm(), Profile::Node { names: vec![AltName::Dns("a".into())] })),
        ),
        (Purpose::TimeStamping, issue(&order(4, firm(), Profile::TimeStamping))),
    ];
    for purpose in [Purpose::Seal, Purpose::TlsServer, Purpose::TimeStamping] {
        for (own, leaf) in &leaves {
            let answer = validate(&Question {
                certificate: leaf,
                intermediates: &[],
                anchors: &[root()],
                crls: &[crl(&[])],
                when: When::UsedAt(Instant(START.0 + DAY)),
                purpose,
                revocation: Revocation::Required,
            });
            assert_eq!(answer.passed(), *own == purpose, "{own:?} used for {purpose:?}: {answer}");
        }
    }
}

#[test]
fn a_revocation_holds_from_its_instant() {
    let leaf = issue(&order(2, firm(), Profile::Seal { names: vec![] }));
    let at = Instant(START.0 + 5 * DAY);
    let crls = [crl(&[Revoked { serial: leaf.serial().to_vec(), at, reason: None }])];
    let answer = |millis| {
        validate(&Question {
            certificate: &leaf,
            intermediates: &[],
            anchors: &[root()],
            crls: &crls,
            when: When::UsedAt(Instant(millis)),
            purpose: Purpose::Seal,
            revocation: Revocation::Required,
        })
    };
    assert!(answer(at.0 - 1).passed());
    assert_eq!(answer(at.0), Validation::TotalFailed(SubIndication::Revoked));
    // Beyond the next update the list no longer says that all is well.
    assert!(matches!(answer(START.0 + 31 * DAY), Validation::TotalFailed(SubIndication::Revoked)));
}

#[test]
fn what_may_not_be_issued_is_not() {
    let seal = Profile::Seal { names: vec![] };
    let nameless = order(2, Name::new().common_name("seal"), seal.clone());
    assert_eq!(prepare(&nameless, Issuer::Authority(&root())), Err(IssueError::NoOrganizationIdentifier));
    let leaf = issue(&order(2, firm(), seal.clone()));
    assert_eq!(
        prepare(&order(5, firm(), seal.clone()), Issuer::Authority(&leaf)),
        Err(IssueError::NoAuthority)
    );
    let long = Order { not_after: Instant(START.0 + 301 * DAY), ..order(5, firm(), seal.clone()) };
    assert_eq!(prepare(&long, Issuer::Authority(&root())), Err(IssueError::Validity));
    let draft = prepare(&order(5, firm(), seal), Issuer::Authority(&root())).unwrap();
    let wrong = sign(9, draft.to_sign());
    assert_eq!(draft.finish(&wrong), Err(IssueError::Signature));
}
