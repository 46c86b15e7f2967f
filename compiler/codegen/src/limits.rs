//! What the accelerator takes, as a table, and violations of it in words.
//!
//! Sources: `spec/dpuczdx8g-isa.md` section 6, `spec/recipes-conv.md` sections 2.4, 4 and 5, `spec/recipes-eltwise-data.md`
//! sections 1, 2, 7 and 16.

use std::fmt;

use thiserror::Error;

/// A range of one quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is limited, e.g. `kernel height`.
    pub quantity: &'static str,
    /// Who limits it, with a verb, e.g. `the convolution engine takes`.
    pub taker: &'static str,
    /// Smallest legal value.
    pub min: i64,
    /// Largest legal value.
    pub max: i64,
}

impl Limit {
    /// Accepts a value inside the range.
    pub(crate) const fn admit(self, value: i64) -> Result<(), Violation> {
        if self.min <= value && value <= self.max { Ok(()) } else { Err(self.violated_by(value)) }
    }

    /// The violation by a value outside the range.
    pub(crate) const fn violated_by(self, value: i64) -> Violation {
        Violation::OutOfRange { role: "", limit: self, value }
    }

    /// The same quantity with another upper bound.
    pub(crate) const fn up_to(self, max: i64) -> Self {
        Self { max, ..self }
    }
}

const fn limit(quantity: &'static str, taker: &'static str, min: i64, max: i64) -> Limit {
    Limit { quantity, taker, min, max }
}

