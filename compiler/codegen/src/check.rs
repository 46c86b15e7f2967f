//! Whether a layer is within the limits, quantity by quantity.

use dpuc_isa::Target;

use crate::argmax::check_argmax;
use crate::augment::AugmentedMap;
use crate::axis::{Phase, convolution_phases, transposed_phases};
use crate::combine::{extreme_shift, sum_shift};
use crate::layer::{Activation, Constant, Convolution, ElementwiseKind, Extreme, FeatureMap, Layer, Pool, WeightedSum};
use crate::limits::{self, Findings, Limit, Violation};
use crate::numeric::{output_shift, relu6_exponent};
use crate::pointwise::{hard_sigmoid_shift, leaky_shifts};
use crate::pool::pool_shift;

/// Checks everything but the capacity of banks, which the plan of each sub-problem decides.
pub(crate) fn check_quantities(layer: &Layer, target: &Target) -> Result<(), Vec<Violation>> {
    let mut findings = Findings::default();
    check_maps(layer, &mut findings);
    if !findings.is_empty() {
        // Everything below derives from the shapes.
        return findings.into_result();
    }
    match layer {
        Layer::Conv2d { convolution, augment_channels } => {
            let stored = check_conv(convolution, *augment_channels, target, &mut findings);
            check_dense(convolution, stored, target, &mut findings);
        }
        Layer::TransposedConv2d(convolution) => {
            let taps = check_transposed(convolution, CONV, &mut findings);
            let channels = i64::from(convolution.input.channels);
            check_dense(convolution, DenseSize { taps, channels }, target, &mut findings);
        }
        Layer::DepthwiseConv2d(convolution) => {
            let [kernel, strides, dilations] = [convolution.kernel, convolution.strides, convolution.dilations];
            let sides = convolution_sides(
                &convolution.input,
                &convolution.output,
                kernel,
                strides,
                convolution.pads,
                dilations,
            );
            check_sides(sides, MISC, &mut findings);
            check_depthwise(convolution, i64::from(kernel[0]) * i64::from(kernel[1]), target, &mut findings);
        }
        Layer::TransposedDepthwiseConv2d(convolution) => {
            let taps = check_transposed(convolution, MISC, &mut findings);
            check_depthwise(convolution, taps, target, &mut findings);
        }
        Layer::Pool(pool) => check_pool(pool, &mut findings),
        Layer::Elementwise { kind, inputs, .. } => {
            let limit = match kind {
                ElementwiseKind::Add => limits::SUM_OPERANDS,
                ElementwiseKind::Multiply => limits::PRODUCT_OPERANDS,
            };
            findings.require(limit, inputs.len() as i64);
        }
        Layer::WeightedSum(sum) => check_sum(sum, target, &mut findings),
        Layer::Extreme(extreme) => check_extreme(extreme, target, &mut findings),
        Layer::ChannelScale { input, output, scale, scale_fix_point, activation } => {
            findings.require_of("scale ", limits::FIX_POINT, i64::from(*scale_fix_point));
            findings.require(limits::OUTPUT_SHIFT, output_shift(input.fix_point, *scale_fix_point, output.fix_point));
            check_constant("scale ", *scale, i64::from(input.channels), &mut findings);
            check_fused_leaky_relu(*activation, target.alu_leaky_relu, "misc", target, &mut findings);
        }
        Layer::Copy { .. } => {}
        Layer::Relu6 { input, output, scale } => {
            findings.require(limits::RELU6_EXPONENT, relu6_exponent(input.fix_point, output.fix_point));
            let shift = output_shift(input.fix_point, 0, output.fix_point).max(0);
            findings.require(limits::OUTPUT_SHIFT, shift);
            check_constant("scale ", *scale, i64::from(input.channels), &mut findings);
        }
        Layer::LeakyRelu { input, output, slope, slope_fix_point } => {
            findings.require(limits::LEAKY_SLOPE, i64::from(*slope));
            findings.require_of("slope ", limits::FIX_POINT, i64::from(*slope_fix_point));
            for shift in leaky_shifts(input, output, *slope_fix_point) {
                findings.require(limits::LEAKY_SHIFT, shift);
            }
        }
        Layer::HardSigmoid { input, output } => {
            findings.require(limits::HARD_SIGMOID_INPUT, i64::from(input.fix_point));
            findings.require(limits::HARD_SIGMOID_SHIFT, hard_sigmoid_shift(input, output));
        }
        Layer::Argmax { input, output } => check_argmax(input, output, target, &mut findings),
        Layer::UpsampleNearest { scale, .. } | Layer::Downsample { scale, .. } => {
            for &scale in scale {
                findings.require(limits::SCALE, i64::from(scale));
            }
        }
    }
    if findings.is_empty() {
        check_shapes(layer, &mut findings);
    }
    findings.into_result()
}

