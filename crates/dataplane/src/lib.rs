//! Sources, sinks, resumable chunks, manifests, meters.
