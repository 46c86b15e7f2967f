//! Fixed-point operators of compiled graphs to the `int8` dialect (`spec/xmodel.md` sections 3.5 and 5.8).

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::int8;
use dpuc_dialects::{Attribute, ValueId};
use dpuc_xmodel::DataType;

use crate::error::Refusal;
use crate::float::{Outcome, unsupported};
use crate::importer::Importer;
use crate::node::{Node, int_list};
use crate::window::PadMode;

/// The slope of the leaky ReLU that is wired into the hardware.
const LEAKY_SLOPE: f32 = 26.0 / 256.0;

/// The two directions between space and channels.
const SPACE_AND_DEPTH: [&OpDefinition; 2] = [&int8::SPACE_TO_DEPTH, &int8::DEPTH_TO_SPACE];

impl<'a> Importer<'a> {
    /// Imports an operator on fixed-point codes, or between them and floats.
    pub(crate) fn fixed_op(&mut self, node: Node<'a>) -> Outcome {
        let kind = node.0.kind.as_str();
        if node.0.tensor.data_type != DataType::XINT8 && kind != "fix2float" {
            return unsupported(format!("its tensor is of {}, not XINT8", node.0.tensor.data_type));
        }
        match kind {
            "conv2d-fix" => self.fixed_convolution(&int8::CONV2D, node),
            "depthwise-conv2d-fix" => self.fixed_convolution(&int8::DEPTHWISE_CONV2D, node),
            "transposed-conv2d-fix" => self.fixed_transposed(&int8::TRANSPOSED_CONV2D, node),
            "transposed-depthwise-conv2d-fix" => self.fixed_transposed(&int8::TRANSPOSED_DEPTHWISE_CONV2D, node),
            "pool-fix" => self.fixed_pool(node),
            "eltwise-fix" => self.eltwise(node),
            "depthwise-fix" => self.channel_vector(node),
            "reduction_mean-fix" => self.reduction(&int8::REDUCE_MEAN, node),
            "reduction_max-fix" => self.reduction(&int8::REDUCE_MAX, node),
            "reduction_sum-fix" => self.reduction(&int8::REDUCE_SUM, node),
            "argmax-fix" => self.argmax(&int8::ARGMAX, node),
            "concat-fix" => {
                let inputs = self.all_values(node, "input")?;
                let axis = node.axis(node.dims().len())?;
                Ok(self.emit(&int8::CONCAT, node, inputs, [("axis", Attribute::int(axis))])?)
            }
            "reshape-fix" => self.unary(&int8::RESHAPE, node),
            "transpose" => self.transpose(&int8::TRANSPOSE, node),
            "strided_slice-fix" => self.strided_slice(&int8::STRIDED_SLICE, node),
            "pad-fix" => self.fixed_pad(node),
            "tile-fix" => self.space_and_depth(SPACE_AND_DEPTH, node, "stride", "dcr"),
            "pixel-shuffle-fix" => self.space_and_depth(SPACE_AND_DEPTH, node, "scale", "crd"),
            "reorg-fix" => self.space_and_depth(SPACE_AND_DEPTH, node, "scale", "reorg"),
            "upsample-fix" => self.upsample(node),
            "downsample-fix" => {
                let input = self.input(node)?;
                let scale = int_list(integer_scale(node)?);
                if node.get::<&str>("mode")? == "BILINEAR" {
                    self.warn(
                        node,
                        "down-sampling takes one pixel of each block, as the DPU does; nothing is interpolated",
                    );
                }
                Ok(self.emit(&int8::DOWNSAMPLE, node, [input], [("scale", scale)])?)
            }
            "hard-sigmoid-fix" => self.hard_sigmoid(node),
            "fix2float" => self.unary(&int8::DEQUANTISE, node),
            "float2fix" => {
                let mode: &str = node.get_or("round_mode", "DPU_ROUND")?;
                if mode != "DPU_ROUND" {
                    return unsupported(format!("a conversion to fixed point with round mode {mode:?} cannot be said"));
                }
                self.unary(&int8::QUANTISE, node)
            }
            _ => unsupported(format!("the operator {kind:?} has no meaning here")),
        }
    }

