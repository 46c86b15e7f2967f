//! A program executed instruction by instruction, its tensors compared as they become complete.

use std::collections::BTreeSet;
use std::ops::Range;

use dpuc_accel::Core;
use dpuc_isa::{AccessTracker, Accesses, Bytes, Instruction};
use ndarray::ArrayD;

use super::evidence::evidence;
use super::expected::Expected;
use super::finding::{Compared, Difference, Element, Evidence, Place as InstructionPlace, Problem};
use super::places::{Location, Place};
use super::progress::Progress;
use crate::dpu::{DpuError, DpuProgram};

/// A program under comparison.
pub(super) struct Comparison<'a> {
    program: &'a [Instruction],
    name: &'a str,
    places: Vec<Place>,
    /// What each tensor should hold; `None` if nothing is known or nothing can be seen.
    expected: Vec<Option<&'a ArrayD<i8>>>,
    progress: Progress,
    compared: usize,
}

/// A difference, and what may explain it.
struct Finding {
    difference: Difference,
    /// Tensors in front of it that are partly written.
    waits_for: Vec<usize>,
}

impl Finding {
    /// Nothing explains it.
    const fn new(difference: Difference) -> Self {
        Self { difference, waits_for: Vec::new() }
    }
}

impl<'a> Comparison<'a> {
    pub(super) fn new(program: &'a DpuProgram, places: Vec<Place>, expected: &'a Expected) -> Self {
        let wanted = |place: &Place| {
            let tensor = expected.tensor(&place.tensor).filter(|tensor| tensor.shape() == place.shape);
            tensor.filter(|_| place.location != Location::Hidden)
        };
        let expected = places.iter().map(wanted).collect();
        let progress = Progress::new(&places);
        Self { program: &program.instructions, name: &program.name, places, expected, progress, compared: 0 }
    }

    pub(super) fn run(mut self, mut core: Core) -> Result<Compared, DpuError> {
        let target = core.target().clone();
        let mut tracker = AccessTracker::new();
        let mut accesses = Accesses::default();
        let mut executed = 0;
        let mut finding: Option<Finding> = None;
        for (index, instruction) in self.program.iter().enumerate() {
            executed = index + 1;
            if let Err(error) = core.execute(index, instruction) {
                finding.get_or_insert_with(|| Finding::new(self.stopped(index, error.to_string())));
                break;
            }
            // What a Save touches does not depend on latched fields, so the others need not be followed.
            if !matches!(instruction, Instruction::Save(_))
                || tracker.accesses(instruction, &target, &mut accesses).is_err()
            {
                continue;
            }
            finding = self.after_save(&core, &accesses, executed, finding)?;
            // What a wrong tensor depends on may be the cause, and is complete or never will be.
            let is_partial = |number: &usize| self.progress.is_partial(*number);
            if finding.as_ref().is_some_and(|finding| !finding.waits_for.iter().any(is_partial)) {
                break;
            }
        }
        let difference = self.conclude(finding, executed, &core);
        let unseen = |&number: &usize| self.expected[number].is_none() || !self.progress.is_complete(number);
        let hidden = (0..self.places.len()).filter(unseen).map(|number| self.places[number].tensor.clone()).collect();
        Ok(Compared {
            subgraph: self.name.to_owned(),
            instructions: executed,
            tensors: self.compared,
            hidden,
            difference,
        })
    }

    /// Compares what a Save completed, and what it should have left alone. Gives the finding so far, or the one that explains it.
    fn after_save(
        &mut self,
        core: &Core,
        accesses: &Accesses,
        executed: usize,
        mut finding: Option<Finding>,
    ) -> Result<Option<Finding>, DpuError> {
        let agrees = |number: usize, elements: Range<usize>, first: u64| {
            let expected = self.expected[number]?.as_slice()?.get(elements.clone())?;
            let region = usize::from(self.places[number].location.extent()?.region());
            let bytes = core.regions().bytes(region, first as usize, elements.len()).ok()?;
            Some(expected.iter().zip(bytes).all(|(&expected, &byte)| expected == byte as i8))
        };
        let written = self.progress.write(&self.places, &accesses.region_writes, &agrees);
        for number in written.complete {
            let explains = finding.as_ref().is_none_or(|finding| finding.waits_for.contains(&number));
            let problem = self.compare(number, core)?;
            let Some(problem) = problem.filter(|_| explains) else { continue };
            let mut difference = self.difference(number, problem);
            difference.evidence = self.evidence_of(&difference, executed, core);
            let waits_for =
                self.reached(number, &|_| true).into_iter().filter(|&other| self.progress.is_partial(other));
            finding = Some(Finding { difference, waits_for: waits_for.collect() });
        }
        for (region, byte) in written.unclaimed {
            if finding.is_none()
                && let Some(mut difference) = self.overwritten(region, byte, core)?
            {
                difference.evidence = self.evidence_of(&difference, executed, core);
                finding = Some(Finding::new(difference));
            }
        }
        Ok(finding)
    }

    /// The difference at the end of the run: of what the program began and did not finish, if there is such a thing in front of the finding.
    fn conclude(&self, finding: Option<Finding>, executed: usize, core: &Core) -> Option<Difference> {
        let is_partial = |number: &usize| self.progress.is_partial(*number);
        let unfinished = match &finding {
            Some(finding) => finding.waits_for.iter().copied().find(is_partial),
            None => (0..self.places.len()).find(|number| {
                is_partial(number) || self.places[*number].is_output && !self.progress.is_complete(*number)
            }),
        };
        let Some(number) = unfinished else { return finding.map(|finding| finding.difference) };
        let mut difference = self.missing(number);
        difference.evidence = self.evidence_of(&difference, executed, core);
        Some(difference)
    }

    /// Compares a complete tensor.
    fn compare(&mut self, number: usize, core: &Core) -> Result<Option<Problem>, DpuError> {
        let (Some(expected), Some(extent)) = (self.expected[number], self.places[number].location.extent()) else {
            return Ok(None);
        };
        self.compared += 1;
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
            let bytes = Bytes { region, start: byte as u32, end: byte as u32 + 1 };
            extent.elements_in(bytes, &mut |elements, _| at = Some(elements.start));
            let Some(element) = at else { continue };
            let Some(&expected) = expected.as_slice().and_then(|expected| expected.get(element)) else { continue };
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
        let is_open = |number: &usize| !self.progress.is_complete(*number);
        let number = (0..self.places.len()).find(is_open).unwrap_or(self.places.len().saturating_sub(1));
        let evidence = Evidence { written_by: InstructionPlace::of(self.program, index), computed_by: None };
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
                    let bytes = Bytes { region: extent.region(), start: byte as u32, end: byte as u32 + 1 };
                    let mut inside = false;
                    extent.elements_in(bytes, &mut |_, _| inside = true);
                    inside
                })
            }
            Problem::Stopped { .. } => difference.evidence.clone(),
        }
    }

    /// Operators in front of a tensor that could not be compared, up to the first ones that were.
    fn suspects(&self, number: usize) -> Vec<String> {
        let is_unknown = |place: usize| self.expected[place].is_none() || !self.progress.is_complete(place);
        let reached = self.reached(number, &is_unknown).into_iter().filter(|&place| is_unknown(place));
        reached.map(|place| self.places[place].operation.clone()).collect()
    }

    /// What a tensor depends on, through tensors for which `passes` holds, in order.
    fn reached(&self, number: usize, passes: &dyn Fn(usize) -> bool) -> Vec<usize> {
        let mut seen = BTreeSet::new();
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
