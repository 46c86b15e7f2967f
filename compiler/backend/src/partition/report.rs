//! What the partition decided, as values.

use crate::operator::Reason;

/// Where an operation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Device {
    /// The accelerator.
    Dpu,
    /// The host.
    Cpu,
}

/// One operation of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationReport {
    /// Its name: the first node name of its location.
    pub name: String,
    /// Its kind, e.g. `int8.conv2d`.
    pub kind: String,
    /// Where it runs.
    pub device: Device,
    /// Why it is on the CPU; empty for the DPU.
    pub reasons: Vec<Reason>,
    /// The DPU subgraph it is in.
    pub subgraph: Option<String>,
}

/// One DPU subgraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubgraphReport {
    /// Its symbol.
    pub name: String,
    /// Number of operations, constants not counted.
    pub operations: usize,
    /// Number of values it takes.
    pub inputs: usize,
    /// Number of values it gives.
    pub outputs: usize,
}

/// What the partition decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionReport {
    /// Every operation but constants, in the order of the network.
    pub operations: Vec<OperationReport>,
    /// The DPU subgraphs in execution order.
    pub subgraphs: Vec<SubgraphReport>,
}

impl PartitionReport {
    /// Number of operations on a device.
    pub fn count(&self, device: Device) -> usize {
        self.operations.iter().filter(|operation| operation.device == device).count()
    }
}
