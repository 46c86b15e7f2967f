//! Reader and writer of .xmodel files.
