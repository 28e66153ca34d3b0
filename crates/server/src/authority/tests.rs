//! Enrollment, revocation, stamps, cosignatures, and kills.
