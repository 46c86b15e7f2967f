//! Equalisation: channels are scaled so that one position serves all of them (`spec/quantisation.md` section 5).
//!
//! Operators without products of two variables, `ReLU` and leaky `ReLU` commute with a positive factor for each channel. A *seam* is a set of
//! tensors that such operators connect: whatever computes a channel of them can be divided by a factor, if all that reads the channel is
//! multiplied by it. AMD's tools equalise the ranges of the weights on both sides of one tensor; here the factors are chosen for the least
//! noise of weights, biases and activations together, steps being powers of two (`noise`), and seams go through sums, so that the
//! residual streams of `MobileNets` are equalised as well.
//!
//! A `relu6` commutes with a factor only in channels that never reach 6 and do not after the division either. One that calibration shows
//! to clip next to nothing becomes a `relu` first.

mod factors;
mod noise;
mod ranges;
mod seam;
mod weights;

use dpuc_dialects::dialects::nn;
use dpuc_dialects::{Ir, OpBuilder, OpId};

use crate::error::Error;
use crate::network::set_constant;
use crate::place::{Activation, Parameter, Placement};
use crate::progress::{Progress, Stage, Tick};
use crate::quantiser::Quantiser;
use crate::run::Samples;
use noise::Network;
use ranges::{Channels, clipped, observe};
use seam::seams;

/// Samples that ranges are taken from. Every shard looks at the same ones, so that all agree about the factors.
const SAMPLES: usize = 32;
/// Fraction of elements that a `relu6` may clip and still become a `relu`.
const RARE: f64 = 1e-4;
/// Times all seams are visited: the weights between two seams belong to both.
const SWEEPS: usize = 3;

impl Quantiser {
    /// Scales the channels of all seams.
    pub(crate) fn equalise(&mut self, samples: &dyn Samples, progress: &dyn Progress) -> Result<(), Error> {
        let count = samples.count().min(SAMPLES);
        if count == 0 {
            return Err(Error::NoSamples);
        }
        let chosen: Vec<usize> = (0..count).map(|number| number * samples.count() / count).collect();
        let tick = Tick::new(progress, Stage::Equalise, 2 * count);
        self.release_relu6(samples, &chosen, &tick)?;
        let channels: Vec<Channels> = observe(self, samples, &chosen, &tick)?;
        let seams = seams(&self.ir, &self.placement);
        let mut network =
            Network::new(&self.ir, &self.placement, |id| self.parameter(id), channels, self.options.correct_bias);
        for _ in 0..SWEEPS {
            network.weigh();
            for seam in &seams {
                network.equalise(seam);
            }
        }
        for (id, elements) in network.into_constants() {
            let Parameter { symbol, shape, .. } = &self.placement.parameters[id];
            set_constant(&mut self.ir, symbol, shape, &elements);
        }
        Ok(())
    }

    /// Replaces `relu6` by `relu` where it clips next to nothing.
    fn release_relu6(&mut self, samples: &dyn Samples, chosen: &[usize], tick: &Tick<'_>) -> Result<(), Error> {
        let clips = clipped(self, samples, chosen, tick)?;
        let mut released = Vec::new();
        for (layer, fraction) in clips.into_iter().filter(|&(_, fraction)| fraction <= RARE) {
            let layer = &self.placement.layers[layer];
            debug_assert_eq!(layer.activation, Some(Activation::Relu6));
            let site = &self.placement.sites[layer.output];
            self.notes.push(format!(
                "`{}` is a relu instead of a relu6, which clips {fraction:.1e} of its elements",
                site.name
            ));
            released.extend(self.ir.defining_op(site.value));
        }
        for op in &released {
            release(&mut self.ir, *op);
        }
        if !released.is_empty() {
            self.placement = Placement::new(&mut self.ir, self.block)?;
        }
        Ok(())
    }
}

/// Replaces a `relu6` by a `relu`.
fn release(ir: &mut Ir, op: OpId) {
    let (input, result) = (ir.operand(op, 0), ir.result(op));
    let name = ir.value_name(result).unwrap_or_default().to_owned();
    let (location, ty) = (ir.op(op).location, ir.value_type(result));
    let relu = OpBuilder::new(&nn::RELU).at(location).operands([input]).result(ty, &name).insert_before(ir, op);
    let new = ir.result(relu);
    ir.replace_all_uses(result, new);
    ir.erase(op);
}

#[cfg(test)]
mod tests {
    use dpuc_dialects::text::{ParseOptions, parse};
    use dpuc_dialects::weights::Weight;
    use dpuc_evaluate::{Operators, Tensor};

    use super::*;
    use crate::network::{body, extract};
    use crate::options::Options;
    use crate::progress::Silent;
    use crate::run::Runner;

