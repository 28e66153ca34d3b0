//! An invented authority, sender and receiver with keys that anyone can compute: for tests and samples alone.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use identity::certificate::{Issuer, Order, Profile, prepare, prepare_crl};
use identity::key::{Algorithm, PublicKey, Signature};
use identity::x509::path::Revocation;
use identity::x509::{AltName, Certificate, Crl, Name, Revoked};
use model::event::{Event, EventKind};
use model::manifest::{Chunk, Manifest};
use model::{Digest, Instant, canonical};
use p256::ecdsa::{SigningKey, signature::Signer as _};
use tlog::appender::Appender;
use tlog::checkpoint::Checkpoint;
use tlog::cosignature::{Cosigner, Timestamp};
use tlog::entry::{Commitment, Salt, Tag};
use tlog::key::KeyName;
use tlog::merkle::{self, Hash};
use tlog::note::Signer;
use tlog::policy::Policy;
use tlog::proof::Proof;
use tlog::witness::{Request as WitnessRequest, Witness};
use trust::EVENT_TAG;
use trust::bundle::container::Files;
use trust::bundle::{Unsealed, file};
use trust::receipt::{DeliveryEvent, Receipt};
use trust::script::VERIFY_SH;
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
        self.seal_by(SENDER, content)
    }

    fn seal_by(&self, seed: u8, content: &[u8]) -> Vec<u8> {
        let draft = seal::prepare(&Digest::of(content), &self.sender, &[], self.now).unwrap();
        let signature = sign(seed, draft.to_sign());
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

/// The delivered bytes: three chunks, the last one short.
pub fn data() -> Vec<u8> {
    (0..2_500u32).flat_map(|n| format!("row {n},{}\n", n * 7 % 1_000).into_bytes()).collect()
}

pub fn manifest(transfer: &str) -> Manifest {
    let chunks = data()
        .chunks(10_000)
        .map(|bytes| Chunk { id: Digest::of(bytes), bytes: bytes.len() as u64, rows: 0 })
        .collect();
    Manifest {
        version: 1,
        transfer: transfer.into(),
        sequence: 0,
        agreement: "urn:uuid:agreement-1".into(),
        decision: Digest::of(b"decision"),
        rulebook: Digest::of(b"rulebook"),
        report: None,
        schema: vec!["row".into(), "n".into()],
        chunks,
        position: "2500".into(),
        previous: None,
    }
}

pub fn receipt(world: &World, manifest: &Manifest) -> String {
    receipt_signed(world, RECEIVER, manifest)
}

fn receipt_signed(world: &World, seed: u8, manifest: &Manifest) -> String {
    let receipt = Receipt {
        version: 1,
        id: "urn:uuid:evidence-1".into(),
        event: DeliveryEvent::ContentHandover,
        at: world.now,
        reasons: vec![],
        issuer: "did:web:kita.example".into(),
        sender: "did:web:nord.example".into(),
        recipient: "did:web:kita.example".into(),
        transfer: manifest.transfer.clone(),
        agreement: manifest.agreement.clone(),
        manifest: manifest.digest().unwrap(),
        sequence: manifest.sequence,
    };
    let draft = receipt.prepare(std::slice::from_ref(&world.receiver)).unwrap();
    let signature = sign(seed, draft.to_sign());
    draft.finish(&signature).unwrap()
}

/// How the log behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LogKind {
    Honest,
    /// The proof is shown with a checkpoint from before the event.
    Older,
    /// The log left the event out and grew on, the proof is the old one.
    Dropped,
    /// No witness saw the checkpoint.
    Unwitnessed,
}

fn log_signer() -> Signer {
    Signer::new(KeyName::parse("nord.example/log/2026h2").unwrap(), &[21; 32])
}

fn witness() -> Witness {
    let cosigner = Cosigner::new(KeyName::parse("authority.example/witness").unwrap(), &[22; 32]);
    Witness::new(cosigner, [log_signer().verifier().clone()]).unwrap()
}

/// The policy that an outsider trusts: this log, seen by this witness.
pub fn policy() -> String {
    let (log, witness) = (log_signer(), witness());
    format!(
        "log {}\nwitness authority {}\ngroup all 1 authority\nquorum all\n",
        log.verifier(),
        witness.verifier()
    )
}

pub fn parsed_policy() -> Policy {
    Policy::parse(policy().as_bytes()).unwrap()
}

fn entry(salt: u8, event: &[u8]) -> Hash {
    Commitment::new(&Tag::new(EVENT_TAG).unwrap(), &Salt::new([salt; 32]), event).leaf_hash()
}

