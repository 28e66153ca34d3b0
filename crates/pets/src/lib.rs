//! Find, transform and measure personal data over Arrow batches.
