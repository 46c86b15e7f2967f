//! Loads and runs compiled and quantised networks.
