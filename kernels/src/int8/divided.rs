//! Dense operators with one pixel of output, divided by output channels.

use ndarray::s;
use rayon::prelude::*;

use crate::parallel::LEAST_WORK;
use crate::reference::error::Result;
use crate::simd::Kernels;

use super::dense::{Arguments, Dense};

/// Most parts of an operator.
const MAX_PARTS: usize = 16;

/// Output channels of whole register blocks on every tier.
const UNIT: usize = 64;

/// A dense operator. One with a single pixel of output (a fully connected layer at batch 1) is kept in parts of its output channels, which
/// threads share: its weights are read once, as fast as memory gives them to all of them. The parts do not depend on the threads.
#[derive(Clone, Debug)]
pub(super) struct Divided {
    parts: Vec<Dense>,
    /// Output channels of a part; the last may have fewer.
    channels: usize,
    output_shape: [usize; 4],
}

impl Divided {
    pub(super) fn new(kernels: Kernels, arguments: &Arguments<'_>) -> Result<Self> {
        let (outputs, channels) = (arguments.weights.dim().0, part_channels(arguments));
        let part = |first: usize| {
            let end = outputs.min(first + channels);
            let weights = &arguments.weights.slice(s![first..end, .., .., ..]);
            let bias = arguments.bias.map(|bias| bias.slice_move(s![first..end]));
            Dense::new(kernels, &Arguments { weights, bias, ..*arguments })
        };
        let parts: Vec<Dense> = if channels < outputs {
            (0..outputs).step_by(channels).map(part).collect::<Result<_>>()?
        } else {
            vec![Dense::new(kernels, arguments)?]
        };
        let mut output_shape = parts[0].output_shape();
        output_shape[3] = outputs;
        Ok(Self { parts, channels, output_shape })
    }

    pub(super) const fn output_shape(&self) -> [usize; 4] {
        self.output_shape
    }

    /// Bytes with which all threads of the current pool can work.
    pub(super) fn scratch_bytes(&self) -> usize {
        self.part_scratch() * self.parts.len()
    }

    /// Bytes of scratch memory of each part, on the current pool.
    fn part_scratch(&self) -> usize {
        self.parts.iter().map(Dense::scratch_bytes).max().unwrap_or(0)
    }

    pub(super) fn run(&self, input: &[u8], output: &mut [u8], scratch: &mut [u8]) {
        if let [whole] = &self.parts[..] {
            whole.run(input, output, scratch);
            return;
        }
        assert_eq!(output.len(), self.output_shape[3], "bytes of the output");
        let outputs = self.parts.iter().zip(output.chunks_mut(self.channels));
        let part_scratch = self.part_scratch();
        if scratch.len() < part_scratch * self.parts.len() {
            outputs.for_each(|(part, output)| part.run(input, output, scratch));
            return;
        }
        let mut rest = scratch;
        let mut tasks = Vec::with_capacity(MAX_PARTS);
        for (part, output) in outputs {
            let (own, behind) = rest.split_at_mut(part_scratch);
            tasks.push((part, output, own));
            rest = behind;
        }
        tasks.into_par_iter().for_each(|(part, output, scratch)| part.run(input, output, scratch));
    }
}

/// Output channels of each part; all of them if the operator is not divided.
fn part_channels(arguments: &Arguments<'_>) -> usize {
    let &Arguments { operator, plane_of, input, weights, bias, groups, params, .. } = arguments;
    let (outputs, kernel_height, kernel_width, channels) = weights.dim();
    let window = params.window(weights.shape());
    let has_one_pixel = plane_of(operator, [input[1], input[2]], &window)
        .is_ok_and(|plane| input[0] == 1 && plane.rows.output == 1 && plane.columns.output == 1);
    // A bias that does not fit is an error of the whole operator.
    let fits = bias.is_none_or(|bias| bias.len() == outputs);
    let depth = (kernel_height * kernel_width).saturating_mul(channels);
    if !has_one_pixel || groups != 1 || !fits || depth == 0 {
        return outputs;
    }
    LEAST_WORK.div_ceil(depth).max(outputs.div_ceil(MAX_PARTS)).next_multiple_of(UNIT)
}
