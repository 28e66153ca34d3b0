//! C2SP tiled transparency log: note, checkpoint, tile, proof, cosignature, witness.
