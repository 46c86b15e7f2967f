//! Quantised operators to instructions.
