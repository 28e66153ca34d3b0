//! Carries messages to peers over TLS: the outgoing half of the network.
