//! Claims between nodes of ours (DCP 1.0.1): an issuer issues to a consumer, a provider lets it in by what it presents, and
//! whatever is wrong with a token or a credential is refused, with its name.
//!
//! The nodes speak in the clear on loopback, as the test identity has it; all else is as in production: documents, keys and
//! credentials are judged in full.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod port;

use axum::routing::{get, post};
use axum::{Json, Router};
use dsp::machine::Role;
use identity::dcp::Profile;
use identity::dcp::credential::Signed;
use identity::dcp::message::PresentationResponse;
use identity::dcp::presentation::Presentation;
use identity::dcp::scope::Scope;
use identity::dcp::token::SelfIssued;
use identity::did::{DidWeb, Method, Relationship, Rigor, render_methods};
use identity::jwt::Draft;
use identity::key::Algorithm;
use model::Instant;
use node::act::issue::Issuable;
use node::act::offer::Handling;
use node::act::operate::NegotiationWish;
use node::act::standing::Listing;
use node::agent::Node;
use node::config::{Claims, Config, Mode, Proof};
use node::keys::SealKey;
use node::ports::{Carrier, Clock, MachineClock, Request, fresh_name};
use port::free_port;
use rulebook::book::{Rulebook, Source};
use serde_json::{Map, Value, json};
use server::carrier::reach::Reach;
use server::carrier::{Terms, TlsCarrier};
use server::node_server::{NodeServer, start};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const MEMBER: &str = "MemberCredential";

struct Party {
    server: NodeServer,
    dir: PathBuf,
}

impl Party {
    fn start(root: &Path, name: &str, claims: impl FnOnce(Claims) -> Claims) -> Party {
        let (port, dir) = (free_port(), root.join(name));
        let plain = Claims { peers: Proof::Token, recheck_ms: 0, document_ms: 0, ..Claims::default() };
        let config = Config {
            mode: Mode::Demo,
            test_identity: true,
            participant: format!("did:web:localhost%3A{port}"),
            directory: dir.clone(),
            listen: format!("127.0.0.1:{port}"),
            claims: claims(plain),
            ..Config::default()
        };
        let book = Rulebook::parse(Vec::<Source>::new()).0;
        Party { server: start(config, book, |_| None).unwrap(), dir }
    }

    fn node(&self) -> &Arc<Node> {
        self.server.node()
    }

    fn did(&self) -> String {
        self.node().id().to_owned()
    }

