//! One `int8` operation, with places for its operands and its result, as layers of the code generator.

use dpuc_codegen::{
    Activation, Constant, Convolution, ElementwiseKind, FeatureMap, Layer, Pool, PoolKind, check, limits,
};
use dpuc_dialects::dialects::int8;
use dpuc_dialects::{Ir, OpId, ValueId};
use dpuc_isa::Target;

use super::Reason;
use super::interpolation::Tent;
use super::movement::{Nest, sliced, transposed};
use super::window::{Window, numbers};
use crate::partition::moves_only;
use crate::placement::{Placement, byte_count, region};

/// Operands of one Elew in public programs; more are combined by a window.
const ELEW_OPERANDS: usize = 2;

/// Looks up where a value is in DDR.
pub(crate) type Places<'a> = dyn Fn(ValueId) -> Option<Placement> + 'a;

/// The layers that compute an operation; none if its result already is where its operands are.
///
/// Constants are operands with places. A bias must be one the hardware takes as it is (see [`crate::plan`]); otherwise the
/// shift is clamped to its field.
///
/// # Errors
/// The operation is none that layers can express. Limits are not checked; [`dpuc_codegen::check`] does that.
///
/// The images of a batch run one after another, unless they are rows of one map to the operation.
pub(crate) fn layers(ir: &Ir, op: OpId, places: &Places<'_>) -> Result<Vec<Layer>, Reason> {
    let batch = ir.results(op).first().and_then(|&result| ir.shape_of(result)?.first().copied()).unwrap_or(1);
    let whole = Context { ir, op, places, image: None };
    let one_by_one = || {
        let images = (0..batch).map(|image| whole.of_image(image).layers());
        Ok(images.collect::<Result<Vec<_>, Reason>>()?.concat())
    };
    if batch == 1 || moves_only(ir, op) {
        whole.layers()
    } else if POINTWISE.contains(&ir.op_name(op)) {
        match whole.layers() {
            // There is a gap between the images.
            Err(Reason::Layout { .. }) => one_by_one(),
            layers => layers,
        }
    } else {
        one_by_one()
    }
}

/// Operations to which the images of a batch are rows of one map.
const POINTWISE: [&str; 10] = [
    "int8.add",
    "int8.sub",
    "int8.mul",
    "int8.max",
    "int8.min",
    "int8.requantise",
    "int8.hard_sigmoid",
    "int8.leaky_relu",
    "int8.prelu",
    "int8.argmax",
];

/// Whether the elementwise unit adds all operands at once.
pub(crate) fn adds_at_once(ir: &Ir, add: OpId) -> bool {
    int8::inputs(ir, add).len() <= ELEW_OPERANDS
}

/// The layers of an operation of a subgraph, with kernel columns folded into channels where that helps.
pub(crate) fn placed_layers(ir: &Ir, op: OpId, places: &Places<'_>, target: &Target) -> Result<Vec<Layer>, Reason> {
    let mut layers = layers(ir, op, places)?;
    for layer in &mut layers {
        if let Layer::Conv2d { convolution, augment_channels } = layer {
            *augment_channels = convolution.input.region == region::INPUTS && augments(convolution, target);
        }
    }
    Ok(layers)
}

/// The operands of a concatenation that are not in their place already, each with the copy that brings it there.
pub(crate) fn concat_copies(ir: &Ir, op: OpId, places: &Places<'_>) -> Result<Vec<(usize, Layer)>, Reason> {
    Context { ir, op, places, image: None }.concat()
}

/// Whether a convolution that reads an input of the subgraph should fold its kernel columns into channels: the target can, and
/// the array has less to do (`spec/xmodel.md` section 5.5).
pub(crate) fn augments(convolution: &Convolution, target: &Target) -> bool {
    let folded = u64::from(convolution.kernel[1]) * u64::from(convolution.input.channels);
    let plain = u64::from(convolution.kernel[1]) * target.lines(convolution.input.channels as usize) as u64;
    let layer = Layer::Conv2d { convolution: *convolution, augment_channels: true };
    target.channel_augmentation
        && (target.lines(usize::try_from(folded).unwrap_or(usize::MAX)) as u64) < plain
        && check(&layer, target).is_ok()
}

