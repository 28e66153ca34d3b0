//! An invented authority, sender and receiver with keys that anyone can compute: for tests and samples alone.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use identity::certificate::{Issuer, Order, Profile, prepare, prepare_crl};
use identity::key::{Algorithm, PublicKey, Signature};
use identity::x509::path::Revocation;
use identity::x509::{AltName, Certificate, Crl, Name, Revoked};
use model::{Digest, Instant};
use p256::ecdsa::{SigningKey, signature::Signer as _};
use trust::seal::{self, Trust};
use trust::timestamp::{self, Request};

pub const DAY: i64 = 86_400_000;

pub const ROOT: u8 = 1;
pub const SENDER: u8 = 2;
pub const RECEIVER: u8 = 3;
pub const STAMPER: u8 = 4;
pub const OTHER_ROOT: u8 = 11;

fn signing(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

pub fn public(seed: u8) -> PublicKey {
    PublicKey::p256(signing(seed).verifying_key().to_sec1_point(false).as_bytes()).unwrap()
}

pub fn sign(seed: u8, message: &[u8]) -> Signature {
    let signature: p256::ecdsa::Signature = signing(seed).sign(message);
    Signature::from_bytes(Algorithm::Es256, &signature.to_bytes()).unwrap()
}

/// One invented world: its authority and the certificates that it issued.
pub struct World {
    pub root_seed: u8,
    pub root: Certificate,
    pub sender: Certificate,
    pub receiver: Certificate,
    pub stamper: Certificate,
    pub crl: Crl,
    pub now: Instant,
}

impl World {
    /// A world whose certificates are good from a day before `now` for ten years.
    pub fn new(root_seed: u8, now: Instant) -> World {
        let start = Instant(now.0 - DAY);
        let order = |seed: u8, subject: Name, profile: Profile| Order {
            subject,
            key: public(seed),
            serial: [seed; 16],
            not_before: start,
            not_after: Instant(start.0 + 3_650 * DAY),
            profile,
            crl_url: None,
        };
        let authority = Name::new().country("JP").organization("Demo Authority (invented)");
        let root_order =
            order(root_seed, authority.clone().common_name("Demo Root"), Profile::Authority { path_len: 0 });
        let draft = prepare(&root_order, Issuer::Itself).unwrap();
        let signature = sign(root_seed, draft.to_sign());
        let root = draft.finish(&signature).unwrap();
        let issue = |order: Order| {
            let draft = prepare(&order, Issuer::Authority(&root)).unwrap();
            let signature = sign(root_seed, draft.to_sign());
            draft.finish(&signature).unwrap()
        };
        let firm = |name: &str, id: &str| {
            Name::new().country("DE").organization(name).organization_identifier(id).common_name(name)
        };
        let did = |text: &str| Profile::Seal { names: vec![AltName::Uri(text.into())] };
        let sender = issue(order(
            SENDER,
            firm("Nord Werk (invented)", "VATDE-000000001"),
            did("did:web:nord.example"),
        ));
        let receiver = issue(order(
            RECEIVER,
            firm("Kita Press (invented)", "NTRJP-0000000000002"),
            did("did:web:kita.example"),
        ));
        let stamper = issue(order(STAMPER, authority.common_name("Demo Time"), Profile::TimeStamping));
        let mut world = World {
            root_seed,
            crl: empty_crl(root_seed, &root, start, now),
            root,
            sender,
            receiver,
            stamper,
            now,
        };
        world.revoke(&[]);
        world
    }

    /// Replaces the revocation list.
    pub fn revoke(&mut self, revoked: &[Revoked]) {
        let from = Instant(self.now.0 - DAY);
        let draft = prepare_crl(&self.root, 2, from, Instant(self.now.0 + 30 * DAY), revoked).unwrap();
        let signature = sign(self.root_seed, draft.to_sign());
        self.crl = draft.finish(&signature).unwrap();
    }

    pub fn seal(&self, content: &[u8]) -> Vec<u8> {
        let draft = seal::prepare(&Digest::of(content), &self.sender, &[], self.now).unwrap();
        let signature = sign(SENDER, draft.to_sign());
        draft.finish(&signature).unwrap()
    }

    pub fn stamp(&self, content: &[u8]) -> Vec<u8> {
        let request = Request::new(Digest::of(content), [5; 16]);
        let policy = identity::asn1::oid::Oid::from_dotted("2.25.1").unwrap();
        let draft = timestamp::prepare(&request, &self.stamper, &policy, &[9, 9], self.now).unwrap();
        let signature = sign(STAMPER, draft.to_sign());
        draft.finish(&signature).unwrap()
    }

    pub fn trust(&self) -> Trust<'_> {
        Trust {
            anchors: std::slice::from_ref(&self.root),
            intermediates: &[],
            crls: std::slice::from_ref(&self.crl),
            revocation: Revocation::Required,
        }
    }
}

fn empty_crl(root_seed: u8, root: &Certificate, from: Instant, now: Instant) -> Crl {
    let draft = prepare_crl(root, 1, from, Instant(now.0 + 30 * DAY), &[]).unwrap();
    let signature = sign(root_seed, draft.to_sign());
    draft.finish(&signature).unwrap()
}
