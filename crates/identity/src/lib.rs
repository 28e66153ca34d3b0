//! X.509 paths, DIDs, status lists: verifiers over resolved material.
