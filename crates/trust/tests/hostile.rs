//! Containers that an attacker or a careless tool would make: every one is refused, each for its reason.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write as _;

use trust::bundle::container::{ContainerError, Files, read, render};
use trust::bundle::{Bundle, BundleError, Unsealed};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn files() -> Files {
    let names = ["manifest.json", "META-INF/signature.p7s", "trust/crl.pem"];
    names.iter().map(|name| ((*name).to_owned(), format!("content of {name}").into_bytes())).collect()
}

fn good() -> Vec<u8> {
    render(&files()).unwrap()
}

/// Offset of the local header of an entry.
fn at(bytes: &[u8], name: &str) -> usize {
    bytes.windows(name.len()).position(|window| window == name.as_bytes()).unwrap() - 30
}

fn patched(offset: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = good();
    bytes[offset..offset + with.len()].copy_from_slice(with);
    bytes
}

fn foreign(entries: &[(&str, &str)], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, content) in entries {
        writer.start_file(*name, options).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

const MIMETYPE: (&str, &str) = ("mimetype", "application/vnd.etsi.asic-e+zip");

#[test]
fn the_one_form_is_read_back_and_by_another_reader() {
    assert_eq!(read(&good()), Ok(files()));
    // The crate `zip` happens to write the one form too, when asked to store in this order.
    let theirs = foreign(&[MIMETYPE, ("a", "x")], CompressionMethod::Stored);
    assert_eq!(read(&theirs), Ok([("a".to_owned(), b"x".to_vec())].into()));
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(good())).unwrap();
    assert_eq!(archive.len(), 4);
    assert_eq!(archive.by_index(0).unwrap().name().unwrap(), "mimetype");
    for (name, content) in files() {
        let mut theirs = Vec::new();
        std::io::copy(&mut archive.by_name(&name).unwrap(), &mut theirs).unwrap();
        assert_eq!(theirs, content);
    }
}

/// INVARIANT of `container`: no byte is free.
#[test]
fn no_byte_can_be_changed_added_or_taken() {
    let good = good();
    for offset in 0..good.len() {
        for bit in 0..8 {
            let mut changed = good.clone();
            changed[offset] ^= 1 << bit;
            match read(&changed) {
                Err(_) => {}
                // A changed content with its changed checksum twice would be another container; one bit cannot.
                Ok(_) => panic!("bit {bit} of byte {offset}"),
            }
        }
        assert!(read(&good[..offset]).is_err(), "cut at {offset}");
        assert!(read(&[&good[..offset], &[0], &good[offset..]].concat()).is_err(), "a byte more at {offset}");
    }
}

