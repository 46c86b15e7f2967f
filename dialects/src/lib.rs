//! IR core and the nn, int8 and dpu dialects.
