//! Certifications answer five questions one by one; an accord holds only when every authority signed this very text.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../examples/sample_evidence/kit.rs"]
mod kit;

use identity::key::Algorithm;
use identity::status::{Bitstring, ListForm, StatusList, StatusPurpose};
use model::{Digest, Instant};
use trust::certification::{
    Accord, AccordParty, Answer, Certification, CertificationQuestion, RecordError, StatusAt,
};

const NOW: Instant = Instant(1_795_000_000_000);
const AGENT: &str = "did:web:agent.example";
const KITA: &str = "did:web:kita.example";

fn certification() -> Certification {
    Certification {
        version: 1,
        id: "urn:uuid:certification-1".into(),
        scheme: "demo-cbpr".into(),
        requirements: "2026".into(),
        issuer: AGENT.into(),
        holder: KITA.into(),
        organization_identifier: "NTRJP-0000000000002".into(),
        economy: "jp".into(),
        scope: vec!["controller".into()],
        from: NOW.day(0).plus_days(-10),
        until: NOW.day(0),
        status: StatusAt { list: "https://agent.example/status/1".into(), index: 40_000 },
    }
}

fn status(revoked: bool) -> StatusList {
    let mut bits = Bitstring::new(1);
    if revoked {
        bits.set(40_000).unwrap();
    }
    StatusList {
        form: ListForm::Bitstring,
        id: "https://agent.example/status/1".into(),
        issuer: AGENT.into(),
        purpose: StatusPurpose::Revocation,
        valid_from: Instant(NOW.0 - 1_000),
        valid_until: Instant(NOW.0 + 60_000),
        bits,
    }
}

fn signed(certification: &Certification, seed: u8) -> String {
    let draft = certification.prepare(Algorithm::Es256, "did:web:agent.example#key").unwrap();
    let signature = kit::sign(seed, draft.to_sign());
    draft.finish(&signature).unwrap()
}

#[test]
fn each_question_has_its_own_answer() {
    let (certification, jws) = Certification::read(&signed(&certification(), 31)).unwrap();
    let key = kit::public(31);
    let (good, revoked) = (status(false), status(true));
    let asked = CertificationQuestion {
        key: Some(&key),
        trusted: &[("demo-cbpr", AGENT)],
        status: Some(&good),
        holder: KITA,
        now: NOW,
    };
    assert!(certification.answers(&jws, &asked).holds());
    let answers = certification.answers(&jws, &CertificationQuestion { status: Some(&revoked), ..asked });
    assert_eq!((answers.status, answers.signature, answers.holds()), (Answer::No, Answer::Yes, false));
    let answers = certification.answers(&jws, &CertificationQuestion { status: None, key: None, ..asked });
    assert_eq!((answers.status, answers.signature), (Answer::Open, Answer::Open));
    let late = CertificationQuestion { now: Instant(NOW.0 + kit::DAY), ..asked };
    let answers = certification.answers(&jws, &late);
    assert_eq!((answers.term, answers.status), (Answer::No, Answer::Open));
    let wrong = kit::public(32);
    let other =
        CertificationQuestion { key: Some(&wrong), trusted: &[], holder: "did:web:x.example", ..asked };
    let answers = certification.answers(&jws, &other);
    assert_eq!((answers.signature, answers.issuer, answers.holder), (Answer::No, Answer::No, Answer::No));
    // A list of somebody else says nothing about it.
    let foreign = StatusList { issuer: "did:web:other.example".into(), ..status(false) };
    let answers = certification.answers(&jws, &CertificationQuestion { status: Some(&foreign), ..asked });
    assert_eq!(answers.status, Answer::Open);
}

#[test]
fn an_accord_counts_signatures_on_this_very_text() {
    let party = |authority: &str, place: &str| AccordParty {
        authority: authority.into(),
        place: place.into(),
        power: "invented, Art. 1".into(),
    };
    let accord = Accord {
        version: 1,
        id: "urn:uuid:accord-1".into(),
        profile: Digest::of(b"profile"),
        parties: vec![party("did:web:a.example", "jp"), party("did:web:b.example", "eu")],
        from: NOW.day(0),
        until: NOW.day(0).plus_days(365),
        people_max: 10_000,
        invented: true,
    };
    let sign = |accord: &Accord, seed: u8| {
        let draft = accord.prepare(Algorithm::Es256, "key").unwrap();
        let signature = kit::sign(seed, draft.to_sign());
        draft.finish(&signature).unwrap()
    };
    let key_of = |authority: &str| match authority {
        "did:web:a.example" => Some(kit::public(41)),
        "did:web:b.example" => Some(kit::public(42)),
        _ => None,
    };
    let (a, b) = (sign(&accord, 41), sign(&accord, 42));
    let answers = |tokens: &[&str]| -> Vec<Answer> {
        accord.signatures(tokens, &key_of).into_iter().map(|(_, answer)| answer).collect()
    };
    assert_eq!(answers(&[&a, &b]), [Answer::Yes, Answer::Yes]);
    assert_eq!(answers(&[&a, &a]), [Answer::Yes, Answer::No]);
    let raised = sign(&Accord { people_max: 10_001, ..accord.clone() }, 42);
    assert_eq!(answers(&[&a, &raised]), [Answer::Yes, Answer::No]);
    // One kind of record never passes for another.
    assert_eq!(Certification::read(&a).map(|_| ()), Err(RecordError::Token));
}
