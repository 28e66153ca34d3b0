use super::*;
use crate::cosignature::Cosigner;
use crate::key::KeyError;
use crate::merkle::Hash;
use crate::note::Signer;

fn name(text: &str) -> KeyName {
    KeyName::parse(text).unwrap()
}

fn log() -> Signer {
    Signer::new(name("example.org/log"), &[100; 32])
}

fn witness(n: u8) -> Cosigner {
    Cosigner::new(name(&format!("example.net/w{n}")), &[n; 32])
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::new(seconds).unwrap()
}

/// The example of the specification, with keys: two of X1 to X3 and any of Y1 to Y3.
fn two_levels() -> String {
    let mut text = format!("# an example\n\n log\t{}  https://example.org/log/\n", log().verifier());
    for (group, rule, members) in [("X", "2", 1..=3), ("Y", "any", 4..=6)] {
        for n in members.clone() {
            text += &format!("witness {group}{n} {}\n", witness(n).verifier());
        }
        let names: Vec<String> = members.map(|n| format!("{group}{n}")).collect();
        text += &format!("group {group} {rule} {} \n", names.join("  "));
    }
    text + "group both all X Y\nquorum both\n"
}

fn cosigned(by: &[u8]) -> SignedCheckpoint {
    let checkpoint = Checkpoint::new(name("example.org/log"), 0, Hash::EMPTY).unwrap();
    let mut signed = checkpoint.clone().sign(&log()).unwrap();
    for n in by {
        let line = format!("{}\n", witness(*n).cosign(&checkpoint, at(1000 + u64::from(*n))));
        signed.attach(line.as_bytes(), &[witness(*n).verifier().clone()]).unwrap();
    }
    signed
}

#[test]
fn a_quorum_of_two_levels() {
    let policy = Policy::parse(two_levels().as_bytes()).unwrap();
    assert_eq!(policy.logs()[0].url(), Some("https://example.org/log/"));
    let verify =
        |by: &[u8]| policy.verify(&cosigned(by), Period::up_to(at(2000))).map(|a| a.cosigned().len());
    assert_eq!(verify(&[1, 2, 4]), Ok(3));
    assert_eq!(verify(&[1, 3, 6, 5]), Ok(4));
    assert_eq!(
        verify(&[1, 4, 5, 6]),
        Err(Rejected::Quorum(vec!["X1".into(), "Y4".into(), "Y5".into(), "Y6".into()]))
    );
    assert_eq!(verify(&[1, 2, 3]).unwrap_err().code(), "tlog/policy-quorum");
    assert_eq!(verify(&[]), Err(Rejected::Quorum(vec![])));
    // A cosignature of an unknown witness is ignored.
    assert_eq!(verify(&[1, 2, 4, 9]), Ok(3));
}

#[test]
fn a_cosignature_counts_only_in_its_time() {
    let text = format!("log {}\nwitness w {}\nquorum w\n", log().verifier(), witness(1).verifier());
    let policy = Policy::parse(text.as_bytes()).unwrap();
    let verify = |period| policy.verify(&cosigned(&[1]), period).is_ok();
    assert!(verify(Period::up_to(at(1001))));
    assert!(!verify(Period::up_to(at(1000))), "from the future");
    assert!(verify(Period::within(10, at(1011))));
    assert!(!verify(Period::within(9, at(1011))), "too old");
    assert!(verify(Period::within(5000, at(1011))));
    let accepted = policy.verify(&cosigned(&[1]), Period::up_to(at(5000))).map(|a| a.cosigned()[0].1);
    assert_eq!(accepted, Ok(at(1001)));
}

#[test]
fn a_witness_counts_once_however_often_it_signs() {
    let text = format!(
        "log {}\nwitness a {}\nwitness b {}\ngroup g 2 a b\nquorum g\n",
        log().verifier(),
        witness(1).verifier(),
        witness(2).verifier()
    );
    let policy = Policy::parse(text.as_bytes()).unwrap();
    let mut signed = cosigned(&[1]);
    let again = format!("{}\n", witness(1).cosign(signed.claimed(), at(1500)));
    signed.attach(again.as_bytes(), &[witness(1).verifier().clone()]).unwrap();
    assert_eq!(signed.note().signatures().len(), 3);
    assert_eq!(policy.verify(&signed, Period::up_to(at(2000))), Err(Rejected::Quorum(vec!["a".into()])));
}

#[test]
fn the_log_must_be_known_and_must_have_signed() {
    let verify = |text: String, signed: &SignedCheckpoint| {
        let policy = Policy::parse(text.as_bytes()).unwrap();
        policy.verify(signed, Period::up_to(at(2000))).map(|_| ()).map_err(|r| r.code())
    };
    let signed = cosigned(&[1]);
    let quorum = format!("witness w {}\nquorum w\n", witness(1).verifier());
    assert_eq!(verify(quorum.clone(), &signed), Err("tlog/policy-log-unknown"));
    let other = Signer::new(name("example.org/other"), &[101; 32]);
    assert_eq!(
        verify(format!("log {}\n{quorum}", other.verifier()), &signed),
        Err("tlog/policy-log-unknown")
    );
    let impostor = Signer::new(name("example.org/log"), &[102; 32]);
    assert_eq!(verify(format!("log {}\n{quorum}", impostor.verifier()), &signed), Err("tlog/note-unsigned"));
    // Either key of a log that changes keys will do.
    let both = format!("log {}\nlog {}\n{quorum}", impostor.verifier(), log().verifier());
    assert_eq!(verify(both, &signed), Ok(()));
    assert_eq!(verify(format!("log {}\nquorum none\n", log().verifier()), &cosigned(&[])), Ok(()));
}

