use super::*;
use tlog::{key::KeyName, note::Signer};

fn signer(name: &str, seed: u8) -> Signer {
    Signer::new(KeyName::parse(&format!("example.org/{name}")).unwrap(), &[seed; 32])
}

fn edition(edition: u64, quorum: usize, signers: &[&Signer]) -> Keys {
    Keys { edition, quorum, keys: signers.iter().map(|s| s.verifier().clone()).collect() }
}

fn signed(text: &str, by: &[&Signer]) -> Note {
    Note::new(text, by.iter().map(|s| s.sign(text)).collect()).unwrap()
}

const FILES: [(&str, &[u8]); 2] = [("eu/act.md", b"law"), ("lists/one.md", b"list")];

fn release(number: u64, edition: u64) -> Release {
    let files = FILES.iter().map(|(p, b)| (p.to_string(), Digest::of(b))).collect();
    Release { number, edition, rulebook: Digest::of(b"book"), made: "2026-11-22".parse().unwrap(), files }
}

fn held(number: u64) -> Option<Held> {
    Some(Held { number, text: Digest::of(release(number, 1).render().as_bytes()) })
}

struct World {
    a: Signer,
    b: Signer,
    c: Signer,
    keys: Keys,
}

fn world() -> World {
    let (a, b, c) = (signer("a", 1), signer("b", 2), signer("c", 3));
    let keys = edition(1, 2, &[&a, &b, &c]);
    World { a, b, c, keys }
}

#[test]
fn texts_have_one_spelling_and_read_back() {
    let w = world();
    assert_eq!(Keys::parse(&w.keys.render()), Ok(w.keys.clone()));
    let r = release(7, 1);
    assert_eq!(Release::parse(&r.render()), Ok(r.clone()));
    for wrong in [
        r.render().replace("number 7", "number 07"),
        r.render().replace("eu/act.md", "eu/../act.md"),
        r.render().replace("eu/act.md", "/eu/act.md"),
        r.render().replace("lists/one.md", "eu/act.md"),
        r.render().replace("made 2026-11-22\n", ""),
        w.keys.render(),
    ] {
        assert_eq!(Release::parse(&wrong).unwrap_err().code(), "release/form", "{wrong}");
    }
    let twice = format!("{}key {}\n", w.keys.render(), w.a.verifier());
    assert_eq!(Keys::parse(&twice).unwrap_err().code(), "release/form");
    assert_eq!(Keys::parse(&w.keys.render().replace("quorum 2", "quorum 4")).unwrap_err().code(), "release/form");
}

#[test]
fn two_of_three_open_it_and_nothing_less() {
    let w = world();
    let text = release(7, 1).render();
    for two in [[&w.a, &w.b], [&w.b, &w.c], [&w.a, &w.c]] {
        assert_eq!(Release::verify(&w.keys, &signed(&text, &two), held(6), FILES).unwrap().number, 7);
    }
    let one = signed(&text, &[&w.a]);
    assert_eq!(Release::verify(&w.keys, &one, None, FILES), Err(ReleaseError::Quorum { signed: 1, needed: 2 }));
    // The same key twice is one; a stranger counts for nothing; one who takes a trusted name is found out.
    let mut again = signed(&text, &[&w.a]);
    again.attach(w.a.sign(&text)).unwrap();
    let stranger = signer("d", 9);
    let with_stranger = signed(&text, &[&w.a, &stranger]);
    for note in [again, with_stranger] {
        assert_eq!(Release::verify(&w.keys, &note, None, FILES), Err(ReleaseError::Quorum { signed: 1, needed: 2 }));
    }
    assert_eq!(Release::verify(&w.keys, &signed(&text, &[&stranger]), None, FILES), Err(ReleaseError::Quorum { signed: 0, needed: 2 }));
    let nobody = Keys { keys: Vec::new(), ..w.keys.clone() };
    assert_eq!(Release::verify(&nobody, &signed(&text, &[&w.a, &w.b]), None, FILES), Err(ReleaseError::NoKeys));
}

