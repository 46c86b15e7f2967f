//! IR text to syntax tree and back.
