//! Rounding weights with the layer's result in view ([`Effort::High`](crate::Effort::High)).
//!
//! The layer sees the codes that the quantised network computes; its result is to be that of the float network. Least squares give the
//! weights and the bias that come nearest, and `lattice` the numbers on the grids that come nearest to those. Both need the products of
//! all pairs of inputs only, which some thousand output pixels say well enough.

mod lattice;
mod patches;

use dpuc_dialects::{Ir, OpId};
use dpuc_kernels::float::Matmul;
use dpuc_kernels::simd::Kernels;
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use crate::place::Activation;
use crate::position::power;
use lattice::{Form, Grid};
use patches::{Window, spread};

/// Output pixels that are looked at for each unknown, and their least and greatest number.
const PIXELS_PER_UNKNOWN: usize = 4;
const PIXELS: (usize, usize) = (4096, 16384);
/// Least of what is added to the mean square of every input, relative to the mean of all.
const RIDGE: f64 = 1e-2;
/// Pixels of one sample that count as independent of each other. What is added grows with the unknowns for each independent pixel, so that
/// the solution stays near the float weights, and the rounding near the nearest one, where the samples say little.
const INDEPENDENT: usize = 4;

/// A weighted layer and some of what it computes.
pub(crate) struct Reconstruction {
    window: Window,
    outputs: usize,
    activation: Option<Activation>,
    ridge: f64,
    /// Which pixels of each sample are looked at.
    pixels: Vec<Vec<usize>>,
}

/// What one sample says.
pub(crate) struct Evidence {
    /// Inputs of each pixel, `[pixel, tap, channel]`.
    inputs: Vec<f32>,
    /// What the layer's result with float constants and quantised inputs lacks behind the activation, `[pixel, output]`.
    lacking: Vec<f32>,
}

/// The constants of a layer that is rounded.
pub(crate) struct Constants<'a> {
    /// As they are stored.
    pub(crate) weights: &'a [f32],
    pub(crate) bias: Option<&'a [f32]>,
    /// Whether a matrix is `[in, out]`.
    pub(crate) is_input_first: bool,
    pub(crate) position: i32,
}

/// What is found for a layer.
pub(crate) struct Solution {
    /// On the grid.
    pub(crate) weights: Vec<f32>,
    /// On the grid, and its position.
    pub(crate) bias: Option<(Vec<f32>, i32)>,
}

impl Reconstruction {
    /// Chooses pixels of a layer; `None` for layers that are rounded to the nearest code.
    pub(crate) fn new(ir: &Ir, op: OpId, activation: Option<Activation>, samples: usize, seed: u64) -> Option<Self> {
        let window = Window::of(ir, op)?;
        let outputs = *ir.shape_of(ir.result(op))?.last()?;
        let unknowns = if window.is_channelwise { window.taps() } else { window.taps() * window.channels() } + 1;
        let wanted = (PIXELS_PER_UNKNOWN * unknowns).clamp(PIXELS.0, PIXELS.1).div_ceil(samples.max(1));
        let pixels = (0..samples as u64).map(|sample| spread(window.pixels(), wanted, seed ^ (sample << 20))).collect();
        let independent = samples.max(1) * window.pixels().min(INDEPENDENT);
        let ridge = RIDGE + unknowns as f64 / independent as f64;
        Some(Self { window, outputs, activation, ridge, pixels })
    }

    /// Gathers what sample `number` says: the layer's quantised input, its float result, and its result with float constants and
    /// quantised input.
    pub(crate) fn gather(&self, number: usize, input: &[f32], expected: &[f32], found: &[f32]) -> Evidence {
        let mut evidence = Evidence { inputs: Vec::new(), lacking: Vec::new() };
        for &pixel in &self.pixels[number] {
            self.window.gather(input, pixel, &mut evidence.inputs);
            let range = pixel * self.outputs..(pixel + 1) * self.outputs;
            let pairs = expected[range.clone()].iter().zip(&found[range]);
            evidence.lacking.extend(pairs.map(|(&expected, &found)| {
                let behind = |value: f32| self.activation.map_or(value, |activation| activation.apply(value));
                behind(expected) - behind(found)
            }));
        }
        evidence
    }

