//! Paths judged over material made by OpenSSL (`conformance/trust/fixtures/make.sh`), no code of ours.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use identity::asn1::oid;
use identity::x509::path::{
    Purpose, Question, Resource, Revocation, SubIndication, Validation, When, validate,
};
use identity::x509::{AltName, Certificate, Crl};
use model::Instant;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../conformance/trust/fixtures/", $name))
    };
}

fn one(pem: &str) -> Certificate {
    Certificate::from_pem(pem).unwrap().remove(0)
}

fn crls() -> Vec<Crl> {
    [fixture!("root.crl.pem"), fixture!("mid.crl.pem")]
        .iter()
        .flat_map(|pem| Crl::from_pem(pem).unwrap())
        .collect()
}

/// A month after the fixtures were made.
fn now() -> Instant {
    Instant(one(fixture!("root.pem")).not_before().0 + 30 * 86_400_000)
}

struct Case {
    leaf: Certificate,
    intermediates: Vec<Certificate>,
    anchors: Vec<Certificate>,
    crls: Vec<Crl>,
    when: When,
    purpose: Purpose,
}

impl Case {
    fn of(pem: &str) -> Case {
        Case {
            leaf: one(pem),
            intermediates: vec![one(fixture!("mid.pem"))],
            anchors: vec![one(fixture!("root.pem"))],
            crls: crls(),
            when: When::UsedAt(now()),
            purpose: Purpose::Seal,
        }
    }

    fn answer(&self) -> Validation {
        validate(&Question {
            certificate: &self.leaf,
            intermediates: &self.intermediates,
            anchors: &self.anchors,
            crls: &self.crls,
            when: self.when,
            purpose: self.purpose,
            revocation: Revocation::Required,
        })
    }
}

#[test]
fn a_seal_leads_to_its_anchor() {
    let Validation::TotalPassed(path) = Case::of(fixture!("seal.pem")).answer() else {
        panic!("did not pass")
    };
    let names: Vec<_> = path.iter().filter_map(|one| one.subject().attribute(&oid::COMMON_NAME)).collect();
    assert_eq!(names, ["Kita Press seal", "Demo Issuing", "Demo Root"]);
    assert_eq!(path[0].subject().attribute(&oid::ORGANIZATION_IDENTIFIER), Some("NTRJP-1234567890123"));
    assert_eq!(path[0].extensions().crl_urls, ["http://crl.example/mid.crl"]);
    assert_eq!(path[0].serial(), [10]);
    let tls = one(fixture!("tls.pem"));
    let expected = [
        AltName::Dns("node.example".into()),
        AltName::Uri("did:web:node.example".into()),
        AltName::Ip(vec![127, 0, 0, 1]),
    ];
    assert_eq!(tls.extensions().alt_names, expected);
    assert_eq!(
        Case { purpose: Purpose::TlsServer, ..Case::of(fixture!("tls.pem")) }.answer().sub_indication(),
        None
    );
    let tsa = Case { purpose: Purpose::TimeStamping, ..Case::of(fixture!("tsa.pem")) };
    assert!(tsa.answer().passed());
}

#[test]
fn every_flaw_has_its_own_answer() {
    use SubIndication::*;
    let chain = |case: Case| case.answer();
    let fails = |pem: &str, sub| assert_eq!(Case::of(pem).answer(), Validation::Indeterminate(sub));
    fails(fixture!("odd.pem"), ChainConstraintsFailure);
    fails(fixture!("tsa.pem"), ChainConstraintsFailure);
    fails(fixture!("tls.pem"), ChainConstraintsFailure);
    // Same names, another key: what the anchor did not sign leads nowhere.
    fails(fixture!("root.pem"), NoCertificateChainFound);
    let forged = Case::of(fixture!("forged.pem"));
    assert_eq!(forged.answer().sub_indication(), Some(NoCertificateChainFound));
    let rsa = Case { anchors: vec![one(fixture!("rsaroot.pem"))], ..Case::of(fixture!("rsaleaf.pem")) };
    assert_eq!(chain(rsa), Validation::Indeterminate(CryptoConstraintsFailure));
    let below_leaf = Case::of(fixture!("belowleaf.pem"));
    let intermediates = vec![one(fixture!("mid.pem")), one(fixture!("seal.pem"))];
    let case = Case { intermediates, ..below_leaf };
    assert_eq!(chain(case), Validation::Indeterminate(ChainConstraintsFailure));
    let intermediates = vec![one(fixture!("mid.pem")), one(fixture!("toolong.pem"))];
    let case = Case { intermediates, ..Case::of(fixture!("belowtoolong.pem")) };
    assert_eq!(chain(case), Validation::Indeterminate(ChainConstraintsFailure));
}

#[test]
fn time_and_revocation_are_asked_at_the_instant() {
    use SubIndication::*;
    let late = Instant(one(fixture!("seal.pem")).not_after().0 + 1_000);
    let early = Instant(one(fixture!("seal.pem")).not_before().0 - 1_000);
    let at = |when| Case { when, ..Case::of(fixture!("seal.pem")) }.answer();
    assert_eq!(at(When::UsedAt(late)), Validation::TotalFailed(Expired));
    assert_eq!(at(When::ExistedBy(late)), Validation::Indeterminate(OutOfBoundsNoPoe));
    assert_eq!(at(When::UsedAt(early)), Validation::TotalFailed(NotYetValid));
    let revoked = |when| Case { when, ..Case::of(fixture!("revoked.pem")) }.answer();
    assert_eq!(revoked(When::UsedAt(now())), Validation::TotalFailed(Revoked));
    assert_eq!(revoked(When::ExistedBy(now())), Validation::Indeterminate(RevokedNoPoe));
}

#[test]
fn what_is_missing_is_named() {
    let no_list = Case { crls: vec![], ..Case::of(fixture!("seal.pem")) }.answer();
    let Validation::Missing(resources) = &no_list else { panic!("{no_list}") };
    assert_eq!(resources.len(), 2);
    assert!(matches!(&resources[0], Resource::Crl { urls, .. } if urls == &["http://crl.example/mid.crl"]));
    assert_eq!(no_list.sub_indication(), Some(SubIndication::TryLater));
    let no_issuer = Case { intermediates: vec![], ..Case::of(fixture!("seal.pem")) }.answer();
    assert_eq!(
        no_issuer,
        Validation::Missing(vec![Resource::Issuer(one(fixture!("mid.pem")).subject().clone())])
    );
    // Without an anchor from outside there is no answer, whatever else is there.
    let no_anchor = Case { anchors: vec![], ..Case::of(fixture!("seal.pem")) }.answer();
    assert_eq!(no_anchor, Validation::Indeterminate(SubIndication::NoCertificateChainFound));
    // A list signed by somebody else is no list.
    let mut case = Case::of(fixture!("revoked.pem"));
    case.crls = Crl::from_pem(fixture!("root.crl.pem")).unwrap();
    assert!(matches!(case.answer(), Validation::Missing(_)));
}

#[test]
fn no_changed_byte_of_a_certificate_passes() {
    let case = Case::of(fixture!("seal.pem"));
    let der = case.leaf.der().to_vec();
    for at in 0..der.len() {
        let mut changed = der.clone();
        changed[at] ^= 0x01;
        let Ok(leaf) = Certificate::from_der(&changed) else { continue };
        let answer = Case { leaf, ..Case::of(fixture!("seal.pem")) }.answer();
        assert!(!answer.passed(), "byte {at}");
    }
    assert!(Certificate::from_der(&[&der[..], &[0]].concat()).is_err());
}
