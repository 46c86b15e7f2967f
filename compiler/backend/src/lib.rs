//! Partition, memory plan, instruction emission, .xmodel export.
