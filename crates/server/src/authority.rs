//! The demo authority: certificates, revocation, time-stamps and a log witness in one process.
