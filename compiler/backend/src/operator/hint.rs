//! The change to the network that would bring an operation to the DPU.
//!
//! A hint is advice to the author of the network: it names a change, not an option of this compiler. Where the CPU is the right place
//! there is none.

use dpuc_codegen::Violation;
use dpuc_codegen::limits::{self, Limit};

use super::Reason;

impl Reason {
    /// What to change in the network so that this reason goes away; `kind` is the operation, e.g. `nn.softmax`.
    ///
    /// `None` where nothing has to change: the operation is the host's part, or follows another one that has its own hint.
    pub fn hint(&self, kind: &str) -> Option<String> {
        let hint = match self {
            Self::Boundary | Self::InputNotOnDpu | Self::NoInputOnDpu | Self::Malformed { .. } => return None,
            Self::Float | Self::NoDpuForm { .. } => return substitute(kind).map(str::to_owned),
            Self::Limit(Violation::OutOfRange { limit, .. }) => return within(limit),
            Self::Limit(Violation::Unsupported { what, .. }) => return instead(what).map(str::to_owned),
            Self::NotConstant { operand } => {
                format!("make the {operand} a constant of the network; a product of two computed maps is a matmul for the CPU")
            }
            Self::Batch { most, .. } => {
                format!("export the network with batch 1, or at most {most}; the images run one after another anyway")
            }
            Self::FirstDimension { .. } => {
                "keep the first dimension, the batch, and reshape the others only, e.g. to [1, -1]".to_owned()
            }
            Self::Layout { .. } => "use tensors of the form [1, height, width, channels] or [1, channels]".to_owned(),
            Self::MixedConcat { .. } => {
                "concatenate along the channels (axis 3), or bring the input that is on the CPU to the DPU".to_owned()
            }
            Self::AlignCorners => "use align_corners = false and quantise again".to_owned(),
            Self::Bilinear { .. } => {
                "resize by 2 or 4, in several steps if need be, or by nearest neighbour; or let a transposed convolution learn the enlargement".to_owned()
            }
            Self::Mirror { most, .. } => {
                format!("pad with zeros, which convolutions and pools take for themselves, or by at most {most} rows and columns")
            }
            Self::Border { .. } => {
                "pad by less than the kernel with zeros, which convolutions and pools take for themselves".to_owned()
            }
            Self::Copies { .. } => "move whole pixels: keep the channels last and together, in multiples of the channel parallelism".to_owned(),
            Self::Coordinates { .. } => "resize by a whole factor, such as 2".to_owned(),
            Self::Relu6Rank { .. } => "apply the ReLU6 to a 4-D map, or use ReLU".to_owned(),
            Self::InexactSum | Self::InexactDifference | Self::TapWeight { .. } => {
                "requantise the operand with the finest fix point, so that the fix points of all operands are close together".to_owned()
            }
            Self::Slope { .. } => "use slopes with fewer binary places, or 26/256 for all channels".to_owned(),
            Self::ReducedAxes { .. } => "reduce over height, width, both, or the channels; others need a transpose or reshape before it".to_owned(),
            Self::ArgmaxAxis { .. } => "compare the channels; another axis needs a transpose before it".to_owned(),
            Self::MeanFactor => "use a global average pool of the same window".to_owned(),
            Self::SmallerSubgraph => "compile it with `--partition all`".to_owned(),
            Self::NothingToCompute => {
                "nothing to gain: it only moves data, and goes to the DPU when a neighbour that computes does".to_owned()
            }
        };
        Some(hint)
    }
}

/// What to use instead of an operation without DPU form.
fn substitute(kind: &str) -> Option<&'static str> {
    let (_, name) = kind.split_once('.').unwrap_or(("", kind));
    Some(match name {
        "softmax" => {
            "softmax stays on the CPU and costs little at the end of a network; leave it out where only the order of the scores matters"
        }
        "sigmoid" => "use hard sigmoid, which the DPU computes, and train or fine-tune with it",
        "tanh" => "use hard sigmoid (tanh(x) = 2 sigmoid(2x) - 1), or ReLU, and fine-tune",
        "hard_swish" | "hard_sigmoid" => "quantise it with its input: the DPU computes it between int8 tensors",
        "leaky_relu" => "use the slope 26/256 = 0.1015625, the one the DPU has",
        "transpose" => "keep maps in NHWC order throughout, so that no transpose is needed between layers",
        "div" => "multiply by a constant reciprocal, which a depthwise convolution computes",
        "sub" => "negate the second operand in the weights before it and add",
        "matmul" => "make one operand a constant: a fully connected layer runs on the DPU",
        "argmax" => {
            "quantise its input: the DPU finds the largest of up to 128 channels; an argmax of the class scores of one image costs the CPU little"
        }
        "reduce_max" => "use a max pool over the whole map",
        "reduce_sum" | "reduce_mean" => "use a global average pool over height and width",
        "custom" => "build it from operations the compiler knows; what a custom operation does is not said in the file",
        "resize" => "resize by a whole factor with nearest-neighbour interpolation, quantised on both sides",
        "upsample" | "downsample" => "resize by a whole factor with nearest-neighbour interpolation",
        "fix" | "constant" | "quantise" | "dequantise" => return None,
        _ => "quantise it: give its inputs and its result fix points, so that it computes with int8",
    })
}

