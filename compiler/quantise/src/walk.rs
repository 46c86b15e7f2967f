//! The network tensor by tensor, with all samples at once: float values beside the codes of the network quantised so far.

use std::collections::{BTreeSet, HashMap, HashSet};

use dpuc_dialects::ValueId;
use dpuc_evaluate::Tensor;
use dpuc_kernels::reference::round::quantise;
use rayon::prelude::*;

use crate::adjust::Positions;
use crate::emit::{Rounded, fix_constants, fix_values};
use crate::error::Error;
use crate::network::{Part, body, extract, set_constant};
use crate::place::{Placement, SiteId};
use crate::position::power;
use crate::quantiser::Quantiser;
use crate::run::{Runner, Samples, sample};

/// The values of one site for one sample.
#[derive(Clone, Debug, Default)]
pub(crate) struct Maps {
    pub(crate) float: Vec<f32>,
    pub(crate) codes: Vec<i8>,
}

/// All sites in order of computation, with the values of those that are still needed.
pub(crate) struct Walk<'a> {
    quantiser: &'a Quantiser,
    samples: Vec<usize>,
    pub(crate) order: Vec<SiteId>,
    /// By site: the sites its segment reads.
    inputs: Vec<Vec<SiteId>>,
    /// By site: one entry for each sample, or none.
    maps: Vec<Vec<Maps>>,
}

/// The operations between sites that compute one site.
pub(crate) struct Segment<'w, 'a> {
    walk: &'w Walk<'a>,
    site: SiteId,
}

/// Bytes of a float and a code.
const BYTES: u64 = 5;

impl<'a> Walk<'a> {
    /// A walk with as many samples as fit into the memory limit, spread over all of them.
    pub(crate) fn new(quantiser: &'a Quantiser, samples: &dyn Samples) -> Self {
        Self::with_most(quantiser, samples, usize::MAX)
    }

    /// As [`Walk::new`], with `most` samples at most.
    pub(crate) fn with_most(quantiser: &'a Quantiser, samples: &dyn Samples, most: usize) -> Self {
        let placement = &quantiser.placement;
        let order = order(quantiser);
        let inputs: Vec<Vec<SiteId>> = (0..placement.sites.len()).map(|site| inputs(quantiser, site)).collect();
        let maps = vec![Vec::new(); placement.sites.len()];
        let mut walk = Self { quantiser, samples: Vec::new(), order, inputs, maps };
        let total = samples.count();
        let fitting = quantiser.options.memory_limit / walk.peak_bytes().max(1);
        let count = total.min(most).min(usize::try_from(fitting).unwrap_or(total)).max(1);
        walk.samples = (0..count.min(total)).map(|number| number * total / count).collect();
        walk
    }

    /// Elements of a site's value.
    fn elements(&self, site: SiteId) -> u64 {
        let shape = self.quantiser.ir.shape_of(self.quantiser.placement.sites[site].value);
        shape.unwrap_or_default().iter().map(|&dim| dim as u64).product()
    }

    /// Bytes of the values of one sample that are needed at a time.
    fn peak_bytes(&self) -> u64 {
        let mut alive: HashSet<SiteId> = HashSet::new();
        let mut peak = 0;
        for (at, &site) in self.order.iter().enumerate() {
            alive.insert(site);
            let mut sites: Vec<SiteId> = alive.iter().copied().collect();
            sites.sort_unstable();
            peak = peak.max(sites.iter().map(|&site| self.elements(site) * BYTES).sum());
            alive.retain(|&site| self.is_needed_after(at, site));
        }
        peak
    }

    fn is_needed_after(&self, at: usize, site: SiteId) -> bool {
        self.order[at + 1..].iter().any(|&later| self.inputs[later].contains(&site))
    }

    /// The operations that compute a site.
    pub(crate) fn segment(&self, site: SiteId) -> Segment<'_, 'a> {
        Segment { walk: self, site }
    }

    /// Takes an argument's values from the samples.
    pub(crate) fn load(&mut self, site: SiteId, position: i32, samples: &dyn Samples) -> Result<(), Error> {
        let ir = &self.quantiser.ir;
        let value = self.quantiser.placement.sites[site].value;
        let arguments = ir.arguments(self.quantiser.block);
        let number = arguments.iter().position(|&argument| argument == value).unwrap_or_default();
        let load = |&index: &usize| {
            let missing = || Error::Sample { index, reason: format!("it has no float tensor number {number}") };
            let tensors = sample(samples, index)?;
            let float = tensors.get(number).and_then(Tensor::as_f32).ok_or_else(missing)?;
            let float: Vec<f32> = float.iter().copied().collect();
            let codes = float.iter().map(|&value| quantise(value, position)).collect();
            Ok(Maps { float, codes })
        };
        self.maps[site] = self.samples.par_iter().map(load).collect::<Result<_, Error>>()?;
        Ok(())
    }

    /// Keeps the values of a site, and drops those that nobody needs any more.
    pub(crate) fn store(&mut self, site: SiteId, maps: Vec<Maps>) {
        self.maps[site] = maps;
        let Some(at) = self.order.iter().position(|&other| other == site) else { return };
        for other in 0..self.maps.len() {
            if !self.maps[other].is_empty() && !self.is_needed_after(at, other) {
                self.maps[other] = Vec::new();
            }
        }
    }

    /// The values of a site, as long as it is needed: one entry for each sample.
    pub(crate) fn maps(&self, site: SiteId) -> &[Maps] {
        &self.maps[site]
    }

