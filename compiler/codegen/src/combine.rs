//! Operators of several maps on the misc engine's window, which runs over operands instead of space: pixel `x` of operand `k` lies at
//! pixel `x · n + k` of one row, and a window of width and stride `n` combines them (`spec/recipes-eltwise-data.md` sections 6, 7.3).

use dpuc_isa::{AluInit, AluMode, BANK_LINES, Elew, ElewInit, Target};

use crate::alu::{AluParameters, push_alu};
use crate::axis::Span;
use crate::block::{Block, Compute, InputWindow, OutputWindow, Pads};
use crate::layer::{Activation, Constant, Extreme, FeatureMap, WeightedSum};
use crate::numeric::{activation_code, pool_shift_field};
use crate::parameters::{Vectors, load_bias};
use crate::source::{BankLine, Source};
use crate::stream::Stream;
use crate::task::{Channels, Reach, Task, WeightSize};

/// The sub-problem of an operator on interleaved operands.
pub(crate) fn combine_task(inputs: &[FeatureMap], output: &FeatureMap, weights: WeightSize, target: &Target) -> Task {
    let operands = inputs.len() as u32;
    Task {
        rows: Span::identity(output.height),
        columns: Span {
            count: output.width,
            size: output.width.saturating_mul(operands),
            first: 0,
            stride: operands,
            taps: operands,
        },
        source: Source::Interleaved(inputs.to_vec()),
        outputs: vec![*output],
        channels: Channels::Same(output.channels),
        reach: Reach::misc(target),
        weights,
        computes: true,
    }
}

/// The weights of one channel group of a weighted sum.
pub(crate) fn sum_weights(sum: &WeightedSum, target: &Target) -> WeightSize {
    let operands = sum.inputs.len() as u32;
    WeightSize { lines: operands, bytes: operands.saturating_mul(target.line_bytes() as u32) }
}

/// The right shift behind a weighted sum.
pub(crate) fn sum_shift(sum: &WeightedSum) -> i64 {
    i64::from(sum.product_fix_point) - i64::from(sum.output.fix_point)
}

/// Computes blocks of a weighted sum with Alu mode 0.
pub(crate) struct WeightedSumCompute<'a> {
    sum: &'a WeightedSum,
    zeros: u32,
    weights: Vectors,
}

impl<'a> WeightedSumCompute<'a> {
    pub(crate) fn new(sum: &'a WeightedSum, stream: &mut Stream) -> Self {
        let owner = stream.new_owner();
        let zeros = load_bias(stream, owner, sum.zeros, sum.output.channels);
        let weights = Vectors::new(sum.weights, sum.inputs.len() as u32, sum.output.channels, owner);
        Self { sum, zeros, weights }
    }

    /// Replaces the negative values of the first operands by 0, in place.
    fn rectify(&self, stream: &mut Stream, block: &Block) {
        let window = &block.inputs[0];
        let jump = window.pixel_lines * self.sum.inputs.len() as u32;
        for operand in 0..self.sum.rectified {
            let line = (window.line + operand * window.pixel_lines) % BANK_LINES as u32;
            stream.push(ElewInit {
                bank_id_in: window.bank,
                bank_addr_in: line,
                jump_read: jump,
                ..ElewInit::default()
            });
            stream.push(Elew {
                num: 1,
                act_type: activation_code(Activation::Relu, 0),
                length: block.columns,
                channel_group: block.groups,
                valid_pixel_parallel: block.rows,
                bank_id_out: window.bank,
                bank_addr_out: line,
                jump_write: jump,
                ..Elew::default()
            });
        }
    }
}

