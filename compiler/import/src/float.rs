//! Float operators to the `nn` dialect (`spec/xmodel.md` section 2).

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::nn;
use dpuc_dialects::{Attribute, Dense, DenseElements, ValueId};

use crate::error::Refusal;
use crate::importer::Importer;
use crate::node::{Node, int_list};
use crate::window::{PadMode, Window};

/// Whether an operator was imported.
pub(crate) type Outcome = Result<(), Refusal>;

/// The two directions between space and channels.
const SPACE_AND_DEPTH: [&OpDefinition; 2] = [&nn::SPACE_TO_DEPTH, &nn::DEPTH_TO_SPACE];

/// An operator the dialects cannot say.
pub(crate) fn unsupported(reason: impl Into<String>) -> Outcome {
    Err(Refusal::Unsupported(reason.into()))
}

impl<'a> Importer<'a> {
    /// Imports an operator on floats.
    pub(crate) fn float_op(&mut self, node: Node<'a>) -> Outcome {
        match node.0.kind.as_str() {
            "fix" => self.fix(node),
            "conv2d" => self.convolution(&nn::CONV2D, node),
            "depthwise-conv2d" => self.convolution(&nn::DEPTHWISE_CONV2D, node),
            "transposed-conv2d" => self.transposed(&nn::TRANSPOSED_CONV2D, node),
            "transposed-depthwise-conv2d" => self.transposed(&nn::TRANSPOSED_DEPTHWISE_CONV2D, node),
            "conv1d" => self.line_convolution(node),
            "scale" => self.scale(node),
            "batchnorm" => self.batch_normalisation(node),
            "matmul" => self.matmul(node),
            "inner-product" => self.inner_product(node),
            "maxpool1d" => self.line_pool(node),
            "maxpool2d" => self.pool(&nn::MAX_POOL, node),
            "avgpool2d" => self.average_pool(node),
            "relu" => self.unary(&nn::RELU, node),
            "relu6" => self.unary(&nn::RELU6, node),
            "leaky-relu" => self.with_alpha(&nn::LEAKY_RELU, node, node.get("alpha")?),
            "elu" => self.with_alpha(&nn::ELU, node, node.get_or("alpha", 1.0)?),
            "prelu" => self.prelu(node),
            "max" => self.associative(&nn::MAX, node),
            "min" => self.associative(&nn::MIN, node),
            "hard-sigmoid" => self.unary(&nn::HARD_SIGMOID, node),
            "hard-swish" => self.unary(&nn::HARD_SWISH, node),
            "sigmoid" => self.unary(&nn::SIGMOID, node),
            "tanh" => self.unary(&nn::TANH, node),
            "gelu" => self.unary(&nn::GELU, node),
            "swish" => self.unary(&nn::SILU, node),
            "mish" => self.unary(&nn::MISH, node),
            "exp" => self.unary(&nn::EXP, node),
            "softmax" => {
                let input = self.input(node)?;
                let axis = node.axis(self.rank(input))?;
                Ok(self.emit(&nn::SOFTMAX, node, [input], [("axis", Attribute::int(axis))])?)
            }
            "neg" => self.negative(node),
            "add" => self.associative(&nn::ADD, node),
            "sub" => self.binary(&nn::SUB, node),
            "mul" => self.associative(&nn::MUL, node),
            "div" => self.binary(&nn::DIV, node),
            "concat" => {
                let inputs = self.all_values(node, "input")?;
                let axis = node.axis(node.dims().len())?;
                Ok(self.emit(&nn::CONCAT, node, inputs, [("axis", Attribute::int(axis))])?)
            }
            // Shape arguments are already applied to the stored dimensions.
            "reshape" | "flatten" | "squeeze" => self.unary(&nn::RESHAPE, node),
            "transpose" => self.transpose(&nn::TRANSPOSE, node),
            "resize" => self.resize(node),
            "pad" => self.float_pad(node),
            "strided_slice" => self.strided_slice(&nn::STRIDED_SLICE, node),
            "gstiling" => self.space_and_depth(SPACE_AND_DEPTH, node, "stride", "dcr"),
            "pixel-shuffle" => self.space_and_depth(SPACE_AND_DEPTH, node, "scale", "crd"),
            "reorg" => self.space_and_depth(SPACE_AND_DEPTH, node, "scale", "reorg"),
            "reduction_mean" => self.reduction(&nn::REDUCE_MEAN, node),
            "reduction_max" => self.reduction(&nn::REDUCE_MAX, node),
            "reduction_sum" => self.reduction(&nn::REDUCE_SUM, node),
            "argmax" => self.argmax(&nn::ARGMAX, node),
            kind => match nn::DIALECT.operations.iter().find(|definition| definition.name == kind) {
                Some(definition) if !std::ptr::eq(*definition, &raw const nn::CONSTANT) => self.own(definition, node),
                _ => unsupported(format!("the operator {kind:?} has no meaning here")),
            },
        }
    }