    /// Signs as this party would, whatever it would not say.
    fn sign(&self, prepare: impl FnOnce(Algorithm, &str) -> Draft) -> String {
        let id = self.node().did_keys().last().unwrap().id.clone();
        let key = SealKey::open(&self.dir.join("did").join(format!("{id}.key"))).unwrap();
        let draft = prepare(Algorithm::Es256, &format!("{}#{id}", self.did()));
        let signature = key.sign(draft.to_sign()).unwrap();
        draft.finish(&signature).unwrap()
    }
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(std::time::Instant::now() < end, "{what} did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// An issuer, a provider that lets members in, a consumer that is one.
struct World {
    _dir: tempfile::TempDir,
    issuer: Party,
    provider: Party,
    consumer: Party,
    carrier: TlsCarrier,
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        let issuer = Party::start(dir.path(), "issuer", |claims| claims);
        let trust: BTreeMap<String, Vec<String>> = [(issuer.did(), vec![MEMBER.to_owned()])].into();
        let (require, show) = (vec![MEMBER.to_owned()], vec![MEMBER.to_owned()]);
        let provider =
            Party::start(dir.path(), "provider", |claims| Claims { require, trust: trust.clone(), ..claims });
        let consumer = Party::start(dir.path(), "consumer", |claims| Claims { show, trust, ..claims });
        for profile in Profile::ALL {
            let issuable = Issuable {
                id: String::new(),
                kind: MEMBER.into(),
                profile: profile.alias().into(),
                format: String::new(),
                schema: None,
                claims: json!({ "since": 2020 }).as_object().cloned().unwrap_or_else(Map::new),
                holders: vec![consumer.did()],
                lives_s: 3_600,
            };
            issuer.node().set_issuable(&format!("member-{}", &profile.alias()[..4]), issuable).unwrap();
        }
        let anchors = dir.path().join("consumer/anchors.pem");
        let carrier =
            TlsCarrier::open(Terms::new(anchors).reaching(Reach::Anywhere).clear_on_loopback()).unwrap();
        World { _dir: dir, issuer, provider, consumer, carrier }
    }

    /// Lets the consumer ask for its credential, and waits until it has one more.
    fn issue(&self, profile: Profile) {
        let node = self.consumer.node();
        let before = node.credentials().unwrap().len();
        node.request_credentials(&self.issuer.did(), &[MEMBER.to_owned()], Some(profile)).unwrap();
        until("the credential", || (node.credentials().unwrap().len() > before).then_some(()));
        until("the end of the request", || {
            node.credential_requests().unwrap().iter().all(|one| one.state == "ISSUED").then_some(())
        });
    }

    /// A catalog request with this token; the status, and the code of the error.
    fn ask(&self, token: &str) -> (u16, String) {
        let url = format!("{}/catalog/request", self.provider.node().protocol_address());
        let body = json!({ "@context": ["https://w3id.org/dspace/2025/1/context.jsonld"], "@type": "CatalogRequestMessage" });
        let request = Request::post(url, "application/json", body.to_string().into_bytes())
            .with("authorization", format!("Bearer {token}"));
        let reply = self.carrier.send(request).unwrap();
        let said: Value = serde_json::from_slice(&reply.body).unwrap();
        if reply.status != 200 {
            assert_eq!(said["@type"], "CatalogError", "the refusal is the protocol's: {said}");
        }
        (reply.status, said["code"].as_str().unwrap_or_default().to_owned())
    }

    fn token(&self) -> String {
        self.consumer.node().self_issued(&self.provider.did(), &[Scope::of(MEMBER).unwrap()]).unwrap()
    }

    fn refused(&self, token: &str) -> String {
        let (status, code) = self.ask(token);
        assert!((400..500).contains(&status), "{status} {code}");
        code
    }
}

fn now() -> Instant {
    MachineClock.now()
}

#[test]
fn a_member_is_let_in_and_negotiates_by_either_profile() {
    let world = World::new();
    assert_eq!(world.refused(&world.token()), "claims/missing", "it holds nothing yet");
    for profile in Profile::ALL {
        world.issue(profile);
        assert_eq!(world.ask(&world.token()).0, 200, "{}", profile.alias());
        for held in world.consumer.node().credentials().unwrap() {
            assert_eq!(held.profile, profile.alias());
            world.consumer.node().forget_credential(&held.id).unwrap();
        }
    }
    world.issue(Profile::Vc20Bssl);
    // The node's own acts carry its token: the catalog, and a negotiation with messages both ways.
    let (consumer, provider) = (world.consumer.node(), world.provider.node());
    let at = provider.protocol_address();
    assert_eq!(consumer.catalog_of(&at).unwrap().participant_id.unwrap(), world.provider.did());
    let terms =
        json!({ "@id": "urn:o", "@type": "Offer", "target": "urn:d", "permission": [{ "action": "use" }] });
    let wish = NegotiationWish {
        role: Role::Consumer,
        address: at,
        peer: Some(world.provider.did()),
        dataset: "urn:d".into(),
        terms: terms.as_object().cloned().map(dsp::message::terms::Terms::of),
        handling: Handling::Manual.into(),
    };
    let pid = consumer.open_negotiation(wish).unwrap();
    let seen = until("the request at the provider", || {
        provider.negotiation_standings(&Listing { after: None, limit: 10 }).ok()?.into_iter().next()
    });
    assert_eq!(seen.peer, world.consumer.did());
    // Nothing of that name is offered: the provider says so to the consumer, with a token of its own.
    let ended = until("the end at the consumer", || {
        Some(consumer.negotiation_standing(&pid).unwrap()).filter(|standing| standing.state == "TERMINATED")
    });
    assert_eq!(ended.code.as_deref(), Some("tegata/no-offer"));
}

#[test]
fn tokens_that_do_not_hold_are_refused_by_name() {
    let world = World::new();
    world.issue(Profile::Vc20Bssl);
    let (us, them) = (world.consumer.did(), world.provider.did());
    let scopes = [Scope::of(MEMBER).unwrap()];
    let for_another = world.consumer.node().self_issued(&world.issuer.did(), &scopes).unwrap();
    assert_eq!(world.refused(&for_another), "claims/token-audience");
    let once = world.token();
    assert_eq!(world.ask(&once).0, 200);
    assert_eq!(world.refused(&once), "claims/token-replayed");
    let made = |did: &str, at: i64, id: &str| {
        let token = SelfIssued {
            did,
            audience: &them,
            id,
            issued_at: Instant(now().0 + at * 1_000),
            lives_s: 60,
            access: None,
        };
        world.consumer.sign(|algorithm, key| token.prepare(algorithm, key))
    };
    assert_eq!(world.refused(&made(&us, -3_000, "1")), "claims/token-expired");
    assert_eq!(world.refused(&made(&us, 3_000, "2")), "claims/token-not-yet-valid");
    assert_eq!(world.refused(&made(&us, 0, "3")), "claims/no-access");
    // Signed by our key, but as the issuer: its document has no such key.
    assert_eq!(world.refused(&made(&world.issuer.did(), 0, "4")), "claims/token-key");
    let nobody = format!("did:web:localhost%3A{}", free_port());
    assert_eq!(world.refused(&made(&nobody, 0, "5")), "claims/unresolved");
    assert_eq!(world.refused("a.b.c"), "claims/token-malformed");
    assert_eq!(world.refused("opaque"), "claims/no-token");
}

#[test]
fn a_revoked_credential_opens_no_door() {
    for profile in Profile::ALL {
        let world = World::new();
        world.issue(profile);
        assert_eq!(world.ask(&world.token()).0, 200);
        // Whoever runs the provider sees on what the consumer is believed, and that its status was read.
        let believed = world.provider.node().claims_standing().unwrap().believed;
        assert_eq!((believed.len(), believed[0].did.as_str()), (1, world.consumer.did().as_str()));
        let paper = &believed[0].papers[0];
        assert_eq!((paper.kinds.as_slice(), paper.issuer.as_str()), ([MEMBER.to_string()].as_slice(), world.issuer.did().as_str()));
        let issued = world.issuer.node().issued().unwrap();
        world.issuer.node().revoke_issued(&issued[0].id).unwrap();
        let lists = world.issuer.node().claims_standing().unwrap().lists;
        assert!(lists.iter().any(|list| list.revoked == 1 && paper.lists.contains(&list.url)), "{lists:?} {paper:?}");
        assert_eq!(world.refused(&world.token()), "claims/credential-revoked", "{}", profile.alias());
        let standing = world.provider.node().claims_standing().unwrap();
        assert!(standing.believed.is_empty());
        assert_eq!(standing.refused[0].code, "claims/credential-revoked");
        let denied = world.consumer.node().catalog_of(&world.provider.node().protocol_address()).unwrap_err();
        assert_eq!(denied.code(), "claims/credential-revoked");
        // Another one, which is not revoked, is newer and opens again.
        world.issue(profile);
        assert_eq!(world.ask(&world.token()).0, 200);
    }
}

#[test]
fn a_rotated_key_verifies_until_it_is_revoked() {
    let world = World::new();
    world.issue(Profile::Vc20Bssl);
    let issuer = world.issuer.node();
    let old = issuer.did_keys()[0].id.clone();
    issuer.rotate_key().unwrap();
    assert_eq!(world.ask(&world.token()).0, 200, "the old key verifies what it signed");
    issuer.revoke_key(&old).unwrap();
    assert_eq!(world.refused(&world.token()), "claims/credential-key");
    issuer.offer_credentials(&world.consumer.did(), &["member-vc20".into()], "proof-key-revocation").unwrap();
    let offers = world.consumer.node().credential_offers().unwrap();
    assert_eq!(offers[0]["credentials"][0]["offerReason"], "proof-key-revocation", "{offers:?}");
    world.issue(Profile::Vc20Bssl);
    assert_eq!(world.ask(&world.token()).0, 200);
    // Our own key may be rotated as well: the next token is signed by the new one, and the peer finds it.
    world.consumer.node().rotate_key().unwrap();
    // A document is not fetched again within a moment.
    until("the new key", || (world.ask(&world.token()).0 == 200).then_some(()));
    let retired = issuer.did_keys().last().unwrap().id.clone();
    assert_eq!(issuer.revoke_key(&retired).unwrap_err().code(), "node/not-found", "the key that signs stays");
}

/// A peer with a DID and a key of its own, which presents what was issued to somebody else.
fn thief(stolen: &str, provider: &str) -> (String, String, tokio::runtime::Runtime) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    let did = format!("did:web:localhost%3A{port}");
    let dir = tempfile::tempdir().unwrap();
    let key = SealKey::open_or_make(&dir.path().join("k")).unwrap();
    let uses = vec![Relationship::Authentication, Relationship::CapabilityInvocation];
    let method = Method { fragment: "k".into(), key: key.public().unwrap(), uses };
    let base = format!("http://localhost:{port}");
    let document =
        render_methods(&DidWeb::parse(&did).unwrap(), &[method], &[("c", "CredentialService", &base)]);
    let sign = |prepare: &dyn Fn(Algorithm, &str) -> Draft| {
        let draft = prepare(Algorithm::Es256, &format!("{did}#k"));
        let signature = key.sign(draft.to_sign()).unwrap();
        draft.finish(&signature).unwrap()
    };
    let shown = Presentation {
        profile: Profile::Vc20Bssl,
        holder: &did,
        verifier: provider,
        id: "vp",
        issued_at: now(),
        lives_s: 60,
        credentials: &[stolen],
    };
    let presentation = json!(sign(&|algorithm, key| shown.prepare(algorithm, key)));
    let answer = PresentationResponse { presentation: vec![presentation] }.to_value();
    let id = fresh_name().unwrap();
    let token = SelfIssued {
        did: &did,
        audience: provider,
        id: &id,
        issued_at: now(),
        lives_s: 60,
        access: Some("opaque"),
    };
    let token = sign(&|algorithm, key| token.prepare(algorithm, key));
    let router = Router::new()
        .route("/.well-known/did.json", get(move || std::future::ready(Json(document))))
        .route("/presentations/query", post(move || std::future::ready(Json(answer))));
    runtime.spawn(async move { axum::serve(listener, router).await });
    (did, token, runtime)
}