impl Compute for WeightedSumCompute<'_> {
    fn compute(&mut self, stream: &mut Stream, block: &Block) {
        let weights = self.weights.line(stream, block);
        self.rectify(stream, block);
        let activation = if self.sum.relu { Activation::Relu } else { Activation::None };
        let operation = AluInit {
            exec_mode: AluMode::Depthwise as u32,
            shift_cut: sum_shift(self.sum) as u32,
            act_type: activation_code(activation, self.sum.output.fix_point),
            jump_read_weights: block.groups,
            ..AluInit::default()
        };
        let bias = (self.zeros + block.first_group) % BANK_LINES as u32;
        push_alu(stream, block, operation, AluParameters { weights, bias });
    }
}

/// Computes blocks of a maximum with Alu mode 3. A minimum is the complement of the maximum of complements, `-1 - x`, which Alu mode 0
/// computes in place.
pub(crate) struct ExtremeCompute {
    shift: i64,
    complement: Option<Complement>,
}

impl ExtremeCompute {
    pub(crate) fn new(extreme: &Extreme, stream: &mut Stream) -> Self {
        let channels = extreme.output.channels;
        let complement = extreme.minus_ones.map(|minus_ones| Complement::new(minus_ones, channels, stream));
        Self { shift: extreme_shift(extreme), complement }
    }
}

/// The right shift behind a maximum or minimum of maps of one fix point.
pub(crate) fn extreme_shift(extreme: &Extreme) -> i64 {
    let input = extreme.inputs.first().map_or(0, |input| i64::from(input.fix_point));
    input - i64::from(extreme.output.fix_point)
}

impl Compute for ExtremeCompute {
    fn compute(&mut self, stream: &mut Stream, block: &Block) {
        if let Some(complement) = &self.complement {
            let [_, operands] = block.kernel;
            let window = block.inputs[0];
            let place = BankLine { bank: window.bank, line: window.line };
            complement.apply(stream, block, (place, window.pixel_lines), block.columns * operands, 0);
        }
        let shift = if self.complement.is_some() { 0 } else { self.shift };
        let operation = AluInit {
            exec_mode: AluMode::MaxPool as u32,
            shift_cut: pool_shift_field(shift) as u32,
            ..AluInit::default()
        };
        push_alu(stream, block, operation, AluParameters::default());
        if let Some(complement) = &self.complement {
            let output = block.output;
            let place = output.first.after(output.slot * output.row_lines);
            complement.apply(stream, block, (place, output.pixel_lines), block.columns, self.shift);
        }
    }
}

/// Replaces values by `-1 - x`, in place.
struct Complement {
    weights: Vectors,
    bias: u32,
}

impl Complement {
    fn new(minus_ones: Constant, channels: u32, stream: &mut Stream) -> Self {
        let owner = stream.new_owner();
        let bias = load_bias(stream, owner, minus_ones, channels);
        Self { weights: Vectors::new(minus_ones, 1, channels, owner), bias }
    }

    /// `columns` pixels from a place on, a number of lines apart, in each row of a block, divided by `2^shift`.
    fn apply(
        &self,
        stream: &mut Stream,
        block: &Block,
        (place, pixel_lines): (BankLine, u32),
        columns: u32,
        shift: i64,
    ) {
        let weights = self.weights.line(stream, block);
        let input = InputWindow {
            bank: place.bank,
            lines: [place.line; 4],
            line: place.line,
            pixel_lines,
            interleave: 1,
            slot: 0,
            ..block.inputs[0]
        };
        let within = Block {
            columns,
            kernel: [1, 1],
            column_stride: 1,
            pads: Pads { top: 0, left: 0, bottom: 0, right: 0 },
            inputs: vec![input],
            output: OutputWindow { first: place, pixel_lines, row_lines: 1, interleave: 1, slot: 0 },
            ..block.clone()
        };
        let operation = AluInit {
            exec_mode: AluMode::Depthwise as u32,
            shift_cut: shift as u32,
            // Twice the accumulator plus twice the bias.
            shift_bias: 1,
            jump_read_weights: block.groups,
            ..AluInit::default()
        };
        let bias = (self.bias + block.first_group) % BANK_LINES as u32;
        push_alu(stream, &within, operation, AluParameters { weights, bias });
    }
}