/// The exponent `k` of the weight `2^k` by which a separate `ReLU6` is a depthwise convolution: what a right shift cannot do.
///
/// # Errors
/// The weight does not fit in eight bits.
pub(crate) fn relu6_exponent(input_fix_point: i32, output_fix_point: i32) -> Result<i32, Reason> {
    let exponent = i64::from(output_fix_point) - i64::from(input_fix_point);
    let weight = dpuc_codegen::relu6_weight(input_fix_point, output_fix_point)?;
    debug_assert!(exponent <= limits::RELU6_EXPONENT.max);
    Ok(weight.ilog2() as i32)
}

pub(super) struct Context<'a> {
    pub(super) ir: &'a Ir,
    pub(super) op: OpId,
    places: &'a Places<'a>,
    /// The image of the batch, if it is not all of them.
    image: Option<usize>,
}

impl Context<'_> {
    fn of_image(&self, image: usize) -> Context<'_> {
        Context { ir: self.ir, op: self.op, places: self.places, image: Some(image) }
    }

    fn layers(&self) -> Result<Vec<Layer>, Reason> {
        let &Self { ir, op, .. } = self;
        match ir.op_name(op) {
            "int8.conv2d" => self.grouped_convolution(),
            "int8.depthwise_conv2d" => Ok(vec![Layer::DepthwiseConv2d(self.convolution()?)]),
            "int8.transposed_conv2d" => Ok(vec![Layer::TransposedConv2d(self.convolution()?)]),
            "int8.transposed_depthwise_conv2d" => Ok(vec![Layer::TransposedDepthwiseConv2d(self.convolution()?)]),
            "int8.max_pool" => self.pool(PoolKind::Max),
            "int8.avg_pool" => self.pool(PoolKind::Average),
            "int8.add" if adds_at_once(ir, op) => self.elementwise(ElementwiseKind::Add),
            "int8.add" | "int8.sub" | "int8.prelu" | "int8.leaky_relu" => self.weighted_sum(),
            "int8.max" => self.extreme(None),
            "int8.min" => self.extreme(Some(self.parameter(0)?)),
            "int8.channel_mul" => self.channel_mul(),
            "int8.channel_add" => self.channel_add(),
            "int8.reduce_mean" => self.reduction(PoolKind::Average),
            "int8.reduce_max" => self.reduction(PoolKind::Max),
            "int8.argmax" => self.argmax(),
            "int8.mul" => self.elementwise(ElementwiseKind::Multiply),
            "int8.requantise" => self.requantise(),
            "int8.concat" => Ok(self.concat()?.into_iter().map(|(_, copy)| copy).collect()),
            "int8.reshape" => self.reshape(),
            "int8.strided_slice" => self.strided_slice(),
            "int8.transpose" => self.transpose(),
            "int8.space_to_depth" => self.space_and_depth(false),
            "int8.depth_to_space" => self.space_and_depth(true),
            "int8.pad" => self.pad(),
            "int8.upsample" => self.upsample(),
            "int8.downsample" => {
                let scale = numbers(ir, op, "scale")?;
                Ok(vec![Layer::Downsample { input: self.input(0)?, output: self.output()?, scale }])
            }
            "int8.hard_sigmoid" => Ok(vec![Layer::HardSigmoid { input: self.input(0)?, output: self.output()? }]),
            "int8.quantise" | "int8.dequantise" => Err(Reason::Boundary),
            name if name.starts_with("nn.") => Err(Reason::Float),
            name => Err(Reason::NoDpuForm { operation: name.to_owned() }),
        }
    }

    /// The shape of a value, or of its image.
    pub(super) fn shape(&self, value: ValueId) -> Result<Vec<usize>, Reason> {
        let mut shape = self.whole_shape(value)?;
        if let (Some(_), Some(batch)) = (self.image, shape.first_mut()) {
            *batch = 1;
        }
        Ok(shape)
    }

    fn whole_shape(&self, value: ValueId) -> Result<Vec<usize>, Reason> {
        self.ir.shape_of(value).ok_or(Reason::Malformed { what: "shape" })
    }

    pub(super) fn fix_point(&self, value: ValueId) -> Result<i32, Reason> {
        self.ir.fix_of(value).ok_or(Reason::Float)
    }

    /// The place of a value, or of its image; what has only one is the same for all.
    pub(super) fn place(&self, value: ValueId) -> Result<Placement, Reason> {
        let place = (self.places)(value).ok_or(Reason::Malformed { what: "placement" })?;
        Ok(match self.image {
            Some(image) if self.whole_shape(value)?.first().is_some_and(|&batch| batch > 1) => place.part(0, image),
            _ => place,
        })
    }

    pub(super) fn map(&self, value: ValueId) -> Result<FeatureMap, Reason> {
        self.map_at(value, &self.place(value)?)
    }

    fn map_at(&self, value: ValueId, place: &Placement) -> Result<FeatureMap, Reason> {
        Self::map_of(&self.shape(value)?, place, self.fix_point(value)?)
    }

    pub(super) fn map_of(shape: &[usize], place: &Placement, fix_point: i32) -> Result<FeatureMap, Reason> {
        place.feature_map(shape, fix_point).ok_or_else(|| Reason::Layout { shape: shape.to_vec() })
    }

    pub(super) fn operand(&self, index: usize) -> Result<ValueId, Reason> {
        self.ir.operands(self.op).get(index).copied().ok_or(Reason::Malformed { what: "operand list" })
    }

    pub(super) fn input(&self, index: usize) -> Result<FeatureMap, Reason> {
        self.map(self.operand(index)?)
    }

    pub(super) fn output(&self) -> Result<FeatureMap, Reason> {
        self.map(self.ir.result(self.op))
    }

    pub(super) fn constant(&self, value: ValueId) -> Result<Constant, Reason> {
        let whole = (self.places)(value).filter(|place| place.region == region::CONSTANTS);
        // Weights have no images; a vector that is computed does.
        let place = whole.map_or_else(|| self.place(value), Ok)?;
        let address = u32::try_from(place.address).map_err(|_| Reason::Malformed { what: "constant's address" })?;
        Ok(Constant { region: place.region, address })
    }

    pub(super) fn activation(&self) -> Result<Activation, Reason> {
        match self.ir.str(self.op, "activation") {
            Some("none") => Ok(Activation::None),
            Some("relu") => Ok(Activation::Relu),
            Some("relu6") => Ok(Activation::Relu6),
            Some("leaky_relu") => Ok(Activation::LeakyRelu),
            _ => Err(Reason::Malformed { what: "activation" }),
        }
    }

    /// A convolution for each group, on parts of the channels.
    fn grouped_convolution(&self) -> Result<Vec<Layer>, Reason> {
        let whole = self.convolution()?;
        let groups = self.ir.int(self.op, "groups").and_then(|groups| u32::try_from(groups).ok());
        let groups = groups.filter(|&groups| groups > 0).ok_or(Reason::Malformed { what: "groups" })?;
        let [inputs, outputs] = [whole.input.channels / groups, whole.output.channels / groups];
        let filter = whole.kernel[0].saturating_mul(whole.kernel[1]).saturating_mul(inputs);
        let further =
            |constant: Constant, bytes: u32| Constant { address: constant.address.saturating_add(bytes), ..constant };
        let part = |group: u32| Convolution {
            input: whole.input.channel_slice(group * inputs, inputs),
            output: whole.output.channel_slice(group * outputs, outputs),
            weights: further(whole.weights, (group * outputs).saturating_mul(filter)),
            bias: further(whole.bias, group * outputs),
            ..whole
        };
        Ok((0..groups).map(|group| Layer::Conv2d { convolution: part(group), augment_channels: false }).collect())
    }

    fn convolution(&self) -> Result<Convolution, Reason> {
        let weights = self.operand(1)?;
        let (input, output) = (self.input(0)?, self.output()?);
        let weight_fix_point = self.fix_point(weights)?;
        let product = i64::from(input.fix_point) + i64::from(weight_fix_point);
        let (bias, bias_fix_point) = match self.ir.operands(self.op).get(2) {
            Some(&bias) => (self.constant(bias)?, i64::from(self.fix_point(bias)?)),
            None => (Constant::default(), product),
        };
        let shift = product - bias_fix_point + 1;
        let Window { kernel, strides, dilations, pads } = Window::of(self.ir, self.op)?;
        Ok(Convolution {
            input,
            output,
            kernel,
            strides,
            dilations,
            pads,
            weights: self.constant(weights)?,
            weight_fix_point,
            bias,
            bias_shift: shift.clamp(limits::BIAS_SHIFT.min, limits::BIAS_SHIFT.max) as u32,
            activation: self.activation()?,
        })
    }

    fn pool(&self, kind: PoolKind) -> Result<Vec<Layer>, Reason> {
        let Window { kernel, strides, pads, .. } = Window::of(self.ir, self.op)?;
        let (input, output) = (self.input(0)?, self.output()?);
        Ok(vec![Layer::Pool(Pool { kind, input, output, kernel, strides, pads })])
    }

    fn elementwise(&self, kind: ElementwiseKind) -> Result<Vec<Layer>, Reason> {
        let inputs = int8::inputs(self.ir, self.op);
        let inputs = inputs.iter().map(|&value| self.map(value)).collect::<Result<_, _>>()?;
        let relu = self.activation()? == Activation::Relu;
        Ok(vec![Layer::Elementwise { kind, inputs, output: self.output()?, relu }])
    }

    fn requantise(&self) -> Result<Vec<Layer>, Reason> {
        let (input, output) = (self.input(0)?, self.output()?);
        let activation = self.activation()?;
        if activation != Activation::Relu6 {
            return Ok(vec![Layer::Copy { input, output, relu: activation == Activation::Relu }]);
        }
        let rank = self.shape(self.ir.result(self.op))?.len();
        if rank != 4 {
            return Err(Reason::Relu6Rank { rank });
        }
        Ok(vec![Layer::DepthwiseConv2d(Convolution {
            input,
            output,
            kernel: [1, 1],
            strides: [1, 1],
            dilations: [1, 1],
            pads: [0; 4],
            weights: Constant::default(),
            weight_fix_point: relu6_exponent(input.fix_point, output.fix_point)?,
            bias: Constant::default(),
            bias_shift: 1,
            activation,
        })])
    }

    /// A copy for each input that is not in its place already.
    fn concat(&self) -> Result<Vec<(usize, Layer)>, Reason> {
        let result = self.ir.result(self.op);
        let axis = self.ir.int(self.op, "axis").and_then(|axis| usize::try_from(axis).ok());
        let place = self.place(result)?;
        let axis = axis.filter(|&axis| axis < place.strides.len()).ok_or(Reason::Malformed { what: "axis" })?;
        let fix_point = self.fix_point(result)?;
        let mut copies = Vec::new();
        let mut first = 0;
        for (operand, &value) in self.ir.operands(self.op).iter().enumerate() {
            let shape = self.shape(value)?;
            let target = place.part(axis, first);
            first += shape.get(axis).copied().unwrap_or(0);
            if self.place(value)? == target {
                continue;
            }
            let source = self.place(value)?;
            let input_fix = self.fix_point(value)?;
            let copy = |source: &Placement, target: &Placement, shape: &[usize]| {
                let input = source.feature_map(shape, input_fix)?;
                let output = target.feature_map(shape, fix_point)?;
                Some((operand, Layer::Copy { input, output, relu: false }))
            };
            if let Some(copy) = copy(&source, &target, &shape) {
                copies.push(copy);
                continue;
            }
            // There is a gap between the images.
            let image_shape: Vec<usize> = [1].into_iter().chain(shape.iter().skip(1).copied()).collect();
            for image in 0..shape.first().copied().unwrap_or(1) {
                let copy = copy(&source.part(0, image), &target.part(0, image), &image_shape);
                copies.push(copy.ok_or_else(|| Reason::Layout { shape: shape.clone() })?);
            }
        }
        Ok(copies)
    }

    /// Nothing where the result shares the bytes of the input, a copy elsewhere.
    fn reshape(&self) -> Result<Vec<Layer>, Reason> {
        let (input, output) = (self.operand(0)?, self.ir.result(self.op));
        let (from, to) = (self.shape(input)?, self.shape(output)?);
        if from.first() != to.first() {
            let size = |shape: &[usize]| shape.first().copied().unwrap_or(1);
            return Err(Reason::FirstDimension { before: size(&from), after: size(&to) });
        }
        let (source, target) = (self.place(input)?, self.place(output)?);
        if !source.is_dense(&from) || !target.is_dense(&to) {
            return Err(Reason::Layout { shape: from });
        }
        if (source.region, source.address) == (target.region, target.address) {
            return Ok(Vec::new());
        }
        let same_shape = Placement::dense(target.region, target.address, &from);
        Ok(vec![Layer::Copy { input: self.input(0)?, output: self.map_at(input, &same_shape)?, relu: false }])
    }

    /// Nothing where the result is a view of the input, copies elsewhere.
    fn strided_slice(&self) -> Result<Vec<Layer>, Reason> {
        let source = sliced(self.ir, self.op, &self.place(self.operand(0)?)?);
        self.copies(&source.ok_or(Reason::Malformed { what: "slice" })?)
    }

    /// Nothing where the result is a view of the input, copies elsewhere.
    fn transpose(&self) -> Result<Vec<Layer>, Reason> {
        let source = transposed(self.ir, self.op, &self.place(self.operand(0)?)?);
        self.copies(&source.ok_or(Reason::Malformed { what: "order" })?)
    }

    /// Copies from a place with the shape of the result.
    fn copies(&self, source: &Placement) -> Result<Vec<Layer>, Reason> {
        let result = self.ir.result(self.op);
        Nest::between(&self.shape(result)?, source, &self.place(result)?).copies(self.fix_point(result)?)
    }

    fn space_and_depth(&self, to_space: bool) -> Result<Vec<Layer>, Reason> {
        let (input, result) = (self.operand(0)?, self.ir.result(self.op));
        let (large, small) = if to_space { (result, input) } else { (input, result) };
        let block =
            self.ir.int(self.op, "block").and_then(|block| u64::try_from(block).ok()).filter(|&block| block > 0);
        let block = block.ok_or(Reason::Malformed { what: "block" })?;
        let order = self.ir.str(self.op, "order").unwrap_or_default();
        let nest = Nest::to_depth(&self.shape(large)?, block, order, &self.place(large)?, &self.place(small)?);
        let nest = nest.ok_or(Reason::Malformed { what: "order" })?;
        (if to_space { nest.reversed() } else { nest }).copies(self.fix_point(result)?)
    }

    fn upsample(&self) -> Result<Vec<Layer>, Reason> {
        if self.ir.bool(self.op, "align_corners") == Some(true) {
            return Err(Reason::AlignCorners);
        }
        let (input, output) = (self.input(0)?, self.output()?);
        if self.ir.str(self.op, "mode") != Some("nearest") {
            return self.bilinear(input, output);
        }
        let half = if self.ir.bool(self.op, "half_pixel") == Some(true) { 0.5 } else { 0.0 };
        for (input, output) in [(input.height, output.height), (input.width, output.width)] {
            if !nearest_is_division(input, output, half) {
                return Err(Reason::Coordinates { input: input as usize, output: output as usize });
            }
        }
        Ok(vec![Layer::UpsampleNearest { input, output, scale: numbers(self.ir, self.op, "scale")? }])
    }

    /// The convolution behind the padding that planning puts in front of it.
    fn bilinear(&self, input: FeatureMap, output: FeatureMap) -> Result<Vec<Layer>, Reason> {
        let tent = Tent::of(self.ir, self.op)?;
        let [top, left, bottom, right] = tent.edges;
        let padded = [input.height + top + bottom, input.width + left + right, input.channels];
        let kernel = tent.kernel().map(|taps| taps as u32);
        Ok(vec![Layer::TransposedDepthwiseConv2d(Convolution {
            input: FeatureMap::packed(input.region, input.address, padded, input.fix_point),
            output,
            kernel,
            strides: tent.scale,
            dilations: [1, 1],
            pads: tent.crops,
            weights: Constant::default(),
            weight_fix_point: tent.fix_point,
            bias: Constant::default(),
            bias_shift: 1,
            activation: Activation::None,
        })])
    }

    /// The copy of the padded tensor to its place; planning makes the rest.
    fn pad(&self) -> Result<Vec<Layer>, Reason> {
        let paddings = self.ir.ints(self.op, "paddings").ok_or(Reason::Malformed { what: "paddings" })?;
        let count = paddings.iter().fold(0u64, |sum, &padding| sum.saturating_add(padding.unsigned_abs()));
        let result = self.ir.result(self.op);
        let [before, after] = [self.operand(0)?, result].map(|value| self.shape(value).map(|shape| byte_count(&shape)));
        let bytes = after?.saturating_sub(before?);
        if self.ir.str(self.op, "mode") == Some("constant") {
            if bytes > BORDER_MAX {
                return Err(Reason::Border { bytes, most: BORDER_MAX });
            }
        } else if count > MIRRORED_MAX {
            return Err(Reason::Mirror { count, most: MIRRORED_MAX });
        }
        let (input, output) = (self.operand(0)?, self.place(self.ir.result(self.op))?);
        let shape = self.shape(input)?;
        let rank = shape.len();
        let fits = output.strides.len() == rank && paddings.len() == 2 * rank;
        let mut target = Some(output).filter(|_| fits).ok_or(Reason::Malformed { what: "paddings" })?;
        for (axis, &before) in paddings.iter().step_by(2).enumerate() {
            target = target.part(axis, usize::try_from(before).unwrap_or(usize::MAX));
        }
        Nest::between(&shape, &self.place(input)?, &target).copies(self.fix_point(input)?)
    }
}