/// How to come back into a range.
fn within(limit: &Limit) -> Option<String> {
    let Limit { quantity, min, max, .. } = *limit;
    let is = |others: &[Limit]| others.iter().any(|other| other.quantity == quantity && other.taker == limit.taker);
    if is(&[limits::CONV_KERNEL_HEIGHT, limits::CONV_KERNEL_WIDTH]) {
        return Some(format!(
            "split the kernel into layers of at most {max}x{max}, e.g. two small ones in a row, or dilate a smaller one"
        ));
    }
    if is(&[limits::ALU_KERNEL_HEIGHT, limits::ALU_KERNEL_WIDTH]) {
        return Some(format!("pool in two steps whose kernels are at most {max}: their product is the whole window"));
    }
    if is(&[limits::CONV_STRIDE_HEIGHT, limits::CONV_STRIDE_WIDTH, limits::ALU_STRIDE_HEIGHT, limits::ALU_STRIDE_WIDTH])
    {
        return Some(format!("use a stride of at most {max} and subsample in a second layer"));
    }
    if is(&[limits::CONV_CHANNEL_GROUPS, limits::CONV_WEIGHT_LINES]) {
        return Some("reduce the input channels with a 1x1 convolution first, or use a smaller kernel".to_owned());
    }
    if is(&[limits::DEPTHWISE_WEIGHT_LINES]) {
        return Some("use a smaller depthwise kernel, or two in a row".to_owned());
    }
    if quantity.contains("pad") {
        return Some(format!(
            "use padding smaller than the kernel and at most {}, or pad the network's input",
            max.min(limits::PAD_TOP.max)
        ));
    }
    if quantity.contains("shift") || quantity.contains("fix point") {
        return Some(format!(
            "quantise again with fix points that lie closer together (this needs {})",
            range(quantity, min, max)
        ));
    }
    if is(&[limits::ARGMAX_CHANNELS]) {
        return Some(format!("compare at most {max} channels: leave out classes, or let the CPU compare"));
    }
    if is(&[limits::LEAKY_SLOPE]) {
        return Some("use the slope 26/256 = 0.1015625, the one the DPU has".to_owned());
    }
    if is(&[limits::SUM_OPERANDS, limits::WINDOW_OPERANDS, limits::RECTIFIED_OPERANDS]) {
        return Some(format!("add at most {max} maps at once, and the sums of these in further additions"));
    }
    if is(&[limits::PRODUCT_OPERANDS]) {
        return Some("multiply two maps at a time".to_owned());
    }
    if is(&[limits::SCALE]) {
        return Some(format!("resize by a factor of at most {max}, in several steps if need be"));
    }
    if is(&[limits::BIAS_LINES, limits::TILE_LINES]) {
        return Some("use fewer channels or a smaller kernel: even the smallest tile does not fit on chip".to_owned());
    }
    if is(&[limits::PHASES, limits::DILATION, limits::TRANSPOSED_STRIDE]) {
        return Some("use a smaller dilation or transposed stride".to_owned());
    }
    if is(&[limits::HEIGHT, limits::WIDTH, limits::CHANNELS, limits::DDR_END, limits::INSTRUCTIONS]) {
        return Some("use a smaller map".to_owned());
    }
    // Strides in memory and register numbers are this compiler's choice, and no change to the network alters them.
    let own = is(&[limits::PIXEL_STRIDE, limits::ROW_STRIDE, limits::REGION]) || limit.taker.contains("augmentation");
    (!own).then(|| format!("change the network so that it has {}", range(quantity, min, max)))
}

fn range(quantity: &str, min: i64, max: i64) -> String {
    match (min, max) {
        (i64::MIN, i64::MAX) => format!("another {quantity}"),
        (i64::MIN, _) => format!("{quantity} at most {max}"),
        (_, i64::MAX) => format!("{quantity} at least {min}"),
        _ if min == max => format!("{quantity} {min}"),
        _ => format!("{quantity} {min} to {max}"),
    }
}

/// What to use where the target lacks hardware.
fn instead(what: &str) -> Option<&'static str> {
    if what == "argmax" {
        return Some("compile for a target with argmax in its fingerprint, as those of Vitis AI 3.0 and later");
    }
    what.contains("leaky").then_some("use ReLU or ReLU6, or a target with leaky ReLU in its fingerprint")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beyond(limit: Limit) -> Option<String> {
        Reason::Limit(Violation::OutOfRange { role: "", limit, value: i64::MAX }).hint("int8.conv2d")
    }

    #[test]
    fn limits_of_networks_have_hints_and_those_of_layouts_none() {
        let own = limits::TABLE.iter().filter(|&&limit| beyond(limit).is_none());
        let own: Vec<&str> = own.map(|limit| limit.quantity).collect();
        assert!(own.contains(&"row stride") && !own.contains(&"kernel width"), "{own:?}");
        for limit in limits::TABLE {
            let shown = beyond(*limit).unwrap_or_default();
            assert!(!shown.contains("9223372036854775"), "{shown}");
        }
        assert_eq!(
            beyond(limits::SUM_OPERANDS).as_deref(),
            Some("add at most 4 maps at once, and the sums of these in further additions")
        );
    }

    #[test]
    fn hints_name_the_change() {
        assert!(beyond(limits::CONV_KERNEL_WIDTH).unwrap().contains("16x16"));
        assert!(Reason::Float.hint("nn.sigmoid").unwrap().contains("hard sigmoid"));
        assert!(Reason::Float.hint("nn.leaky_relu").unwrap().contains("26/256"));
        assert!(Reason::Float.hint("nn.softmax").unwrap().contains("stays on the CPU"));
        assert!(Reason::AlignCorners.hint("nn.resize").unwrap().contains("align_corners = false"));
        assert_eq!(Reason::Boundary.hint("int8.quantise"), None);
    }
}