    /// An operation that this project's exporter wrote under its own name, because the format has no operator for it.
    fn own(&mut self, definition: &'static OpDefinition, node: Node<'a>) -> Outcome {
        let inputs = self.all_values(node, "input")?;
        let mut attributes = Vec::new();
        for known in definition.attributes {
            if let Some(value) = node.0.attrs.get(known.name) {
                let value = self.parameter(value);
                let value = value.ok_or_else(|| Refusal::Unsupported(format!("`{}` cannot be said", known.name)))?;
                attributes.push((known.name, value));
            }
        }
        Ok(self.emit(definition, node, inputs, attributes)?)
    }

    /// An operation with one operand and no attribute.
    pub(crate) fn unary(&mut self, definition: &'static OpDefinition, node: Node<'a>) -> Outcome {
        let input = self.input(node)?;
        Ok(self.emit(definition, node, [input], [])?)
    }

    /// An activation with a parameter.
    fn with_alpha(&mut self, definition: &'static OpDefinition, node: Node<'a>, alpha: f32) -> Outcome {
        let input = self.input(node)?;
        Ok(self.emit(definition, node, [input], [("alpha", Attribute::Float(alpha.into(), None))])?)
    }

    fn binary(&mut self, definition: &'static OpDefinition, node: Node<'a>) -> Outcome {
        let inputs = self.all_values(node, "input")?;
        if inputs.len() != 2 {
            return unsupported(format!("it has {} inputs; only two can be said", inputs.len()));
        }
        Ok(self.emit(definition, node, inputs, [])?)
    }

    /// A binary operation that is associative; more than two tensors of one shape are combined one after the other.
    fn associative(&mut self, definition: &'static OpDefinition, node: Node<'a>) -> Outcome {
        let inputs = self.all_values(node, "input")?;
        let shapes: Vec<_> = inputs.iter().map(|&input| self.ir.shape_of(input).unwrap_or_default()).collect();
        let [first, middle @ .., last] = &inputs[..] else { return self.binary(definition, node) };
        if shapes.iter().any(|shape| *shape != shapes[0]) {
            return self.binary(definition, node);
        }
        let combine = |so_far, &next: &ValueId| self.append_float_part(definition, node, [so_far, next], &shapes[0]);
        let combined = middle.iter().fold(*first, combine);
        Ok(self.emit(definition, node, [combined, *last], [])?)
    }

    fn prelu(&mut self, node: Node<'a>) -> Outcome {
        let (input, slopes) = (self.input(node)?, self.required(node, "weight")?);
        let channels = self.ir.shape_of(input).and_then(|shape| shape.last().copied());
        let shape = self.ir.shape_of(slopes).unwrap_or_default();
        if channels.is_none() || shape.last().copied() != channels || shape.iter().rev().skip(1).any(|&dim| dim != 1) {
            return unsupported(format!("slopes of dimensions {shape:?} cannot be said; one for each channel can"));
        }
        Ok(self.emit(&nn::PRELU, node, [input, slopes], [])?)
    }

    fn fix(&mut self, node: Node<'a>) -> Outcome {
        let input = self.input(node)?;
        let is_constant = self.ir.defining_op(input).is_some_and(|op| self.ir.is(op, &nn::CONSTANT));
        let default = if is_constant { "STD_ROUND" } else { "DPU_ROUND" };
        let round_mode = match node.get_or("round_mode", default)? {
            "DPU_ROUND" => "dpu",
            "STD_ROUND" => "std",
            "PY3_ROUND" => "py3",
            other => return unsupported(format!("the round mode {other:?} is not known")),
        };
        let (fix_point, bit_width): (i32, i32) = (node.get("fix_point")?, node.get("bit_width")?);
        let attributes = [
            ("fix_point", Attribute::int(fix_point.into())),
            ("bit_width", Attribute::int(bit_width.into())),
            ("signed", Attribute::Bool(node.get("if_signed")?)),
            ("round_mode", Attribute::string(round_mode)),
        ];
        Ok(self.emit(&nn::FIX, node, [input], attributes)?)
    }

    /// The window of a convolution or pooling.
    pub(crate) fn window(&self, node: Node<'a>, input: ValueId, kernel: [i64; 2]) -> Result<Window, Refusal> {
        Ok(Window {
            input: self.map_size(input)?,
            output: node.output_size()?,
            kernel,
            strides: node.size("stride")?,
            dilations: node.size_or_one("dilation")?,
            pads: node.pads()?,
        })
    }

