use super::super::credential::tests::{membership, sign};
use super::*;
use crate::did::{Method, render_methods};
use crate::status::Bitstring;
use crate::status::ListForm;

const HOLDER: &str = "did:web:a.example";
const VERIFIER: &str = "did:web:b.example";
const ISSUER: &str = "did:web:issuer.example";
const NOW: Instant = Instant(1_795_000_060_000);

fn public(seed: u8) -> PublicKey {
    let key = p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap();
    PublicKey::p256(key.verifying_key().to_sec1_point(true).as_bytes()).unwrap()
}

fn document(did: &str, seed: u8, uses: Relationship) -> DidDocument {
    let method = Method { fragment: "k".into(), key: public(seed), uses: vec![uses] };
    let made = render_methods(&DidWeb::parse(did).unwrap(), &[method], &[]);
    DidDocument::from_json(did, made.to_string().as_bytes()).unwrap()
}

fn list(profile: Profile, set: Option<usize>, seed: u8) -> (String, String) {
    let mut bits = Bitstring::new(1);
    if let Some(index) = set {
        bits.set(index).unwrap();
    }
    let id = format!("https://issuer.example/status/{}", profile.alias());
    let list = StatusList {
        form: if profile == Profile::Vc20Bssl { ListForm::Bitstring } else { ListForm::List2021 },
        id: id.clone(),
        issuer: ISSUER.into(),
        purpose: StatusPurpose::Revocation,
        valid_from: Instant(NOW.0 - 1_000),
        valid_until: Instant(NOW.0 + 60_000),
        bits,
    };
    (id, sign(list.prepare(Algorithm::Es256, "did:web:issuer.example#k").unwrap(), seed))
}

fn all(profile: Profile, set: Option<usize>) -> Material {
    let shape = json!({ "properties": { "credentialSubject": { "required": ["id", "since"] } } });
    Material {
        documents: [
            (HOLDER.into(), document(HOLDER, 5, Relationship::Authentication)),
            (ISSUER.into(), document(ISSUER, 9, Relationship::AssertionMethod)),
        ]
        .into(),
        lists: [list(profile, set, 9)].into(),
        schemas: [("https://issuer.example/s".into(), shape)].into(),
    }
}

fn shown(profile: Profile, credential: &Credential, seed: u8) -> Vec<Value> {
    let credential = sign(credential.prepare(Algorithm::Es256, "did:web:issuer.example#k"), seed);
    let made = Presentation {
        profile,
        holder: HOLDER,
        verifier: VERIFIER,
        id: "vp",
        issued_at: NOW,
        lives_s: 60,
        credentials: &[&credential],
    };
    vec![json!(sign(made.prepare(Algorithm::Es256, "did:web:a.example#k"), 5))]
}

fn ask(shown: &[Value], material: &Material) -> Result<Vec<Credential>, Wanting> {
    let scopes = [Scope::Type("Member".into())];
    let trusted = |issuer: &str, kind: &str| issuer == ISSUER && kind == "Member";
    let terms = Terms {
        verifier: VERIFIER,
        holder: HOLDER,
        scopes: &scopes,
        trusted: &trusted,
        now: NOW,
        rigor: Rigor::Full,
    };
    judge(shown, &terms, material)
}

