//! The table of operators.

use dpuc_onnx::OperatorSet;

use super::error::Reason;
use super::fold::{self, Fold};
use super::importer::{Importer, Outcome};
use super::node::{Node, domain};
use super::{
    activation, arrange, batch, control, convolution, elementwise, matmul, normalise, pool, quantise, reduce, resize,
    slice,
};

/// What can be imported.
#[derive(Clone, Copy, Debug)]
pub struct OperatorInfo {
    /// Name, with the domain in front if it is not ONNX's own.
    pub name: &'static str,
    /// Last version of the operator set that has it, if later ones do not.
    pub last: Option<i64>,
    /// What of it cannot be imported; empty if nothing.
    pub restrictions: &'static str,
}

/// Imports a node whose inputs have been imported.
type Import = fn(&mut Importer<'_>, Node<'_>) -> Outcome;

/// One operator.
pub(crate) struct Operator {
    info: OperatorInfo,
    pub(crate) import: Import,
    /// Computes it while importing, if all inputs are known.
    pub(crate) fold: Option<Fold>,
}

const fn op(name: &'static str, import: Import) -> Operator {
    Operator { info: OperatorInfo { name, last: None, restrictions: "" }, import, fold: None }
}

/// An operator on shapes and constants.
const fn constant_only(name: &'static str, fold: Fold) -> Operator {
    op(name, control::only_constant).folds(fold).but("all inputs must be known while importing")
}

impl Operator {
    const fn folds(mut self, fold: Fold) -> Self {
        self.fold = Some(fold);
        self
    }

    const fn but(mut self, restrictions: &'static str) -> Self {
        self.info.restrictions = restrictions;
        self
    }

    const fn until(mut self, last: i64) -> Self {
        self.info.last = Some(last);
        self
    }
}

