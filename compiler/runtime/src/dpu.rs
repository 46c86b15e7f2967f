//! One DPU subgraph on the accelerator model.

use dpuc_accel::{Core, RunError, Statistics};
use dpuc_dialects::layout::Layout;
use dpuc_evaluate::Tensor;
use dpuc_isa::{DecodeError, Instruction, Target, TargetError, decode};
use dpuc_xmodel::{Boundary, DpuSubgraph};
use ndarray::ArrayD;
use thiserror::Error;

use crate::port::Port;

/// Why a DPU subgraph cannot be loaded or run.
#[derive(Debug, Error)]
pub enum DpuError {
    /// Neither name nor fingerprint of its target is there or known.
    #[error("its target is not known: {0}")]
    Target(TargetError),
    /// It states no target.
    #[error("it states neither `dpu_name` nor `dpu_fingerprint`, so its target is not known")]
    NoTarget,
    /// Its code cannot be decoded.
    #[error("its code cannot be decoded: {0}")]
    Code(#[from] DecodeError),
    /// The model refused the program.
    #[error("{0}")]
    Run(#[from] RunError),
    /// A region is too large or a boundary tensor lies outside its region.
    #[error("{0}")]
    Region(#[from] dpuc_accel::RegionError),
    /// A boundary tensor has an unusable shape.
    #[error("the tensor `{0}` has a shape that cannot be used")]
    Shape(String),
}

/// A DPU subgraph, decoded and ready to run any number of times.
#[derive(Clone, Debug)]
pub struct DpuProgram {
    /// The subgraph's name.
    pub name: String,
    /// The target it was compiled for.
    pub target: Target,
    /// Its instructions.
    pub instructions: Vec<Instruction>,
    /// Its inputs, ordered by tensor name.
    pub inputs: Vec<Placed>,
    /// Its outputs, ordered by tensor name.
    pub outputs: Vec<Placed>,
    /// Number, size and initial contents of its regions.
    regions: Vec<(usize, usize, Option<Vec<u8>>)>,
}

/// A boundary tensor and its place in DDR, where it is dense.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The tensor.
    pub port: Port,
    region: usize,
    address: usize,
}

/// What a run gave.
#[derive(Clone, Debug)]
pub struct DpuRun {
    /// Outputs in the order of [`DpuProgram::outputs`].
    pub outputs: Vec<Tensor>,
    /// What the program did.
    pub statistics: Statistics,
}

impl DpuProgram {
    /// Decodes a subgraph.
    pub fn load(subgraph: &DpuSubgraph<'_>) -> Result<Self, DpuError> {
        let place = |boundary: &Boundary<'_>| Placed::new(boundary);
        Ok(Self {
            name: subgraph.subgraph.name.clone(),
            target: target_of(subgraph)?,
            instructions: decode(subgraph.mc_code)?,
            inputs: subgraph.inputs.iter().map(place).collect::<Result<_, _>>()?,
            outputs: subgraph.outputs.iter().map(place).collect::<Result<_, _>>()?,
            regions: subgraph
                .registers
                .iter()
                .map(|register| {
                    let contents = register.parameter.map(|bytes| bytes.to_vec());
                    (usize::from(register.number), register.size as usize, contents)
                })
                .collect(),
        })
    }

    /// Bytes the program loads from constant regions and from all others, as `statistics` counted them.
    pub fn loaded_bytes(&self, statistics: &Statistics) -> (u64, u64) {
        let constant =
            |region: usize| self.regions.iter().any(|(own, _, contents)| *own == region && contents.is_some());
        let sum = |wanted: bool| {
            let regions = statistics.loaded_from.iter().enumerate();
            regions.filter(|&(region, _)| constant(region) == wanted).map(|(_, bytes)| bytes).sum()
        };
        (sum(true), sum(false))
    }

    /// Defines the regions, with the constants and the inputs in them; one tensor for each of [`DpuProgram::inputs`], of its shape.
    pub(crate) fn fill_memory(&self, core: &mut Core, inputs: &[&ArrayD<i8>]) -> Result<(), DpuError> {
        for (number, size, contents) in &self.regions {
            core.regions_mut().define(*number, *size)?;
            if let Some(contents) = contents {
                core.regions_mut().write(*number, 0, contents)?;
            }
        }
        for (placed, input) in self.inputs.iter().zip(inputs) {
            let bytes: Vec<u8> = input.iter().map(|&value| value as u8).collect();
            core.regions_mut().write(placed.region, placed.address, &bytes)?;
        }
        Ok(())
    }

    /// Regions that hold neither constants nor inputs.
    pub(crate) fn blank_regions(&self) -> impl Iterator<Item = usize> + '_ {
        let holds_input = |region| self.inputs.iter().any(|placed| placed.region == region);
        let blank =
            self.regions.iter().filter(move |(number, _, contents)| contents.is_none() && !holds_input(*number));
        blank.map(|(number, ..)| *number)
    }

    /// Runs the program; one tensor for each of [`DpuProgram::inputs`], of its shape.
    pub fn run(&self, inputs: &[&ArrayD<i8>]) -> Result<DpuRun, DpuError> {
        let mut core = Core::new(&self.target);
        self.fill_memory(&mut core, inputs)?;
        let statistics = core.run(&self.instructions)?;
        let mut outputs = Vec::with_capacity(self.outputs.len());
        for placed in &self.outputs {
            let size = placed.port.elements();
            let bytes = core.regions().bytes(placed.region, placed.address, size)?;
            let values = bytes.iter().map(|&byte| byte as i8).collect();
            let array = ArrayD::from_shape_vec(placed.port.shape.clone(), values)
                .map_err(|_| DpuError::Shape(placed.port.name.clone()))?;
            outputs.push(Tensor::I8(array));
        }
        Ok(DpuRun { outputs, statistics })
    }
}

impl Placed {
    fn new(boundary: &Boundary<'_>) -> Result<Self, DpuError> {
        let shape = crate::port::shape(boundary.tensor).ok_or_else(|| DpuError::Shape(boundary.tensor.name.clone()))?;
        let port = Port {
            name: boundary.tensor.name.clone(),
            op: boundary.op.producers().next().unwrap_or_default().to_owned(),
            shape,
            fix_point: Some(boundary.fix_point),
            layout: Layout::Same,
        };
        Ok(Self { port, region: usize::from(boundary.register), address: boundary.address as usize })
    }
}

fn target_of(subgraph: &DpuSubgraph<'_>) -> Result<Target, DpuError> {
    // The fingerprint says exactly what the code may use; old releases gave the same name to several configurations.
    if let Some(fingerprint) = subgraph.fingerprint.filter(|&fingerprint| fingerprint != 0) {
        return Target::from_fingerprint(fingerprint).map_err(DpuError::Target);
    }
    let name = subgraph.target.ok_or(DpuError::NoTarget)?;
    Target::from_name(name).map_err(DpuError::Target)
}
