//! Doors for programs and people.
