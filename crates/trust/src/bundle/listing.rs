//! `ASiCManifest` (ETSI EN 319 162-1 annex A.4): the files that a signature or time-stamp covers, with their SHA-256,
//! in one fixed spelling, one file a line, so that `sed` reads it too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Digest;

/// ETSI EN 319 162-1 annex A.4: what a manifest lists, and what stands over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    /// The file that holds the signature or time-stamp over this manifest.
    pub signed_by: String,
    /// Its media type.
    pub media_type: &'static str,
    /// The files, in order of their names, with their digests.
    pub files: Vec<(String, Digest)>,
}

const HEAD: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<asic:ASiCManifest xmlns:asic=\"http://uri.etsi.org/02918/v1.2.1#\" ",
    "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\n",
);
const TAIL: &str = "</asic:ASiCManifest>\n";
const METHOD: &str = "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>";

impl Listing {
    /// Lists files; names are plain, so that nothing needs escaping.
    pub fn new<'a>(
        signed_by: &str,
        media_type: &'static str,
        files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Listing {
        let mut files: Vec<(String, Digest)> =
            files.into_iter().map(|(name, content)| (name.to_owned(), Digest::of(content))).collect();
        files.sort();
        Listing { signed_by: signed_by.to_owned(), media_type, files }
    }

    pub fn to_xml(&self) -> String {
        let mut xml = String::from(HEAD);
        xml.push_str(&format!(
            "<asic:SigReference URI=\"{}\" MimeType=\"{}\"/>\n",
            self.signed_by, self.media_type
        ));
        for (name, digest) in &self.files {
            xml.push_str(&format!(
                "<asic:DataObjectReference URI=\"{name}\">{METHOD}<ds:DigestValue>{}</ds:DigestValue></asic:DataObjectReference>\n",
                STANDARD.encode(digest.0)
            ));
        }
        xml.push_str(TAIL);
        xml
    }

    /// Reads the one spelling; `None` for any other.
    pub fn from_xml(signed_by: &str, media_type: &'static str, bytes: &[u8]) -> Option<Listing> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut files = Vec::new();
        for line in text.strip_prefix(HEAD)?.strip_suffix(TAIL)?.lines().skip(1) {
            let (name, rest) = line.strip_prefix("<asic:DataObjectReference URI=\"")?.split_once("\">")?;
            let value = rest.strip_prefix(METHOD)?.strip_prefix("<ds:DigestValue>")?;
            let value = value.strip_suffix("</ds:DigestValue></asic:DataObjectReference>")?;
            let digest = STANDARD.decode(value).ok()?.try_into().ok()?;
            files.push((name.to_owned(), Digest(digest)));
        }
        let listing = Listing { signed_by: signed_by.to_owned(), media_type, files };
        (listing.to_xml().as_bytes() == bytes).then_some(listing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_is_read() {
        let listing = Listing::new(
            "META-INF/signature.p7s",
            "application/pkcs7-signature",
            [("b", b"2".as_slice()), ("a", b"1")],
        );
        let xml = listing.to_xml();
        let read = |xml: &str| {
            Listing::from_xml("META-INF/signature.p7s", "application/pkcs7-signature", xml.as_bytes())
        };
        assert_eq!(read(&xml), Some(listing));
        assert_eq!(read(&xml.replace("\"a\"", "\"a\" ")), None);
        assert_eq!(read(&format!("{xml}<!-- -->\n")), None);
        assert_eq!(read(&xml.replace("signature.p7s", "other.p7s")), None);
    }
}
