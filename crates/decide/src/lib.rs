//! A bound transfer and a rulebook to a decision, and all that reads the same table.
