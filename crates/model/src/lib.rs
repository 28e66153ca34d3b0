//! Nouns with one canonical encoding.