/// Ranges of every map by itself.
fn check_maps(layer: &Layer, findings: &mut Findings) {
    let mut check = |role, map: &FeatureMap| check_map(role, map, findings);
    match layer {
        Layer::Conv2d { convolution: Convolution { input, output, .. }, .. }
        | Layer::DepthwiseConv2d(Convolution { input, output, .. })
        | Layer::TransposedConv2d(Convolution { input, output, .. })
        | Layer::TransposedDepthwiseConv2d(Convolution { input, output, .. })
        | Layer::Pool(Pool { input, output, .. })
        | Layer::Copy { input, output, .. }
        | Layer::ChannelScale { input, output, .. }
        | Layer::Relu6 { input, output, .. }
        | Layer::LeakyRelu { input, output, .. }
        | Layer::HardSigmoid { input, output }
        | Layer::Argmax { input, output }
        | Layer::UpsampleNearest { input, output, .. }
        | Layer::Downsample { input, output, .. } => {
            check("input ", input);
            check("output ", output);
        }
        Layer::Elementwise { inputs, output, .. }
        | Layer::WeightedSum(WeightedSum { inputs, output, .. })
        | Layer::Extreme(Extreme { inputs, output, .. }) => {
            for input in inputs {
                check("input ", input);
            }
            check("output ", output);
        }
    }
}

fn check_map(role: &'static str, map: &FeatureMap, findings: &mut Findings) {
    let [height, width, channels] = [map.height, map.width, map.channels].map(i64::from);
    let [row_stride, pixel_stride] = [map.row_stride, map.pixel_stride].map(i64::from);
    findings.require_of(role, limits::REGION, i64::from(map.region));
    findings.require_of(role, limits::HEIGHT, height);
    findings.require_of(role, limits::WIDTH, width);
    findings.require_of(role, limits::CHANNELS, channels);
    findings.require_of(role, limits::FIX_POINT, i64::from(map.fix_point));
    let reach = |count: i64, stride: i64| (count - 1).max(0).saturating_mul(stride).saturating_add(channels);
    let (row, column) = (reach(width, pixel_stride), reach(height, row_stride));
    // Rows of pixels, or, in a map whose axes are exchanged, columns of pixels.
    let exchanged = width > 1 && height > 1 && row_stride < pixel_stride;
    let (pixel_min, row_min) = if exchanged { (column, channels) } else { (channels, row) };
    if width > 1 {
        findings.require_of(role, Limit { min: pixel_min, ..limits::PIXEL_STRIDE }, pixel_stride);
    }
    if height > 1 {
        findings.require_of(role, Limit { min: row_min, ..limits::ROW_STRIDE }, row_stride);
    }
    let rows = (height - 1).max(0).saturating_mul(row_stride);
    let end = i64::from(map.address).saturating_add(rows).saturating_add(row);
    findings.require_of(role, limits::DDR_END, end);
}

fn check_constant(role: &'static str, constant: Constant, bytes: i64, findings: &mut Findings) {
    findings.require_of(role, limits::REGION, i64::from(constant.region));
    findings.require_of(role, limits::DDR_END, i64::from(constant.address).saturating_add(bytes));
}

/// Limits of the engine that walks a window.
#[derive(Clone, Copy)]
struct EngineLimits {
    kernel: [Limit; 2],
    stride: [Limit; 2],
}

const CONV: EngineLimits = EngineLimits {
    kernel: [limits::CONV_KERNEL_HEIGHT, limits::CONV_KERNEL_WIDTH],
    stride: [limits::CONV_STRIDE_HEIGHT, limits::CONV_STRIDE_WIDTH],
};
const MISC: EngineLimits = EngineLimits {
    kernel: [limits::ALU_KERNEL_HEIGHT, limits::ALU_KERNEL_WIDTH],
    stride: [limits::ALU_STRIDE_HEIGHT, limits::ALU_STRIDE_WIDTH],
};

/// One axis of a convolution or pool.
#[derive(Clone, Copy)]
struct Side {
    input: u32,
    output: u32,
    kernel: u32,
    stride: u32,
    dilation: u32,
    before: u32,
    after: u32,
}

impl Side {
    /// Elements between the first and the last tap of a window.
    fn reach(&self) -> i64 {
        (i64::from(self.kernel) - 1) * i64::from(self.dilation)
    }

