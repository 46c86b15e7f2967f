//! From a float network and its statistics to the quantised one.

use dpuc_dialects::{BlockId, Ir, ValueId};
use md5::{Digest, Md5};

use crate::adjust::{Positions, adjust};
use crate::emit::{Rounded, fix_constants, fix_values};
use crate::error::Error;
use crate::info::QuantInfo;
use crate::network::{body, constant, extract};
use crate::options::Options;
use crate::place::{ParameterId, Placement};
use crate::position::{of_constant, on_grid};
use crate::prepare::prepare;
use crate::progress::Progress;
use crate::report::{Report, compare};
use crate::run::{Runner, Samples};
use crate::statistics::{Shard, Statistics, choose};

/// A float network made ready: roundings placed, channels equalised.
#[derive(Debug)]
pub struct Quantiser {
    pub(crate) ir: Ir,
    pub(crate) block: BlockId,
    pub(crate) placement: Placement,
    pub(crate) options: Options,
    /// What was changed before, in words.
    pub(crate) notes: Vec<String>,
}

/// A quantised network.
#[derive(Clone, Debug)]
pub struct Quantised {
    /// The network with `nn.fix` operations; its constants are on their grids.
    pub ir: Ir,
    /// The positions, as AMD's tools write them.
    pub info: QuantInfo,
    /// What quantisation costs, layer by layer.
    pub report: Report,
}

/// Quantises a float network: all stages in one call.
///
/// # Errors
/// See [`Error`].
pub fn quantise(ir: &Ir, samples: &dyn Samples, options: Options, progress: &dyn Progress) -> Result<Quantised, Error> {
    let quantiser = Quantiser::new(ir, samples, options, progress)?;
    let statistics = quantiser.observe(samples, Shard::WHOLE, progress)?;
    quantiser.finish(&statistics, samples, progress)
}

impl Quantiser {
    /// Prepares `main` of a verified module.
    ///
    /// # Errors
    /// A module without `main`, a quantised network, one without anything for the DPU, constants that are no finite floats.
    pub fn new(ir: &Ir, samples: &dyn Samples, options: Options, progress: &dyn Progress) -> Result<Self, Error> {
        let mut ir = ir.clone();
        body(&ir)?;
        // Normalisations become part of the layers in front of them.
        dpuc_passes::canonicalise(&mut ir)?;
        dpuc_passes::fold_float(&mut ir)?;
        let block = body(&ir)?;
        let notes = prepare(&mut ir, block);
        let placement = Placement::new(&mut ir, block)?;
        let mut quantiser = Self { ir, block, placement, options, notes };
        if quantiser.options.equalise {
            quantiser.equalise(samples, progress)?;
        }
        Ok(quantiser)
    }

    /// Runs a shard of the calibration samples through the float network.
    ///
    /// # Errors
    /// Samples that cannot be had or run; tensors with elements that are no finite numbers.
    pub fn observe(&self, samples: &dyn Samples, shard: Shard, progress: &dyn Progress) -> Result<Statistics, Error> {
        let roots: Vec<ValueId> = self.placement.roots().map(|site| self.placement.sites[site].value).collect();
        let runner = self.runner(&roots)?;
        Statistics::collect(self.hash(), self.tensors(), &runner, samples, shard, progress)
    }

    /// Chooses positions, corrects biases and rounds; `statistics` must be complete.
    ///
    /// # Errors
    /// Statistics that are incomplete or of another network; samples that cannot be had or run.
    pub fn finish(
        mut self,
        statistics: &Statistics,
        samples: &dyn Samples,
        progress: &dyn Progress,
    ) -> Result<Quantised, Error> {
        statistics.check(&self.hash(), &self.tensors())?;
        let mut positions = self.positions(statistics);
        let rounded = self.correct(&mut positions, samples, progress)?;
        let report = compare(&self, &positions, &rounded, samples, progress)?;
        let info = QuantInfo::new(&self, &positions, self.is_tuned(&positions, &rounded));
        self.emit(&positions, &rounded);
        Ok(Quantised { ir: self.ir, info, report })
    }

    /// The network's values for one sample.
    pub(crate) fn runner(&self, values: &[ValueId]) -> Result<Runner, Error> {
        let part = extract(&self.ir, self.block, self.ir.arguments(self.block), values);
        Runner::float(&part.ir, &self.options.operators)
    }

    /// What was changed before the roundings were placed, in words.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The elements of a parameter, in floats.
    pub(crate) fn parameter(&self, id: ParameterId) -> Vec<f32> {
        let parameter = &self.placement.parameters[id];
        constant(&self.ir, self.ir.operand(parameter.op, parameter.index)).unwrap_or_default()
    }

    fn positions(&self, statistics: &Statistics) -> Positions {
        let placement = &self.placement;
        let mut sites = vec![0; placement.sites.len()];
        for (tensor, site) in placement.roots().enumerate() {
            let records = statistics.records(tensor);
            let is_argument = placement.sites[site].is_argument;
            sites[site] = choose(&records, is_argument, self.options.statistic, self.options.saturation_weight);
        }
        let parameters = (0..placement.parameters.len()).map(|id| of_constant(&self.parameter(id))).collect();
        let mut positions = Positions { sites, parameters };
        adjust(placement, &mut positions, self.options.profile);
        positions
    }

    /// Whether weights are others than the nearest to the float ones.
    fn is_tuned(&self, positions: &Positions, rounded: &[Vec<f32>]) -> bool {
        let weights = self.placement.parameters.iter().enumerate().filter(|(_, parameter)| !parameter.is_bias);
        weights.map(|(id, _)| id).any(|id| rounded[id] != on_grid(&self.parameter(id), positions.parameters[id]))
    }

    /// Writes the roundings into the network.
    fn emit(&mut self, positions: &Positions, rounded: &[Vec<f32>]) {
        let placement = &self.placement;
        let parameters = placement.parameters.iter().zip(&positions.parameters).zip(rounded);
        let constants = parameters.map(|((parameter, &position), elements)| Rounded {
            op: parameter.op,
            index: parameter.index,
            symbol: &parameter.symbol,
            shape: &parameter.shape,
            position,
            elements: elements.clone(),
        });
        fix_constants(&mut self.ir, constants);
        let values =
            (0..placement.sites.len()).map(|site| (placement.sites[site].value, positions.of(placement, site)));
        fix_values(&mut self.ir, self.block, values);
    }

    /// The names of the tensors that statistics are about.
    fn tensors(&self) -> Vec<String> {
        self.placement.roots().map(|site| self.placement.sites[site].name.clone()).collect()
    }

    /// Identifies the prepared network: its text and its constants.
    pub(crate) fn hash(&self) -> String {
        let mut digest = Md5::new();
        digest.update(dpuc_dialects::text::print(&self.ir, dpuc_dialects::text::PrintOptions::default()));
        for (name, weight) in self.ir.weights.iter() {
            digest.update(name);
            digest.update(weight.bytes());
        }
        format!("{:x}", digest.finalize())
    }
}

/// Parameters rounded to the nearest number on their grids.
pub(crate) fn nearest(quantiser: &Quantiser, positions: &Positions) -> Vec<Vec<f32>> {
    let parameters = positions.parameters.iter().enumerate();
    parameters.map(|(id, &position)| on_grid(&quantiser.parameter(id), position)).collect()
}
