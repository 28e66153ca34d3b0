//! Breaks an input that is in order, by a few random edits.

/// A small generator; the same seed gives the same inputs.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

/// Pieces at which readers have broken before: numbers at the edges, brackets, quotes, line ends, half characters.
const PIECES: &[&[u8]] = &[
    b"0", b"-1", b"18446744073709551615", b"9223372036854775808", b"4294967296", b"1e999", b"NaN", b"0000-00-00",
    b"9999-12-31", b"2024-02-30", b"-0001-01-01", b"\"", b"'", b"\\", b"\\u0000", b"\\ud800", b"{", b"}", b"[", b"]", b"(", b")",
    b"```", b"\n", b"\r\n", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xe3\x81", b"\xc2\xa0", b",", b";", b"|", b":", b"..", b"../",
    b"%00", b"=", b"null", b"true", b"not ", b" or ", b" and ", b" is ", b" in {", b"\xe2\x80\x94 ", b"\x30\x84\xff\xff\xff\xff",
    b"\x30\x80", b"\x02\x00", b"\x03\x01\x08", b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06",
];

/// One broken input.
pub fn mutate(seeds: &[Vec<u8>], dice: &mut Dice, bytes_max: usize) -> Vec<u8> {
    let mut bytes = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(6) {
        edit(&mut bytes, seeds, dice);
        bytes.truncate(bytes_max);
    }
    bytes
}

fn edit(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(bytes.len() + 1);
    let end = at + dice.below((bytes.len() - at).min(64) + 1);
    match dice.below(10) {
        0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        1 if at < bytes.len() => bytes[at] = dice.below(256) as u8,
        2 => drop(bytes.drain(at..end)),
        3 => bytes.truncate(at),
        4 => {
            let part = bytes[at..end].to_vec();
            let times = 1 + dice.below(4);
            let place = dice.below(bytes.len() + 1);
            bytes.splice(place..place, part.repeat(times));
        }
        5 => {
            let piece = PIECES[dice.below(PIECES.len())];
            bytes.splice(at..at, piece.iter().copied());
        }
        6 => {
            let piece = PIECES[dice.below(PIECES.len())];
            bytes.splice(at..end, piece.iter().copied());
        }
        7 => {
            // Deep nesting.
            let piece = PIECES[dice.below(PIECES.len())];
            let many = piece.repeat(1 << dice.below(14));
            bytes.splice(at..at, many);
        }
        8 => {
            // A number becomes another.
            let from = bytes[at..].iter().position(u8::is_ascii_digit).map_or(at, |n| at + n);
            let to = bytes[from..].iter().position(|b| !b.is_ascii_digit()).map_or(bytes.len(), |n| from + n);
            let piece = PIECES[dice.below(6)];
            bytes.splice(from..to, piece.iter().copied());
        }
        _ => {
            let other = &seeds[dice.below(seeds.len())];
            let from = dice.below(other.len() + 1);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
    }
}