/// All operators, by name.
static OPERATORS: &[Operator] = &[
    op("Abs", elementwise::abs).folds(fold::abs),
    op("Add", elementwise::add).folds(fold::add),
    op("And", elementwise::and).folds(fold::and),
    op("ArgMax", reduce::arg_max).but("select_last_index = 0"),
    op("ArgMin", reduce::arg_min).but("select_last_index = 0"),
    op("AveragePool", pool::average).but("1-D and 2-D; no dilation"),
    op("BatchNormalization", batch::batch_normalization).but("inference: one output"),
    op("Cast", elementwise::cast).folds(fold::cast).but("numbers and truth values"),
    op("CastLike", elementwise::cast_like).folds(fold::cast_like).but("numbers and truth values"),
    op("Ceil", elementwise::ceil).folds(fold::ceil),
    op("Celu", activation::celu),
    op("Clip", activation::clip).folds(fold::clip),
    op("Concat", arrange::concat).folds(fold::concat),
    op("Constant", control::constant).but("no sparse tensors, no strings"),
    constant_only("ConstantOfShape", fold::constant_of_shape),
    op("Conv", convolution::convolution).but("1-D and 2-D"),
    op("ConvTranspose", convolution::transposed).but("1-D and 2-D; weights known while importing"),
    op("Cos", elementwise::cos),
    op("DepthToSpace", arrange::depth_to_space),
    op("DequantizeLinear", quantise::dequantize_linear)
        .but("scales known while importing and powers of two, or as --scales says"),
    op("Div", elementwise::div).folds(fold::div),
    op("Dropout", control::dropout).but("inference: no mask"),
    op("Elu", activation::elu),
    op("Equal", elementwise::equal).folds(fold::equal),
    op("Erf", elementwise::erf),
    op("Exp", elementwise::exp).folds(fold::exp),
    op("Expand", arrange::expand).folds(fold::expand).but("shape known while importing"),
    op("Flatten", arrange::flatten).folds(fold::flatten),
    op("Floor", elementwise::floor).folds(fold::floor),
    op("Gather", slice::gather).folds(fold::gather),
    op("Gelu", activation::gelu),
    op("Gemm", matmul::gemm),
    op("GlobalAveragePool", pool::global_average),
    op("GlobalMaxPool", pool::global_max),
    op("Greater", elementwise::greater).folds(fold::greater),
    op("GreaterOrEqual", elementwise::greater_or_equal).folds(fold::greater_or_equal),
    op("GroupNormalization", normalise::group_normalization),
    op("HardSigmoid", activation::hard_sigmoid),
    op("HardSwish", activation::hard_swish),
    op("Identity", control::identity),
    op("If", control::conditional).but("condition known while importing"),
    op("InstanceNormalization", normalise::instance_normalization),
    op("LRN", normalise::local_response_normalization),
    op("LayerNormalization", normalise::layer_normalization).but("one output"),
    op("LeakyRelu", activation::leaky_relu),
    op("Less", elementwise::less).folds(fold::less),
    op("LessOrEqual", elementwise::less_or_equal).folds(fold::less_or_equal),
    op("Log", elementwise::log).folds(fold::log),
    op("LogSoftmax", activation::log_softmax),
    op("MatMul", matmul::matmul),
    op("Max", elementwise::max).folds(fold::max),
    op("MaxPool", pool::max).but("1-D and 2-D; no dilation, no indices"),
    op("Mean", elementwise::mean),
    op("Min", elementwise::min).folds(fold::min),
    op("Mish", activation::mish),
    constant_only("Mod", fold::modulo),
    op("Mul", elementwise::mul).folds(fold::mul),
    op("Neg", elementwise::neg).folds(fold::neg),
    constant_only("NonZero", fold::non_zero),
    op("Not", elementwise::not).folds(fold::not),
    op("Or", elementwise::or).folds(fold::or),
    op("PRelu", activation::prelu),
    op("Pad", slice::pad).but("pads known while importing"),
    op("Pow", elementwise::pow).folds(fold::pow),
    op("QuantizeLinear", quantise::quantize_linear)
        .but("scales known while importing and powers of two, or as --scales says"),
    constant_only("Range", fold::range),
    op("Reciprocal", elementwise::reciprocal),
    op("ReduceL1", reduce::l1),
    op("ReduceL2", reduce::l2),
    op("ReduceLogSum", reduce::log_sum),
    op("ReduceLogSumExp", reduce::log_sum_exp),
    op("ReduceMax", reduce::max).folds(fold::reduce_max),
    op("ReduceMean", reduce::mean),
    op("ReduceMin", reduce::min).folds(fold::reduce_min),
    constant_only("ReduceProd", fold::reduce_prod),
    op("ReduceSum", reduce::sum).folds(fold::reduce_sum),
    op("ReduceSumSquare", reduce::sum_square),
    op("Relu", activation::relu),
    op("Reshape", arrange::reshape).folds(fold::reshape).but("shape known while importing"),
    op("Resize", resize::resize)
        .but("height and width only; no antialias, no cropping; scales and sizes known while importing"),
    op("Round", elementwise::round).folds(fold::round),
    op("Selu", activation::selu),
    op("Shape", arrange::shape),
    op("Sigmoid", activation::sigmoid),
    op("Sign", elementwise::sign),
    op("Sin", elementwise::sin),
    op("Size", arrange::size),
    op("Slice", slice::slice).folds(fold::slice).but("bounds known while importing"),
    op("Softmax", activation::softmax),
    op("Softplus", activation::softplus),
    op("Softsign", activation::softsign),
    op("SpaceToDepth", arrange::space_to_depth),
    op("Split", slice::split).folds(fold::split).but("sizes known while importing"),
    op("Sqrt", elementwise::sqrt).folds(fold::sqrt),
    op("Squeeze", arrange::squeeze).folds(fold::squeeze).but("axes known while importing"),
    op("Sub", elementwise::sub).folds(fold::sub),
    op("Sum", elementwise::sum),
    op("Swish", activation::swish),
    op("Tan", elementwise::tan),
    op("Tanh", activation::tanh),
    op("ThresholdedRelu", activation::thresholded_relu),
    op("Tile", arrange::tile).folds(fold::tile).but("repeats known while importing"),
    op("Transpose", arrange::transpose).folds(fold::transpose),
    op("Unsqueeze", arrange::unsqueeze).folds(fold::unsqueeze).but("axes known while importing"),
    op("Upsample", resize::upsample).until(9).but("height and width only; scales known while importing"),
    op("Where", elementwise::select).folds(fold::select),
    op("Xor", elementwise::xor),
];

/// What can be imported, by name.
pub fn supported_operators() -> impl Iterator<Item = &'static OperatorInfo> {
    OPERATORS.iter().map(|operator| &operator.info)
}

/// The operator of a node.
pub(crate) fn find(node: Node<'_>) -> Result<&'static Operator, Reason> {
    let name = node.operator();
    let Some(operator) = OPERATORS.iter().find(|operator| operator.info.name == name) else {
        return Err("the operator is not supported; `dpuc operators` lists those that are".into());
    };
    match operator.info.last {
        Some(last) if node.opset > last => {
            Err(format!("operator set {} does not have it; {last} was the last one", node.opset).into())
        }
        _ => Ok(operator),
    }
}

/// The version of ONNX's own operators.
pub(crate) fn version(imports: &[OperatorSet]) -> Option<i64> {
    imports.iter().find(|import| domain(&import.domain).is_empty()).map(|import| import.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_names_each_operator_once() {
        let names: Vec<&str> = supported_operators().map(|info| info.name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }
}
