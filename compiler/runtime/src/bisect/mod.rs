//! The difference finder: a program on the accelerator model against the reference, tensor by tensor.
//!
//! The program is executed instruction by instruction. A tensor in DDR is compared the moment its last byte is written, since its bytes may
//! be used again. Each DPU subgraph gets the reference's inputs, so that a fault in one is not a fault of the next.

mod evidence;
mod expected;
mod extent;
mod finding;
mod places;
mod progress;

use dpuc_accel::Core;
use dpuc_isa::{AccessTracker, Accesses, Instruction};
use dpuc_xmodel::{DpuSubgraph, GraphIndex};
use ndarray::ArrayD;

use crate::dpu::{DpuError, DpuProgram};
use crate::error::RuntimeError;
use evidence::evidence;
use places::{Location, places};
use progress::Progress;

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

/// A program under comparison.
struct Comparison<'a> {
    program: &'a [Instruction],
    name: &'a str,
    places: Vec<places::Place>,
    /// What each tensor should hold; `None` if nothing is known or nothing can be seen.
    expected: Vec<Option<&'a ArrayD<i8>>>,
    progress: Progress,
    compared: usize,
}

impl<'a> Comparison<'a> {
    fn new(program: &'a DpuProgram, places: Vec<places::Place>, expected: &'a Expected) -> Self {
        let wanted = |place: &places::Place| {
            let tensor = expected.tensor(&place.tensor).filter(|tensor| tensor.shape() == place.shape);
            tensor.filter(|_| place.location != Location::Hidden)
        };
        let expected = places.iter().map(wanted).collect();
        let progress = Progress::new(&places);
        Self { program: &program.instructions, name: &program.name, places, expected, progress, compared: 0 }
    }

    fn run(mut self, mut core: Core) -> Result<Compared, DpuError> {
        let target = core.target().clone();
        let mut tracker = AccessTracker::new();
        let mut accesses = Accesses::default();
        let mut executed = 0;
        let mut difference = None;
        for (index, instruction) in self.program.iter().enumerate() {
            executed = index + 1;
            if let Err(error) = core.execute(index, instruction) {
                difference = Some(self.stopped(index, error.to_string()));
                break;
            }
            // What a Save touches does not depend on latched fields, so the others need not be followed.
            if !matches!(instruction, Instruction::Save(_))
                || tracker.accesses(instruction, &target, &mut accesses).is_err()
            {
                continue;
            }
            difference = self.after_save(&core, &accesses)?;
            if difference.is_some() {
                break;
            }
        }
        if difference.is_none() {
            difference = self.open_among(0..self.places.len()).map(|number| self.missing(number));
        }
        if let Some(difference) = &mut difference {
            difference.evidence = self.evidence_of(difference, executed, &core);
        }
        let hidden = self.places.iter().zip(&self.expected).filter(|(_, expected)| expected.is_none());
        Ok(Compared {
            subgraph: self.name.to_owned(),
            instructions: executed,
            tensors: self.compared,
            hidden: hidden.map(|(place, _)| place.tensor.clone()).collect(),
            difference,
        })
    }