    /// Number of samples.
    pub(crate) fn count(&self) -> usize {
        self.samples.len()
    }
}

/// Sites in the order in which the block computes them.
pub(crate) fn order(quantiser: &Quantiser) -> Vec<SiteId> {
    let ir = &quantiser.ir;
    let places: HashMap<_, usize> = ir.ops(quantiser.block).enumerate().map(|(place, op)| (op, place + 1)).collect();
    let place = |site: &SiteId| {
        let op = ir.defining_op(quantiser.placement.sites[*site].value);
        op.and_then(|op| places.get(&op)).copied().unwrap_or(0)
    };
    let mut order: Vec<SiteId> = (0..quantiser.placement.sites.len()).collect();
    order.sort_by_key(place);
    order
}

/// The sites a site is computed from, without others in between.
pub(crate) fn inputs(quantiser: &Quantiser, site: SiteId) -> Vec<SiteId> {
    let (ir, sites) = (&quantiser.ir, &quantiser.placement.sites);
    let by_value: HashMap<ValueId, SiteId> = sites.iter().enumerate().map(|(id, site)| (site.value, id)).collect();
    let mut found = BTreeSet::new();
    let mut seen = HashSet::new();
    let mut open = vec![sites[site].value];
    while let Some(value) = open.pop() {
        let operands = ir.defining_op(value).map(|op| ir.operands(op)).unwrap_or_default();
        for &operand in operands {
            match by_value.get(&operand) {
                Some(&input) => {
                    found.insert(input);
                }
                None if seen.insert(operand) => open.push(operand),
                None => {}
            }
        }
    }
    found.into_iter().collect()
}

/// What a segment computes with.
#[derive(Clone, Copy)]
pub(crate) enum Arithmetic<'p> {
    /// The float network.
    Float,
    /// Floats, with these constants instead of the network's; by parameter.
    Constants(&'p [Vec<f32>]),
    /// As the hardware does, at these positions and with these constants on their grids.
    Integer(&'p Positions, &'p [Vec<f32>]),
}

impl Segment<'_, '_> {
    fn placement(&self) -> &Placement {
        &self.walk.quantiser.placement
    }

    /// The segment as a function of the sites it reads, which gives `outputs`.
    pub(crate) fn compile(&self, outputs: &[ValueId], arithmetic: Arithmetic<'_>) -> Result<Runner, Error> {
        let quantiser = self.walk.quantiser;
        let placement = self.placement();
        let inputs: Vec<ValueId> = self.inputs().iter().map(|&site| placement.sites[site].value).collect();
        let mut part = extract(&quantiser.ir, quantiser.block, &inputs, outputs);
        let block = body(&part.ir)?;
        match arithmetic {
            Arithmetic::Float => Runner::float(&part.ir, &quantiser.options.operators),
            Arithmetic::Constants(constants) => {
                for (parameter, elements) in placement.parameters.iter().zip(constants) {
                    if part.ops.contains_key(&parameter.op) {
                        set_constant(&mut part.ir, &parameter.symbol, &parameter.shape, elements);
                    }
                }
                Runner::float(&part.ir, &quantiser.options.operators)
            }
            Arithmetic::Integer(positions, constants) => {
                let Part { mut ir, values, ops } = part;
                let parameters = placement.parameters.iter().zip(&positions.parameters).zip(constants);
                let rounded = parameters.filter_map(|((parameter, &position), elements)| {
                    let op = *ops.get(&parameter.op)?;
                    let (index, symbol, shape) = (parameter.index, &*parameter.symbol, &*parameter.shape);
                    Some(Rounded { op, index, symbol, shape, position, elements: elements.clone() })
                });
                fix_constants(&mut ir, rounded);
                let sites = self.inputs().iter().chain([&self.site]);
                let fixed = sites.filter_map(|&site| {
                    let value = values.get(&placement.sites[site].value)?;
                    Some((*value, positions.of(placement, site)))
                });
                fix_values(&mut ir, block, fixed);
                Runner::integer(ir, &quantiser.options.operators)
            }
        }
    }

    /// The position of its site.
    pub(crate) fn position(&self, positions: &Positions) -> i32 {
        positions.of(self.placement(), self.site)
    }

    /// The sites it reads.
    fn inputs(&self) -> &[SiteId] {
        &self.walk.inputs[self.site]
    }

    /// Float values of its inputs, for one sample.
    pub(crate) fn float_inputs(&self, number: usize) -> Vec<Tensor> {
        let tensor = |&site: &SiteId| self.tensor(site, self.walk.maps[site][number].float.clone());
        self.inputs().iter().filter_map(tensor).collect()
    }

    /// Numbers that the codes of its inputs stand for, for one sample.
    pub(crate) fn quantised_inputs(&self, number: usize, positions: &Positions) -> Vec<Tensor> {
        let tensor = |&site: &SiteId| {
            let step = power(-positions.of(self.placement(), site));
            let codes = &self.walk.maps[site][number].codes;
            self.tensor(site, codes.iter().map(|&code| f32::from(code) * step).collect())
        };
        self.inputs().iter().filter_map(tensor).collect()
    }

    fn tensor(&self, site: SiteId, elements: Vec<f32>) -> Option<Tensor> {
        let shape = self.walk.quantiser.ir.shape_of(self.placement().sites[site].value)?;
        Tensor::from_f32(&shape, elements)
    }
}
