//! Message ids to text in English and Japanese.
