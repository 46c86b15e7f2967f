//! A factor and an offset for each channel as part of the layer in front: what is left of batch normalisation.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::nn;
use dpuc_dialects::rewrite::{Pattern, Patterns, Rewriter};
use dpuc_dialects::weights::Weight;
use dpuc_dialects::{Attribute, Ir, OpBuilder, OpId, ValueId};

use crate::rebuild::{elements, producer};

/// Adds the patterns of this file.
pub(super) fn add(patterns: Patterns) -> Patterns {
    let roots: [&OpDefinition; 4] = [&nn::MUL, &nn::DIV, &nn::ADD, &nn::SUB];
    roots.into_iter().fold(patterns, |patterns, root| patterns.with(FoldAffine { root }).with(MergeAffine { root }))
}

/// Layers with weights and bias.
const LAYERS: [&OpDefinition; 5] =
    [&nn::CONV2D, &nn::DEPTHWISE_CONV2D, &nn::TRANSPOSED_CONV2D, &nn::TRANSPOSED_DEPTHWISE_CONV2D, &nn::MATMUL];

/// `layer(x) * factor + offset = layer'(x)`, if nobody else reads the layer and its parameters are constants.
struct FoldAffine {
    root: &'static OpDefinition,
}

/// `factor * x + offset`, one number for each channel or one for all.
#[derive(Clone, Debug)]
enum Affine {
    Factors(Vec<f64>),
    Offsets(Vec<f64>),
}

/// What an operation with one constant operand does to the other one.
struct Step {
    operand: ValueId,
    constant: OpId,
    affine: Affine,
}

impl Step {
    /// Matches `x * c`, `x / c`, `x + c`, `x - c` and, for products and sums, the other order.
    fn of(ir: &Ir, op: OpId) -> Option<Self> {
        let &[lhs, rhs] = ir.operands(op) else { return None };
        let constant = |value: ValueId| producer(ir, value, &[&nn::CONSTANT]);
        let commutes = ir.is(op, &nn::MUL) || ir.is(op, &nn::ADD);
        let (operand, constant) = match (constant(lhs), constant(rhs)) {
            (None, Some(constant)) => (lhs, constant),
            (Some(constant), None) if commutes => (rhs, constant),
            _ => return None,
        };
        if ir.value_type(operand) != ir.value_type(ir.result(op)) {
            return None;
        }
        let channels = ir.shape_of(operand)?.last().copied()?;
        let numbers = channel_numbers(ir, constant, channels)?;
        let each = |function: fn(f64) -> f64| numbers.iter().copied().map(function).collect();
        let affine = match ir.op_name(op) {
            "nn.mul" => Affine::Factors(numbers),
            "nn.div" => Affine::Factors(each(f64::recip)),
            "nn.add" => Affine::Offsets(numbers),
            "nn.sub" => Affine::Offsets(each(|number| -number)),
            _ => return None,
        };
        Some(Self { operand, constant, affine })
    }
}

/// A constant as a number for each channel, the last dimension, or one for all.
fn channel_numbers(ir: &Ir, constant: OpId, channels: usize) -> Option<Vec<f64>> {
    let weight = elements(ir, constant)?;
    let (last, rest) = weight.shape.split_last().map_or((1, &[][..]), |(&last, rest)| (last, rest));
    if ![1, channels].contains(&last) || rest.iter().any(|&size| size != 1) {
        return None;
    }
    Some(weight.to_f32()?.into_iter().map(f64::from).collect())
}

/// A layer with new parameters.
struct Folded {
    layer: OpId,
    constant: OpId,
    weights: Option<Weight>,
    bias: Option<Weight>,
}

impl Pattern for FoldAffine {
    const NAME: &'static str = "fold-affine";
    type Match = Folded;

    fn root(&self) -> &'static OpDefinition {
        self.root
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Folded> {
        let Step { operand, constant, affine } = Step::of(ir, op)?;
        let layer = producer(ir, operand, &LAYERS).filter(|_| ir.use_count(operand) == 1)?;
        let channels = ir.shape_of(operand)?.last().copied()?;
        let parameter = |index: usize| match ir.operands(layer).get(index) {
            Some(&value) => producer(ir, value, &[&nn::CONSTANT]).and_then(|constant| elements(ir, constant)).map(Some),
            None => Some(None),
        };
        let (weights, bias) = (parameter(1)??, parameter(2)?);
        let bias = bias.map(|bias| bias.to_f32()).map_or(Some(None), |bias| bias.map(Some))?;
        let bias = bias.map(|bias| bias.into_iter().map(f64::from).collect::<Vec<f64>>());
        let at = |numbers: &[f64], channel: usize| if numbers.len() == 1 { numbers[0] } else { numbers[channel] };
        let vector = |value: &dyn Fn(usize) -> f64| {
            let values: Vec<f32> = (0..channels).map(|channel| value(channel) as f32).collect();
            Weight::from_f32(&[channels], &values).ok()
        };
        let (weights, bias) = match &affine {
            Affine::Offsets(offsets) => {
                let before = |channel: usize| bias.as_ref().map_or(0.0, |bias| bias[channel]);
                (None, Some(vector(&|channel| before(channel) + at(offsets, channel))?))
            }
            Affine::Factors(factors) => {
                let channel_of = channel_places(ir, layer, &weights.shape, channels)?;
                let scaled = weights.to_f32()?.into_iter().enumerate();
                let scaled = scaled.map(|(index, weight)| (f64::from(weight) * at(factors, channel_of(index))) as f32);
                let scaled = Weight::from_f32(&weights.shape, &scaled.collect::<Vec<_>>()).ok()?;
                let bias = match &bias {
                    Some(bias) => Some(vector(&|channel| bias[channel] * at(factors, channel))?),
                    None => None,
                };
                (Some(scaled), bias)
            }
        };
        Some(Folded { layer, constant, weights, bias })
    }