    /// Compares what a Save completed, and what it should have left alone.
    fn after_save(&mut self, core: &Core, accesses: &Accesses) -> Result<Option<Difference>, DpuError> {
        for &bytes in &accesses.region_writes {
            let written = self.progress.write(&self.places, bytes);
            for number in written.complete {
                let Some(problem) = self.compare(number, core)? else { continue };
                let ancestors = self.ancestors(number);
                // Something it depends on that was never finished is the cause.
                return Ok(Some(match self.open_among(ancestors.into_iter()) {
                    Some(open) => self.missing(open),
                    None => self.difference(number, problem),
                }));
            }
            for byte in written.unclaimed {
                if let Some(found) = self.overwritten(bytes.region, byte, core)? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    /// Compares a complete tensor.
    fn compare(&mut self, number: usize, core: &Core) -> Result<Option<Problem>, DpuError> {
        let (Some(expected), Some(extent)) = (self.expected[number], self.places[number].location.extent()) else {
            return Ok(None);
        };
        self.compared += 1;
        let expected = expected.as_standard_layout();
        let expected = expected.as_slice().unwrap_or_default();
        let (mut first, mut wrong, mut outcome) = (None, 0, Ok(()));
        extent.runs(&mut |elements, address| match core.regions().bytes(
            usize::from(extent.region()),
            address as usize,
            elements.len(),
        ) {
            Ok(bytes) => {
                for (element, &byte) in elements.zip(bytes).filter(|&(element, &byte)| byte as i8 != expected[element])
                {
                    first.get_or_insert((element, byte as i8));
                    wrong += 1;
                }
            }
            Err(error) => outcome = Err(error),
        });
        outcome?;
        Ok(first.map(|(element, found)| {
            let first = self.element(number, element, found, expected[element]);
            Problem::Values { first, wrong }
        }))
    }

    /// The complete tensor, written last, that a byte belongs to, if it is wrong there now.
    fn overwritten(&self, region: u8, byte: u64, core: &Core) -> Result<Option<Difference>, DpuError> {
        let found = core.regions().bytes(usize::from(region), byte as usize, 1)?[0] as i8;
        for number in (0..self.places.len()).rev().filter(|&number| self.progress.is_complete(number)) {
            let (Some(expected), Some(extent)) = (self.expected[number], self.places[number].location.extent()) else {
                continue;
            };
            let mut at = None;
            let bytes = dpuc_isa::Bytes { region, start: byte as u32, end: byte as u32 + 1 };
            extent.elements_in(bytes, &mut |elements, _| at = Some(elements.start));
            let Some(element) = at else { continue };
            let Some(&expected) = expected.iter().nth(element) else { continue };
            let problem = Problem::Overwritten { first: self.element(number, element, found, expected) };
            return Ok((found != expected).then(|| self.difference(number, problem)));
        }
        Ok(None)
    }

    fn element(&self, number: usize, element: usize, found: i8, expected: i8) -> Element {
        let place = &self.places[number];
        let (region, address) =
            place.location.extent().map_or((0, 0), |extent| (extent.region(), extent.address_of(element)));
        Element { index: index_of(element, &place.shape), region, address, found, expected }
    }

    fn difference(&self, number: usize, problem: Problem) -> Difference {
        let place = &self.places[number];
        Difference {
            operation: place.operation.clone(),
            kind: place.kind.clone(),
            tensor: place.tensor.clone(),
            shape: place.shape.clone(),
            problem,
            suspects: self.suspects(number),
            evidence: Evidence::default(),
        }
    }

    fn missing(&self, number: usize) -> Difference {
        let (missing, first) = self.progress.missing(number);
        let first = index_of(first, &self.places[number].shape);
        self.difference(number, Problem::Missing { first, missing })
    }

    /// The accelerator refused an instruction: the first tensor that is not complete is the one it was working on.
    fn stopped(&self, index: usize, reason: String) -> Difference {
        let number = self.open_among(0..self.places.len()).unwrap_or(self.places.len().saturating_sub(1));
        let evidence = Evidence { written_by: finding::Place::of(self.program, index), computed_by: None };
        match self.places.get(number) {
            Some(_) => Difference { evidence, ..self.difference(number, Problem::Stopped { reason }) },
            None => Difference {
                operation: self.name.to_owned(),
                kind: String::new(),
                tensor: String::new(),
                shape: Vec::new(),
                problem: Problem::Stopped { reason },
                suspects: Vec::new(),
                evidence,
            },
        }
    }

    fn evidence_of(&self, difference: &Difference, executed: usize, core: &Core) -> Evidence {
        let find =
            |region, writes: &dyn Fn(u64) -> bool| evidence(self.program, executed, core.target(), region, writes);
        match &difference.problem {
            Problem::Values { first, .. } | Problem::Overwritten { first } => {
                find(first.region, &|byte| byte == first.address)
            }
            Problem::Missing { .. } => {
                let place = self.places.iter().find(|place| place.tensor == difference.tensor);
                let Some(extent) = place.and_then(|place| place.location.extent()) else { return Evidence::default() };
                find(extent.region(), &|byte| {
                    let bytes = dpuc_isa::Bytes { region: extent.region(), start: byte as u32, end: byte as u32 + 1 };
                    let mut inside = false;
                    extent.elements_in(bytes, &mut |_, _| inside = true);
                    inside
                })
            }
            Problem::Stopped { .. } => difference.evidence.clone(),
        }
    }

    /// The first of some tensors that is in DDR and not complete.
    fn open_among(&self, mut numbers: impl Iterator<Item = usize>) -> Option<usize> {
        numbers.find(|&number| self.progress.is_open(number) && !self.places[number].is_view)
    }

    /// Everything a tensor depends on, in order.
    fn ancestors(&self, number: usize) -> Vec<usize> {
        self.reached(number, &|_| true)
    }

    /// Operators in front of a tensor that nothing is known of, up to the first ones that were compared.
    fn suspects(&self, number: usize) -> Vec<String> {
        let unknown = self.reached(number, &|place| self.expected[place].is_none());
        unknown
            .into_iter()
            .filter(|&place| self.expected[place].is_none())
            .map(|place| self.places[place].operation.clone())
            .collect()
    }

    /// What a tensor depends on, through tensors for which `passes` holds, in order.
    fn reached(&self, number: usize, passes: &dyn Fn(usize) -> bool) -> Vec<usize> {
        let mut seen = std::collections::BTreeSet::new();
        let mut open = self.places[number].reads.clone();
        while let Some(next) = open.pop() {
            if seen.insert(next) && passes(next) {
                open.extend(&self.places[next].reads);
            }
        }
        seen.into_iter().collect()
    }
}

/// Index of an element in each dimension.
fn index_of(element: usize, shape: &[usize]) -> Vec<usize> {
    let mut rest = element;
    let mut index: Vec<usize> = shape.iter().rev().map(|&dim| (rest % dim.max(1), rest /= dim.max(1)).0).collect();
    index.reverse();
    index
}
