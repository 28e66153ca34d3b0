//! Rule files to a checked rulebook; transfers bound to its vocabulary.
