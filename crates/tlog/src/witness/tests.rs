use super::*;
use crate::appender::Appender;
use crate::note::Signer;
use std::convert::Infallible;

const ORIGIN: &str = "example.org/log";

fn name(text: &str) -> KeyName {
    KeyName::parse(text).unwrap()
}

fn log_key() -> Signer {
    Signer::new(name(ORIGIN), &[1; 32])
}

fn witness() -> Witness {
    let cosigner = Cosigner::new(name("example.net/w"), &[2; 32]);
    Witness::new(cosigner, [log_key().verifier().clone()]).unwrap()
}

fn now() -> Timestamp {
    Timestamp::new(1_679_315_147).unwrap()
}

/// Leaves of one history; another `history` differs from leaf 5 on.
fn leaves(n: u64, history: u64) -> Vec<Hash> {
    (0..n)
        .map(|i| {
            merkle::leaf_hash(&[i.to_be_bytes(), if i < 5 { 0 } else { history }.to_be_bytes()].concat())
        })
        .collect()
}

fn checkpoint(leaves: &[Hash]) -> Checkpoint {
    let growth = Appender::new().append(leaves).unwrap();
    Checkpoint::new(name(ORIGIN), growth.size, growth.root).unwrap()
}

fn proof(old: u64, leaves: &[Hash]) -> Vec<Hash> {
    merkle::consistency_proof(old, leaves.len() as u64, |p| {
        let (start, end) = ((p.end() - (1 << p.level())) as usize, p.end() as usize);
        Ok::<_, Infallible>(merkle::fold_perfect(&leaves[start..end]))
    })
    .unwrap()
}

fn request(old: u64, leaves: &[Hash]) -> Request {
    Request::new(old, proof(old, leaves), checkpoint(leaves).sign(&log_key()).unwrap()).unwrap()
}

#[test]
fn a_growing_log_is_cosigned() {
    let witness = witness();
    let mut state: Option<Checkpoint> = None;
    let mut old = 0;
    for size in [0, 0, 1, 1, 2, 7, 8, 8, 300, 301] {
        let leaves = leaves(size, 0);
        let sent = request(old, &leaves);
        let received = Request::parse(sent.to_string().as_bytes()).unwrap();
        assert_eq!(received, sent);
        let cosigned = witness.add_checkpoint(&received, state.as_ref(), now()).unwrap();
        assert_eq!(cosigned.state, checkpoint(&leaves));
        let mut ours = sent.checkpoint.clone();
        assert_eq!(ours.attach(cosigned.body().as_bytes(), &[witness.verifier().clone()]), Ok(1));
        assert_eq!(cosigned.published, ours);
        state = Some(cosigned.state);
        old = size;
    }
}

#[test]
fn a_forked_log_is_refused() {
    let witness = witness();
    let seen = checkpoint(&leaves(10, 0));
    let forked = request(10, &leaves(20, 1));
    let refusal = witness.add_checkpoint(&forked, Some(&seen), now()).unwrap_err();
    assert_eq!(refusal, Refusal::Inconsistent(Unproven::Root));
    assert_eq!((refusal.status(), refusal.code()), (422, "tlog/witness-inconsistent"));
    // Same size, another root.
    let same = request(10, &leaves(10, 1));
    let refusal = witness.add_checkpoint(&same, Some(&seen), now()).unwrap_err();
    assert_eq!(refusal, Refusal::Inconsistent(Unproven::Root));
    // The fork is no fork where the histories are still one.
    let early = checkpoint(&leaves(5, 0));
    assert!(witness.add_checkpoint(&request(5, &leaves(20, 1)), Some(&early), now()).is_ok());
}

#[test]
fn a_log_that_was_rolled_back_is_told_the_last_size() {
    let witness = witness();
    let seen = checkpoint(&leaves(10, 0));
    for (old, size) in [(0, 10), (0, 20), (9, 20), (9, 9), (11, 20), (0, 0)] {
        let refusal =
            witness.add_checkpoint(&request(old, &leaves(size, 0)), Some(&seen), now()).unwrap_err();
        assert_eq!(refusal, Refusal::Conflict(10), "{old} to {size}");
        assert_eq!((refusal.status(), refusal.media_type()), (409, "text/x.tlog.size"));
        assert_eq!(refusal.body(), "10\n");
        assert_eq!(parse_conflict(refusal.body().as_bytes()), Some(10));
    }
    // Below what was seen, however the request is spelled, nothing is cosigned.
    let mut below = request(9, &leaves(9, 0));
    below.old = 10;
    assert_eq!(witness.add_checkpoint(&below, Some(&seen), now()), Err(Refusal::OldExceedsNew));
    assert_eq!(Refusal::OldExceedsNew.status(), 400);
    let first = witness.add_checkpoint(&request(4, &leaves(9, 0)), None, now());
    assert_eq!(first, Err(Refusal::Conflict(0)));
}

