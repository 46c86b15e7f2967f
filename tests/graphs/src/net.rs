//! Networks of `int8` operations with random constants.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{func, int8, nn};
use dpuc_dialects::weights::Weight;
use dpuc_dialects::{Attribute, BlockId, Ir, OpBuilder, OpId, ValueId};
use dpuc_isa::Random;

/// Geometry and fix points of a convolution.
#[derive(Clone, Debug)]
pub struct Conv {
    /// Output channels; depthwise convolutions keep those of their input.
    pub channels: usize,
    /// Kernel, `[h, w]`.
    pub kernel: [usize; 2],
    /// Strides, `[h, w]`.
    pub strides: [i64; 2],
    /// `[top, left, bottom, right]`; crops of transposed convolutions.
    pub pads: [i64; 4],
    /// Dilations, `[h, w]`.
    pub dilations: [i64; 2],
    /// One of the dialect's names.
    pub activation: &'static str,
    /// Fix point of the weights.
    pub weight_fix: i32,
    /// Fix point of the bias; `None` for no bias.
    pub bias_fix: Option<i32>,
    /// Fix point of the result.
    pub fix: i32,
}

impl Conv {
    /// A square kernel of odd size that keeps the map's size.
    pub fn same(channels: usize, kernel: usize, fix: i32) -> Self {
        let pad = (kernel / 2) as i64;
        Self {
            channels,
            kernel: [kernel; 2],
            strides: [1, 1],
            pads: [pad; 4],
            dilations: [1, 1],
            activation: "none",
            weight_fix: 7,
            bias_fix: Some(5),
            fix,
        }
    }

    /// The same with a ReLU.
    #[must_use]
    pub fn relu(self) -> Self {
        Self { activation: "relu", ..self }
    }

    /// The same with a stride on both axes.
    #[must_use]
    pub fn strided(self, stride: i64) -> Self {
        Self { strides: [stride; 2], ..self }
    }
}

/// `@main` under construction. Its methods panic where the parameters are not those of a map or of a legal operation.
pub struct Net {
    /// The module.
    pub ir: Ir,
    /// Source of the constants.
    pub random: Random,
    function: OpId,
    block: BlockId,
    count: usize,
}

impl Net {
    /// An empty function; `seed` decides the constants.
    pub fn new(seed: u64) -> Self {
        let mut ir = Ir::new();
        let body = ir.body();
        let function = func::build(&mut ir, body, "main", &[], &[]);
        let block = func::entry(&ir, function);
        Self { ir, random: Random::new(seed), function, block, count: 0 }
    }

    /// An int8 input.
    pub fn input(&mut self, shape: &[usize], fix: i32) -> ValueId {
        let ty = self.ir.fix_tensor(shape, fix);
        self.argument(ty)
    }

    /// A float input.
    pub fn float_input(&mut self, shape: &[usize]) -> ValueId {
        let ty = self.ir.float_tensor(shape);
        self.argument(ty)
    }

    fn argument(&mut self, ty: dpuc_dialects::Type) -> ValueId {
        let value = self.ir.add_argument(self.block, ty);
        self.ir.set_value_name(value, &format!("input_{}", self.ir.arguments(self.block).len() - 1));
        value
    }

    /// Dimensions of a value.
    pub fn shape(&self, value: ValueId) -> Vec<usize> {
        self.ir.shape_of(value).unwrap()
    }

