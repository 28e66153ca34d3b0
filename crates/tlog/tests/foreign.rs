//! Reads what programs of others wrote: the files in `go/` were made by `conformance/tlog/run make`, with
//! golang.org/x/mod v0.42.0 (trees, notes) and filippo.io/torchwood v0.9.0 (policies, receipts, cosignatures).
//! The log has 300 entries, the decimal numbers from 0; its keys are made from the numbers 11, 12 and 13.

use tlog::checkpoint::Checkpoint;
use tlog::cosignature::{Cosigner, Timestamp};
use tlog::key::KeyName;
use tlog::merkle::{self, Hash, Unproven};
use tlog::policy::{Period, Policy};
use tlog::proof::{Proof, Refuted};
use tlog::witness::{Refusal, Request, Witness};

const POLICY: &[u8] = include_bytes!("go/policy");

const RECEIPTS: [(u64, &[u8]); 3] = [
    (0, include_bytes!("go/0.tlog-proof")),
    (255, include_bytes!("go/255.tlog-proof")),
    (299, include_bytes!("go/299.tlog-proof")),
];

const REQUESTS: [(u64, &[u8], &str); 4] = [
    (1, include_bytes!("go/1.request"), include_str!("go/1.root")),
    (100, include_bytes!("go/100.request"), include_str!("go/100.root")),
    (256, include_bytes!("go/256.request"), include_str!("go/256.root")),
    (299, include_bytes!("go/299.request"), include_str!("go/299.root")),
];

fn leaf(index: u64) -> Hash {
    merkle::leaf_hash(index.to_string().as_bytes())
}

#[test]
fn receipts_of_others_verify() {
    let policy = Policy::parse(POLICY).unwrap();
    for (index, bytes) in RECEIPTS {
        let proof = Proof::parse(bytes).unwrap();
        assert_eq!(proof.to_string().as_bytes(), bytes);
        assert_eq!((proof.index(), proof.extra()), (index, Some(b"go".as_slice())));
        let period = Period::up_to(Timestamp::MAX);
        let accepted = proof.verify(&leaf(index), &policy, period).unwrap();
        assert_eq!(accepted.checkpoint().size(), 300);
        let names: Vec<&str> = accepted.cosigned().iter().map(|(witness, _)| witness.name()).collect();
        assert_eq!(names, ["one", "two"]);
        let other = proof.verify(&leaf(index + 1), &policy, period).map(|_| ());
        assert_eq!(other, Err(Refuted::Inclusion(Unproven::Root)));
        // In 2020 nobody had cosigned yet.
        let early =
            proof.verify(&leaf(index), &policy, Period::up_to(Timestamp::new(1_577_836_800).unwrap()));
        assert_eq!(early.map(|_| ()).map_err(|refuted| refuted.code()), Err("tlog/policy-quorum"));
    }
}

#[test]
fn requests_of_others_are_cosigned() {
    let policy = Policy::parse(POLICY).unwrap();
    let cosigner = Cosigner::new(KeyName::parse("witness.example/w").unwrap(), &[1; 32]);
    let witness = Witness::new(cosigner, [policy.logs()[0].key().clone()]).unwrap();
    let now = Timestamp::new(1_800_000_000).unwrap();
    for (old, bytes, root) in REQUESTS {
        let request = Request::parse(bytes).unwrap();
        assert_eq!(request.to_string().as_bytes(), bytes);
        let seen = |root| Checkpoint::new(request.origin().clone(), old, root).unwrap();
        let root = Hash::parse(root.trim_end()).unwrap();
        let cosigned = witness.add_checkpoint(&request, Some(&seen(root)), now).unwrap();
        assert_eq!(cosigned.state.size(), 300);
        let forked = witness.add_checkpoint(&request, Some(&seen(Hash::EMPTY)), now);
        assert_eq!(forked, Err(Refusal::Inconsistent(Unproven::Root)));
    }
}
