//! What quantisation costs, tensor by tensor.
//!
//! The network is walked once, float values beside the codes of the quantised network. For each tensor the layer is also computed in float
//! from its quantised inputs: what that differs by from the float network is noise of the layers in front; what the quantised layer differs
//! by from that is noise of its own.

mod histogram;

use rayon::prelude::*;
use serde::Serialize;

use crate::adjust::Positions;
use crate::correct::values;
use crate::error::Error;
use crate::place::SiteId;
use crate::position::power;
use crate::progress::{Progress, Stage, Tick};
use crate::quantiser::Quantiser;
use crate::run::Samples;
use crate::walk::{Arithmetic, Maps, Walk};
pub use histogram::Histogram;

/// Most samples that are compared.
const COMPARED: usize = 16;

/// What quantisation costs, on some of the calibration samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Samples that were compared.
    pub samples: usize,
    /// The rounded tensors, in order of computation.
    pub tensors: Vec<TensorReport>,
    /// The rounded constants.
    pub constants: Vec<ConstantReport>,
    /// What was changed before quantising, in words.
    pub notes: Vec<String>,
}

/// One tensor of the network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TensorReport {
    /// Its name.
    pub name: String,
    /// The operations that compute it, such as `nn.conv2d + nn.relu`, or `argument`.
    pub operation: String,
    /// Its dimensions, NHWC.
    pub shape: Vec<usize>,
    /// The tensors it is computed from.
    pub inputs: Vec<usize>,
    /// Its position: codes stand for multiples of `2^-position`.
    pub position: i32,
    /// The tensor whose position it has by construction: of a pooling's result the input, of what only a concatenation reads its result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tied_to: Option<usize>,
    /// Signal to quantisation noise in decibels: everything in front of it included.
    pub sqnr: f64,
    /// The SQNR it would have if its layer were not quantised, only the inputs.
    pub inherited: f64,
    /// What of its SQNR is lost here, in decibels: `inherited - sqnr`. Below zero where rounding makes up for noise in front, as corrected
    /// biases do; 0 where there is no noise in front, as at arguments.
    pub loss: f64,
    /// Signal to the noise that its layer adds, in decibels.
    pub added: f64,
    /// The noise its layer adds, relative to its signal, as a fraction of the sum over all tensors. As noise keeps its size relative to the
    /// signal on its way through most layers, this says roughly which layers cost most accuracy.
    pub share: f64,
    /// Fraction of floats beyond the range of codes.
    pub saturated: f64,
    /// The least float.
    pub least: f32,
    /// The greatest float.
    pub most: f32,
    /// Where its floats lie.
    pub histogram: Histogram,
}

/// One constant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConstantReport {
    /// Its name.
    pub name: String,
    /// The tensor whose layer reads it.
    pub tensor: usize,
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// Its position.
    pub position: i32,
    /// Signal to quantisation noise in decibels, of the constant alone.
    pub sqnr: f64,
    /// Fraction of floats beyond the range of codes.
    pub saturated: f64,
    /// The least float.
    pub least: f32,
    /// The greatest float.
    pub most: f32,
    /// Where its floats lie.
    pub histogram: Histogram,
}

/// Sums over the elements of a tensor.
#[derive(Clone, Debug)]
struct Sums {
    signal: f64,
    noise: f64,
    inherited: f64,
    added: f64,
    saturated: u64,
    count: u64,
    least: f32,
    most: f32,
    histogram: Histogram,
}

impl Sums {
    fn new() -> Self {
        let histogram = Histogram::new();
        let (least, most) = (f32::INFINITY, f32::NEG_INFINITY);
        Self { signal: 0.0, noise: 0.0, inherited: 0.0, added: 0.0, saturated: 0, count: 0, least, most, histogram }
    }

    /// Adds an element: in the float network, as computed in float from quantised inputs, and quantised.
    fn add(&mut self, float: f32, inherited: f32, fixed: f32, scale: f32) {
        let squared = |a: f32, b: f32| (f64::from(a) - f64::from(b)).powi(2);
        self.signal += squared(float, 0.0);
        self.noise += squared(float, fixed);
        self.inherited += squared(float, inherited);
        self.added += squared(inherited, fixed);
        self.saturated += u64::from(!(-128.5..127.5).contains(&(float * scale)));
        self.count += 1;
        self.least = self.least.min(float);
        self.most = self.most.max(float);
        self.histogram.add(float * scale);
    }

    fn merge(mut self, other: &Self) -> Self {
        self.signal += other.signal;
        self.noise += other.noise;
        self.inherited += other.inherited;
        self.added += other.added;
        self.saturated += other.saturated;
        self.count += other.count;
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
        self.histogram.merge(&other.histogram);
        self
    }

    fn saturated(&self) -> f64 {
        self.saturated as f64 / self.count.max(1) as f64
    }
}

/// Decibels of a ratio of energies.
fn decibels(signal: f64, noise: f64) -> f64 {
    if noise == 0.0 { MOST_DECIBELS } else { (10.0 * (signal / noise).log10()).clamp(-MOST_DECIBELS, MOST_DECIBELS) }
}

/// What no noise at all counts.
const MOST_DECIBELS: f64 = 200.0;

