//! A block on the misc engine's ALU: the fields that do not depend on the operation (`spec/recipes-conv.md` section 3).

use dpuc_isa::{Alu, AluInit};

use crate::block::Block;
use crate::stream::Stream;

const PAD_START_MAX: i64 = 15;

/// Lines of the parameters of a block.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AluParameters {
    /// Line in the depthwise weight bank.
    pub(crate) weights: u32,
    /// Line in the bias bank.
    pub(crate) bias: u32,
}

/// Emits the Alu of a block. `operation` gives mode, shifts, activation and factor.
pub(crate) fn push_alu(stream: &mut Stream, block: &Block, operation: AluInit, parameters: AluParameters) {
    let [kernel_h, kernel_w] = block.kernel;
    let line_bytes = stream.target().line_bytes() as u32;
    let window = &block.inputs[0];
    stream.configure_alu(AluInit {
        kernel_h,
        kernel_w,
        stride_h: window.interleave,
        stride_w: block.column_stride,
        stride_offset_in: window.slot,
        length: block.columns,
        channel_group: block.groups,
        channel_offset: block.groups * line_bytes - window.channels,
        jump_read: window.pixel_lines,
        jump_read_endl: if window.interleave > 1 { window.row_lines } else { 1 },
        jump_write: block.output.pixel_lines,
        jump_write_endl: if block.output.interleave > 1 { block.output.row_lines } else { 1 },
        stride_out: block.output.interleave,
        stride_offset_out: block.output.slot,
        ..operation
    });
    let start = |pad: i64| pad.min(PAD_START_MAX) as u32;
    let end = |pad: i64, kernel: u32| pad.min(i64::from(kernel) - 1) as u32;
    stream.push(Alu {
        bank_id_in: window.bank,
        bank_addr_in: window.lines[0],
        bank_addr_in_1: window.lines[1],
        bank_addr_in_2: window.lines[2],
        bank_addr_in_3: window.lines[3],
        valid_pixel_parallel: block.rows,
        pad_top: start(block.pads.top),
        pad_left: start(block.pads.left),
        pad_bottom: end(block.pads.bottom, kernel_h),
        pad_right: end(block.pads.right, kernel_w),
        bank_addr_weights: parameters.weights,
        bank_addr_bias: parameters.bias,
        bank_id_out: block.output.first.bank,
        bank_addr_out: block.output.first.line,
        ..Alu::default()
    });
}
