//! What the code generator is asked to do: one quantised operator as plain geometry.
//!
//! Conventions, shared with the `int8` dialect: kernels, strides, dilations and scales are `[height, width]`; pads are
//! `[top, left, bottom, right]`; a value is `integer · 2^-fix_point`.

/// An int8 feature map in DDR, NHWC with batch 1 and channel stride 1.
///
/// Strides larger than the packed ones describe views: a part of a concatenation, a slice, every second pixel. Rows closer to each other
/// than the pixels of a row describe a map whose axes are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FeatureMap {
    /// DDR region, `reg_id`.
    pub region: u8,
    /// Byte of row 0, column 0, channel 0 in the region.
    pub address: u32,
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
    /// Channels, one byte each.
    pub channels: u32,
    /// Bytes between rows.
    pub row_stride: u32,
    /// Bytes between pixels of a row.
    pub pixel_stride: u32,
    /// Binary digits behind the point.
    pub fix_point: i32,
}

impl FeatureMap {
    /// A map without gaps; `shape` is `[height, width, channels]`.
    ///
    /// Strides that 32 bits cannot hold are saturated, which [`check`](crate::check) then refuses.
    pub const fn packed(region: u8, address: u32, shape: [u32; 3], fix_point: i32) -> Self {
        let [height, width, channels] = shape;
        let row_stride = width.saturating_mul(channels);
        Self { region, address, height, width, channels, row_stride, pixel_stride: channels, fix_point }
    }

    /// `channels` channels from channel `first` on, in place.
    #[must_use]
    pub const fn channel_slice(self, first: u32, channels: u32) -> Self {
        Self { address: self.address.saturating_add(first), channels, ..self }
    }
}

/// Where constant bytes lie in DDR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Constant {
    /// DDR region, `reg_id`.
    pub region: u8,
    /// First byte in the region.
    pub address: u32,
}

