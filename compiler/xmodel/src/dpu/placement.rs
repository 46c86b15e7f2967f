//! Where a tensor inside a DPU subgraph lives.

use super::error::DpuSubgraphProblem;
use super::register::register_of_id;
use crate::attr::Attributed;
use crate::graph::Tensor;

/// Where a tensor inside a DPU subgraph lives (§3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement<'a> {
    /// In the banks of the DPU, between two ops of one superlayer.
    OnChip,
    /// In memory.
    Memory {
        /// Number of the register, 0 to 7.
        register: u8,
        /// Byte offset in the register.
        address: u32,
        /// Distance in elements between neighbours along each dimension; `None` is dense.
        strides: Option<&'a [i32]>,
    },
}

impl<'a> Placement<'a> {
    /// The place of `tensor`, from its attributes `reg_id`, `ddr_addr`, `location` and `stride`.
    pub fn of(tensor: &'a Tensor) -> Result<Self, DpuSubgraphProblem> {
        let (reg_id, ddr_addr, location) = (tensor.attr("reg_id")?, tensor.attr("ddr_addr")?, tensor.attr("location")?);
        match (location, register_of_id(reg_id), u32::try_from(ddr_addr)) {
            (0, _, _) => Ok(Self::OnChip),
            (1, Some(register), Ok(address)) => {
                Ok(Self::Memory { register, address, strides: tensor.attr_opt("stride")? })
            }
            _ => Err(DpuSubgraphProblem::Placement { tensor: tensor.name.clone(), reg_id, ddr_addr, location }),
        }
    }
}