#[test]
fn a_wrong_proof_is_refused() {
    let witness = witness();
    let seen = checkpoint(&leaves(10, 0));
    let good = request(10, &leaves(20, 0));
    assert!(witness.add_checkpoint(&good, Some(&seen), now()).is_ok());
    let refused = |request: Request, seen: Option<&Checkpoint>| {
        witness.add_checkpoint(&request, seen, now()).unwrap_err().status()
    };
    for at in 0..good.proof.len() {
        let mut wrong = good.clone();
        wrong.proof[at] = Hash::EMPTY;
        assert_eq!(refused(wrong, Some(&seen)), 422);
        let mut short = good.clone();
        short.proof.remove(at);
        assert_eq!(refused(short, Some(&seen)), 422);
    }
    let mut from_nothing = request(0, &leaves(20, 0));
    from_nothing.proof.push(Hash::EMPTY);
    assert_eq!(refused(from_nothing, None), 422);
    let mut same = request(10, &leaves(10, 0));
    same.proof.push(Hash::EMPTY);
    assert_eq!(refused(same, Some(&seen)), 422);
    let hollow = Checkpoint::new(name(ORIGIN), 0, *seen.root()).unwrap().sign(&log_key()).unwrap();
    let hollow = Request::new(0, vec![], hollow).unwrap();
    assert_eq!(witness.add_checkpoint(&hollow, None, now()), Err(Refusal::EmptyRoot));
}

#[test]
fn only_known_logs_are_cosigned() {
    let witness = witness();
    let stranger = Signer::new(name("example.org/stranger"), &[1; 32]);
    let unknown = Checkpoint::new(name("example.org/stranger"), 0, Hash::EMPTY).unwrap();
    let unknown = Request::new(0, vec![], unknown.sign(&stranger).unwrap()).unwrap();
    let refusal = witness.add_checkpoint(&unknown, None, now()).unwrap_err();
    assert_eq!(refusal.status(), 404);
    let impostor = Signer::new(name(ORIGIN), &[9; 32]);
    let forged = checkpoint(&leaves(1, 0)).sign(&impostor).unwrap();
    let refusal = witness.add_checkpoint(&Request::new(0, vec![], forged).unwrap(), None, now());
    assert_eq!(refusal, Err(Refusal::Signature(NoteError::Unsigned)));
    assert_eq!(Refusal::Signature(NoteError::Unsigned).status(), 403);
    // The right name and id over another text: malformed, also when a good signature stands beside it.
    let other = log_key().sign("other\n");
    let text = checkpoint(&leaves(1, 0)).to_string();
    let note = Note::new(&text, vec![log_key().sign(&text), other]).unwrap();
    let both = SignedCheckpoint::parse(note.to_string().as_bytes()).unwrap();
    let refusal = witness.add_checkpoint(&Request::new(0, vec![], both).unwrap(), None, now());
    assert_eq!(refusal.map_err(|r| r.status()), Err(403));
    let foreign = Checkpoint::new(name("example.org/stranger"), 0, Hash::EMPTY).unwrap();
    let refusal = witness.add_checkpoint(&request(0, &leaves(1, 0)), Some(&foreign), now());
    assert_eq!(refusal, Err(Refusal::ForeignState));
    let cosigner = Cosigner::new(name("w"), &[2; 32]);
    let key = cosigner.verifier().clone();
    assert_eq!(Witness::new(cosigner, [key]).map(|_| ()), Err(KeyError::Algorithm(4)));
}

#[test]
fn strangers_signatures_are_not_published() {
    let witness = witness();
    let mut sent = request(0, &leaves(3, 0));
    let other = Cosigner::new(name("example.net/other"), &[7; 32]);
    let line = format!("{}\n", other.cosign(sent.checkpoint.claimed(), now()));
    sent.checkpoint.attach(line.as_bytes(), &[other.verifier().clone()]).unwrap();
    let cosigned = witness.add_checkpoint(&sent, None, now()).unwrap();
    let names: Vec<&str> = cosigned.published.note().signatures().iter().map(|s| s.name().as_str()).collect();
    assert_eq!(names, [ORIGIN, "example.net/w"]);
}

#[test]
fn the_example_of_the_specification_reads_back() {
    let text = "old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
";
    let request = Request::parse(text.as_bytes()).unwrap();
    assert_eq!((request.old, request.proof.len()), (20_852_014, 4));
    assert_eq!(request.to_string(), text);
}

#[test]
fn other_spellings_are_refused() {
    let good = request(10, &leaves(20, 0)).to_string();
    let check = |text: String, expected: RequestError| {
        assert_eq!(Request::parse(text.as_bytes()), Err(expected), "{text:?}");
    };
    check(good.replacen("old 10", "old 010", 1), RequestError::Old);
    check(good.replacen("old 10", "old  10", 1), RequestError::Old);
    check(good.replacen("old 10", "old", 1), RequestError::Old);
    check(good.replacen("old 10", "old 9223372036854775808", 1), RequestError::Old);
    check(good.replacen("old 10\n", "old 10\nnonsense\n", 1), RequestError::Proof);
    check(good.replacen("\n\n", "\n", 2), RequestError::Proof);
    let hash = format!("{}\n", Hash::EMPTY);
    check(good.replacen("old 10\n", &format!("old 10\n{}", hash.repeat(60)), 1), RequestError::Proof);
    assert!(matches!(
        Request::parse(good.replacen(ORIGIN, "a b", 1).as_bytes()),
        Err(RequestError::Checkpoint(CheckpointError::Origin))
    ));
    check("a".repeat(REQUEST_BYTES_MAX + 1), RequestError::Limit);
    for wrong in ["", "\n", "10", "010\n", "10\n\n", "9223372036854775808\n", "100000000000000000000\n"] {
        assert_eq!(parse_conflict(wrong.as_bytes()), None, "{wrong:?}");
    }
}