    pub(crate) fn pad_mode(node: Node<'_>) -> Result<PadMode, Refusal> {
        let name: &str = node.get("pad_mode")?;
        PadMode::from_name(name).ok_or_else(|| Refusal::Unsupported(format!("the pad mode {name:?} is not known")))
    }

    /// The operands of a convolution: input, weights and, if there is one, bias.
    pub(crate) fn weighted_inputs(&mut self, node: Node<'a>) -> Result<Vec<ValueId>, Refusal> {
        let mut operands = vec![self.input(node)?, self.required(node, "weights")?];
        operands.extend(self.optional(node, "bias")?);
        Ok(operands)
    }

    /// Refuses groups other than one; those of a depthwise convolution, one per channel, are its nature.
    pub(crate) fn check_group(node: Node<'_>) -> Outcome {
        let group: i32 = node.get_or("group", 1)?;
        if group == 1 || node.0.kind.contains("depthwise") {
            return Ok(());
        }
        unsupported(format!("a transposed convolution in {group} groups can only be said if each channel is its own"))
    }

    /// The groups of a convolution that has more than one.
    pub(crate) fn groups(node: Node<'_>) -> Result<Option<i64>, Refusal> {
        let group: i32 = node.get_or("group", 1)?;
        if group == 1 || node.0.kind.contains("depthwise") {
            return Ok(None);
        }
        if group < 1 {
            return Err(Refusal::Unsupported(format!("a convolution in {group} groups cannot be said")));
        }
        Ok(Some(group.into()))
    }

    fn convolution(&mut self, definition: &'static OpDefinition, node: Node<'a>) -> Outcome {
        let groups = Self::groups(node)?.map(|groups| ("groups", Attribute::int(groups)));
        let operands = self.weighted_inputs(node)?;
        let window = self.window(node, operands[0], node.size("kernel")?)?;
        let pads = window.sliding_pads(Self::pad_mode(node)?);
        let attributes = [
            ("strides", int_list(window.strides)),
            ("pads", int_list(pads)),
            ("dilations", int_list(window.dilations)),
        ];
        Ok(self.emit(definition, node, operands, attributes.into_iter().chain(groups))?)
    }

    fn transposed(&mut self, definition: &'static OpDefinition, node: Node<'a>) -> Outcome {
        Self::check_group(node)?;
        let operands = self.weighted_inputs(node)?;
        let window = self.window(node, operands[0], node.size("kernel")?)?;
        let attributes = Self::transposed_attributes(&window, Self::pad_mode(node)?)?;
        Ok(self.emit(definition, node, operands, attributes)?)
    }

