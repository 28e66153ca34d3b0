//! Seal, time-stamp, delivery evidence, ASiC-E bundle.
