//! What a word in Latin script is by all lists at once: one look at a table, where each list was looked at before.

/// What a capitalized word is besides a name.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum Part {
    /// `Dr`: a name comes after it.
    Title,
    /// `Street`: what stands before is a place.
    Street,
    /// `Bank`: what stands before is what it is called.
    Body,
    /// `van`: inside a name.
    Particle,
    /// A word of every day with a capital, a place, a day.
    Other,
    /// Perhaps a name.
    #[default]
    Name,
}

/// What a word is by the lists, all at once.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Known {
    lists: u8,
    /// What it is besides a name.
    pub(crate) part: Part,
}

impl Known {
    pub(super) const GIVEN: u8 = 1;
    pub(super) const FAMILY: u8 = 2;
    pub(super) const WORD_TOO: u8 = 4;
    pub(super) const VERB: u8 = 8;
    pub(super) const STREET: u8 = 16;

    pub(super) fn add(&mut self, list: u8) {
        self.lists |= list;
    }

    pub(super) fn has(self, list: u8) -> bool {
        self.lists & list != 0
    }

    /// A given name in Latin script.
    pub(crate) fn is_given(self) -> bool {
        self.has(Self::GIVEN)
    }

    /// A family name in Latin script.
    pub(crate) fn is_family(self) -> bool {
        self.has(Self::FAMILY)
    }

    /// A name that is a word of every day too: `Mark`, `Grace`.
    pub(crate) fn is_word_too(self) -> bool {
        self.has(Self::WORD_TOO)
    }

    /// A verb that a person does more often than a thing.
    pub(crate) fn is_verb(self) -> bool {
        self.has(Self::VERB)
    }
}
