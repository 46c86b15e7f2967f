//! What quantisation costs, tensor by tensor.

use serde::Serialize;

use crate::adjust::Positions;
use crate::emit::{Rounded, fix_constants, fix_values};
use crate::error::Error;
use crate::network::{body, extract};
use crate::position::power;
use crate::progress::{Progress, Stage, Tick};
use crate::quantiser::Quantiser;
use crate::run::{Runner, Samples, sample};

/// Most samples that are compared.
const COMPARED: usize = 16;
/// Bins of the histogram of codes.
pub const BINS: usize = 32;

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
    /// The operation that computes it, or `argument`.
    pub operation: String,
    /// Its position: codes stand for multiples of `2^-position`.
    pub position: i32,
    /// Signal to quantisation noise in decibels: everything in front of it included.
    pub sqnr: f64,
    /// What of it is lost here, in decibels: the ratio of the tensor's SQNR to the least one of the tensors it is computed from.
    pub loss: f64,
    /// Fraction of codes at the ends of the range, where the float is beyond it.
    pub saturated: f64,
    /// How many codes are in each of [`BINS`] equal ranges from -128 to 127.
    pub histogram: Vec<u64>,
}

/// One constant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConstantReport {
    /// Its name.
    pub name: String,
    /// Its position.
    pub position: i32,
    /// Signal to quantisation noise in decibels, of the constant alone.
    pub sqnr: f64,
}

/// Sums over samples.
#[derive(Clone, Debug)]
struct Sums {
    signal: f64,
    noise: f64,
    saturated: u64,
    count: u64,
    histogram: Vec<u64>,
}

impl Sums {
    fn new() -> Self {
        Self { signal: 0.0, noise: 0.0, saturated: 0, count: 0, histogram: vec![0; BINS] }
    }

    fn add(&mut self, float: &[f32], fixed: &[f32], position: i32) {
        let scale = power(position);
        let (least, most) = (-128.5, 127.5);
        for (&float, &fixed) in float.iter().zip(fixed) {
            self.signal += f64::from(float) * f64::from(float);
            self.noise += (f64::from(float) - f64::from(fixed)).powi(2);
            self.saturated += u64::from(!(least..=most).contains(&(float * scale)));
            let code = (fixed * scale) as i32;
            self.histogram[((code + 128) as usize * BINS / 256).min(BINS - 1)] += 1;
        }
        self.count += float.len() as u64;
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
    let placement = &quantiser.placement;
    let values: Vec<_> = placement.sites.iter().map(|site| site.value).collect();
    let float = quantiser.runner(&values)?;
    let fixed = quantised_runner(quantiser, positions, rounded, &values)?;
    let total = samples.count();
    let count = total.min(COMPARED);
    let tick = Tick::new(progress, Stage::Compare, count);
    let mut sums = vec![Sums::new(); values.len()];
    for number in 0..count {
        let inputs = sample(samples, number * total / count)?;
        let (expected, found) = (float.run(&inputs)?, fixed.run(&inputs)?);
        for (site, sums) in sums.iter_mut().enumerate() {
            sums.add(&expected[site], &found[site], positions.of(placement, site));
        }
        tick.step();
    }
    let sqnr: Vec<f64> = sums.iter().map(|sums| decibels(sums.signal, sums.noise)).collect();
    let order = crate::walk::order(quantiser);
    let tensor = |&site: &usize| {
        let placed = &placement.sites[site];
        let sums = &sums[site];
        let operation = quantiser.ir.defining_op(placed.value).map_or("argument", |op| quantiser.ir.op_name(op));
        let inputs = crate::walk::inputs(quantiser, site).into_iter().map(|input| sqnr[input]);
        TensorReport {
            name: placed.name.clone(),
            operation: operation.to_owned(),
            position: positions.of(placement, site),
            sqnr: sqnr[site],
            loss: inputs.reduce(f64::min).map_or(0.0, |least| least - sqnr[site]),
            saturated: sums.saturated as f64 / sums.count.max(1) as f64,
            histogram: sums.histogram.clone(),
        }
    };
    let tensors = order.iter().map(tensor).collect();
    let constants = placement.parameters.iter().enumerate().map(|(id, parameter)| {
        let float = quantiser.parameter(id);
        let energy = |values: &mut dyn Iterator<Item = f32>| values.map(|value| f64::from(value).powi(2)).sum::<f64>();
        let noise = energy(&mut float.iter().zip(&rounded[id]).map(|(float, fixed)| float - fixed));
        let sqnr = decibels(energy(&mut float.iter().copied()), noise);
        ConstantReport { name: parameter.symbol.clone(), position: positions.parameters[id], sqnr }
    });
    let constants = constants.collect();
    Ok(Report { samples: count, tensors, constants, notes: quantiser.notes().to_vec() })
}

/// The quantised network with results `values`, in integers.
fn quantised_runner(
    quantiser: &Quantiser,
    positions: &Positions,
    rounded: &[Vec<f32>],
    values: &[dpuc_dialects::ValueId],
) -> Result<Runner, Error> {
    let placement = &quantiser.placement;
    let part = extract(&quantiser.ir, quantiser.block, quantiser.ir.arguments(quantiser.block), values);
    let mut ir = part.ir;
    let block = body(&ir)?;
    let constants = placement.parameters.iter().enumerate().filter_map(|(id, parameter)| {
        Some(Rounded {
            op: *part.ops.get(&parameter.op)?,
            index: parameter.index,
            symbol: &parameter.symbol,
            shape: &parameter.shape,
            position: positions.parameters[id],
            elements: rounded[id].clone(),
        })
    });
    fix_constants(&mut ir, constants);
    let fixes = placement.sites.iter().enumerate();
    let fixes: Vec<_> =
        fixes.filter_map(|(id, site)| Some((*part.values.get(&site.value)?, positions.of(placement, id)))).collect();
    fix_values(&mut ir, block, fixes);
    Runner::integer(ir, &quantiser.options.operators)
}
