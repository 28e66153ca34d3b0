//! An act on one cell: what goes out for a value, and whether a value could have come out.

use crate::calendar::{read_day, read_parts};
use crate::number::Decimal;
use crate::plan::{Act, DateUnit};
use crate::pseudonym::{Begun, DomainKey, write_name};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An act on one cell.
pub(crate) struct Cell<'a> {
    act: &'a Act,
    namespace: &'a str,
    key: Option<&'a DomainKey>,
    naming: Option<Begun>,
}

impl<'a> Cell<'a> {
    pub(crate) fn of(act: &'a Act, column: &'a str, key: Option<&'a DomainKey>) -> Self {
        let namespace = match act {
            Act::Pseudonym { namespace: Some(shared) } | Act::Token { namespace: Some(shared) } => shared,
            _ => column,
        };
        let naming = key.filter(|_| matches!(act, Act::Pseudonym { .. })).map(|key| key.naming(namespace));
        Self { act, namespace, key, naming }
    }

    /// The value that goes out for a value that is there; `None` is missing.
    pub(crate) fn apply(&self, text: &str) -> Option<String> {
        let mut out = String::new();
        self.write(text, &mut out).then_some(out)
    }

    /// Appends the value that goes out; false, and nothing is appended, when it is missing.
    pub(super) fn write(&self, text: &str, out: &mut String) -> bool {
        self.try_write(text, out).is_some()
    }

    fn try_write(&self, text: &str, out: &mut String) -> Option<()> {
        // Writing to a String cannot fail.
        match self.act {
            Act::Keep => out.push_str(text),
            Act::Drop | Act::Suppress => return None,
            Act::Bin { width, origin, below, above } => {
                let number: Decimal = text.parse().ok()?;
                match coded(number, *below, *above) {
                    Some(end) => out.push_str(&end),
                    None => out.push_str(&bin(number, *width, *origin, *below, *above)),
                }
            }
            Act::Clamp { below, above } => {
                let number: Decimal = text.parse().ok()?;
                match coded(number, *below, *above) {
                    Some(end) => out.push_str(&end),
                    None => write!(out, "{number}").ok()?,
                }
            }
            Act::Date { to } => {
                let (year, month, _) = read_parts(text)?;
                match to {
                    // As it stands in front of nearly all days.
                    DateUnit::Year if (1000..=9999).contains(&year) => {
                        out.extend([year / 1000, year / 100, year / 10, year].map(|n| char::from(b'0' + (n % 10) as u8)));
                        Ok(())
                    }
                    DateUnit::Month => write!(out, "{year}-{month:02}"),
                    DateUnit::Quarter => write!(out, "{year}-Q{}", month.div_ceil(3)),
                    DateUnit::Year => write!(out, "{year}"),
                    DateUnit::Decade => write!(out, "{}s", year.div_euclid(10) * 10),
                }
                .ok()?;
            }
            Act::Prefix { keep } => {
                let end = text.char_indices().nth(*keep).map_or(text.len(), |(at, _)| at);
                out.push_str(text.get(..end)?);
                out.push('*');
            }
            Act::Map { to, otherwise } => out.push_str(to.get(text).or(otherwise.as_ref())?),
            Act::Pseudonym { .. } => write_name(self.naming.as_ref()?, text, out),
            Act::Token { .. } => out.push_str(&self.key?.token(self.namespace, text)?),
            Act::Ip { v4, v6 } => out.push_str(&network(text, *v4, *v6)?),
            // The person beside it is needed: only a border moves days.
            Act::Shift { .. } | Act::Local { .. } | Act::Range => return None,
        }
        Some(())
    }
}

fn coded(number: Decimal, below: Option<Decimal>, above: Option<Decimal>) -> Option<String> {
    match (below, above) {
        (Some(below), _) if number < below => Some(format!("<{below}")),
        (_, Some(above)) if number >= above => Some(format!(">={above}")),
        _ => None,
    }
}

// A bin never reaches over a coded end, so that bins do not overlap what is coded.
fn bin(
    number: Decimal,
    width: Decimal,
    origin: Decimal,
    below: Option<Decimal>,
    above: Option<Decimal>,
) -> String {
    let low = number.floor_to(width, origin);
    let high = above.map_or(low.plus(width), |a| a.min(low.plus(width)));
    format!("[{},{high})", below.map_or(low, |b| b.max(low)))
}

/// The network of an address, with so many bits of it.
fn network(text: &str, v4: u8, v6: u8) -> Option<String> {
    match text.parse().ok()? {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(v4)).unwrap_or(0);
            Some(format!("{}/{v4}", Ipv4Addr::from_bits(address.to_bits() & mask)))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(v6)).unwrap_or(0);
            Some(format!("{}/{v6}", Ipv6Addr::from_bits(address.to_bits() & mask)))
        }
    }
}

/// Whether an act could have given this value: data that claim to be transformed are held against their plan.
pub(crate) fn could_give(act: &Act, text: &str) -> bool {
    let number = |t: &str| t.parse::<Decimal>().ok();
    let coded = |below: &Option<Decimal>, above: &Option<Decimal>| {
        text.strip_prefix('<').is_some_and(|t| below.is_some() && number(t) == *below)
            || text.strip_prefix(">=").is_some_and(|t| above.is_some() && number(t) == *above)
    };
    match act {
        // What neighbors made of a value is known with the neighbors alone.
        Act::Keep | Act::Range => true,
        Act::Local { of } => of.iter().any(|act| could_give(act, text)),
        Act::Drop | Act::Suppress => false,
        Act::Bin { width, origin, below, above } => {
            let edges =
                text.strip_prefix('[').and_then(|t| t.strip_suffix(')')).and_then(|t| t.split_once(','));
            let low = edges.and_then(|(low, _)| number(low));
            coded(below, above) || low.is_some_and(|low| bin(low, *width, *origin, *below, *above) == text)
        }
        Act::Clamp { below, above } => {
            let within = |n: Decimal| below.is_none_or(|b| n >= b) && above.is_none_or(|a| n < a);
            coded(below, above) || number(text).is_some_and(within)
        }
        Act::Date { to } => {
            let digits = |t: &str, n: usize| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
            match to {
                DateUnit::Month => text.split_once('-').is_some_and(|(y, m)| digits(y, 4) && digits(m, 2)),
                DateUnit::Quarter => text.split_once("-Q").is_some_and(|(y, q)| digits(y, 4) && digits(q, 1)),
                DateUnit::Year => digits(text, 4),
                DateUnit::Decade => text.strip_suffix("0s").is_some_and(|t| digits(t, 3)),
            }
        }
        Act::Ip { v4, v6 } => text
            .split_once('/')
            .is_some_and(|(address, _)| network(address, *v4, *v6).is_some_and(|same| same == text)),
        Act::Shift { .. } => {
            matches!(text.as_bytes(), [_, _, _, _, b'-', _, _, b'-', _, _]) && read_day(text).is_some()
        }
        Act::Token { .. } => text.len() >= 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
        Act::Prefix { keep } => text.strip_suffix('*').is_some_and(|t| t.chars().count() <= *keep),
        Act::Map { to, otherwise } => {
            otherwise.as_deref() == Some(text) || to.values().any(|value| value == text)
        }
        Act::Pseudonym { .. } => {
            text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        }
    }
}