#[test]
fn hostile_containers_are_refused() {
    use ContainerError::*;
    let manifest = at(&good(), "manifest.json");
    let name = |text: &str| Name(text.to_owned());
    let entry = || Entry("manifest.json".to_owned());
    let stored = |entries: &[(&str, &str)]| foreign(entries, CompressionMethod::Stored);
    let good = good();
    let with = |name: &str| {
        // Thirteen characters, as the name that they replace, everywhere it stands.
        assert_eq!(name.len(), 13);
        let mut bytes = good.clone();
        let places: Vec<usize> =
            (0..bytes.len() - 13).filter(|i| &good[*i..i + 13] == b"manifest.json").collect();
        for place in places {
            if !bytes[..place].ends_with(b"content of ") {
                bytes[place..place + 13].copy_from_slice(name.as_bytes());
            }
        }
        bytes
    };
    let cases: Vec<(&str, Vec<u8>, ContainerError)> = vec![
        ("nothing", vec![], NotAZip),
        ("a text", b"hello".to_vec(), NotAZip),
        ("an empty zip", b"PK\x05\x06".iter().copied().chain([0; 18]).collect(), NotAZip),
        ("a prefix", [b"#!/bin/sh\n", &good[..]].concat(), NotAZip),
        ("trailing bytes", [&good[..], b"\n"].concat(), NotCanonical),
        ("a comment", [&good[..good.len() - 2], b"\x02\x00hi"].concat(), NotCanonical),
        ("a second end record", [&good[..], &good[good.len() - 22..]].concat(), NotCanonical),
        ("no mimetype", stored(&[("manifest.json", "x")]), Mimetype),
        ("mimetype not first", stored(&[("a", "x"), MIMETYPE]), Mimetype),
        ("another mimetype", stored(&[("mimetype", "application/zip")]), Mimetype),
        ("mimetype compressed", foreign(&[MIMETYPE], CompressionMethod::Deflated), Entry("mimetype".into())),
        ("out of order", stored(&[MIMETYPE, ("b", "x"), ("a", "x")]), NotCanonical),
        ("a directory entry", stored(&[MIMETYPE, ("trust/", "")]), name("trust/")),
        ("up and out", stored(&[MIMETYPE, ("../evil", "x")]), name("../evil")),
        ("up inside", stored(&[MIMETYPE, ("a/../evil", "x")]), name("a/../evil")),
        ("absolute", stored(&[MIMETYPE, ("/etc/passwd", "x")]), name("/etc/passwd")),
        ("a drive", stored(&[MIMETYPE, ("C:evil", "x")]), name("C:evil")),
        ("a backslash", stored(&[MIMETYPE, ("a\\b", "x")]), name("a\\b")),
        ("a space", stored(&[MIMETYPE, ("a b", "x")]), name("a b")),
        ("a hidden file", stored(&[MIMETYPE, (".netrc", "x")]), name(".netrc")),
        ("an option", with("-fest.json/.."), name("-fest.json/..")),
        ("a newline", with("mani\nest.json"), name("mani\u{fffd}est.json")),
        ("a second mimetype", [&good[..at(&good, "META-INF")], &good[..]].concat(), name("mimetype")),
        ("a zero byte", with("manifest\0json"), name("manifest\u{fffd}json")),
        ("encrypted", patched(manifest + 6, &[1]), entry()),
        ("a data descriptor", patched(manifest + 6, &[8]), entry()),
        ("the UTF-8 flag", patched(manifest + 7, &[8]), entry()),
        ("another method", patched(manifest + 8, &[8]), entry()),
        ("a method unknown", patched(manifest + 8, &[99]), entry()),
        ("an extra field", patched(manifest + 28, &[4]), entry()),
        ("sizes differ", patched(manifest + 18, &[1]), entry()),
        ("a huge size", patched(manifest + 18, &[255, 255, 255, 255, 255, 255, 255, 255]), NotAZip),
        ("a long name", patched(manifest + 26, &[255, 255]), NotAZip),
        ("another checksum", patched(manifest + 14, &[0, 0, 0, 0]), Checksum("manifest.json".into())),
        ("another time", patched(manifest + 10, &[1]), NotCanonical),
        ("another version", patched(manifest + 4, &[45]), NotCanonical),
    ];
    assert!(cases.len() >= 35);
    for (what, bytes, expected) in cases {
        assert_eq!(read(&bytes), Err(expected), "{what}");
    }
}

#[test]
fn doubled_names_are_refused_in_both_directions() {
    let good = good();
    let start = at(&good, "manifest.json");
    let end = at(&good, "trust/crl.pem");
    let doubled = [&good[..end], &good[start..end], &good[end..]].concat();
    assert_eq!(read(&doubled), Err(ContainerError::Doubled("manifest.json".into())));
    let mut folded = files();
    folded.insert("Manifest.json".into(), vec![]);
    assert!(matches!(render(&folded), Err(ContainerError::Doubled(_))));
}

#[test]
fn the_manifests_list_exactly_what_is_there() {
    let files: Files = [("a".to_owned(), b"1".to_vec()), ("b".to_owned(), b"2".to_vec())].into();
    let bundle = Unsealed::new(files.clone()).unwrap().sealed(b"seal".to_vec()).stamped(b"stamp".to_vec());
    assert_eq!(bundle.check_digests(), Ok(()));
    let bytes = bundle.to_bytes().unwrap();
    assert_eq!(Bundle::read(&bytes), Ok(bundle));
    let altered = |change: &dyn Fn(&mut Files)| {
        let mut files = read(&bytes).unwrap();
        change(&mut files);
        Bundle::read(&render(&files).unwrap()).unwrap().check_digests()
    };
    let put = |name: &'static str, content: &'static [u8]| {
        altered(&move |files| drop(files.insert(name.into(), content.to_vec())))
    };
    assert_eq!(put("c", b"3"), Err(BundleError::Unlisted("c".into())));
    assert_eq!(put("META-INF/c", b"3"), Err(BundleError::Unlisted("META-INF/c".into())));
    assert_eq!(put("a", b"3"), Err(BundleError::Differs("a".into())));
    assert_eq!(
        put("META-INF/signature.p7s", b"3"),
        Err(BundleError::Differs("META-INF/signature.p7s".into()))
    );
    assert_eq!(
        put("META-INF/ASiCManifest.xml", b"3"),
        Err(BundleError::Manifest("META-INF/ASiCManifest.xml"))
    );
    assert_eq!(altered(&|files| drop(files.remove("b"))), Err(BundleError::Missing("b".into())));
    let absent = altered(&|files| drop(files.remove("META-INF/timestamp.tst")));
    assert_eq!(absent, Err(BundleError::Absent("META-INF/timestamp.tst")));
    let reserved = Files::from([("meta-inf/x".to_owned(), vec![])]);
    assert_eq!(Unsealed::new(reserved), Err(BundleError::Reserved("meta-inf/x".into())));
}