    fn rewrite(&self, found: Folded, op: OpId, rewriter: &mut Rewriter<'_>) {
        let Folded { layer, constant, weights, bias } = found;
        let mut operands = rewriter.ir().operands(layer).to_vec();
        if let Some(weights) = weights {
            let source = rewriter.ir().defining_op(operands[1]).unwrap_or(constant);
            operands[1] = insert_constant(rewriter, source, weights);
        }
        if let Some(bias) = bias {
            let old = operands.get(2).and_then(|&value| rewriter.ir().defining_op(value));
            operands.truncate(2);
            let bias = insert_constant(rewriter, old.unwrap_or(constant), bias);
            operands.push(bias);
        }
        replace_with(rewriter, op, layer, &operands);
    }
}

/// The output channel of each element of a layer's weights.
fn channel_places(ir: &Ir, layer: OpId, shape: &[usize], channels: usize) -> Option<impl Fn(usize) -> usize> {
    // OHWI and `[out, in]` begin with the channels of the result; depthwise weights and `[in, out]` end with them.
    let ends_with_them = ir.op_name(layer).contains("depthwise") || ir.bool(layer, "transpose_b") == Some(false);
    let own = if ends_with_them { shape.last() } else { shape.first() };
    let filter = if ends_with_them { 1 } else { shape.get(1..)?.iter().product::<usize>().max(1) };
    (own == Some(&channels)).then_some(move |index: usize| index / filter % channels)
}

/// Adds a constant that stands for `source`, under its name with a suffix.
pub(super) fn insert_constant(rewriter: &mut Rewriter<'_>, source: OpId, weight: Weight) -> ValueId {
    let ir = rewriter.tables();
    let own = ir.attribute(source, "value").and_then(Attribute::as_symbol);
    let wish = own.or_else(|| ir.location_name(ir.op(source).location)).unwrap_or("constant");
    let wish = format!("{}(folded)", wish.trim_end_matches("(folded)"));
    let symbol = ir.weights.free_name(&wish);
    let (ty, location) = (ir.float_tensor(&weight.shape), ir.op(source).location);
    ir.weights.insert(symbol.as_str(), weight);
    let builder = OpBuilder::new(&nn::CONSTANT).at(location).attribute("value", Attribute::symbol(symbol));
    let constant = rewriter.insert(builder.result(ty, ""));
    rewriter.ir().result(constant)
}

/// Puts an operation like `like` on other operands in the place of `op`.
fn replace_with(rewriter: &mut Rewriter<'_>, op: OpId, like: OpId, operands: &[ValueId]) {
    let location = rewriter.fuse(&[like, op]);
    let ty = rewriter.ir().value_type(rewriter.ir().result(op));
    if let Some(result) = crate::rebuild::copy_of(rewriter, like, operands, &[], ty, location) {
        rewriter.replace(op, &[result]);
    }
}

/// `(x * a) * b = x * (a * b)` and `(x + a) + b = x + (a + b)`, if nobody else reads the first.
struct MergeAffine {
    root: &'static OpDefinition,
}

/// Two steps as one.
struct Merged {
    first: OpId,
    operand: ValueId,
    constant: OpId,
    numbers: Vec<f64>,
    is_product: bool,
}

impl Pattern for MergeAffine {
    const NAME: &'static str = "merge-affine";
    type Match = Merged;

    fn root(&self) -> &'static OpDefinition {
        self.root
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Merged> {
        let last = Step::of(ir, op)?;
        let first_op = ir.defining_op(last.operand).filter(|_| ir.use_count(last.operand) == 1)?;
        let first = Step::of(ir, first_op)?;
        let (a, b, is_product) = match (&first.affine, &last.affine) {
            (Affine::Factors(a), Affine::Factors(b)) => (a, b, true),
            (Affine::Offsets(a), Affine::Offsets(b)) => (a, b, false),
            _ => return None,
        };
        let at = |numbers: &[f64], index: usize| if numbers.len() == 1 { numbers[0] } else { numbers[index] };
        let combine = |index: usize| {
            let (a, b) = (at(a, index), at(b, index));
            if is_product { a * b } else { a + b }
        };
        let numbers = (0..a.len().max(b.len())).map(combine).collect();
        Some(Merged { first: first_op, operand: first.operand, constant: last.constant, numbers, is_product })
    }

    fn rewrite(&self, found: Merged, op: OpId, rewriter: &mut Rewriter<'_>) {
        let Merged { first, operand, constant, numbers, is_product } = found;
        let values: Vec<f32> = numbers.into_iter().map(|number| number as f32).collect();
        let Ok(weight) = Weight::from_f32(&[values.len()], &values) else { return };
        let merged = insert_constant(rewriter, constant, weight);
        let location = rewriter.fuse(&[first, op]);
        let ty = rewriter.ir().value_type(rewriter.ir().result(op));
        let kind = if is_product { &nn::MUL } else { &nn::ADD };
        let builder = OpBuilder::new(kind).at(location).operands([operand, merged]).result(ty, "");
        let result = rewriter.insert(builder);
        let result = rewriter.ir().result(result);
        rewriter.replace(op, &[result]);
    }
}