    /// Fix point of a value, which the verifier will insist on as well.
    fn fix_point(&self, value: ValueId) -> Result<i32, Refusal> {
        let point = self.ir.fix_of(value);
        point.ok_or_else(|| Refusal::Unsupported("its input is no fixed-point tensor".to_owned()))
    }

    fn fixed_convolution(&mut self, definition: &'static OpDefinition, node: Node<'a>) -> Outcome {
        let gate = Gate::of(node)?;
        let activation = if gate.is_some() { "none" } else { activation(node)? };
        let operands = self.weighted_inputs(node)?;
        let window = self.window(node, operands[0], node.size("kernel")?)?;
        let groups = Self::groups(node)?;
        let attributes = [
            ("strides", int_list(window.strides)),
            ("pads", int_list(window.sliding_pads(PadMode::Floor))),
            ("dilations", int_list(window.dilations)),
            ("activation", Attribute::string(activation)),
        ];
        let groups = groups.map(|groups| ("groups", Attribute::int(groups)));
        let attributes = attributes.into_iter().chain(groups);
        match gate {
            Some(gate) => self.gated(&gate, definition, node, operands, attributes),
            None => Ok(self.emit(definition, node, operands, attributes)?),
        }
    }

    /// A convolution with a hard sigmoid or hard swish: rounded by itself first (`spec/numerics.md` section 4).
    fn gated<'n>(
        &mut self,
        gate: &Gate,
        definition: &'static OpDefinition,
        node: Node<'a>,
        operands: Vec<ValueId>,
        attributes: impl IntoIterator<Item = (&'n str, Attribute)>,
    ) -> Outcome {
        let Some(shape) = dims_of(node) else { return unsupported("its dimensions cannot be said") };
        let output: i32 = dpuc_xmodel::Attributed::attr(&node.0.tensor, "fix_point")?;
        gate.check(output)?;
        let convolved = self.append_fixed_part(definition, node, operands, attributes, (&shape, gate.input));
        if !gate.swish {
            return Ok(self.emit(&int8::HARD_SIGMOID, node, [convolved], [])?);
        }
        let opened = self.append_fixed_part(&int8::HARD_SIGMOID, node, [convolved], [], (&shape, gate.output));
        Ok(self.emit(&int8::MUL, node, [opened, convolved], [])?)
    }

    fn fixed_transposed(&mut self, definition: &'static OpDefinition, node: Node<'a>) -> Outcome {
        Self::check_group(node)?;
        let activation = activation(node)?;
        let operands = self.weighted_inputs(node)?;
        let window = self.window(node, operands[0], node.size("kernel")?)?;
        let attributes = Self::transposed_attributes(&window, PadMode::Floor)?;
        let activation = ("activation", Attribute::string(activation));
        Ok(self.emit(definition, node, operands, attributes.into_iter().chain([activation]))?)
    }

    fn fixed_pool(&mut self, node: Node<'a>) -> Outcome {
        let definition = match node.get("type")? {
            "MAX" => &int8::MAX_POOL,
            "AVG" => &int8::AVG_POOL,
            other => return unsupported(format!("a pooling of type {other:?} cannot be said")),
        };
        let input = self.input(node)?;
        let window = self.window(node, input, node.size("kernel")?)?;
        let attributes = [
            ("kernel", int_list(window.kernel)),
            ("strides", int_list(window.strides)),
            ("pads", int_list(window.sliding_pads(PadMode::Floor))),
        ];
        Ok(self.emit(definition, node, [input], attributes)?)
    }