#[test]
fn a_bad_cosignature_of_a_known_witness_spoils_the_note() {
    let text = two_levels();
    let policy = Policy::parse(text.as_bytes()).unwrap();
    let good = cosigned(&[1, 2, 4]).to_string();
    let start = good.find("example.net/w2 ").unwrap() + "example.net/w2 ".len() + 30;
    let mut forged = good.into_bytes();
    forged[start] = if forged[start] == b'A' { b'B' } else { b'A' };
    let forged = SignedCheckpoint::parse(&forged).unwrap();
    let verdict = policy.verify(&forged, Period::up_to(at(2000)));
    assert_eq!(verdict, Err(Rejected::Note(NoteError::BadSignature(name("example.net/w2")))));
}

#[test]
fn every_mistake_is_named_with_its_line() {
    let (log, w1, w2) = (log(), witness(1), witness(2));
    let (log, w1, w2) = (log.verifier(), w1.verifier(), w2.verifier());
    let other_name = Cosigner::new(name("example.net/alias"), &[1; 32]);
    let base = format!("log {log}\nwitness a {w1}\nwitness b {w2}\n");
    let check = |text: &str, line, mistake| {
        let faults = Policy::parse(text.as_bytes()).unwrap_err();
        let faults: Vec<_> = faults.iter().map(|fault| (fault.line(), fault.mistake().clone())).collect();
        assert_eq!(faults, [(line, mistake)], "{text}");
    };
    check(&base, 4, Mistake::NoQuorum);
    check("", 1, Mistake::NoQuorum);
    check("quorum none", 1, Mistake::Newline);
    check("quorum none\r\n", 1, Mistake::Characters);
    check("quorum none\nquorum none\n", 2, Mistake::SecondQuorum);
    check("quorum none more\n", 1, Mistake::Words);
    check("quorum x\n", 1, Mistake::UnknownName("x".into()));
    check("quorums none\nquorum none\n", 1, Mistake::Keyword("quorums".into()));
    check(&format!("{base}log {log} url\nquorum none\n"), 4, Mistake::DuplicateKey);
    check(&format!("{base}log {log} url more\nquorum none\n"), 4, Mistake::Words);
    check(&format!("{base}log {w1}\nquorum none\n"), 4, Mistake::KeyType);
    check(&format!("{base}witness c {log}\nquorum none\n"), 4, Mistake::KeyType);
    check(&format!("{base}witness c {}\nquorum none\n", other_name.verifier()), 4, Mistake::DuplicateKey);
    check(&format!("{base}witness c nonsense\nquorum none\n"), 4, Mistake::Key(KeyError::Form));
    let third = witness(3);
    let third = third.verifier();
    check(&format!("{base}witness a {third}\nquorum a\n"), 4, Mistake::DuplicateName("a".into()));
    check(&format!("{base}witness none {third}\nquorum a\n"), 4, Mistake::DuplicateName("none".into()));
    check(&format!("{base}group a any b\nquorum a\n"), 4, Mistake::DuplicateName("a".into()));
    check(&format!("{base}group g any\nquorum a\n"), 4, Mistake::Words);
    check(&format!("{base}group g any none\nquorum a\n"), 4, Mistake::UnknownName("none".into()));
    check(&format!("{base}group g any g\nquorum a\n"), 4, Mistake::UnknownName("g".into()));
    check(&format!("{base}group g any a a\nquorum a\n"), 4, Mistake::SecondMembership("a".into()));
    check(
        &format!("{base}group g any a\ngroup h any a b\nquorum a\n"),
        5,
        Mistake::SecondMembership("a".into()),
    );
    for k in ["0", "3", "01", "+1", "-1", "some"] {
        check(&format!("{base}group g {k} a b\nquorum a\n"), 4, Mistake::Threshold(k.into()));
    }
    let two = Policy::parse(b"log x\nwitness y\nquorum none\n").unwrap_err();
    assert_eq!(two.iter().map(Fault::line).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn limits_are_kept() {
    assert_eq!(Policy::parse(&vec![b'\n'; POLICY_BYTES_MAX + 1]).unwrap_err()[0].mistake(), &Mistake::Limit);
    let many = "nonsense\n".repeat(1000);
    assert_eq!(Policy::parse(many.as_bytes()).unwrap_err().len(), POLICY_FAULTS_MAX);
    // What the specification asks for at least: 32 logs, 32 witnesses, 32 groups.
    let mut text = String::new();
    for n in 0..32_u8 {
        text += &format!("log {}\n", Signer::new(name(&format!("l{n}")), &[n; 32]).verifier());
        text += &format!("witness w{n} {}\ngroup g{n} any w{n}\n", witness(n).verifier());
    }
    assert!(Policy::parse((text + "quorum g31\n").as_bytes()).is_ok());
}

#[test]
fn names_are_octets() {
    let text = [
        format!("log {}\nwitness \u{212a} {}\nwitness K ", log().verifier(), witness(1).verifier())
            .as_bytes(),
        format!("{}\nwitness ", witness(2).verifier()).as_bytes(),
        b"\xff",
        format!(" {}\ngroup g all K \u{212a} ", witness(3).verifier()).as_bytes(),
        b"\xff\nquorum g\n",
    ]
    .concat();
    assert!(Policy::parse(&text).is_ok());
}