macro_rules! limits {
    ($( $(#[$doc:meta])* $name:ident = $quantity:literal, $taker:literal, $min:expr, $max:expr; )*) => {
        $( $(#[$doc])* pub const $name: Limit = limit($quantity, $taker, $min, $max); )*

        /// Every limit, in the order of this file.
        pub const TABLE: &[Limit] = &[$( $name ),*];
    };
}

limits! {
    /// Rows of a map.
    HEIGHT = "height", "a feature map has", 1, 1 << 29;
    /// Columns of a map.
    WIDTH = "width", "a feature map has", 1, 1 << 29;
    /// Channels of a map.
    CHANNELS = "channel count", "a feature map has", 1, 1 << 29;
    /// Bytes between pixels; pixels may not overlap.
    PIXEL_STRIDE = "pixel stride", "pixels that do not overlap need", 1, u32::MAX as i64;
    /// Bytes between rows; rows may not overlap.
    ROW_STRIDE = "row stride", "rows that do not overlap need", 1, u32::MAX as i64;
    /// DDR region.
    REGION = "DDR region", "an instruction addresses", 0, 7;
    /// Byte behind the last one of a tensor.
    DDR_END = "end of the bytes in DDR", "29-bit addresses take", 1, 1 << 29;
    /// Fix points; the bound keeps sums of them meaningful.
    FIX_POINT = "fix point", "a tensor has", -256, 256;

    /// Conv kernel rows. For a transposed convolution: of its largest sub-kernel.
    CONV_KERNEL_HEIGHT = "kernel height", "the convolution engine takes", 1, 16;
    /// Conv kernel columns.
    CONV_KERNEL_WIDTH = "kernel width", "the convolution engine takes", 1, 16;
    /// Conv row stride. Above the 8 of the engine, one row is computed at a time.
    CONV_STRIDE_HEIGHT = "vertical stride", "the convolution takes", 1, 65_535;
    /// Conv column stride. Above the 8 of the engine, one column is computed at a time.
    CONV_STRIDE_WIDTH = "horizontal stride", "the convolution takes", 1, 65_535;
    /// Input channel groups of Conv.
    CONV_CHANNEL_GROUPS = "number of input channel groups", "the convolution engine takes", 1, 256;
    /// Lines of the weights of one output channel.
    CONV_WEIGHT_LINES = "lines of weights of one output channel", "a weight bank holds", 1, 2048;

    /// Alu kernel rows.
    ALU_KERNEL_HEIGHT = "kernel height", "the misc engine takes", 1, 256;
    /// Alu kernel columns.
    ALU_KERNEL_WIDTH = "kernel width", "the misc engine takes", 1, 256;
    /// Alu row stride.
    ALU_STRIDE_HEIGHT = "vertical stride", "the misc engine takes", 1, 256;
    /// Alu column stride.
    ALU_STRIDE_WIDTH = "horizontal stride", "the misc engine takes", 1, 256;
    /// Lines of the depthwise weights of one channel group.
    DEPTHWISE_WEIGHT_LINES = "lines of weights of one channel group", "the depthwise weight bank holds", 1, 2048;

    /// Padding rows above the map, in the engine's sub-problem.
    PAD_TOP = "top pad", "the engine takes", 0, 15;
    /// Padding columns left of the map, in the engine's sub-problem.
    PAD_LEFT = "left pad", "the engine takes", 0, 15;
    /// Padding rows above the map must leave a real row in the first window.
    PAD_TOP_IN_WINDOW = "top pad", "the extent of the kernel allows", 0, i64::MAX;
    /// Padding columns left of the map must leave a real column in the first window.
    PAD_LEFT_IN_WINDOW = "left pad", "the extent of the kernel allows", 0, i64::MAX;
    /// Padding rows that the last window needs below the map.
    PAD_BOTTOM_IN_WINDOW = "bottom padding of the last window", "the extent of the kernel allows", i64::MIN, i64::MAX;
    /// Padding columns that the last window needs right of the map.
    PAD_RIGHT_IN_WINDOW = "right padding of the last window", "the extent of the kernel allows", i64::MIN, i64::MAX;
    /// Dilation.
    DILATION = "dilation", "the operator takes", 1, 1 << 29;
    /// Strides of transposed members.
    TRANSPOSED_STRIDE = "stride", "the operator takes", 1, 1 << 29;
    /// Factors of up- and down-sampling.
    SCALE = "scale", "the operator takes", 1, 256;
    /// Sub-problems that dilation or transposition leads to.
    PHASES = "number of phases of dilation or transposition", "this code generator takes", 1, 4096;
    /// About how many instructions a layer becomes; the bound keeps programs finite for absurd shapes.
    INSTRUCTIONS = "number of instructions", "this code generator takes", 0, 1 << 21;
    /// Output size against what input, kernel, stride and pads give.
    OUTPUT_HEIGHT = "output height", "the geometry of the operator gives", 0, i64::MAX;
    /// Output size against what input, kernel, stride and pads give.
    OUTPUT_WIDTH = "output width", "the geometry of the operator gives", 0, i64::MAX;
    /// Output channels of an operator that keeps channels apart.
    OUTPUT_CHANNELS = "output channel count", "the input of the operator gives", 0, i64::MAX;
    /// Lines of a bias vector.
    BIAS_LINES = "lines of the bias", "the bias bank holds", 1, 2048;
    /// Lines of a bank that the smallest tile needs.
    TILE_LINES = "lines of a bank for the smallest tile", "a bank holds", 1, 2048;

    /// Conv and depthwise output shift.
    OUTPUT_SHIFT = "output shift (input + weight - output fix point)", "the shifter takes", 0, 63;
    /// Bias shift.
    BIAS_SHIFT = "bias shift (input + weight - bias fix point + 1)", "the bias shifter takes", 0, 20;
    /// Pool shift: left up to 7, right up to 55.
    POOL_SHIFT = "right shift of the pool", "the shifter takes", -7, 55;
    /// Leaky ReLU shifts: left up to 31, right up to 31.
    LEAKY_SHIFT = "right shift of the leaky ReLU", "the shifter takes", -31, 31;
    /// Leaky ReLU slope.
    LEAKY_SLOPE = "integer slope of the leaky ReLU", "the multiplier takes", 0, 127;
    /// Exponent of the weight of a stand-alone `ReLU6`.
    RELU6_EXPONENT = "fix point step of the ReLU6 (output - input)", "an eight-bit power of two takes", 0, 6;
    /// Hard sigmoid input fix point.
    HARD_SIGMOID_INPUT = "input fix point of the hard sigmoid", "the bias shifter takes", 0, 20;
    /// Hard sigmoid shift.
    HARD_SIGMOID_SHIFT = "shift of the hard sigmoid (14 + input - output fix point)", "the shifter takes", 0, 63;
    /// Channels of an argmax.
    ARGMAX_CHANNELS = "channel count of the argmax", "an index in a signed byte allows", 1, 128;
    /// Operands of a sum.
    SUM_OPERANDS = "number of operands of a sum", "the elementwise unit takes", 1, 4;
    /// Operands of a product.
    PRODUCT_OPERANDS = "number of operands of a product", "the elementwise unit takes", 2, 2;
    /// Operands in one window.
    WINDOW_OPERANDS = "number of operands of a window", "one window combines", 1, 8;
    /// Operands of a weighted sum that are rectified.
    RECTIFIED_OPERANDS = "number of rectified operands", "the sum has", 0, 8;
    /// Fix points of the operands of a maximum or minimum.
    EXTREME_FIX_POINT = "fix point of an operand of the maximum or minimum", "the first operand has", i64::MIN, i64::MAX;

    /// Bytes of an augmented pixel.
    AUGMENTED_CHANNELS = "kernel width times input channels", "channel augmentation takes", 1, 64;
    /// Bytes between augmented pixels against their size.
    AUGMENTED_STEP = "horizontal stride times input channels", "channel augmentation takes", 1, 64;
    /// Pad bytes in front of the first augmented pixel.
    AUGMENTED_PAD_START = "bytes of left padding", "channel augmentation takes", 0, 31;
    /// Pad bytes behind the last augmented pixel, counted from the end of its lines.
    AUGMENTED_PAD_END = "bytes of right padding and line filler", "channel augmentation takes", 0, 31;
    /// Bytes that must be readable in front of an augmented input.
    AUGMENTED_ADDRESS = "address of the input", "channel augmentation reads the left padding from DDR and takes", 0, 1 << 29;
}

/// One reason why the accelerator cannot run a layer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Violation {
    /// A quantity outside its range.
    #[error("{role}{quantity} {value}; {taker} {range}", quantity = limit.quantity, taker = limit.taker, range = Range(limit))]
    OutOfRange {
        /// Which map the quantity belongs to, with a blank behind, or empty.
        role: &'static str,
        /// The range.
        limit: Limit,
        /// The value.
        value: i64,
    },
    /// Something the target has no hardware for.
    #[error("{what}; {reason}")]
    Unsupported {
        /// What was asked for.
        what: &'static str,
        /// What there is instead.
        reason: String,
    },
}

struct Range<'a>(&'a Limit);

impl fmt::Display for Range<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Limit { min, max, .. } = *self.0;
        match (min, max) {
            _ if min == max => write!(f, "{min}"),
            (i64::MIN, _) => write!(f, "at most {max}"),
            (_, i64::MAX) => write!(f, "at least {min}"),
            _ => write!(f, "{min}..={max}"),
        }
    }
}

/// Collects violations.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Violation>);

impl Findings {
    /// Notes the violation if `value` is outside `limit`.
    pub(crate) fn require(&mut self, limit: Limit, value: i64) {
        self.require_of("", limit, value);
    }

    /// The same for a quantity of one map; `role` ends with a blank.
    pub(crate) fn require_of(&mut self, role: &'static str, limit: Limit, value: i64) {
        if limit.admit(value).is_err() {
            self.0.push(Violation::OutOfRange { role, limit, value });
        }
    }

    /// Notes a violation.
    pub(crate) fn add(&mut self, violation: Violation) {
        self.0.push(violation);
    }

    /// Whether nothing was noted.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All violations, or none.
    pub(crate) fn into_result(self) -> Result<(), Vec<Violation>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}
