//! Seals and time-stamps made by OpenSSL are read and judged; those made here are read by the crate `cms`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../examples/sample_evidence/kit.rs"]
mod kit;

use der::{Decode as _, Encode as _};
use identity::x509::path::{Revocation, SubIndication, Validation, When};
use identity::x509::{Certificate, Crl, Revoked};
use kit::World;
use model::{Digest, Instant};
use trust::seal::{Seal, SealError, Trust};
use trust::timestamp::{Request, StampError, Token, grant, read_response, refuse};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../conformance/trust/fixtures/", $name)).as_slice()
    };
}

struct Foreign {
    anchors: Vec<Certificate>,
    crls: Vec<Crl>,
}

impl Foreign {
    fn new() -> Foreign {
        let text = |bytes: &'static [u8]| std::str::from_utf8(bytes).unwrap();
        let lists = [fixture!("root.crl.pem"), fixture!("mid.crl.pem")];
        Foreign {
            anchors: Certificate::from_pem(text(fixture!("root.pem"))).unwrap(),
            crls: lists.iter().flat_map(|pem| Crl::from_pem(text(pem)).unwrap()).collect(),
        }
    }

    fn trust(&self) -> Trust<'_> {
        Trust {
            anchors: &self.anchors,
            intermediates: &[],
            crls: &self.crls,
            revocation: Revocation::Required,
        }
    }

    fn when(&self) -> When {
        When::ExistedBy(Instant(self.anchors[0].not_before().0 + kit::DAY))
    }
}

fn content() -> Digest {
    Digest::of(fixture!("content.txt"))
}

#[test]
fn a_seal_by_openssl_passes() {
    let foreign = Foreign::new();
    let seal = Seal::read(fixture!("cades.p7s")).unwrap();
    let answer = seal.verify(&content(), &foreign.trust(), foreign.when());
    assert!(answer.passed(), "{answer}");
    assert!(seal.claimed_time().is_some());
    let other = seal.verify(&Digest::of(b"other"), &foreign.trust(), foreign.when());
    assert_eq!(other, Validation::TotalFailed(SubIndication::HashFailure));
    let nobody = Trust { anchors: &[], ..foreign.trust() };
    let answer = seal.verify(&content(), &nobody, foreign.when());
    assert_eq!(answer, Validation::Indeterminate(SubIndication::NoCertificateChainFound));
}

#[test]
fn seals_by_openssl_outside_the_profile_do_not() {
    let foreign = Foreign::new();
    let judge = |bytes| Seal::read(bytes).unwrap().verify(&content(), &foreign.trust(), foreign.when());
    // Plain CMS does not bind the certificate; a time-stamper's certificate does not seal.
    assert_eq!(judge(fixture!("plain.p7s")), Validation::Indeterminate(SubIndication::SigConstraintsFailure));
    assert!(!judge(fixture!("tsa-as-seal.p7s")).passed());
    assert_eq!(Seal::read(fixture!("attached.p7s")), Err(SealError::Form));
    assert_eq!(Seal::read(fixture!("two-signers.p7s")), Err(SealError::Signers(2)));
    assert_eq!(Seal::read(fixture!("token.tst")), Err(SealError::Form));
}

#[test]
fn time_stamps_by_openssl_pass() {
    let foreign = Foreign::new();
    let request = Request::read(fixture!("request.tsq")).unwrap();
    assert_eq!(request.imprint, content());
    assert_eq!(request.to_der(), fixture!("request.tsq").replace_null_parameters());
    let from_response = read_response(fixture!("response.tsr")).unwrap();
    // `token-chain.tst` holds its certificates in an unsorted set, as OpenSSL 3.0 writes it.
    for bytes in [from_response.as_slice(), fixture!("token.tst"), fixture!("token-chain.tst")] {
        let token = Token::read(bytes).unwrap();
        let answer = token.verify(&content(), Some(&request), &foreign.trust());
        assert!(answer.passed(), "{answer}");
        let other = token.verify(&Digest::of(b"other"), None, &foreign.trust());
        assert_eq!(other, Validation::TotalFailed(SubIndication::HashFailure));
        let asked = Request { nonce: Some(vec![1]), ..request.clone() };
        assert!(!token.verify(&content(), Some(&asked), &foreign.trust()).passed());
    }
    assert_eq!(Token::read(fixture!("cades.p7s")), Err(StampError::Form));
}