    /// Strides and crops of a transposed convolution.
    pub(crate) fn transposed_attributes(
        window: &Window,
        mode: PadMode,
    ) -> Result<[(&'static str, Attribute); 2], Refusal> {
        if window.dilations != [1, 1] {
            let reason = format!("a transposed convolution with dilation {:?} [h, w] cannot be said", window.dilations);
            return Err(Refusal::Unsupported(reason));
        }
        let crops = window.crops(mode);
        if crops.iter().any(|&crop| crop < 0) {
            let reason = format!("its output is larger than the full one: crops {crops:?} [top, left, bottom, right]");
            return Err(Refusal::Unsupported(reason));
        }
        Ok([("strides", int_list(window.strides)), ("pads", int_list(crops))])
    }

    fn matmul(&mut self, node: Node<'a>) -> Outcome {
        let inputs = self.all_values(node, "input")?;
        let bias = self.optional(node, "bias")?;
        if node.get_or("transpose_a", false)? {
            return unsupported("a transposed first operand cannot be said");
        }
        let transposes = node.get_or("transpose_b", false)?;
        match inputs[..] {
            [_, weights] if self.rank(weights) == 2 && (transposes || bias.is_some() || self.is_parameter(weights)) => {
            }
            [lhs, rhs] if self.rank(lhs) >= 2 && self.rank(rhs) >= 2 && !transposes && bias.is_none() => {
                return Ok(self.emit(&nn::BATCH_MATMUL, node, inputs, [])?);
            }
            _ => return unsupported("only products with one matrix, or of matrices as they are, can be said"),
        }
        let transpose_b = Attribute::Bool(transposes);
        Ok(self.emit(&nn::MATMUL, node, inputs.into_iter().chain(bias), [("transpose_b", transpose_b)])?)
    }

    /// Whether a value is a constant, perhaps rounded.
    fn is_parameter(&self, value: ValueId) -> bool {
        let Some(op) = self.ir.defining_op(value) else { return false };
        self.ir.is(op, &nn::CONSTANT) || (self.ir.is(op, &nn::FIX) && self.is_parameter(self.ir.operand(op, 0)))
    }

    /// The product of the flattened dimensions from `axis` on with the rows of the weights.
    fn inner_product(&mut self, node: Node<'a>) -> Outcome {
        let (input, weights) = (self.input(node)?, self.required(node, "weights")?);
        let bias = self.optional(node, "bias")?;
        let axis = usize::try_from(node.axis(self.rank(input))?).unwrap_or(0);
        let [shape, own] = [input, weights].map(|value| self.ir.shape_of(value).unwrap_or_default());
        let size = |dims: &[usize]| dims.iter().try_fold(1usize, |size, &dim| size.checked_mul(dim));
        let (outer, inner) = shape.split_at(axis);
        let (Some(length), Some(all)) = (size(inner), size(&own)) else {
            return unsupported("its dimensions are too large");
        };
        if outer.is_empty() || all % length != 0 {
            return unsupported(format!(
                "weights of dimensions {own:?} have no rows for inputs of {shape:?} from axis {axis}"
            ));
        }
        let rows: Vec<usize> = outer.iter().copied().chain([length]).collect();
        let matrix = [all / length, length];
        let rows = if rows == shape { input } else { self.append_float_part(&nn::RESHAPE, node, [input], &rows) };
        let weights =
            if own == matrix { weights } else { self.append_float_part(&nn::RESHAPE, node, [weights], &matrix) };
        Ok(self.emit(&nn::MATMUL, node, [rows, weights].into_iter().chain(bias), [])?)
    }

    /// The product with -1, which is a fixed-point number without a place, so that it can be lowered.
    fn negative(&mut self, node: Node<'a>) -> Outcome {
        let input = self.input(node)?;
        let ty = self.ir.float_tensor(&[1]);
        let minus_one = Dense { ty, elements: DenseElements::Floats([-1.0].into()) };
        let constant = self.append_part(&nn::CONSTANT, node, [], [("value", Attribute::Dense(minus_one))], ty);
        let place = ("fix_point", Attribute::int(0));
        let factor = self.append_part(&nn::FIX, node, [constant], [place], ty);
        Ok(self.emit(&nn::MUL, node, [input, factor], [])?)
    }

    fn pool(&mut self, definition: &'static OpDefinition, node: Node<'a>) -> Outcome {
        let input = self.input(node)?;
        let window = self.window(node, input, node.size("kernel")?)?;
        let pads = window.sliding_pads(Self::pad_mode(node)?);
        let attributes =
            [("kernel", int_list(window.kernel)), ("strides", int_list(window.strides)), ("pads", int_list(pads))];
        Ok(self.emit(definition, node, [input], attributes)?)
    }

    fn average_pool(&mut self, node: Node<'a>) -> Outcome {
        self.pool(&nn::AVG_POOL, node)?;
        let counts_all = node.get_or("count_include_pad", true)? && node.get_or("count_include_invalid", true)?;
        if !counts_all && node.pads()? != [0; 4] {
            self.warn(
                node,
                "padding is counted as zeros in the average, as the DPU does, although the graph says it is not",
            );
        }
        Ok(())
    }

    fn resize(&mut self, node: Node<'a>) -> Outcome {
        let input = self.input(node)?;
        let mode = match node.get("mode")? {
            "NEAREST" => "nearest",
            "BILINEAR" => "bilinear",
            other => return unsupported(format!("the mode {other:?} cannot be said")),
        };
        let (align_corners, half_pixel) =
            (node.get_or("align_corners", false)?, node.get_or("half_pixel_centers", false)?);
        let coordinates = match (align_corners, half_pixel) {
            (true, _) => "align_corners",
            (false, true) => "half_pixel",
            (false, false) => "asymmetric",
        };
        let is_rounded = mode == "nearest" && coordinates != "asymmetric";
        let attributes = [
            ("mode", Attribute::string(mode)),
            ("coordinates", Attribute::string(coordinates)),
            ("rounding", Attribute::string(if is_rounded { "round_prefer_ceil" } else { "floor" })),
        ];
        Ok(self.emit(&nn::RESIZE, node, [input], attributes)?)
    }

    pub(crate) fn argmax(&mut self, definition: &'static OpDefinition, node: Node<'a>) -> Outcome {
        let input = self.input(node)?;
        let axis = node.axis(self.rank(input))?;
        Ok(self.emit(definition, node, [input], [("axis", Attribute::int(axis))])?)
    }

    pub(crate) fn reduction(&mut self, definition: &'static OpDefinition, node: Node<'a>) -> Outcome {
        let input = self.input(node)?;
        let rank = self.rank(input);
        let axes: &[i32] = node.get("axis")?;
        let axes: Result<Vec<i64>, _> = axes.iter().map(|&axis| node.normalised_axis("axis", axis, rank)).collect();
        let keep_dims = Attribute::Bool(node.get("keep_dims")?);
        Ok(self.emit(definition, node, [input], [("axes", int_list(axes?)), ("keep_dims", keep_dims)])?)
    }
}