/// Activation fused behind an operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Activation {
    /// The identity.
    #[default]
    None,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 96)` up to output fix point 4, `max(x, 0)` above it (`spec/numerics.md` section 4).
    Relu6,
    /// `x · 26/256` below zero.
    LeakyRelu,
}

/// Any member of the convolution family.
///
/// Weights are in natural order: `[output channels][kernel height][kernel width][input channels]`, and
/// `[kernel height][kernel width][channels]` for the depthwise members. Transposed members correlate the zero-spread input with
/// the stored kernel without flipping it, and their pads crop the output: `output = (input − 1) · stride + kernel − pads`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Convolution {
    /// Input map.
    pub input: FeatureMap,
    /// Output map.
    pub output: FeatureMap,
    /// Kernel size.
    pub kernel: [u32; 2],
    /// Strides.
    pub strides: [u32; 2],
    /// Dilations; `[1, 1]` for transposed members.
    pub dilations: [u32; 2],
    /// Pads.
    pub pads: [u32; 4],
    /// Weights.
    pub weights: Constant,
    /// Fix point of the weights.
    pub weight_fix_point: i32,
    /// One byte per output channel, made by [`hardware_bias`](crate::hardware_bias); zeros if the operator has no bias.
    pub bias: Constant,
    /// The bias shift field, made by [`hardware_bias`](crate::hardware_bias).
    pub bias_shift: u32,
    /// Fused activation.
    pub activation: Activation,
}

/// What a pool computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PoolKind {
    /// Maximum; padding is −128.
    Max,
    /// Mean by the factor of [`average_factor`](crate::average_factor); padding is 0 and counts.
    Average,
}

/// Max or average pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pool {
    /// What is computed.
    pub kind: PoolKind,
    /// Input map.
    pub input: FeatureMap,
    /// Output map.
    pub output: FeatureMap,
    /// Window size.
    pub kernel: [u32; 2],
    /// Strides.
    pub strides: [u32; 2],
    /// Pads. Rows and columns that no window reaches need no pad; windows may leave the padded map at the bottom and right.
    pub pads: [u32; 4],
}

/// Elementwise operation of maps of equal shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ElementwiseKind {
    /// Sum of one to four maps, two guard bits (`spec/numerics.md` section 5.5, hardware form).
    Add,
    /// Product of two maps.
    Multiply,
}

/// `Σ weight_k · x_k` over maps of one shape, with weights for each channel, exact until the one rounding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WeightedSum {
    /// Operands.
    pub inputs: Vec<FeatureMap>,
    /// Output map.
    pub output: FeatureMap,
    /// How many of the first operands count as 0 where they are negative.
    pub rectified: u32,
    /// Integer weights, `[operands][channels]`.
    pub weights: Constant,
    /// Fix point of the products `weight_k · x_k`, the same for all operands.
    pub product_fix_point: i32,
    /// One zero for each channel.
    pub zeros: Constant,
    /// Whether negative results become 0.
    pub relu: bool,
}

/// Maximum or minimum of maps of one shape and fix point.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Extreme {
    /// Operands.
    pub inputs: Vec<FeatureMap>,
    /// Output map.
    pub output: FeatureMap,
    /// For a minimum: one byte −1 for each channel.
    pub minus_ones: Option<Constant>,
}

/// One quantised operator.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// Convolution over all input channels. A fully connected layer is one whose kernel covers the map.
    Conv2d {
        /// Geometry, constants and numerics.
        convolution: Convolution,
        /// Fold the kernel columns into the channels, which fills the array when there are few input channels. Needs the bytes
        /// told by [`augmentation_headroom`](crate::augmentation_headroom) around the input.
        augment_channels: bool,
    },
    /// Convolution of each channel by itself.
    DepthwiseConv2d(Convolution),
    /// Transposed convolution over all input channels.
    TransposedConv2d(Convolution),
    /// Transposed convolution of each channel by itself.
    TransposedDepthwiseConv2d(Convolution),
    /// Max or average pool.
    Pool(Pool),
    /// Sum or product.
    Elementwise {
        /// Operation.
        kind: ElementwiseKind,
        /// Operands.
        inputs: Vec<FeatureMap>,
        /// Output map; may be one of the inputs.
        output: FeatureMap,
        /// Whether negative results become 0.
        relu: bool,
    },
    /// Weighted sum.
    WeightedSum(WeightedSum),
    /// Maximum or minimum of maps.
    Extreme(Extreme),
    /// Product of each channel with a number of its own, which may be computed at run time: a vector in DDR.
    ChannelScale {
        /// Input map.
        input: FeatureMap,
        /// Output map of the same shape.
        output: FeatureMap,
        /// One byte for each channel.
        scale: Constant,
        /// Fix point of these.
        scale_fix_point: i32,
        /// Fused activation.
        activation: Activation,
    },
    /// Copy to another place, fix point or stride; also one input of a concatenation.
    Copy {
        /// Input map.
        input: FeatureMap,
        /// Output map of the same shape.
        output: FeatureMap,
        /// Whether negative values become 0.
        relu: bool,
    },
    /// `ReLU6` by itself.
    Relu6 {
        /// Input map.
        input: FeatureMap,
        /// Output map of the same shape.
        output: FeatureMap,
        /// One byte [`relu6_weight`](crate::relu6_weight) for each channel.
        scale: Constant,
    },
    /// Leaky ReLU by itself: `x · slope · 2^-slope_fix_point` below zero.
    LeakyRelu {
        /// Input map.
        input: FeatureMap,
        /// Output map of the same shape.
        output: FeatureMap,
        /// Integer slope, `0 ..= 127`.
        slope: i8,
        /// Fix point of the slope.
        slope_fix_point: i32,
    },
    /// `(x + 3) · 2731/2^14`, clamped below at 0.
    HardSigmoid {
        /// Input map.
        input: FeatureMap,
        /// Output map of the same shape.
        output: FeatureMap,
    },
    /// Number of the first of each pixel's largest channels. Needs the bytes told by [`argmax_headroom`](crate::argmax_headroom)
    /// behind the output.
    Argmax {
        /// Input map.
        input: FeatureMap,
        /// Output map of one channel.
        output: FeatureMap,
    },
    /// Nearest-neighbour enlargement: output pixel `(y, x)` is input pixel `(y / scale, x / scale)`.
    UpsampleNearest {
        /// Input map.
        input: FeatureMap,
        /// Output map, `scale` times as large.
        output: FeatureMap,
        /// Factors.
        scale: [u32; 2],
    },
    /// Every `scale`-th pixel: output pixel `(y, x)` is input pixel `(y · scale, x · scale)`.
    Downsample {
        /// Input map.
        input: FeatureMap,
        /// Output map.
        output: FeatureMap,
        /// Factors.
        scale: [u32; 2],
    },
}