    fn phases(&self) -> Vec<Phase> {
        convolution_phases(self.input, self.output, self.kernel, self.stride, self.before, self.dilation, true)
    }
}

fn convolution_sides(
    input: &FeatureMap,
    output: &FeatureMap,
    kernel: [u32; 2],
    strides: [u32; 2],
    pads: [u32; 4],
    dilations: [u32; 2],
) -> [Side; 2] {
    let side = |axis: usize, input, output| Side {
        input,
        output,
        kernel: kernel[axis],
        stride: strides[axis],
        dilation: dilations[axis],
        before: pads[axis],
        after: pads[axis + 2],
    };
    [side(0, input.height, output.height), side(1, input.width, output.width)]
}

/// Checks both axes of a convolution or pool.
fn check_sides(sides: [Side; 2], engine: EngineLimits, findings: &mut Findings) {
    let mut sound = true;
    for (axis, side) in sides.iter().enumerate() {
        let outside = |limit: Limit, value: u32| limit.admit(i64::from(value)).is_err();
        findings.require(engine.kernel[axis], i64::from(side.kernel));
        findings.require(limits::DILATION, i64::from(side.dilation));
        if side.stride == 0 {
            findings.require(engine.stride[axis], 0);
        }
        sound &=
            !outside(engine.kernel[axis], side.kernel) && !outside(limits::DILATION, side.dilation) && side.stride > 0;
    }
    if !sound {
        return;
    }
    for (axis, side) in sides.iter().enumerate() {
        check_extent(axis, side, findings);
    }
    check_phases(&sides.map(|side| side.phases()), engine, findings);
}

/// The output size must follow from the rest, and every window must contain a place of the map, or, dilated, step over it.
fn check_extent(axis: usize, side: &Side, findings: &mut Findings) {
    let (input, output, stride) = (i64::from(side.input), i64::from(side.output), i64::from(side.stride));
    let (before, after) = (i64::from(side.before), i64::from(side.after));
    let room = input + before + after - side.reach() - 1;
    let (floor, ceil) = (room.div_euclid(stride) + 1, (room + stride - 1).div_euclid(stride) + 1);
    let size = [limits::OUTPUT_HEIGHT, limits::OUTPUT_WIDTH][axis];
    findings.require(Limit { min: floor.max(1), max: ceil.max(1), ..size }, output);
    let start = [limits::PAD_TOP_IN_WINDOW, limits::PAD_LEFT_IN_WINDOW][axis];
    findings.require(start.up_to(side.reach()), before);
    let end = [limits::PAD_BOTTOM_IN_WINDOW, limits::PAD_RIGHT_IN_WINDOW][axis];
    findings.require(end.up_to(side.reach()), (output - 1) * stride - before + side.reach() + 1 - input);
}

/// Limits of the plain correlations an operator splits into.
fn check_phases(phases: &[Vec<Phase>; 2], engine: EngineLimits, findings: &mut Findings) {
    findings.require(limits::PHASES, phases[0].len() as i64 * phases[1].len() as i64);
    for (axis, phases) in phases.iter().enumerate() {
        let most = |value: fn(&Phase) -> i64| phases.iter().map(value).max().unwrap_or(0);
        findings.require(engine.stride[axis], most(|phase| i64::from(phase.span.stride)));
        let pad = [limits::PAD_TOP, limits::PAD_LEFT][axis];
        findings.require(pad, most(|phase| if phase.span.is_padding() { 0 } else { (-phase.span.first).max(0) }));
    }
}

/// The weights of one output channel.
#[derive(Clone, Copy)]
struct DenseSize {
    taps: i64,
    channels: i64,
}

fn check_conv(
    convolution: &Convolution,
    augment_channels: bool,
    target: &Target,
    findings: &mut Findings,
) -> DenseSize {
    let Convolution { input, output, kernel, strides, pads, dilations, .. } = convolution;
    let mut sides = convolution_sides(input, output, *kernel, *strides, *pads, *dilations);
    let [rows, columns] = kernel.map(i64::from);
    if !augment_channels {
        check_sides(sides, CONV, findings);
        return DenseSize { taps: rows * columns, channels: i64::from(input.channels) };
    }
    if !target.channel_augmentation {
        findings.add(Violation::Unsupported {
            what: "channel augmentation",
            reason: format!("the Load of {} cannot overlap pixels", target.name),
        });
    }
    if dilations[1] != 1 {
        findings.require_of("horizontal ", limits::DILATION.up_to(1), i64::from(dilations[1]));
    }
    findings.require(limits::CONV_KERNEL_WIDTH, columns);
    if strides[1] == 0 {
        findings.require(limits::CONV_STRIDE_WIDTH, 0);
    }
    if findings.is_empty() {
        check_extent(1, &sides[1], findings);
        AugmentedMap::new(convolution).check(target, findings);
    }
    // The engine sees one column per output column.
    sides[1] = Side { input: output.width, kernel: 1, stride: 1, dilation: 1, before: 0, after: 0, ..sides[1] };
    check_sides(sides, CONV, findings);
    DenseSize { taps: rows, channels: columns * i64::from(input.channels) }
}

