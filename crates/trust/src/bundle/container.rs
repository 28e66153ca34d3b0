//! The ZIP that an ASiC-E container is, in the one form that is written and read here: stored entries, no extra
//! field, no comment, no data descriptor, fixed times, `mimetype` first and the rest by name.
//!
//! INVARIANT: `render(read(bytes)) == bytes` for everything that `read` accepts, so that no byte of a container is
//! free to carry something that nobody looked at.

use std::collections::BTreeMap;
use std::fmt;

// LIMIT: 1,000 files, names of 128 bytes, 64 MiB in all. Delivered data stays outside of the container.
const FILES_MAX: usize = 1_000;
const NAME_BYTES_MAX: usize = 128;
const CONTAINER_BYTES_MAX: usize = 64 << 20;

/// ETSI EN 319 162-1 section 4.4: the name and content of the first entry.
const MIMETYPE_NAME: &str = "mimetype";
const MIMETYPE: &[u8] = b"application/vnd.etsi.asic-e+zip";

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";

/// APPNOTE 6.3.10 and ETSI EN 319 162-1: why bytes are not a container in its one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerError {
    /// It is larger, or has more files, than is read.
    TooLarge,
    /// It is not a ZIP that starts with its first entry and ends with its last byte.
    NotAZip,
    /// The first entry is not the `mimetype` of ASiC-E.
    Mimetype,
    /// A name is not plain: outside of the container, absolute, or with odd characters.
    Name(String),
    /// A name stands twice.
    Doubled(String),
    /// An entry is compressed, encrypted, carries an extra field or a data descriptor.
    Entry(String),
    /// The content of an entry differs from its checksum.
    Checksum(String),
    /// The bytes are not the one form of these files: order, times, comments, gaps or attributes differ.
    NotCanonical,
}

impl ContainerError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            ContainerError::TooLarge => "container-too-large",
            ContainerError::NotAZip => "container-not-a-zip",
            ContainerError::Mimetype => "container-mimetype",
            ContainerError::Name(_) => "container-name",
            ContainerError::Doubled(_) => "container-doubled-name",
            ContainerError::Entry(_) => "container-entry",
            ContainerError::Checksum(_) => "container-checksum",
            ContainerError::NotCanonical => "container-not-canonical",
        }
    }
}

impl fmt::Display for ContainerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ContainerError::TooLarge => write!(f, "the container is larger than is read"),
            ContainerError::NotAZip => write!(f, "not a ZIP from its first byte to its last"),
            ContainerError::Mimetype => write!(f, "the first entry is not the `mimetype` of ASiC-E"),
            ContainerError::Name(name) => write!(f, "`{name}` is not a plain name inside the container"),
            ContainerError::Doubled(name) => write!(f, "`{name}` stands twice in the container"),
            ContainerError::Entry(name) => {
                write!(f, "`{name}` is compressed, encrypted, or carries more than its content")
            }
            ContainerError::Checksum(name) => write!(f, "`{name}` differs from its checksum"),
            ContainerError::NotCanonical => write!(f, "the container is not in its one form"),
        }
    }
}

impl std::error::Error for ContainerError {}

/// The files of a container by name, without `mimetype`.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Is this name plain: segments of letters, digits, `-`, `_` and `.`, none empty, none with a dot or dash in front?
fn plain(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX
        && name != MIMETYPE_NAME
        && name.split('/').all(|segment| {
            // A leading dot hides a file or climbs out, a leading dash is an option to some command.
            segment.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
                && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        })
}

