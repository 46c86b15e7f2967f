//! Operators that look at one pixel: sums, products, copies and activations (`spec/recipes-eltwise-data.md` sections 2, 3 and 7).

use dpuc_isa::{AluInit, AluMode, Elew, ElewInit, Target};

use crate::alu::{AluParameters, push_alu};
use crate::block::{Block, Compute};
use crate::layer::Activation;
use crate::layer::{Constant, ElementwiseKind, FeatureMap};
use crate::numeric::{
    ElewShifts, activation_code, leaky_shift_field, output_shift, product_shifts, relu6_exponent, sum_shifts,
};
use crate::parameters::Vectors;
use crate::stream::Stream;
use crate::task::{Reach, Task, WeightSize};

/// The sub-problem of an elementwise operator.
pub(crate) fn elementwise_task(inputs: &[FeatureMap], output: &FeatureMap, target: &Target) -> Task {
    Task::pointwise(inputs.to_vec(), vec![*output], Reach::misc(target), WeightSize::NONE)
}

/// The sub-problem of a copy to one or several places. Without a change of value nothing is computed.
pub(crate) fn copy_task(input: &FeatureMap, outputs: Vec<FeatureMap>, computes: bool, target: &Target) -> Task {
    let reach = if computes { Reach::misc(target) } else { Reach::copy(target) };
    Task { computes, ..Task::pointwise(vec![*input], outputs, reach, WeightSize::NONE) }
}

/// The sub-problem of a stand-alone activation.
pub(crate) fn activation_task(input: &FeatureMap, output: &FeatureMap, weights: WeightSize, target: &Target) -> Task {
    Task::pointwise(vec![*input], vec![*output], Reach::misc(target), weights)
}

/// Computes blocks with Elew.
pub(crate) struct ElementwiseCompute {
    kind: ElementwiseKind,
    shifts: ElewShifts,
    relu: bool,
}

impl ElementwiseCompute {
    pub(crate) fn new(kind: ElementwiseKind, inputs: &[FeatureMap], output: &FeatureMap, relu: bool) -> Self {
        let fixes: Vec<i32> = inputs.iter().map(|input| input.fix_point).collect();
        let shifts = match (kind, fixes.as_slice()) {
            (ElementwiseKind::Multiply, &[first, second]) => product_shifts([first, second], output.fix_point),
            _ => sum_shifts(&fixes, output.fix_point),
        };
        Self { kind, shifts, relu }
    }
}

impl Compute for ElementwiseCompute {
    fn compute(&mut self, stream: &mut Stream, block: &Block) {
        for (id, (input, &shift_read)) in (0..).zip(block.inputs.iter().zip(&self.shifts.read)) {
            stream.push(ElewInit {
                id,
                bank_id_in: input.bank,
                bank_addr_in: input.line,
                jump_bank: input.bank_jump,
                jump_read: input.pixel_lines,
                shift_read,
                ..ElewInit::default()
            });
        }
        stream.push(Elew {
            elew_type: match self.kind {
                ElementwiseKind::Add => 0,
                ElementwiseKind::Multiply => 1,
            },
            num: self.shifts.read.len() as u32,
            act_type: u32::from(self.relu),
            length: block.columns,
            channel_group: block.groups,
            valid_pixel_parallel: block.rows,
            bank_id_out: block.output.first.bank,
            bank_addr_out: block.output.first.after(block.output.slot * block.output.row_lines).line,
            jump_write: block.output.pixel_lines,
            shift_write: self.shifts.write,
            ..Elew::default()
        });
    }
}

/// Computes blocks with an Alu mode that needs no constants.
pub(crate) struct AluActivation {
    operation: AluInit,
}

impl AluActivation {
    /// Leaky ReLU, mode 4.
    pub(crate) fn leaky_relu(input: &FeatureMap, output: &FeatureMap, slope: i8, slope_fix_point: i32) -> Self {
        let [negative, positive] = leaky_shifts(input, output, slope_fix_point);
        Self {
            operation: AluInit {
                exec_mode: AluMode::LeakyRelu as u32,
                multi_factor: u32::from(slope.cast_unsigned()),
                shift_prelu_n: leaky_shift_field(negative) as u32,
                shift_prelu_p: leaky_shift_field(positive) as u32,
                ..AluInit::default()
            },
        }
    }

    /// Hard sigmoid, mode 7.
    pub(crate) fn hard_sigmoid(input: &FeatureMap, output: &FeatureMap) -> Self {
        Self {
            operation: AluInit {
                exec_mode: AluMode::HardSigmoid as u32,
                shift_bias: input.fix_point as u32,
                shift_cut: hard_sigmoid_shift(input, output) as u32,
                ..AluInit::default()
            },
        }
    }
}

impl Compute for AluActivation {
    fn compute(&mut self, stream: &mut Stream, block: &Block) {
        push_alu(stream, block, self.operation, AluParameters::default());
    }
}

/// Right shifts of the negative and of the positive branch of a leaky ReLU.
pub(crate) fn leaky_shifts(input: &FeatureMap, output: &FeatureMap, slope_fix_point: i32) -> [i64; 2] {
    let rescale = i64::from(input.fix_point) - i64::from(output.fix_point);
    [rescale + i64::from(slope_fix_point), rescale]
}

/// The hard sigmoid's slope is `2731 / 2^14`.
pub(crate) fn hard_sigmoid_shift(input: &FeatureMap, output: &FeatureMap) -> i64 {
    14 + i64::from(input.fix_point) - i64::from(output.fix_point)
}

/// Computes blocks with Alu mode 6: a product of each channel with a number of its own.
pub(crate) struct ScaleCompute {
    operation: AluInit,
    scale: Vectors,
}

impl ScaleCompute {
    pub(crate) fn new(
        input: &FeatureMap,
        output: &FeatureMap,
        (scale, scale_fix_point): (Constant, i32),
        activation: Activation,
        stream: &mut Stream,
    ) -> Self {
        let operation = AluInit {
            exec_mode: AluMode::DepthwiseNoBias as u32,
            shift_cut: output_shift(input.fix_point, scale_fix_point, output.fix_point) as u32,
            act_type: activation_code(activation, output.fix_point),
            ..AluInit::default()
        };
        Self { operation, scale: Vectors::new(scale, 1, input.channels, stream.new_owner()) }
    }

    /// A stand-alone `ReLU6` is the product with a power of two.
    pub(crate) fn relu6(input: &FeatureMap, output: &FeatureMap, scale: Constant, stream: &mut Stream) -> Self {
        let exponent = relu6_exponent(input.fix_point, output.fix_point) as i32;
        Self::new(input, output, (scale, exponent), Activation::Relu6, stream)
    }
}

impl Compute for ScaleCompute {
    fn compute(&mut self, stream: &mut Stream, block: &Block) {
        let weights = self.scale.line(stream, block);
        let operation = AluInit { jump_read_weights: block.groups, ..self.operation };
        push_alu(stream, block, operation, AluParameters { weights, bias: 0 });
    }
}
