//! Counts what a flow moved.

/// What passed, in whole numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Meter {
    /// Chunks given for the first time.
    pub chunks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their rows, where rows are known.
    pub rows: u64,
    /// Chunks given again because the receiver asked again.
    pub repeated: u64,
}

impl Meter {
    /// Counts a chunk that goes for the first time.
    pub fn first(&mut self, chunk: &model::manifest::Chunk) {
        self.chunks += 1;
        self.bytes += chunk.bytes;
        self.rows += chunk.rows;
    }

    /// Counts a chunk that goes again.
    pub fn again(&mut self) {
        self.repeated += 1;
    }
}
