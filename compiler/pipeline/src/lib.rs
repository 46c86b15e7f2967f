//! Importers, passes, partition, emission.
