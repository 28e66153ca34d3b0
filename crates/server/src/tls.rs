//! TLS from PEM files, and the loop that serves a router over it.