/// Most bytes of constants around a tensor.
const BORDER_MAX: u64 = 1 << 22;

/// Most rows and columns that mirrored padding copies one by one.
const MIRRORED_MAX: u64 = 64;

/// Largest size whose half pixels single precision can count.
const COORDINATE_MAX: u32 = 1 << 23;

/// Whether the coordinates of `spec/numerics.md` section 5.7, in single precision, choose source `o / (output / input)` for every
/// output `o`.
fn nearest_is_division(input: u32, output: u32, half: f32) -> bool {
    if output > COORDINATE_MAX || output.checked_rem(input) != Some(0) {
        return false;
    }
    let scale = output / input;
    let step = input as f32 / output as f32;
    (0..output).all(|o| ((o as f32 + half) * step).floor().min((input - 1) as f32) as u32 == o / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_precision_coordinates_can_differ_from_division() {
        assert!([(1, 1), (3, 6), (7, 56), (13, 26), (80, 160)].iter().all(|&(i, o)| nearest_is_division(i, o, 0.0)));
        assert!(!nearest_is_division(3, 5, 0.0));
        // 41 · (1/41) is below 1 in single precision.
        let differing = (1..200).find(|&scale| !nearest_is_division(4, 4 * scale, 0.0));
        assert!(differing.is_some_and(|scale| scale > 16), "{differing:?}");
        assert!((1..200).all(|scale| nearest_is_division(4, 4 * scale, 0.5)));
    }
}