    fn eltwise(&mut self, node: Node<'a>) -> Outcome {
        let inputs = self.all_values(node, "input")?;
        let activation = match node.get_or("nonlinear", "NONE")? {
            "" | "NONE" => "none",
            "RELU" => "relu",
            other => return unsupported(format!("an elementwise operation with activation {other:?} cannot be said")),
        };
        let definition = match (node.get_or("type", "ADD")?, inputs.len()) {
            ("RELU6", 1) if activation == "none" => {
                return Ok(self.emit(&int8::REQUANTISE, node, inputs, [("activation", Attribute::string("relu6"))])?);
            }
            ("LEAKY-RELU", 1) if activation == "none" => {
                let (multiplier, shift): (i32, i32) = (node.get("prelu_in")?, node.get("prelu_shift")?);
                let slope =
                    [("multiplier", Attribute::int(multiplier.into())), ("shift", Attribute::int(shift.into()))];
                return Ok(self.emit(&int8::LEAKY_RELU, node, inputs, slope)?);
            }
            ("PRELU", 2) if activation == "none" => return Ok(self.emit(&int8::PRELU, node, inputs, [])?),
            ("MAX" | "MIN", 1..) if activation == "none" => {
                let kind: &str = node.get("type")?;
                let definition = if kind == "MAX" { &int8::MAX } else { &int8::MIN };
                return self.same_shapes(definition, node, inputs, []);
            }
            ("ADD", 1) => &int8::REQUANTISE,
            ("ADD", 2..) => &int8::ADD,
            ("SUB", 2) => &int8::SUB,
            ("MUL", 2) => &int8::MUL,
            (other, count) => {
                return unsupported(format!(
                    "an elementwise operation of type {other:?} with {count} inputs cannot be said"
                ));
            }
        };
        self.same_shapes(definition, node, inputs, [("activation", Attribute::string(activation))])
    }

    /// An elementwise operation, unless it broadcasts.
    fn same_shapes<const N: usize>(
        &mut self,
        definition: &'static OpDefinition,
        node: Node<'a>,
        inputs: Vec<ValueId>,
        attributes: [(&str, Attribute); N],
    ) -> Outcome {
        let same_shape = |&input: &ValueId| self.ir.shape_of(input) == self.ir.shape_of(inputs[0]);
        if !inputs.iter().all(same_shape) {
            return unsupported("an elementwise operation of tensors with different shapes cannot be said");
        }
        Ok(self.emit(definition, node, inputs, attributes)?)
    }

    /// A map and a vector of its channels, in any order.
    fn channel_vector(&mut self, node: Node<'a>) -> Outcome {
        let definition = match node.get_or("type", "MUL")? {
            "MUL" => &int8::CHANNEL_MUL,
            "ADD" => &int8::CHANNEL_ADD,
            other => return unsupported(format!("a depthwise operation of type {other:?} cannot be said")),
        };
        let mut inputs = self.all_values(node, "input")?;
        let [Some(first), Some(second)] = [0, 1].map(|index| self.ir.shape_of(*inputs.get(index)?)) else {
            return unsupported("only a map and a vector can be said");
        };
        let is_vector = |shape: &[usize]| shape.iter().rev().skip(1).all(|&dim| dim == 1);
        if is_vector(&first) && !is_vector(&second) {
            inputs.swap(0, 1);
        }
        let [map, vector] = [0, 1].map(|index| self.ir.shape_of(inputs[index]).unwrap_or_default());
        if inputs.len() != 2 || !is_vector(&vector) || map.last() != vector.last() {
            return unsupported(format!("a depthwise operation of shapes {map:?} and {vector:?} cannot be said"));
        }
        Ok(self.emit(definition, node, inputs, [])?)
    }

    fn upsample(&mut self, node: Node<'a>) -> Outcome {
        let input = self.input(node)?;
        let mode = match node.get("mode")? {
            "NEAREST" => "nearest",
            "BILINEAR" => "bilinear",
            other => return unsupported(format!("the mode {other:?} cannot be said")),
        };
        let attributes = [
            ("scale", int_list(integer_scale(node)?)),
            ("mode", Attribute::string(mode)),
            ("align_corners", Attribute::Bool(node.get_or("align_corners", false)?)),
            ("half_pixel", Attribute::Bool(node.get_or("half_pixel_centers", false)?)),
        ];
        Ok(self.emit(&int8::UPSAMPLE, node, [input], attributes)?)
    }

