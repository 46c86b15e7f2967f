//! The difference finder: a program on the accelerator model against the reference, tensor by tensor.
//!
//! The program is executed instruction by instruction. A tensor in DDR is compared the moment its last byte is written, since its bytes may
//! be used again. Each DPU subgraph gets the reference's inputs, so that a fault in one is not a fault of the next.

mod comparison;
mod evidence;
mod expected;
mod extent;
mod finding;
mod places;
mod progress;

use dpuc_accel::Core;
use dpuc_xmodel::{DpuSubgraph, GraphIndex};

use crate::dpu::DpuProgram;
use crate::error::RuntimeError;
use comparison::Comparison;
use places::places;

pub use expected::Expected;
pub use finding::{Compared, Difference, Element, Evidence, Place as InstructionPlace, Problem};

/// Garbage in the memory that a program must write before it reads it, so that what it does not write is seen.
const GARBAGE: u64 = 0x6469_6666;

/// Compares a DPU subgraph of a compiled file with what its tensors should hold.
///
/// # Errors
/// The subgraph cannot be loaded, or one of its inputs is not among the expected tensors.
pub fn compare_subgraph(
    index: &GraphIndex<'_>,
    view: &DpuSubgraph<'_>,
    expected: &Expected,
) -> Result<Compared, RuntimeError> {
    let failed = |error| RuntimeError::Dpu { subgraph: view.subgraph.name.clone(), error };
    let program = DpuProgram::load(view).map_err(failed)?;
    let mut inputs = Vec::new();
    for placed in &program.inputs {
        let tensor = expected.tensor(&placed.port.name).filter(|tensor| tensor.shape() == placed.port.shape);
        inputs.push(tensor.ok_or_else(|| RuntimeError::MissingTensor(placed.port.name.clone()))?);
    }
    let mut core = Core::new(&program.target);
    core.scramble_banks(GARBAGE);
    program.fill_memory(&mut core, &inputs).map_err(failed)?;
    program.blank_regions().for_each(|region| core.scramble_region(region, GARBAGE));
    let comparison = Comparison::new(&program, places(index, view), expected);
    comparison.run(core).map_err(failed)
}