/// The proof of the event's place among eleven others.
pub fn proof(world: &World, event: &[u8], kind: LogKind) -> String {
    let mut leaves: Vec<Hash> = (0..12).map(|n| entry(n, format!("{{\"n\":{n}}}").as_bytes())).collect();
    let index = 9;
    leaves[index] = entry(77, event);
    let path = inclusion(&leaves, index);
    match kind {
        LogKind::Older => leaves.truncate(7),
        LogKind::Dropped => drop(leaves.remove(index)),
        LogKind::Honest | LogKind::Unwitnessed => {}
    }
    let growth = Appender::new().append(&leaves).unwrap();
    let signer = log_signer();
    let checkpoint =
        Checkpoint::new(KeyName::parse("nord.example/log/2026h2").unwrap(), growth.size, growth.root);
    let mut signed = checkpoint.unwrap().sign(&signer).unwrap();
    if kind != LogKind::Unwitnessed {
        let now = Timestamp::new(world.now.seconds() as u64).unwrap();
        let request = WitnessRequest::new(0, vec![], signed.clone()).unwrap();
        let witness = witness();
        let answer = witness.add_checkpoint(&request, None, now).unwrap().body();
        signed.attach(answer.as_bytes(), &[witness.verifier().clone()]).unwrap();
    }
    Proof::new(index as u64, path, signed).unwrap().to_string()
}

fn inclusion(leaves: &[Hash], index: usize) -> Vec<Hash> {
    let growth = Appender::new().append(leaves).unwrap();
    let tiles: BTreeMap<_, _> = growth.tiles.iter().cloned().collect();
    let mut reader =
        tlog::tile::Reader::new(growth.size, |tile| tiles.get(&tile).cloned().ok_or("no such tile"));
    merkle::inclusion_proof(index as u64, growth.size, |position| reader.hash(position)).unwrap()
}