/// OpenSSL writes `SHA-256, NULL`, we write `SHA-256` alone; both are allowed by RFC 5754.
trait WithoutNull {
    fn replace_null_parameters(&self) -> Vec<u8>;
}

impl WithoutNull for [u8] {
    fn replace_null_parameters(&self) -> Vec<u8> {
        let mut bytes = self.to_vec();
        let at = bytes.windows(4).position(|four| four == [5, 0, 4, 32]).unwrap();
        bytes.drain(at..at + 2);
        bytes[1] -= 2;
        bytes[6] -= 2;
        bytes[8] -= 2;
        bytes
    }
}

#[test]
fn what_is_made_here_is_read_by_another_reader() {
    let world = World::new(kit::ROOT, Instant(1_795_000_000_500));
    let (sealed, stamped) = (world.seal(b"content"), world.stamp(b"content"));
    for bytes in [&sealed, &stamped] {
        let theirs = cms::content_info::ContentInfo::from_der(bytes).unwrap();
        let data = theirs.content.decode_as::<cms::signed_data::SignedData>().unwrap();
        assert_eq!(data.signer_infos.0.len(), 1);
        assert_eq!(data.to_der().unwrap(), theirs.content.to_der().unwrap());
        assert_eq!(theirs.to_der().unwrap(), *bytes);
    }
    let when = When::ExistedBy(world.now);
    let answer = Seal::read(&sealed).unwrap().verify(&Digest::of(b"content"), &world.trust(), when);
    assert!(answer.passed(), "{answer}");
    let token = Token::read(&stamped).unwrap();
    let answer = token.verify(&Digest::of(b"content"), None, &world.trust());
    assert!(answer.passed(), "{answer}");
    assert_eq!(token.time(), world.now);
}

#[test]
fn no_changed_byte_of_a_seal_or_stamp_passes() {
    let world = World::new(kit::ROOT, Instant(1_795_000_000_000));
    let (sealed, stamped) = (world.seal(b"content"), world.stamp(b"content"));
    let digest = Digest::of(b"content");
    let mut unsigned = Vec::new();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 0x01;
        let passes = Seal::read(&changed)
            .is_ok_and(|seal| seal.verify(&digest, &world.trust(), When::ExistedBy(world.now)).passed());
        if passes {
            unsigned.push(at);
        }
    }
    // CMS does not sign its version numbers and its list of digest algorithms; nothing is read from them.
    assert!(unsigned.len() < 20, "{unsigned:?}");
    for at in 0..stamped.len() {
        let mut changed = stamped.clone();
        changed[at] ^= 0x01;
        if let Ok(token) = Token::read(&changed)
            && token.verify(&digest, None, &world.trust()).passed()
        {
            assert_eq!(token.time(), world.now, "byte {at}");
        }
    }
}

#[test]
fn a_revoked_seal_is_told_from_a_good_one() {
    let mut world = World::new(kit::ROOT, Instant(1_795_000_000_000));
    let seal = Seal::read(&world.seal(b"content")).unwrap();
    let at = Instant(world.now.0 - 2_000);
    world.revoke(&[Revoked { serial: world.sender.serial().to_vec(), at, reason: Some(1) }]);
    let judge = |when| seal.verify(&Digest::of(b"content"), &world.trust(), when);
    assert_eq!(judge(When::UsedAt(world.now)), Validation::TotalFailed(SubIndication::Revoked));
    assert_eq!(judge(When::ExistedBy(world.now)), Validation::Indeterminate(SubIndication::RevokedNoPoe));
    // A stamp from before the revocation makes it harmless.
    assert!(judge(When::ExistedBy(Instant(at.0 - 1))).passed());
}

#[test]
fn responses_grant_or_tell_why_not() {
    let world = World::new(kit::ROOT, Instant(1_795_000_000_000));
    let token = world.stamp(b"content");
    assert_eq!(read_response(&grant(&token)), Ok(token));
    let refused = read_response(&refuse(&StampError::Algorithm)).unwrap_err();
    assert_eq!(refused, StampError::Refused(2, "the digest is not SHA-256".into()));
    let request = Request::new(Digest::of(b""), [0; 16]);
    assert_eq!(Request::read(&request.to_der()), Ok(request));
}
