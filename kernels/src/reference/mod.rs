//! Scalar evaluators of the quantised operators: the numeric contract in plain code.
