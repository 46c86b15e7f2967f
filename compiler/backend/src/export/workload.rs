//! The attributes `workload` and `workload_on_arch` (`spec/xmodel.md` section 3.8): operations of an operator, and the same with the
//! sizes rounded up to what the engines do at once. A transposed convolution, which the table lacks, counts the taps that meet the
//! input, on average `kernel / stride` for each axis; that gives the values of all seven in the sample files.

use dpuc_codegen::{Convolution, FeatureMap, Layer, Pool, PoolKind};
use dpuc_isa::Target;

/// Operations, and operations with rounded sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Workload {
    pub(super) plain: u64,
    pub(super) on_arch: u64,
}

impl std::ops::AddAssign for Workload {
    fn add_assign(&mut self, other: Self) {
        self.plain = self.plain.saturating_add(other.plain);
        self.on_arch = self.on_arch.saturating_add(other.on_arch);
    }
}

/// The workload of a layer; `None` for those whose operators carry none.
pub(super) fn workload(layer: &Layer, target: &Target) -> Option<Workload> {
    let context = Context { target };
    match layer {
        Layer::Conv2d { convolution, augment_channels } => Some(context.conv(convolution, *augment_channels)),
        Layer::TransposedConv2d(convolution) => Some(context.transposed(convolution, true)),
        Layer::TransposedDepthwiseConv2d(convolution) => Some(context.transposed(convolution, false)),
        Layer::DepthwiseConv2d(convolution) => {
            let taps = 2 * area(convolution.kernel) + 1;
            Some(context.misc(&convolution.output, taps))
        }
        Layer::Pool(Pool { kind, output, kernel, .. }) => {
            let factor = match kind {
                PoolKind::Max => 1,
                PoolKind::Average => 2,
            };
            Some(context.misc(output, factor * area(*kernel)))
        }
        Layer::Elementwise { inputs, output, .. } => Some(context.misc(output, inputs.len() as u64)),
        Layer::Copy { output, .. } | Layer::LeakyRelu { output, .. } => Some(context.misc(output, 1)),
        _ => None,
    }
}

struct Context<'a> {
    target: &'a Target,
}

impl Context<'_> {
    /// Channels of a map, rounded up to whole lines.
    fn lines(&self, channels: u32) -> u64 {
        round_up(channels, self.target.channel_parallel)
    }

    fn conv(&self, convolution: &Convolution, augment: bool) -> Workload {
        let Convolution { input, output, kernel, .. } = convolution;
        let taps = area(*kernel) * u64::from(input.channels);
        // One line for each kernel row, even where the folded columns need two: so say the sample files for B512.
        let taps_on_arch =
            if augment { u64::from(kernel[0]) * self.lines(1) } else { area(*kernel) * self.lines(input.channels) };
        let rows = round_up(output.height, self.target.pixel_parallel);
        let pixels_on_arch = rows * u64::from(output.width) * self.lines(output.channels);
        Workload { plain: pixels(output) * (2 * taps + 1), on_arch: pixels_on_arch * (2 * taps_on_arch + 1) }
    }

    fn transposed(&self, convolution: &Convolution, all_channels: bool) -> Workload {
        let Convolution { input, output, kernel, strides, .. } = convolution;
        let (rows, channels, channels_on_arch) = if all_channels {
            (self.target.pixel_parallel, u64::from(input.channels), self.lines(input.channels))
        } else {
            (self.target.alu_pixel_parallel, 1, 1)
        };
        let phase_rows = output.height.div_ceil(strides[0]);
        let rows = round_up(phase_rows, rows) * u64::from(strides[0]);
        let pixels_on_arch = rows * u64::from(output.width) * self.lines(output.channels);
        let total = |pixels: u64, channels: u64| {
            let taps = u128::from(2 * area(*kernel)) * u128::from(channels) * u128::from(pixels);
            (taps / u128::from(area(*strides).max(1)) + u128::from(pixels)) as u64
        };
        Workload { plain: total(pixels(output), channels), on_arch: total(pixels_on_arch, channels_on_arch) }
    }

    fn misc(&self, output: &FeatureMap, each: u64) -> Workload {
        let rows = round_up(output.height, self.target.alu_pixel_parallel);
        let on_arch = rows * u64::from(output.width) * self.lines(output.channels);
        Workload { plain: pixels(output) * each, on_arch: on_arch * each }
    }
}

fn round_up(value: u32, multiple: usize) -> u64 {
    u64::from(value).next_multiple_of(multiple.max(1) as u64)
}

fn area([height, width]: [u32; 2]) -> u64 {
    u64::from(height) * u64::from(width)
}

fn pixels(map: &FeatureMap) -> u64 {
    u64::from(map.height) * u64::from(map.width) * u64::from(map.channels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dpuc_codegen::{Activation, Constant};

    fn convolution(input: [u32; 3], output: [u32; 3], kernel: u32, stride: u32) -> Convolution {
        Convolution {
            input: FeatureMap::packed(2, 0, input, 0),
            output: FeatureMap::packed(1, 0, output, 0),
            kernel: [kernel; 2],
            strides: [stride; 2],
            dilations: [1, 1],
            pads: [0; 4],
            weights: Constant::default(),
            weight_fix_point: 0,
            bias: Constant::default(),
            bias_shift: 1,
            activation: Activation::None,
        }
    }

    /// Values from the compiled sample files for B4096.
    #[test]
    fn sample_files_have_these_values() {
        let target = Target::registered().pop().unwrap();
        let check =
            |layer: Layer, plain, on_arch| assert_eq!(workload(&layer, &target), Some(Workload { plain, on_arch }));
        let first = convolution([28, 28, 1], [13, 13, 16], 5, 2);
        check(Layer::Conv2d { convolution: first, augment_channels: true }, 137_904, 535_808);
        let second = convolution([13, 13, 16], [6, 6, 32], 5, 2);
        check(Layer::Conv2d { convolution: second, augment_channels: false }, 922_752, 1_230_336);
        let depthwise = convolution([208, 208, 16], [104, 104, 16], 3, 2);
        check(Layer::DepthwiseConv2d(depthwise), 3_288_064, 3_288_064);
        let transposed = convolution([62, 54, 64], [248, 216, 64], 4, 4);
        check(Layer::TransposedConv2d(transposed), 442_257_408, 456_523_776);
        let map = FeatureMap::packed(1, 0, [13, 13, 128], 0);
        let pool = Pool { kind: PoolKind::Max, input: map, output: map, kernel: [5, 5], strides: [1, 1], pads: [2; 4] };
        check(Layer::Pool(pool), 540_800, 665_600);
        let map = FeatureMap::packed(1, 0, [104, 104, 16], 0);
        let kind = dpuc_codegen::ElementwiseKind::Add;
        check(Layer::Elementwise { kind, inputs: vec![map; 2], output: map, relu: false }, 346_112, 346_112);
    }
}