#[test]
fn a_credential_of_another_opens_no_door() {
    let world = World::new();
    world.issue(Profile::Vc20Bssl);
    let stolen = world.consumer.node().credentials().unwrap().remove(0).payload;
    assert!(Signed::read(&stolen, Rigor::Full).unwrap().credential.is_about(&world.consumer.did()));
    let (_did, token, _runtime) = thief(&stolen, &world.provider.did());
    assert_eq!(world.refused(&token), "claims/credential-holder");
}

#[test]
fn who_is_not_entitled_waits_for_a_person() {
    let world = World::new();
    let (issuer, provider) = (world.issuer.node(), world.provider.node());
    // The provider is not among the holders of the definition, and its issuer's word counts there.
    let asked = provider.request_credentials(&world.issuer.did(), &["member-vc20".into()], None).unwrap();
    assert_eq!(asked.state, "RECEIVED");
    let waiting = issuer.issuances().unwrap().remove(0);
    assert!(waiting.message.is_none() && waiting.holder == world.provider.did());
    assert!(issuer.claims_standing().unwrap().askers.iter().any(|one| one.id == waiting.id && one.waits));
    issuer.decide_issuance(&waiting.id, Some(Some("not a member".into()))).unwrap();
    let told = until("the rejection", || {
        provider.credential_requests().unwrap().into_iter().find(|one| one.state == "REJECTED")
    });
    assert_eq!(told.reason.as_deref(), Some("not a member"));
    assert!(provider.credentials().unwrap().is_empty());
    assert_eq!(issuer.decide_issuance(&waiting.id, None).unwrap_err().code(), "claims/decided");
}