fn fault(answer: Result<Vec<Credential>, Wanting>) -> Fault {
    match answer {
        Err(Wanting::Refused(fault, _)) => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_profiles_pass_and_a_set_bit_refuses() {
    for profile in Profile::ALL {
        let shown = shown(profile, &membership(profile), 9);
        assert_eq!(ask(&shown, &all(profile, None)).unwrap(), [membership(profile)]);
        assert_eq!(fault(ask(&shown, &all(profile, Some(3)))), Fault::CredentialRevoked);
        assert!(ask(&shown, &all(profile, Some(4))).is_ok());
    }
}

#[test]
fn what_is_lacking_is_named_and_nothing_is_fetched_for_a_stranger() {
    let profile = Profile::Vc20Bssl;
    let whole = all(profile, None);
    let shown_ones = shown(profile, &membership(profile), 9);
    let missing = |material: &Material| match ask(&shown_ones, material) {
        Err(Wanting::Missing(resources)) => resources.into_iter().collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let mut material = Material::default();
    assert_eq!(missing(&material), [Resource::Document(HOLDER.into())]);
    material.documents.insert(HOLDER.into(), whole.documents[HOLDER].clone());
    assert_eq!(missing(&material), [Resource::Document(ISSUER.into())]);
    material.documents.insert(ISSUER.into(), whole.documents[ISSUER].clone());
    let list = "https://issuer.example/status/vc20-bssl/jwt".to_owned();
    assert_eq!(
        missing(&material),
        [Resource::StatusList(list), Resource::Schema("https://issuer.example/s".into())]
    );
    // A signature that does not hold leads nowhere.
    let forged = shown(profile, &membership(profile), 8);
    assert_eq!(fault(ask(&forged, &material)), Fault::CredentialSignature);
}

#[test]
fn each_fault_has_its_name() {
    let profile = Profile::Vc11Sl2021;
    let material = all(profile, None);
    let changed = |change: &dyn Fn(&mut Credential)| {
        let mut credential = membership(profile);
        change(&mut credential);
        fault(ask(&shown(profile, &credential, 9), &material))
    };
    let subject = |did: &str| vec![json!({ "id": did, "since": "2020" }).as_object().unwrap().clone()];
    assert_eq!(changed(&|c| c.subjects = subject("did:web:else.example")), Fault::CredentialHolder);
    assert_eq!(changed(&|c| c.valid_until = Some(Instant(NOW.0 - 1))), Fault::CredentialExpired);
    assert_eq!(changed(&|c| c.valid_from = Some(Instant(NOW.0 + 60_000))), Fault::CredentialNotYetValid);
    assert_eq!(changed(&|c| c.issuer = VERIFIER.into()), Fault::CredentialKey);
    assert_eq!(changed(&|c| c.kinds = vec!["Other".into()]), Fault::Missing);
    assert_eq!(changed(&|c| c.schemas[0].kind = "Unheard".into()), Fault::Shape);
    let no_since = |c: &mut Credential| drop(c.subjects[0].remove("since"));
    assert_eq!(changed(&no_since), Fault::Shape);
    let none: Vec<Value> = Vec::new();
    assert_eq!(fault(ask(&none, &material)), Fault::Missing);
    assert_eq!(fault(ask(&[json!({ "proof": "ld" })], &material)), Fault::PresentationMalformed);
}

#[test]
fn only_its_holder_shows_a_presentation_to_its_verifier() {
    let profile = Profile::Vc20Bssl;
    let material = all(profile, None);
    let credential = sign(membership(profile).prepare(Algorithm::Es256, "did:web:issuer.example#k"), 9);
    let with = |holder: &str, verifier: &str, at: Instant, key: &str, seed: u8| {
        let made = Presentation {
            profile,
            holder,
            verifier,
            id: "vp",
            issued_at: at,
            lives_s: 60,
            credentials: &[&credential],
        };
        fault(ask(&[json!(sign(made.prepare(Algorithm::Es256, key), seed))], &material))
    };
    let own = "did:web:a.example#k";
    assert_eq!(with(HOLDER, ISSUER, NOW, own, 5), Fault::PresentationAudience);
    assert_eq!(with(HOLDER, VERIFIER, Instant(NOW.0 - 600_000), own, 5), Fault::PresentationTime);
    assert_eq!(with(HOLDER, VERIFIER, NOW, own, 6), Fault::PresentationSignature);
    assert_eq!(with(HOLDER, VERIFIER, NOW, "did:web:a.example#other", 5), Fault::PresentationKey);
    assert_eq!(with(HOLDER, VERIFIER, NOW, "did:web:issuer.example#k", 9), Fault::PresentationHolder);
    assert_eq!(with(ISSUER, VERIFIER, NOW, own, 5), Fault::PresentationHolder);
}

#[test]
fn a_presentation_is_of_one_profile() {
    let (profile, other) = (Profile::Vc20Bssl, Profile::Vc11Sl2021);
    let credential = sign(membership(other).prepare(Algorithm::Es256, "did:web:issuer.example#k"), 9);
    let made = Presentation {
        profile,
        holder: HOLDER,
        verifier: VERIFIER,
        id: "vp",
        issued_at: NOW,
        lives_s: 60,
        credentials: &[&credential],
    };
    let shown = [json!(sign(made.prepare(Algorithm::Es256, "did:web:a.example#k"), 5))];
    assert_eq!(fault(ask(&shown, &all(other, None))), Fault::PresentationMixed);
}

#[test]
fn a_status_that_cannot_be_told_refuses() {
    let profile = Profile::Vc20Bssl;
    let shown = shown(profile, &membership(profile), 9);
    let mut material = all(profile, None);
    let with = |material: &Material| fault(ask(&shown, material));
    material.lists = [list(profile, None, 7)].into();
    assert_eq!(with(&material), Fault::StatusUnknown);
    for text in material.lists.values_mut() {
        *text = json!({ "type": ["BitstringStatusListCredential"] }).to_string();
    }
    assert_eq!(with(&material), Fault::StatusUnknown);
}

#[test]
fn an_issuer_whose_word_does_not_count() {
    let profile = Profile::Vc20Bssl;
    let scopes = [Scope::Type("Member".into())];
    let terms = Terms {
        verifier: VERIFIER,
        holder: HOLDER,
        scopes: &scopes,
        trusted: &|_, _| false,
        now: NOW,
        rigor: Rigor::Full,
    };
    let answer = judge(&shown(profile, &membership(profile), 9), &terms, &all(profile, None));
    assert_eq!(fault(answer), Fault::IssuerNotTrusted);
}