/// Checks both axes of a transposed operator and returns the taps of its largest sub-kernel.
fn check_transposed(convolution: &Convolution, engine: EngineLimits, findings: &mut Findings) -> i64 {
    let Convolution { input, output, kernel, strides, pads, dilations, .. } = convolution;
    let mut taps = 1;
    let mut phases = [Vec::new(), Vec::new()];
    for (axis, (size_in, size_out)) in
        [(input.height, output.height), (input.width, output.width)].into_iter().enumerate()
    {
        let [kernel, stride, before, after] = [kernel[axis], strides[axis], pads[axis], pads[axis + 2]];
        findings.require(limits::TRANSPOSED_STRIDE, i64::from(stride));
        findings.require(limits::DILATION.up_to(1), i64::from(dilations[axis]));
        let sub_kernel = kernel.div_ceil(stride.max(1));
        findings.require(engine.kernel[axis], i64::from(sub_kernel));
        taps *= i64::from(sub_kernel);
        let [kernel, wide_stride, before_wide, after] = [kernel, stride, before, after].map(i64::from);
        let expected = (i64::from(size_in) - 1).saturating_mul(wide_stride) + kernel - before_wide - after;
        let size = [limits::OUTPUT_HEIGHT, limits::OUTPUT_WIDTH][axis];
        findings.require(Limit { min: expected, max: expected, ..size }, i64::from(size_out));
        if findings.is_empty() {
            findings.require(limits::PHASES, i64::from(stride.min(size_out)));
        }
        if findings.is_empty() {
            phases[axis] = transposed_phases(size_in, size_out, kernel as u32, stride, before);
        }
    }
    if findings.is_empty() {
        check_phases(&phases, engine, findings);
    }
    taps
}

/// What convolutions over all input channels need besides a window that fits.
fn check_dense(convolution: &Convolution, kernel: DenseSize, target: &Target, findings: &mut Findings) {
    if findings.is_empty() {
        let lines = (kernel.channels as u64).div_ceil(target.line_bytes() as u64) as i64;
        findings.require(limits::CONV_CHANNEL_GROUPS, lines);
        findings.require(limits::CONV_WEIGHT_LINES, kernel.taps.saturating_mul(lines));
        let filters = i64::from(convolution.output.channels);
        check_weights(convolution, filters, findings);
    }
    check_numerics(convolution, target.conv_leaky_relu, "convolution", target, findings);
}

fn check_depthwise(convolution: &Convolution, taps: i64, target: &Target, findings: &mut Findings) {
    let channels = i64::from(convolution.input.channels);
    findings.require(same(limits::OUTPUT_CHANNELS, channels), i64::from(convolution.output.channels));
    if findings.is_empty() {
        findings.require(limits::DEPTHWISE_WEIGHT_LINES, taps);
        check_weights(convolution, 1, findings);
    }
    check_numerics(convolution, target.alu_leaky_relu, "misc", target, findings);
}

/// The place of `filters` kernels over all input channels.
fn check_weights(convolution: &Convolution, filters: i64, findings: &mut Findings) {
    let [rows, columns] = convolution.kernel.map(i64::from);
    let filter = (rows * columns).saturating_mul(i64::from(convolution.input.channels));
    check_constant("weights ", convolution.weights, filter.saturating_mul(filters), findings);
}

fn check_numerics(convolution: &Convolution, leaky_relu: bool, engine: &str, target: &Target, findings: &mut Findings) {
    let Convolution { input, output, weight_fix_point, bias, bias_shift, activation, .. } = convolution;
    findings.require_of("weight ", limits::FIX_POINT, i64::from(*weight_fix_point));
    findings.require(limits::OUTPUT_SHIFT, output_shift(input.fix_point, *weight_fix_point, output.fix_point));
    findings.require(limits::BIAS_SHIFT, i64::from(*bias_shift));
    findings.require(limits::BIAS_LINES, target.lines(output.channels as usize) as i64);
    check_constant("bias ", *bias, i64::from(output.channels), findings);
    check_fused_leaky_relu(*activation, leaky_relu, engine, target, findings);
}

