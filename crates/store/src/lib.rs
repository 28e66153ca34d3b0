//! What is remembered, in domain verbs.