/// ETSI EN 319 162-1 section 4.4: writes the one container of these files.
pub fn render(files: &Files) -> Result<Vec<u8>, ContainerError> {
    if files.len() >= FILES_MAX {
        return Err(ContainerError::TooLarge);
    }
    // Two names that some file system folds into one would overwrite each other when unpacked.
    let mut folded = std::collections::BTreeSet::new();
    for name in files.keys() {
        if !plain(name) {
            return Err(ContainerError::Name(shortened(name)));
        }
        if !folded.insert(name.to_ascii_lowercase()) {
            return Err(ContainerError::Doubled(shortened(name)));
        }
    }
    let mut out = Vec::new();
    let mut directory = Vec::new();
    let first = std::iter::once((MIMETYPE_NAME, MIMETYPE));
    for (name, content) in
        first.chain(files.iter().map(|(name, content)| (name.as_str(), content.as_slice())))
    {
        if out.len() + content.len() > CONTAINER_BYTES_MAX {
            return Err(ContainerError::TooLarge);
        }
        let offset = out.len() as u32;
        let described = describe(name, content);
        out.extend_from_slice(&LOCAL);
        out.extend_from_slice(&described);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(content);
        directory.extend_from_slice(&CENTRAL);
        // Made by version 1.0 on Unix, so that the attributes below are understood.
        directory.extend_from_slice(&[10, 3]);
        directory.extend_from_slice(&described);
        // No comment, disk 0, no internal attributes, a regular file that all may read.
        directory.extend_from_slice(&[0; 6]);
        directory.extend_from_slice(&(0o100_644u32 << 16).to_le_bytes());
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let (count, start, length) = ((files.len() + 1) as u16, out.len() as u32, directory.len() as u32);
    out.extend_from_slice(&directory);
    out.extend_from_slice(&END);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    Ok(out)
}

/// APPNOTE section 4.3.7: the 26 bytes that stand alike in the local header and in the directory.
fn describe(name: &str, content: &[u8]) -> Vec<u8> {
    // Version 1.0, no flags, stored, midnight of 1 January 1980.
    let mut out = vec![10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
    out.extend_from_slice(&crc32(content).to_le_bytes());
    out.extend_from_slice(&(content.len() as u32).to_le_bytes());
    out.extend_from_slice(&(content.len() as u32).to_le_bytes());
    out.extend_from_slice(&(name.len() as u16).to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    out
}

/// ETSI EN 319 162-1 section 4.4: reads a container, accepting only its one form.
pub fn read(bytes: &[u8]) -> Result<Files, ContainerError> {
    if bytes.len() > CONTAINER_BYTES_MAX + (1 << 20) {
        return Err(ContainerError::TooLarge);
    }
    let mut files = Files::new();
    let mut rest = bytes;
    let mut first = true;
    while let Some(after) = rest.strip_prefix(&LOCAL) {
        let header = after.get(..26).ok_or(ContainerError::NotAZip)?;
        let number = |at: usize, len: usize| {
            header.iter().skip(at).take(len).rev().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte))
        };
        let (flags, method, checksum) = (number(2, 2), number(4, 2), number(10, 4));
        let (packed, size, name_len, extra_len) =
            (number(14, 4), number(18, 4), number(22, 2), number(24, 2));
        let after = after.get(26..).ok_or(ContainerError::NotAZip)?;
        let name = after.get(..name_len).ok_or(ContainerError::NotAZip)?;
        let name = shortened(&String::from_utf8_lossy(name));
        // APPNOTE section 4.4.4: bit 3 is a data descriptor, bit 0 encryption; no bit is needed for plain names.
        if flags != 0 || method != 0 || extra_len != 0 || packed != size {
            return Err(ContainerError::Entry(name));
        }
        let end = name_len.checked_add(size).ok_or(ContainerError::NotAZip)?;
        let content = after.get(name_len..end).ok_or(ContainerError::NotAZip)?;
        if crc32(content) as usize != checksum {
            return Err(ContainerError::Checksum(name));
        }
        if first {
            if name != MIMETYPE_NAME || content != MIMETYPE {
                return Err(ContainerError::Mimetype);
            }
            first = false;
        } else if !plain(&name) {
            return Err(ContainerError::Name(name));
        } else if files.insert(name.clone(), content.to_vec()).is_some() {
            return Err(ContainerError::Doubled(name));
        }
        if files.len() >= FILES_MAX {
            return Err(ContainerError::TooLarge);
        }
        rest = after.get(end..).unwrap_or_default();
    }
    if first {
        return Err(ContainerError::NotAZip);
    }
    // The rest is the directory and the end record, and both follow from the files.
    if render(&files)? == bytes { Ok(files) } else { Err(ContainerError::NotCanonical) }
}

/// A name as it may stand in a message: cut, and without control characters.
fn shortened(name: &str) -> String {
    name.chars().take(NAME_BYTES_MAX + 1).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// ISO 3309: the checksum that ZIP uses. It finds accidents; digests and the seal find intent.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    !bytes.iter().fold(!0, |sum, byte| {
        let index = (sum ^ u32::from(*byte)) & 0xff;
        TABLE.get(index as usize).copied().unwrap_or_default() ^ sum >> 8
    })
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let mut sum = at as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
            bit += 1;
        }
        table[at] = sum;
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_known_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn names_are_plain_or_refused() {
        for good in ["a", "META-INF/signature.p7s", "trust/crl-1.pem"] {
            assert!(plain(good), "{good}");
        }
        for bad in [
            "", "/a", "a/", "a//b", "../a", "a/../b", ".", ".hidden", "a\\b", "a b", "ä", "-a", "C:",
            "mimetype",
        ] {
            assert!(!plain(bad), "{bad}");
        }
    }
}
