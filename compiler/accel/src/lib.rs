//! Bit-exact model of the accelerator.