    /// A residual block with a depthwise layer between two others, and a layer behind the mean.
    const BLOCK: &str = "module @net { func.func @main(%x: tensor<1x6x6x4xf32>) -> tensor<1x3xf32> {
    %w0 = nn.constant @w0 : tensor<8x1x1x4xf32>
    %b0 = nn.constant @b0 : tensor<8xf32>
    %c0 = nn.conv2d %x, %w0, %b0 : (tensor<1x6x6x4xf32>, tensor<8x1x1x4xf32>, tensor<8xf32>) -> tensor<1x6x6x8xf32>
    %w1 = nn.constant @w1 : tensor<16x1x1x8xf32>
    %b1 = nn.constant @b1 : tensor<16xf32>
    %c1 = nn.conv2d %c0, %w1, %b1 : (tensor<1x6x6x8xf32>, tensor<16x1x1x8xf32>, tensor<16xf32>) -> tensor<1x6x6x16xf32>
    %r1 = nn.relu6 %c1 : tensor<1x6x6x16xf32>
    %w2 = nn.constant @w2 : tensor<1x3x3x16xf32>
    %c2 = nn.depthwise_conv2d %r1, %w2 {pads = [1, 1, 1, 1]} : (tensor<1x6x6x16xf32>, tensor<1x3x3x16xf32>) -> tensor<1x6x6x16xf32>
    %r2 = nn.relu6 %c2 : tensor<1x6x6x16xf32>
    %w3 = nn.constant @w3 : tensor<8x1x1x16xf32>
    %c3 = nn.conv2d %r2, %w3 : (tensor<1x6x6x16xf32>, tensor<8x1x1x16xf32>) -> tensor<1x6x6x8xf32>
    %a = nn.add %c0, %c3 : tensor<1x6x6x8xf32>
    %g = nn.avg_pool %a {kernel = [6, 6]} : (tensor<1x6x6x8xf32>) -> tensor<1x1x1x8xf32>
    %f = nn.reshape %g : (tensor<1x1x1x8xf32>) -> tensor<1x8xf32>
    %w4 = nn.constant @w4 : tensor<8x3xf32>
    %y = nn.matmul %f, %w4 {transpose_b = false} : (tensor<1x8xf32>, tensor<8x3xf32>) -> tensor<1x3xf32>
    func.return %y : tensor<1x3xf32>
  } }";

    fn noise(count: usize, seed: u32) -> Vec<f32> {
        let mix = |i: u32| (i + 1).wrapping_mul(seed.wrapping_mul(2_654_435_761) | 1).wrapping_mul(40503) >> 8;
        (0..count as u32).map(|i| mix(i) as f32 / 8_388_608.0 - 1.0).collect()
    }

    /// The network with channels of very different ranges.
    fn network() -> (Ir, Vec<Vec<Tensor>>) {
        let mut ir = parse(BLOCK, &ParseOptions::default()).ir;
        let shapes: [(&str, &[usize]); 7] = [
            ("w0", &[8, 1, 1, 4]),
            ("b0", &[8]),
            ("w1", &[16, 1, 1, 8]),
            ("b1", &[16]),
            ("w2", &[1, 3, 3, 16]),
            ("w3", &[8, 1, 1, 16]),
            ("w4", &[8, 3]),
        ];
        for (seed, (name, shape)) in shapes.into_iter().enumerate() {
            let mut elements = noise(shape.iter().product(), seed as u32 + 1);
            let count = elements.len();
            elements
                .iter_mut()
                .enumerate()
                .for_each(|(at, value)| *value *= (1.0 + 30.0 * at as f32 / count as f32) / 40.0);
            ir.weights.insert(name, Weight::from_f32(shape, &elements).unwrap());
        }
        let samples =
            (0..4).map(|seed| vec![Tensor::from_f32(&[1, 6, 6, 4], noise(144, seed + 50)).unwrap()]).collect();
        (ir, samples)
    }

    fn output(ir: &Ir, sample: &[Tensor]) -> Vec<f32> {
        let block = body(ir).unwrap();
        let results = ir.operands(ir.last_op(block).unwrap()).to_vec();
        let part = extract(ir, block, ir.arguments(block), &results);
        Runner::float(&part.ir, &Operators::new()).unwrap().run(sample).unwrap().swap_remove(0)
    }

    #[test]
    fn seams_go_through_sums_and_depthwise_layers() {
        let (ir, samples) = network();
        let quantiser = Quantiser::new(&ir, &samples, Options::default(), &Silent).unwrap();
        let names = |seam: &seam::Seam| -> Vec<String> {
            seam.members.iter().map(|&site| quantiser.placement.sites[site].name.clone()).collect()
        };
        let found: Vec<Vec<String>> = seams(&quantiser.ir, &quantiser.placement).iter().map(names).collect();
        assert_eq!(found, [vec!["c0", "c3", "a", "g"], vec!["r1"], vec!["r2"]]);
    }

    #[test]
    fn scaling_changes_the_constants_but_not_the_network() {
        let (ir, samples) = network();
        let quantiser = Quantiser::new(&ir, &samples, Options::default(), &Silent).unwrap();
        let elements = |ir: &Ir, name: &str| ir.weights.get(name).unwrap().to_f32().unwrap();
        assert!(["w0", "w1", "w2", "w3"].iter().all(|name| elements(&ir, name) != elements(&quantiser.ir, name)));
        for sample in &samples {
            for (before, after) in output(&ir, sample).into_iter().zip(output(&quantiser.ir, sample)) {
                assert!((before - after).abs() <= 1e-5 * before.abs().max(0.1), "{before} {after}");
            }
        }
    }

    /// A `relu6` that clips often stays, and is as exact as before.
    #[test]
    fn a_relu6_that_clips_is_kept_and_its_channels_with_it() {
        let (mut ir, samples) = network();
        let mut bias = vec![0.0; 16];
        bias[3] = 6.0;
        ir.weights.insert("b1", Weight::from_f32(&[16], &bias).unwrap());
        let quantiser = Quantiser::new(&ir, &samples, Options::default(), &Silent).unwrap();
        let kinds: Vec<&str> = quantiser.ir.ops(quantiser.block).map(|op| quantiser.ir.op_name(op)).collect();
        assert_eq!(kinds.iter().filter(|kind| **kind == "nn.relu6").count(), 1);
        for sample in &samples {
            for (before, after) in output(&ir, sample).into_iter().zip(output(&quantiser.ir, sample)) {
                assert!((before - after).abs() <= 1e-5 * before.abs().max(0.1), "{before} {after}");
            }
        }
    }
}