fn check_fused_leaky_relu(
    activation: Activation,
    leaky_relu: bool,
    engine: &str,
    target: &Target,
    findings: &mut Findings,
) {
    if activation == Activation::LeakyRelu && !leaky_relu {
        findings.add(Violation::Unsupported {
            what: "fused leaky ReLU",
            reason: format!("the {engine} engine of {} fuses none, ReLU and ReLU6", target.name),
        });
    }
}

fn check_sum(sum: &WeightedSum, target: &Target, findings: &mut Findings) {
    let (operands, channels) = (sum.inputs.len() as i64, i64::from(sum.output.channels));
    findings.require(limits::WINDOW_OPERANDS, operands);
    findings.require(limits::RECTIFIED_OPERANDS.up_to(operands), i64::from(sum.rectified));
    findings.require_of("product ", limits::FIX_POINT, i64::from(sum.product_fix_point));
    findings.require(limits::OUTPUT_SHIFT, sum_shift(sum));
    findings.require(limits::BIAS_LINES, target.lines(sum.output.channels as usize) as i64);
    check_constant("weights ", sum.weights, operands.saturating_mul(channels), findings);
    check_constant("bias ", sum.zeros, channels, findings);
}

fn check_extreme(extreme: &Extreme, target: &Target, findings: &mut Findings) {
    findings.require(limits::WINDOW_OPERANDS, extreme.inputs.len() as i64);
    if let Some(first) = extreme.inputs.first() {
        let own = i64::from(first.fix_point);
        for input in &extreme.inputs {
            findings.require(same(limits::EXTREME_FIX_POINT, own), i64::from(input.fix_point));
        }
    }
    match extreme.minus_ones {
        None => findings.require(limits::POOL_SHIFT, extreme_shift(extreme)),
        Some(minus_ones) => {
            findings.require(limits::OUTPUT_SHIFT, extreme_shift(extreme));
            findings.require(limits::BIAS_LINES, target.lines(extreme.output.channels as usize) as i64);
            check_constant("complement ", minus_ones, i64::from(extreme.output.channels), findings);
        }
    }
}

fn check_pool(pool: &Pool, findings: &mut Findings) {
    let sides = convolution_sides(&pool.input, &pool.output, pool.kernel, pool.strides, pool.pads, [1, 1]);
    check_sides(sides, MISC, findings);
    findings.require(limits::POOL_SHIFT, pool_shift(pool));
    findings.require(same(limits::OUTPUT_CHANNELS, i64::from(pool.input.channels)), i64::from(pool.output.channels));
}

const fn same(limit: Limit, value: i64) -> Limit {
    Limit { min: value, max: value, ..limit }
}

/// Operators that keep or scale the shape.
fn check_shapes(layer: &Layer, findings: &mut Findings) {
    let shape = |map: &FeatureMap| [map.height, map.width, map.channels].map(i64::from);
    let mut expect = |expected: [i64; 3], output: &FeatureMap| {
        let limits = [limits::OUTPUT_HEIGHT, limits::OUTPUT_WIDTH, limits::OUTPUT_CHANNELS];
        for ((limit, expected), actual) in limits.into_iter().zip(expected).zip(shape(output)) {
            findings.require(same(limit, expected), actual);
        }
    };
    match layer {
        Layer::Elementwise { inputs, output, .. }
        | Layer::WeightedSum(WeightedSum { inputs, output, .. })
        | Layer::Extreme(Extreme { inputs, output, .. }) => {
            for input in inputs {
                expect(shape(input), output);
            }
        }
        Layer::Copy { input, output, .. }
        | Layer::ChannelScale { input, output, .. }
        | Layer::Relu6 { input, output, .. }
        | Layer::LeakyRelu { input, output, .. }
        | Layer::HardSigmoid { input, output } => expect(shape(input), output),
        Layer::Argmax { input, output } => {
            let [height, width, _] = shape(input);
            expect([height, width, 1], output);
        }
        Layer::UpsampleNearest { input, output, scale } => {
            let [height, width, channels] = shape(input);
            expect([height * i64::from(scale[0]), width * i64::from(scale[1]), channels], output);
        }
        Layer::Downsample { input, output, scale } => {
            let [height, width, channels] = shape(input);
            let reduced = |size: i64, scale: u32| (size as u64).div_ceil(u64::from(scale)) as i64;
            expect([reduced(height, scale[0]), reduced(width, scale[1]), channels], output);
        }
        _ => {}
    }
}