    fn hard_sigmoid(&mut self, node: Node<'a>) -> Outcome {
        let input = self.input(node)?;
        let before = i64::from(self.fix_point(input)?);
        let after: i32 = dpuc_xmodel::Attributed::attr(&node.0.tensor, "fix_point")?;
        let (inner, shift): (i32, i32) = (node.get("hsigmoid_in")?, node.get("shift_hsigmoid")?);
        let expected = 14 + before - i64::from(after);
        if (i64::from(inner), i64::from(shift)) != (before, expected) {
            return unsupported(format!(
                "hsigmoid_in {inner} and shift_hsigmoid {shift} do not follow from the fix points {before} and {after}, which give {before} and {expected}"
            ));
        }
        Ok(self.emit(&int8::HARD_SIGMOID, node, [input], [])?)
    }
}

/// What an attribute of an activation says if it has no meaning.
const UNUSED: i32 = -128;

/// The hard sigmoid behind a convolution.
struct Gate {
    /// Fix point of the convolution's own result.
    input: i32,
    /// Fix point of the hard sigmoid.
    output: i32,
    /// Whether it multiplies the convolution's result.
    swish: bool,
    /// Right shift behind that product.
    shift_swish: i32,
}

impl Gate {
    fn of(node: Node<'_>) -> Result<Option<Self>, Refusal> {
        let swish = match node.get_or("nonlinear", "NONE")? {
            "HSIGMOID" => false,
            "HSWISH" => true,
            _ => return Ok(None),
        };
        let number = |name| node.get_or(name, UNUSED);
        let (input, shift, shift_swish) = (number("hsigmoid_in")?, number("shift_hsigmoid")?, number("shift_hswish")?);
        let wide = 14 + i64::from(input) - i64::from(shift);
        let output = i32::try_from(wide).ok().filter(|fix| (-64..=64).contains(fix) && (0..=64).contains(&input));
        let output = output.ok_or_else(|| {
            Refusal::Unsupported(format!("hsigmoid_in {input} and shift_hsigmoid {shift} are no fix points"))
        })?;
        Ok(Some(Self { input, output, swish, shift_swish }))
    }

    /// Whether the shifts lead to the fix point of the result.
    fn check(&self, result: i32) -> Outcome {
        let expected = if self.swish {
            i64::from(self.input) + i64::from(self.output) - i64::from(self.shift_swish)
        } else {
            i64::from(self.output)
        };
        if expected == i64::from(result) {
            return Ok(());
        }
        unsupported(format!("its shifts give fix point {expected}, but its tensor has {result}"))
    }
}

/// The dimensions of an operator's tensor.
fn dims_of(node: Node<'_>) -> Option<Vec<usize>> {
    node.dims().iter().map(|&dim| usize::try_from(dim).ok()).collect()
}

/// The activation of a convolution.
fn activation(node: Node<'_>) -> Result<&'static str, Refusal> {
    match node.get_or("nonlinear", "NONE")? {
        "" | "NONE" => Ok("none"),
        "RELU" => Ok("relu"),
        "RELU6" => Ok("relu6"),
        "LEAKYRELU" => {
            let slope: f32 = node.get_or("LEAKYRELU_alpha", LEAKY_SLOPE)?;
            if slope.to_bits() == LEAKY_SLOPE.to_bits() {
                return Ok("leaky_relu");
            }
            Err(Refusal::Unsupported(format!(
                "a leaky ReLU of slope {slope} cannot be said; the DPU has {LEAKY_SLOPE}"
            )))
        }
        other => Err(Refusal::Unsupported(format!("a convolution with activation {other:?} cannot be said"))),
    }
}

/// The factors of a resize, `[w, h]` floats in the file, as `[h, w]`.
fn integer_scale(node: Node<'_>) -> Result<[i64; 2], Refusal> {
    let scale: &[f32] = node.get("scale")?;
    match *scale {
        [width, height]
            if [width, height].iter().all(|factor| (1.0..=65536.0).contains(factor) && factor.fract() == 0.0) =>
        {
            Ok([height as i64, width as i64])
        }
        _ => Err(Refusal::Unsupported(format!("factors {scale:?} [w, h] cannot be said; only whole numbers can"))),
    }
}