    /// Solves and rounds; `bias_position` gives the position of a bias.
    pub(crate) fn solve(
        &self,
        evidence: &[Evidence],
        constants: &Constants<'_>,
        bias_position: impl Fn(&[f32]) -> i32,
    ) -> Option<Solution> {
        let problems = if self.window.is_channelwise {
            self.channelwise(evidence, constants)
        } else {
            vec![self.dense(evidence, constants)]
        };
        let solved: Vec<Solved> =
            problems.par_iter().map(|problem| problem.relax(self.ridge)).collect::<Option<_>>()?;
        let bias = constants.bias.map(|_| -> Vec<f32> {
            solved.iter().flat_map(|solved| &solved.targets).map(|target| target[target.len() - 1] as f32).collect()
        });
        let position = bias.as_deref().map(bias_position);
        let rounded: Vec<Vec<Vec<f64>>> =
            solved.par_iter().map(|solved| solved.round(constants.position, position)).collect();
        let rows: Vec<&Vec<f64>> = rounded.iter().flatten().collect();
        let bias = position.map(|position| (rows.iter().map(|row| row[row.len() - 1] as f32).collect(), position));
        Some(Solution { weights: self.stored(&rows, constants), bias })
    }

    /// One problem for all outputs.
    fn dense(&self, evidence: &[Evidence], constants: &Constants<'_>) -> Problem {
        let unknowns = self.window.taps() * self.window.channels();
        let row = |output: usize| -> Vec<f32> {
            let element =
                |k: usize| if constants.is_input_first { k * self.outputs + output } else { output * unknowns + k };
            (0..unknowns).map(|k| constants.weights[element(k)]).collect()
        };
        Problem {
            unknowns,
            inputs: evidence.iter().flat_map(|sample| sample.inputs.iter().copied()).collect(),
            lacking: evidence.iter().flat_map(|sample| sample.lacking.iter().copied()).collect(),
            rows: (0..self.outputs).map(row).collect(),
            bias: constants.bias.map(<[f32]>::to_vec),
        }
    }

    /// A problem for each channel.
    fn channelwise(&self, evidence: &[Evidence], constants: &Constants<'_>) -> Vec<Problem> {
        let (taps, channels) = (self.window.taps(), self.window.channels());
        let problem = |channel: usize| {
            let every = |of: fn(&Evidence) -> &Vec<f32>| {
                evidence
                    .iter()
                    .flat_map(move |sample| of(sample).iter().skip(channel).step_by(channels))
                    .copied()
                    .collect()
            };
            Problem {
                unknowns: taps,
                inputs: every(|sample| &sample.inputs),
                lacking: every(|sample| &sample.lacking),
                rows: vec![(0..taps).map(|tap| constants.weights[tap * channels + channel]).collect()],
                bias: constants.bias.map(|bias| vec![bias[channel]]),
            }
        };
        (0..channels).map(problem).collect()
    }

    /// The weights of all outputs in the order of the constant.
    fn stored(&self, rows: &[&Vec<f64>], constants: &Constants<'_>) -> Vec<f32> {
        let count = constants.weights.len() / rows.len().max(1);
        let is_row_major = !self.window.is_channelwise && !constants.is_input_first;
        let element = |at: usize| {
            let (row, k) = if is_row_major { (at / count, at % count) } else { (at % rows.len(), at / rows.len()) };
            rows[row][k] as f32
        };
        (0..constants.weights.len()).map(element).collect()
    }
}