/// The files of a bundle before its seal.
pub fn files(world: &World, log: LogKind) -> Files {
    let stated = manifest("urn:uuid:transfer-1");
    let delivery = canonical::to_bytes(&stated).unwrap();
    let event = Event {
        kind: EventKind::Received,
        at: world.now,
        legal_day: None,
        process: stated.transfer.clone(),
        binds: [("manifest".to_owned(), stated.digest().unwrap())].into(),
        rules: vec![],
        counts: BTreeMap::new(),
    };
    let event = canonical::to_bytes(&event).unwrap();
    let seal = world.seal(&delivery);
    let files: [(&str, Vec<u8>); 9] = [
        (file::DELIVERY_STAMP, world.stamp(&seal)),
        (file::DELIVERY_SEAL, seal),
        (file::DELIVERY, delivery),
        (file::RECEIPT, receipt(world, &stated).into_bytes()),
        (file::LOG_PROOF, proof(world, &event, log).into_bytes()),
        (file::EVENT, event),
        (file::EVENT_SALT, format!("{}\n", Digest([77; 32])).into_bytes()),
        (file::REVOCATION, world.crl.to_pem().into_bytes()),
        (file::SCRIPT, VERIFY_SH.as_bytes().to_vec()),
    ];
    files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

/// Seals by one world and stamps by another, mostly the same.
pub fn bundle(files: Files, sealer: &World, stamper: &World) -> Vec<u8> {
    let unsealed = Unsealed::new(files).unwrap();
    let signature = sealer.seal(unsealed.manifest());
    let unstamped = unsealed.sealed(signature);
    let token = stamper.stamp(unstamped.manifest());
    unstamped.stamped(token).to_bytes().unwrap()
}

/// A forgery: its name, the step at which it must fail, and the container.
pub type Forgery = (&'static str, &'static str, Vec<u8>);

/// What a forger would try, each thing once; all that is not said is as in the good bundle.
pub fn forgeries(world: &World) -> Vec<Forgery> {
    use trust::bundle::container::{read, render};
    let good = bundle(files(world, LogKind::Honest), world, world);
    let other = World::new(OTHER_ROOT, world.now);
    let honest = || files(world, LogKind::Honest);
    let altered = |change: &dyn Fn(&mut Files)| {
        let mut files = read(&good).unwrap();
        change(&mut files);
        render(&files).unwrap()
    };
    let resealed = |change: &dyn Fn(&mut Files)| {
        let mut files = honest();
        change(&mut files);
        bundle(files, world, world)
    };
    let put = |name: &'static str, bytes: Vec<u8>| {
        resealed(&move |files| drop(files.insert(name.into(), bytes.clone())))
    };
    let mut revoked = World::new(ROOT, world.now);
    let at = Instant(world.now.0 - DAY / 2);
    revoked.revoke(&[Revoked { serial: world.sender.serial().to_vec(), at, reason: Some(1) }]);
    let mut wrong_byte = good.clone();
    let place = wrong_byte.windows(12).position(|window| window == b"\"agreement\":").unwrap();
    wrong_byte[place + 3] ^= 1;
    let another = manifest("urn:uuid:transfer-2");
    let mut longer = manifest("urn:uuid:transfer-1");
    longer.chunks.push(longer.chunks[0].clone());
    vec![
        ("changed-byte", "container", wrong_byte),
        ("prefix", "container", [b"#!/bin/sh\n", good.as_slice()].concat()),
        (
            "rezipped",
            "digests",
            altered(&|files| {
                let text = String::from_utf8(files[file::DELIVERY].clone()).unwrap();
                files.insert(file::DELIVERY.into(), text.replace("transfer-1", "transfer-2").into_bytes());
            }),
        ),
        ("extra-file", "digests", altered(&|files| drop(files.insert("more.txt".into(), vec![1])))),
        ("left-out", "digests", altered(&|files| drop(files.remove(file::RECEIPT)))),
        ("other-authority", "seal", bundle(honest(), &other, &other)),
        ("stamper-as-sealer", "seal", {
            let unsealed = Unsealed::new(honest()).unwrap();
            let digest = Digest::of(unsealed.manifest());
            let draft = seal::prepare(&digest, &world.stamper, &[], world.now).unwrap();
            let signature = sign(STAMPER, draft.to_sign());
            let unstamped = unsealed.sealed(draft.finish(&signature).unwrap());
            let token = world.stamp(unstamped.manifest());
            unstamped.stamped(token).to_bytes().unwrap()
        }),
        ("revoked", "seal", bundle(files(&revoked, LogKind::Honest), &revoked, &revoked)),
        ("seal-of-other-manifest", "seal", {
            let unstamped = Unsealed::new(honest()).unwrap().sealed(world.seal(b"another manifest"));
            let token = world.stamp(unstamped.manifest());
            unstamped.stamped(token).to_bytes().unwrap()
        }),
        ("other-stamper", "stamp", bundle(honest(), world, &other)),
        (
            "delivery-sealed-by-other",
            "delivery",
            put(file::DELIVERY_SEAL, other.seal(&honest()[file::DELIVERY])),
        ),
        ("delivery-longer", "delivery", put(file::DELIVERY, canonical::to_bytes(&longer).unwrap())),
        ("older-checkpoint", "log", bundle(files(world, LogKind::Older), world, world)),
        ("dropped-leaf", "log", bundle(files(world, LogKind::Dropped), world, world)),
        ("unwitnessed", "log", bundle(files(world, LogKind::Unwitnessed), world, world)),
        ("other-salt", "log", put(file::EVENT_SALT, format!("{}\n", Digest([78; 32])).into_bytes())),
        ("receipt-of-other-transfer", "receipt", put(file::RECEIPT, receipt(world, &another).into_bytes())),
        ("receipt-by-other-authority", "receipt", {
            put(file::RECEIPT, receipt(&other, &manifest("urn:uuid:transfer-1")).into_bytes())
        }),
        ("sealed-by-receiver", "receipt", {
            let swapped = World { sender: world.receiver.clone(), ..World::new(ROOT, world.now) };
            let seal = swapped.seal_by(RECEIVER, &honest()[file::DELIVERY]);
            resealed(&|files| {
                files.insert(file::DELIVERY_STAMP.into(), world.stamp(&seal));
                files.insert(file::DELIVERY_SEAL.into(), seal.clone());
            })
        }),
        ("receipt-by-sender", "receipt", {
            let swapped = World { receiver: world.sender.clone(), ..World::new(ROOT, world.now) };
            let token = receipt_signed(&swapped, SENDER, &manifest("urn:uuid:transfer-1"));
            put(file::RECEIPT, token.into_bytes())
        }),
    ]
}

/// Every file of the good bundle with its middle or last byte changed and all checksums of the ZIP made right again.
pub fn changed_bytes(world: &World) -> Vec<(String, Vec<u8>)> {
    use trust::bundle::container::{read, render};
    let good = read(&bundle(files(world, LogKind::Honest), world, world)).unwrap();
    let mut changed = Vec::new();
    for (name, content) in &good {
        for (what, at) in [("middle", content.len() / 2), ("last", content.len() - 1)] {
            let mut files = good.clone();
            files.get_mut(name).unwrap()[at] ^= 1;
            changed.push((format!("{what}-of-{}", name.replace('/', "-")), render(&files).unwrap()));
        }
    }
    changed
}
