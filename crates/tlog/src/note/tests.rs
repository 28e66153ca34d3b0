use super::*;

fn key(text: &str) -> VerifierKey {
    VerifierKey::parse(text).unwrap()
}

fn signer(name: &str, seed: u8) -> Signer {
    Signer::new(KeyName::parse(name).unwrap(), &[seed; 32])
}

#[test]
fn the_example_of_the_specification_verifies() {
    let foo = key("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    let text = "This is an example message.\n\n— example.com/foo \
        Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    let note = Note::parse(text.as_bytes()).unwrap();
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!(note.verify([&foo]).unwrap(), [Verified { key: &foo, timestamp: None }]);
    assert_eq!(note.to_string(), text);
    let changed = text.replace("example message", "example massage");
    let changed = Note::parse(changed.as_bytes()).unwrap();
    assert_eq!(changed.verify([&foo]), Err(NoteError::BadSignature(foo.name().clone())));
}

/// The example note of golang.org/x/mod/sumdb/note.
#[test]
fn the_example_of_the_go_checksum_database_verifies() {
    let peter = key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    let text = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    assert_eq!(Note::parse(text.as_bytes()).unwrap().verify([&peter]).unwrap().len(), 1);
}

#[test]
fn a_text_with_empty_lines_is_divided_at_the_last_one() {
    let signer = signer("example.org/a", 1);
    let text = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n";
    let note = Note::new(text, vec![signer.sign(text)]).unwrap();
    let read = Note::parse(note.to_string().as_bytes()).unwrap();
    assert_eq!(read, note);
    assert_eq!(read.text(), text);
    read.verify([signer.verifier()]).unwrap();
}

#[test]
fn what_is_no_note_is_refused() {
    let good = "text\n\n— a AAAAAAE=\n";
    Note::parse(good.as_bytes()).unwrap();
    for (text, expected) in [
        ("", NoteError::Form),
        ("text\n", NoteError::Form),
        ("text\n\n", NoteError::Form),
        ("text\n— a AAAAAAE=\n", NoteError::Form),
        ("text\n\n— a AAAAAAE=", NoteError::SignatureLine),
        ("text\n\n— a AAAAAAE=\nmore\n", NoteError::SignatureLine),
        ("text\n\n- a AAAAAAE=\n", NoteError::SignatureLine),
        ("text\n\n—a AAAAAAE=\n", NoteError::SignatureLine),
        ("text\n\n—  AAAAAAE=\n", NoteError::SignatureLine),
        ("text\n\n— a+b AAAAAAE=\n", NoteError::SignatureLine),
        ("text\n\n— a AAAAAA==\n", NoteError::SignatureLine),
        ("text\n\n— a AAAA\n", NoteError::SignatureLine),
        ("text\n\n— a AAAAAAE\n", NoteError::SignatureLine),
        ("text\n\n— a AAAAAAF=\n", NoteError::SignatureLine),
        ("text\n\n— a AAAAAAE= \n", NoteError::SignatureLine),
        ("te\txt\n\n— a AAAAAAE=\n", NoteError::Characters),
        ("text\r\n\n— a AAAAAAE=\n", NoteError::Characters),
    ] {
        assert_eq!(Note::parse(text.as_bytes()), Err(expected), "{text:?}");
    }
    assert_eq!(Note::parse(b"\xff\n\n"), Err(NoteError::Characters));
    assert_eq!(Note::parse(&vec![b'\n'; NOTE_BYTES_MAX + 1]), Err(NoteError::Limit));
}

#[test]
fn unknown_signatures_are_ignored_and_known_ones_must_hold() {
    let (a, b, c) = (signer("example.org/a", 1), signer("example.org/b", 2), signer("example.org/c", 3));
    let mut note = Note::new("t\n", vec![a.sign("t\n"), b.sign("t\n")]).unwrap();
    assert_eq!(note.verify([a.verifier()]).unwrap().len(), 1);
    assert_eq!(note.verify([a.verifier(), b.verifier(), c.verifier()]).unwrap().len(), 2);
    assert_eq!(note.verify([c.verifier()]), Err(NoteError::Unsigned));
    assert_eq!(note.verify([]), Err(NoteError::Unsigned));
    // A signature of `c` over another text: harmless to who does not know `c`, fatal to who does.
    note.attach(c.sign("u\n")).unwrap();
    assert_eq!(note.verify([a.verifier()]).unwrap().len(), 1);
    assert_eq!(
        note.verify([a.verifier(), c.verifier()]),
        Err(NoteError::BadSignature(c.verifier().name().clone()))
    );
}

#[test]
fn every_flipped_bit_of_a_signed_note_is_noticed() {
    let signer = signer("example.org/a", 9);
    let text = "example.org/a\n1\n";
    let bytes = Note::new(text, vec![signer.sign(text)]).unwrap().to_string().into_bytes();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut forged = bytes.clone();
            forged[at] ^= 1 << bit;
            let verdict = Note::parse(&forged).and_then(|note| note.verify([signer.verifier()]).map(|_| ()));
            assert!(verdict.is_err(), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn limits_are_kept() {
    let signer = signer("example.org/a", 1);
    let signature = signer.sign("t\n");
    let many = vec![signature.clone(); SIGNATURES_MAX];
    let mut note = Note::new("t\n", many.clone()).unwrap();
    assert_eq!(note.attach(signer.sign("other\n")), Err(NoteError::Limit));
    assert_eq!(note.signatures().len(), SIGNATURES_MAX);
    assert_eq!(Note::new("t\n", [many, vec![signature.clone()]].concat()), Err(NoteError::Limit));
    let line = format!("{signature}\n");
    assert_eq!(Signature::parse_lines(&line.repeat(SIGNATURES_MAX + 1)), Err(NoteError::Limit));
    assert_eq!(Note::new("no newline", vec![signature.clone()]), Err(NoteError::Form));
    assert_eq!(Note::new("t\n", vec![]), Err(NoteError::Form));
    assert_eq!(Note::new("t\0\n", vec![signature]), Err(NoteError::Characters));
}

#[test]
fn a_signature_made_elsewhere_is_checked_before_it_is_taken() {
    let signer = signer("example.org/a", 1);
    let raw: [u8; 64] = signer.sign("t\n").bytes.try_into().unwrap();
    assert_eq!(Signature::finish(signer.verifier(), "t\n", &raw), Ok(signer.sign("t\n")));
    assert!(Signature::finish(signer.verifier(), "u\n", &raw).is_err());
}

#[test]
fn a_secret_is_not_printed() {
    let shown = format!("{:?}", signer("example.org/a", 0x41));
    assert!(!shown.contains("65, 65") && !shown.contains("AAAA"), "{shown}");
}

#[test]
fn two_keys_that_cannot_be_told_apart_are_refused() {
    // Two seeds whose keys of this name share the id dccb7468, found by trying.
    let [a, b] = [148_500_u64, 182_845].map(|n| {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&n.to_le_bytes());
        Signer::new(KeyName::parse("example.org/a").unwrap(), &seed)
    });
    assert_eq!(a.verifier().id(), b.verifier().id());
    let note = Note::new("t\n", vec![a.sign("t\n")]).unwrap();
    assert!(note.verify([a.verifier(), a.verifier()]).is_ok());
    assert_eq!(
        note.verify([a.verifier(), b.verifier()]),
        Err(NoteError::AmbiguousKey(a.verifier().name().clone()))
    );
    assert!(matches!(note.verify([b.verifier()]), Err(NoteError::BadSignature(_))));
}