    /// An operation on fixed-point values.
    pub fn op(
        &mut self,
        kind: &'static OpDefinition,
        operands: &[ValueId],
        attributes: &[(&'static str, Attribute)],
        shape: &[usize],
        fix: i32,
    ) -> ValueId {
        let ty = self.ir.fix_tensor(shape, fix);
        self.typed(kind, operands, attributes, ty)
    }

    /// An operation on floats.
    pub fn float(
        &mut self,
        kind: &'static OpDefinition,
        operands: &[ValueId],
        attributes: &[(&'static str, Attribute)],
        shape: &[usize],
    ) -> ValueId {
        let ty = self.ir.float_tensor(shape);
        self.typed(kind, operands, attributes, ty)
    }

    fn typed(
        &mut self,
        kind: &'static OpDefinition,
        operands: &[ValueId],
        attributes: &[(&'static str, Attribute)],
        ty: dpuc_dialects::Type,
    ) -> ValueId {
        let name = format!("{}_{}", kind.short_name(), self.count);
        self.count += 1;
        let location = self.ir.named_location(name);
        let mut builder = OpBuilder::new(kind).at(location).operands(operands.iter().copied()).result(ty, "");
        for (name, value) in attributes {
            builder = builder.attribute(name, value.clone());
        }
        let op = builder.append(&mut self.ir, self.block);
        self.ir.result(op)
    }

    /// A constant of random bytes; extremes are common.
    pub fn constant(&mut self, shape: &[usize], fix: i32) -> ValueId {
        let count = shape.iter().product();
        let values = random_codes(&mut self.random, count);
        let symbol = format!("constant_{}", self.count);
        let weight = Weight::from_i8(shape, &values).unwrap();
        self.ir.weights.insert(symbol.as_str(), weight);
        self.op(&int8::CONSTANT, &[], &[("value", Attribute::symbol(symbol))], shape, fix)
    }

    /// A convolution with random weights.
    pub fn conv(&mut self, input: ValueId, conv: &Conv) -> ValueId {
        let channels = self.shape(input)[3];
        let weights = self.constant(&[conv.channels, conv.kernel[0], conv.kernel[1], channels], conv.weight_fix);
        self.weighted(&int8::CONV2D, input, weights, conv.channels, conv)
    }

    /// A convolution in groups of channels, with random weights.
    pub fn grouped(&mut self, input: ValueId, groups: usize, conv: &Conv) -> ValueId {
        let channels = self.shape(input)[3] / groups;
        let weights = self.constant(&[conv.channels, conv.kernel[0], conv.kernel[1], channels], conv.weight_fix);
        let value = self.weighted(&int8::CONV2D, input, weights, conv.channels, conv);
        if let Some(op) = self.ir.defining_op(value) {
            self.ir.set_attribute(op, "groups", Attribute::int(groups as i64));
        }
        value
    }

    /// A reduction over axes, which stay as dimensions of 1 if they are kept.
    pub fn reduce(
        &mut self,
        kind: &'static OpDefinition,
        input: ValueId,
        axes: &[usize],
        keep: bool,
        fix: i32,
    ) -> ValueId {
        let sizes = self.shape(input).into_iter().enumerate();
        let sizes = sizes.filter(|(axis, _)| keep || !axes.contains(axis));
        let shape: Vec<usize> = sizes.map(|(axis, size)| if axes.contains(&axis) { 1 } else { size }).collect();
        let list = Attribute::ints(axes.iter().map(|&axis| axis as i64));
        self.op(kind, &[input], &[("axes", list), ("keep_dims", Attribute::Bool(keep))], &shape, fix)
    }

    /// A depthwise convolution with random weights.
    pub fn depthwise(&mut self, input: ValueId, conv: &Conv) -> ValueId {
        let channels = self.shape(input)[3];
        let weights = self.constant(&[1, conv.kernel[0], conv.kernel[1], channels], conv.weight_fix);
        self.weighted(&int8::DEPTHWISE_CONV2D, input, weights, channels, conv)
    }

    /// A transposed convolution with random weights.
    pub fn transposed(&mut self, input: ValueId, conv: &Conv) -> ValueId {
        let channels = self.shape(input)[3];
        let weights = self.constant(&[conv.channels, conv.kernel[0], conv.kernel[1], channels], conv.weight_fix);
        self.weighted(&int8::TRANSPOSED_CONV2D, input, weights, conv.channels, conv)
    }

    /// A transposed depthwise convolution with random weights.
    pub fn transposed_depthwise(&mut self, input: ValueId, conv: &Conv) -> ValueId {
        let channels = self.shape(input)[3];
        let weights = self.constant(&[1, conv.kernel[0], conv.kernel[1], channels], conv.weight_fix);
        self.weighted(&int8::TRANSPOSED_DEPTHWISE_CONV2D, input, weights, channels, conv)
    }

    fn weighted(
        &mut self,
        kind: &'static OpDefinition,
        input: ValueId,
        weights: ValueId,
        channels: usize,
        conv: &Conv,
    ) -> ValueId {
        let mut operands = vec![input, weights];
        if let Some(fix) = conv.bias_fix {
            operands.push(self.constant(&[channels], fix));
        }
        let shape = self.shape(input);
        let transposed = kind.name.contains("transposed");
        let size = |axis: usize| {
            let (input, kernel) = (shape[1 + axis] as i64, conv.kernel[axis] as i64);
            let pads = conv.pads[axis] + conv.pads[axis + 2];
            let size = if transposed {
                (input - 1) * conv.strides[axis] + kernel - pads
            } else {
                (input + pads - (kernel - 1) * conv.dilations[axis] - 1) / conv.strides[axis] + 1
            };
            size as usize
        };
        let mut attributes = vec![
            ("strides", Attribute::ints(conv.strides)),
            ("pads", Attribute::ints(conv.pads)),
            ("activation", Attribute::string(conv.activation)),
        ];
        if !transposed {
            attributes.push(("dilations", Attribute::ints(conv.dilations)));
        }
        self.op(kind, &operands, &attributes, &[shape[0], size(0), size(1), channels], conv.fix)
    }

    /// A pooling operation.
    pub fn pool(
        &mut self,
        kind: &'static OpDefinition,
        input: ValueId,
        kernel: [usize; 2],
        strides: [i64; 2],
        pads: [i64; 4],
        fix: i32,
    ) -> ValueId {
        let shape = self.shape(input);
        let size = |axis: usize| {
            let padded = shape[1 + axis] as i64 + pads[axis] + pads[axis + 2] - kernel[axis] as i64;
            (padded / strides[axis] + 1) as usize
        };
        let attributes = [
            ("kernel", Attribute::ints(kernel.map(|side| side as i64))),
            ("strides", Attribute::ints(strides)),
            ("pads", Attribute::ints(pads)),
        ];
        let result = [shape[0], size(0), size(1), shape[3]];
        self.op(kind, &[input], &attributes, &result, fix)
    }

    /// A sum of any number of inputs.
    pub fn add(&mut self, inputs: &[ValueId], activation: &'static str, fix: i32) -> ValueId {
        let shape = self.shape(inputs[0]);
        self.op(&int8::ADD, inputs, &[("activation", Attribute::string(activation))], &shape, fix)
    }

    /// A product.
    pub fn mul(&mut self, inputs: [ValueId; 2], fix: i32) -> ValueId {
        let shape = self.shape(inputs[0]);
        self.op(&int8::MUL, &inputs, &[], &shape, fix)
    }

    /// A concatenation.
    pub fn concat(&mut self, inputs: &[ValueId], axis: usize, fix: i32) -> ValueId {
        let mut shape = self.shape(inputs[0]);
        shape[axis] = inputs.iter().map(|&input| self.shape(input)[axis]).sum();
        self.op(&int8::CONCAT, inputs, &[("axis", Attribute::int(axis as i64))], &shape, fix)
    }

    /// A change of fix point.
    pub fn requantise(&mut self, input: ValueId, activation: &'static str, fix: i32) -> ValueId {
        let shape = self.shape(input);
        self.op(&int8::REQUANTISE, &[input], &[("activation", Attribute::string(activation))], &shape, fix)
    }

    /// The same elements in another shape.
    pub fn reshape(&mut self, input: ValueId, shape: &[usize]) -> ValueId {
        let fix = self.ir.fix_of(input).unwrap();
        self.op(&int8::RESHAPE, &[input], &[], shape, fix)
    }

    /// Up-sampling by integer factors, `[h, w]`.
    pub fn upsample(&mut self, input: ValueId, scale: [usize; 2], mode: &'static str, fix: i32) -> ValueId {
        let [batch, height, width, channels] = self.shape(input)[..] else { panic!("a map") };
        let attributes =
            [("scale", Attribute::ints(scale.map(|factor| factor as i64))), ("mode", Attribute::string(mode))];
        self.op(&int8::UPSAMPLE, &[input], &attributes, &[batch, height * scale[0], width * scale[1], channels], fix)
    }

    /// Down-sampling by integer factors, `[h, w]`.
    pub fn downsample(&mut self, input: ValueId, scale: [usize; 2], fix: i32) -> ValueId {
        let [batch, height, width, channels] = self.shape(input)[..] else { panic!("a map") };
        let attributes = [("scale", Attribute::ints(scale.map(|factor| factor as i64)))];
        let shape = [batch, height.div_ceil(scale[0]), width.div_ceil(scale[1]), channels];
        self.op(&int8::DOWNSAMPLE, &[input], &attributes, &shape, fix)
    }

    /// Hard sigmoid.
    pub fn hard_sigmoid(&mut self, input: ValueId, fix: i32) -> ValueId {
        let shape = self.shape(input);
        self.op(&int8::HARD_SIGMOID, &[input], &[], &shape, fix)
    }

    /// Leaky ReLU with slope `multiplier / 2^shift`.
    pub fn leaky_relu(&mut self, input: ValueId, multiplier: i64, shift: i64, fix: i32) -> ValueId {
        let shape = self.shape(input);
        let attributes = [("multiplier", Attribute::int(multiplier)), ("shift", Attribute::int(shift))];
        self.op(&int8::LEAKY_RELU, &[input], &attributes, &shape, fix)
    }

    /// A conversion from float.
    pub fn quantise(&mut self, input: ValueId, fix: i32) -> ValueId {
        let shape = self.shape(input);
        self.op(&int8::QUANTISE, &[input], &[], &shape, fix)
    }

    /// A conversion to float without a name of its own.
    pub fn dequantise(&mut self, input: ValueId) -> ValueId {
        let shape = self.shape(input);
        let value = self.float(&int8::DEQUANTISE, &[input], &[], &shape);
        let (op, unknown) = (self.ir.defining_op(value).unwrap(), self.ir.unknown_location());
        self.ir.set_location(op, unknown);
        value
    }

    /// A float softmax over the last axis.
    pub fn softmax(&mut self, input: ValueId) -> ValueId {
        let shape = self.shape(input);
        self.float(&nn::SOFTMAX, &[input], &[("axis", Attribute::int(shape.len() as i64 - 1))], &shape)
    }

    /// Returns the values and finishes the function.
    pub fn finish(mut self, outputs: &[ValueId]) -> Ir {
        OpBuilder::new(&func::RETURN).operands(outputs.iter().copied()).append(&mut self.ir, self.block);
        func::refresh_signature(&mut self.ir, self.function);
        self.ir
    }
}

/// Random codes in which the extremes are common.
pub fn random_codes(random: &mut Random, count: usize) -> Vec<i8> {
    let code = |random: &mut Random| match random.below(12) {
        0 => -128,
        1 => 127,
        2 => 0,
        _ => random.bits() as i8,
    };
    (0..count).map(|_| code(random)).collect()
}
