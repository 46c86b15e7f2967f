//! Evaluates nn and int8 functions with the reference kernels.