/// Least squares with one matrix and several right sides.
struct Problem {
    /// Without the bias.
    unknowns: usize,
    /// `[pixel, unknown]`
    inputs: Vec<f32>,
    /// `[pixel, row]`
    lacking: Vec<f32>,
    /// The float weights of each output.
    rows: Vec<Vec<f32>>,
    bias: Option<Vec<f32>>,
}

/// The solution in real numbers. The unknowns are in an order of their own: those that count most come last and are rounded first.
struct Solved {
    form: Form,
    /// By place in the order: the unknown; the bias is the last one.
    order: Vec<usize>,
    /// By row, in natural order, the bias last.
    targets: Vec<Vec<f64>>,
    has_bias: bool,
}

impl Problem {
    fn relax(&self, ridge: f64) -> Option<Solved> {
        let pixels = self.inputs.len() / self.unknowns;
        let has_bias = self.bias.is_some();
        let size = self.unknowns + usize::from(has_bias);
        let mut energy = vec![0f64; self.unknowns];
        for pixel in self.inputs.chunks_exact(self.unknowns) {
            energy.iter_mut().zip(pixel).for_each(|(energy, &value)| *energy += f64::from(value).powi(2));
        }
        let mut order: Vec<usize> = (0..self.unknowns).collect();
        order.sort_by(|&a, &b| energy[a].total_cmp(&energy[b]));
        order.extend(has_bias.then_some(self.unknowns));
        // [pixel, unknown in order], the bias as a constant input.
        let input = |pixel: usize, unknown: usize| {
            if unknown == self.unknowns { 1.0 } else { self.inputs[pixel * self.unknowns + unknown] }
        };
        let ordered = Array2::from_shape_fn((pixels, size), |(pixel, place)| input(pixel, order[place]));
        let lacking = ArrayView2::from_shape((pixels, self.rows.len()), &self.lacking).ok()?;
        let scale = 1.0 / pixels as f64;
        let matrix = products(&ordered, &ordered.view(), scale)?;
        let right = products(&ordered, &lacking, scale)?;
        let form = Form::new(matrix, size, self.unknowns, ridge)?;
        let target = |row: usize| {
            let right: Vec<f64> = (0..size).map(|place| right[place * self.rows.len() + row]).collect();
            let mut target: Vec<f64> = self.rows[row].iter().map(|&value| f64::from(value)).collect();
            target.extend(self.bias.as_ref().map(|bias| f64::from(bias[row])));
            for (step, &unknown) in form.solve(&right).iter().zip(&order) {
                target[unknown] += step;
            }
            target
        };
        let targets = (0..self.rows.len()).into_par_iter().map(target).collect();
        Some(Solved { form, order, targets, has_bias })
    }
}

impl Solved {
    /// All rows on the grids, in natural order.
    fn round(&self, position: i32, bias_position: Option<i32>) -> Vec<Vec<f64>> {
        let mut grids = vec![Grid { step: f64::from(power(-position)) }; self.order.len()];
        if let (true, Some(position), Some(bias)) = (self.has_bias, bias_position, grids.last_mut()) {
            bias.step = f64::from(power(-position));
        }
        let round = |target: &Vec<f64>| {
            let ordered: Vec<f64> = self.order.iter().map(|&unknown| target[unknown]).collect();
            let mut natural = vec![0.0; ordered.len()];
            for (value, &unknown) in self.form.round(&ordered, &grids).into_iter().zip(&self.order) {
                natural[unknown] = value;
            }
            natural
        };
        self.targets.par_iter().map(round).collect()
    }
}

/// `scale * left' right`, row by row.
fn products(left: &Array2<f32>, right: &ArrayView2<'_, f32>, scale: f64) -> Option<Vec<f64>> {
    let product = Matmul::new(Kernels::detect(), right, None, None).ok()?;
    let transposed = left.t().as_standard_layout().into_owned();
    let mut result = vec![0f32; left.ncols() * right.ncols()];
    product.run(transposed.as_slice()?, &mut result);
    Some(result.into_iter().map(|value| f64::from(value) * scale).collect())
}
