//! Networks from .xmodel files to IR.