/// Runs the float network and the quantised one on some samples.
pub(crate) fn compare(
    quantiser: &Quantiser,
    positions: &Positions,
    rounded: &[Vec<f32>],
    samples: &dyn Samples,
    progress: &dyn Progress,
) -> Result<Report, Error> {
    let mut walk = Walk::with_most(quantiser, samples, COMPARED);
    let order = walk.order.clone();
    let tick = Tick::new(progress, Stage::Compare, order.len());
    let mut sums = Vec::with_capacity(order.len());
    for &site in &order {
        sums.push(visit(quantiser, &mut walk, site, (positions, rounded), samples)?);
        tick.step();
    }
    let mut place = vec![0; order.len()];
    for (at, &site) in order.iter().enumerate() {
        place[site] = at;
    }
    // Noise beyond the signal itself loses no more than everything.
    let ratios: Vec<f64> = sums.iter().map(|sums| 10f64.powf(-added(sums) / 10.0).min(1.0)).collect();
    let whole: f64 = ratios.iter().sum();
    let tensor = |(at, sums): (usize, Sums)| {
        let site = order[at];
        let (sqnr, inherited) = (decibels(sums.signal, sums.noise), decibels(sums.signal, sums.inherited));
        TensorReport {
            name: quantiser.placement.sites[site].name.clone(),
            operation: operation(quantiser, site),
            shape: quantiser.ir.shape_of(quantiser.placement.sites[site].value).unwrap_or_default(),
            inputs: crate::walk::inputs(quantiser, site).into_iter().map(|input| place[input]).collect(),
            position: positions.of(&quantiser.placement, site),
            tied_to: quantiser.placement.sites[site].tied_to.map(|tied| place[tied]),
            sqnr,
            inherited,
            loss: if inherited < MOST_DECIBELS { inherited - sqnr } else { 0.0 },
            added: added(&sums),
            share: ratios[at] / whole.max(f64::MIN_POSITIVE),
            saturated: sums.saturated(),
            least: sums.least,
            most: sums.most,
            histogram: sums.histogram.trimmed(),
        }
    };
    let count = walk.count();
    let tensors = sums.into_iter().enumerate().map(tensor).collect();
    let constants = constants(quantiser, positions, rounded, &place);
    Ok(Report { samples: count, tensors, constants, notes: quantiser.notes().to_vec() })
}

/// Signal to added noise.
fn added(sums: &Sums) -> f64 {
    decibels(sums.signal, sums.added)
}

/// Computes a tensor for all samples, keeps it for the layers that read it, and sums it up.
fn visit(
    quantiser: &Quantiser,
    walk: &mut Walk<'_>,
    site: SiteId,
    (positions, rounded): (&Positions, &[Vec<f32>]),
    samples: &dyn Samples,
) -> Result<Sums, Error> {
    let placed = &quantiser.placement.sites[site];
    let position = positions.of(&quantiser.placement, site);
    let step = power(-position);
    let sum = |Maps { float, codes }: &Maps, inherited: &[f32]| {
        let mut sums = Sums::new();
        for ((&float, &code), &inherited) in float.iter().zip(codes).zip(inherited) {
            sums.add(float, inherited, f32::from(code) * step, power(position));
        }
        sums
    };
    let (sums, maps): (Vec<Sums>, _) = if placed.is_argument {
        walk.load(site, position, samples)?;
        (walk.maps(site).par_iter().map(|maps| sum(maps, &maps.float)).collect(), None)
    } else {
        let segment = walk.segment(site);
        let maps = values(&segment, placed.value, walk.count(), positions, rounded)?;
        let layer = segment.compile(&[placed.value], Arithmetic::Float)?;
        let sums = maps.par_iter().enumerate().map(|(number, maps)| {
            Ok(sum(maps, &layer.run(&segment.quantised_inputs(number, positions))?.swap_remove(0)))
        });
        (sums.collect::<Result<_, Error>>()?, Some(maps))
    };
    if let Some(maps) = maps {
        walk.store(site, maps);
    }
    // In the order of the samples: floats are added.
    Ok(sums.iter().fold(Sums::new(), Sums::merge))
}

/// The operations that compute a site.
fn operation(quantiser: &Quantiser, site: SiteId) -> String {
    let (ir, placement) = (&quantiser.ir, &quantiser.placement);
    let placed = &placement.sites[site];
    let Some(end) = ir.defining_op(placed.value) else { return "argument".to_owned() };
    match placed.layer.map(|layer| placement.layers[layer].op) {
        Some(op) if op != end => format!("{} + {}", ir.op_name(op), ir.op_name(end)),
        _ => ir.op_name(end).to_owned(),
    }
}

/// The constants; `place` says which tensor of the report a site is.
fn constants(
    quantiser: &Quantiser,
    positions: &Positions,
    rounded: &[Vec<f32>],
    place: &[usize],
) -> Vec<ConstantReport> {
    let placement = &quantiser.placement;
    let layers = placement.layers.iter().flat_map(|layer| layer.parameters.iter().map(|&id| (id, layer.output)));
    let constant = |(id, output): (usize, SiteId)| {
        let (parameter, position) = (&placement.parameters[id], positions.parameters[id]);
        let mut sums = Sums::new();
        for (&float, &fixed) in quantiser.parameter(id).iter().zip(&rounded[id]) {
            sums.add(float, float, fixed, power(position));
        }
        ConstantReport {
            name: parameter.symbol.clone(),
            tensor: place[output],
            shape: parameter.shape.clone(),
            position,
            sqnr: decibels(sums.signal, sums.noise),
            saturated: sums.saturated(),
            least: sums.least,
            most: sums.most,
            histogram: sums.histogram.trimmed(),
        }
    };
    layers.map(constant).collect()
}