#[test]
fn a_changed_word_breaks_the_signatures() {
    let w = world();
    let note = signed(&release(7, 1).render(), &[&w.a, &w.b]).to_string();
    for (from, to) in [("number 7", "number 8"), ("eu/act.md", "eu/art.md"), ("made 2026", "made 2027")] {
        let forged = Note::parse(note.replace(from, to).as_bytes()).unwrap();
        assert_eq!(Release::verify(&w.keys, &forged, None, FILES).unwrap_err().code(), "tlog/note-signature-bad");
    }
}

#[test]
fn an_older_release_and_another_of_the_same_number_are_refused() {
    let w = world();
    let note = signed(&release(7, 1).render(), &[&w.a, &w.b]);
    assert_eq!(Release::verify(&w.keys, &note, held(8), FILES), Err(ReleaseError::Downgrade { offered: 7, held: 8 }));
    assert!(Release::verify(&w.keys, &note, held(7), FILES).is_ok(), "the same again is no downgrade");
    let other = Release { made: "2026-11-23".parse().unwrap(), ..release(7, 1) };
    let other = signed(&other.render(), &[&w.a, &w.b]);
    assert_eq!(Release::verify(&w.keys, &other, held(7), FILES), Err(ReleaseError::SameNumber(7)));
}

#[test]
fn a_file_that_differs_is_absent_or_was_never_signed_is_refused() {
    let w = world();
    let note = signed(&release(7, 1).render(), &[&w.a, &w.b]);
    let verify = |files: &[(&'static str, &'static [u8])]| Release::verify(&w.keys, &note, None, files.iter().copied()).unwrap_err();
    assert_eq!(verify(&[("eu/act.md", b"Law"), FILES[1]]), ReleaseError::Altered("eu/act.md".into()));
    assert_eq!(verify(&[FILES[0]]), ReleaseError::Missing("lists/one.md".into()));
    assert_eq!(verify(&[FILES[0], FILES[1], ("x.md", b"")]), ReleaseError::Unlisted("x.md".into()));
    assert_eq!(release(7, 1).is_of(Digest::of(b"another")), Err(ReleaseError::OtherRulebook));
}

#[test]
fn keys_rotate_by_the_old_quorum_and_by_their_own() {
    let w = world();
    let (d, e) = (signer("d", 4), signer("e", 5));
    let second = edition(2, 2, &[&w.b, &w.c, &d]);
    let text = second.render();
    let note = signed(&text, &[&w.b, &w.c]);
    assert_eq!(w.keys.advance(std::slice::from_ref(&note)), Ok(second.clone()));
    // One of the old, or strangers: no.
    for by in [vec![&w.a], vec![&w.b, &d], vec![&d, &e]] {
        assert_eq!(w.keys.advance(&[signed(&text, &by)]).unwrap_err().code(), "release/quorum");
    }
    // Signed by the old quorum, and by too few of the new.
    let foreign = edition(2, 2, &[&d, &e]);
    assert_eq!(w.keys.advance(&[signed(&foreign.render(), &[&w.a, &w.b])]).unwrap_err().code(), "release/quorum");
    // A third on top; a gap; and after the rotation the old quorum signs nothing any more.
    let third = edition(3, 1, &[&e]);
    let on_top = signed(&third.render(), &[&w.b, &d, &e]);
    assert_eq!(w.keys.advance(&[on_top.clone(), note]), Ok(third));
    assert_eq!(w.keys.advance(&[on_top]), Err(ReleaseError::Edition { named: 3, held: 1 }));
    let old = signed(&release(8, 1).render(), &[&w.a, &w.b]);
    assert_eq!(Release::verify(&second, &old, None, FILES), Err(ReleaseError::Quorum { signed: 1, needed: 2 }));
    let by_both = signed(&release(8, 1).render(), &[&w.b, &w.c]);
    assert_eq!(Release::verify(&second, &by_both, None, FILES), Err(ReleaseError::Edition { named: 1, held: 2 }));
}
