//! Tests over IR files, real models and command lines.
