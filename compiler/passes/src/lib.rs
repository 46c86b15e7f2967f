//! Passes over the nn and int8 dialects.
