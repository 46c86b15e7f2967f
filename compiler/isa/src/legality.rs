//! Which instructions a target executes.
//!
//! The rules are those AMD's simulator enforces (`spec/dpuczdx8g-isa.md` sections 3 and 6), and three it does not check because
//! breaking them has no defined result: more output rows than the array has, a convolution kernel longer than its weight bank,
//! a kernel depth outside the depthwise modes. DDR bounds depend on the program's regions; see [`Operation::region_span`].

use std::fmt;

use thiserror::Error;

use crate::access::Bytes;
use crate::alu_mode::AluMode;
use crate::code::FieldError;
use crate::instruction::{Alu, AluInit, Conv, ConvInit, Elew, ElewInit, Instruction, Load, Opcode, Save};
use crate::operation::{ElewInputs, Operation};
use crate::target::{BANK_LINES, CONV_STRIDE_MAX, SHIFT_BIAS_MAX, Target};
use crate::window::{InputWindow, WINDOW_PASSES};

/// Largest pixel, in bytes, that Load's pad mask and mean subtraction can handle.
pub const LOAD_MASK_BYTES: u32 = 64;
/// The value of Load's `broadcast` that writes `const_value` instead of data.
pub const BROADCAST_CONSTANT: u32 = 7;

/// Why a target does not execute an instruction.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IllegalInstruction {
    /// A field value that its bits cannot hold.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A pool or depthwise instruction of ISA 0.
    #[error("{} exists only in ISA 0; ISA-1 targets do this with AluInit and Alu", opcode.name())]
    NotInIsa1 {
        /// The instruction.
        opcode: Opcode,
    },
    /// A Conv or Alu before the first Init of its kind.
    #[error("{} has no {} in front of it", opcode.name(), init.name())]
    MissingInit {
        /// The instruction.
        opcode: Opcode,
        /// What is missing.
        init: Opcode,
    },
    /// An Elew with too few `ElewInit` in front of it.
    #[error("Elew.num = {num}, but only {pending} ElewInit are in front of it")]
    MissingInputs {
        /// Inputs the Elew takes.
        num: u32,
        /// Records that are there.
        pending: usize,
    },
    /// A field, or a product of fields, outside what the target can do.
    #[error("{}.{field} = {value}, but {limit}", opcode.name())]
    Limit {
        /// The instruction that holds the field: for a Conv this may be its `ConvInit`.
        opcode: Opcode,
        /// The field, or the quantity computed from fields.
        field: &'static str,
        /// Its value.
        value: u32,
        /// What it must be.
        limit: Limit,
    },
}

/// What a value must be, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// `value <= max`.
    AtMost {
        /// Largest legal value.
        max: u32,
        /// Reason.
        reason: &'static str,
    },
    /// `value < bound`.
    Below {
        /// Smallest illegal value.
        bound: u32,
        /// Reason.
        reason: &'static str,
    },
    /// One of some values.
    OneOf {
        /// The legal values, ascending.
        values: Vec<u32>,
        /// Reason.
        reason: &'static str,
    },
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost { max, reason } => write!(f, "it may be at most {max}: {reason}"),
            Self::Below { bound, reason } => write!(f, "it must be below {bound}: {reason}"),
            Self::OneOf { values, reason } => {
                write!(f, "it must be ")?;
                for (at, value) in values.iter().enumerate() {
                    let separator = match at {
                        0 => "",
                        _ if at + 1 == values.len() => " or ",
                        _ => ", ",
                    };
                    write!(f, "{separator}{value}")?;
                }
                write!(f, ": {reason}")
            }
        }
    }
}

type Legality = Result<(), IllegalInstruction>;

/// A quantity under test: `opcode.field` has the value `value`.
struct Quantity {
    opcode: Opcode,
    field: &'static str,
    value: u32,
}

const fn quantity(opcode: Opcode, field: &'static str, value: u32) -> Quantity {
    Quantity { opcode, field, value }
}

impl Quantity {
    fn at_most(self, max: u32, reason: &'static str) -> Legality {
        if self.value <= max { Ok(()) } else { Err(self.violates(Limit::AtMost { max, reason })) }
    }

    fn below(self, bound: u32, reason: &'static str) -> Legality {
        if self.value < bound { Ok(()) } else { Err(self.violates(Limit::Below { bound, reason })) }
    }

    fn one_of(self, values: &[u32], reason: &'static str) -> Legality {
        if values.contains(&self.value) {
            return Ok(());
        }
        Err(self.violates(Limit::OneOf { values: values.to_vec(), reason }))
    }

    fn violates(self, limit: Limit) -> IllegalInstruction {
        let Self { opcode, field, value } = self;
        IllegalInstruction::Limit { opcode, field, value, limit }
    }
}

impl Operation {
    /// Checks every rule that does not depend on DDR sizes.
    pub fn check(&self, target: &Target) -> Legality {
        match self {
            Self::Load(load) => check_load(load, target),
            Self::Save(save) => check_save(save, target),
            Self::ConvInit(init) => check_conv_init(init, target),
            Self::Conv(init, conv) => check_conv(init, conv, target),
            Self::AluInit(init) => check_alu_init(init, target),
            Self::Alu(init, alu) => check_alu(init, alu, target),
            Self::ElewInit(init) => check_elew_init(init, target),
            Self::Elew(inputs, elew) => check_elew(inputs, elew, target),
            Self::End => Ok(()),
        }
    }

    /// Bytes that must lie inside the DDR region of a Load or Save. The bound does not look at what the instruction does with
    /// them: a constant Load reads none of them and an argmax Save writes only the first byte of each pixel. Fields must be encodable.
    pub fn region_span(&self) -> Option<Bytes> {
        let span = |region, start, pixels, jump, bytes| Bytes {
            region: region as u8,
            start,
            end: start + (pixels - 1) * jump + bytes,
        };
        match self {
            Self::Load(i) => Some(span(i.reg_id, i.ddr_addr, i.length, i.jump_read, i.channel)),
            Self::Save(i) => Some(span(i.reg_id, i.ddr_addr, i.length, i.jump_write, i.channel)),
            _ => None,
        }
    }
}

fn check_load(load: &Load, target: &Target) -> Legality {
    Instruction::from(*load).check_fields()?;
    let field = |name, value| quantity(Opcode::Load, name, value);
    field("bank_id", load.bank_id).below(target.bank_count() as u32, "the target has no further banks")?;
    field("mode_avg", load.mode_avg).one_of(&[0], "ISA-1 targets have no bank of mean values")?;
    if load.masks() {
        let line_bytes = target.lines(load.channel as usize) as u32 * target.line_bytes() as u32;
        field("pad_start", load.pad_start).below(load.channel, "the mask must leave a byte of the first pixel")?;
        field("pad_end + jump_read * (pad_idx - 1)", load.pad_end + load.jump_read * (load.pad_idx - 1))
            .below(line_bytes, "the mask must leave a byte of the last pixel's lines")?;
    }
    Ok(())
}

impl Load {
    /// Whether the pad mask (`pad_start`, `pad_end`, `pad_idx`) acts: only on short, gapless or overlapping pixels.
    pub const fn masks(&self) -> bool {
        self.channel >= self.jump_read && self.channel <= LOAD_MASK_BYTES
    }

    /// Whether `const_value` is written instead of data.
    pub const fn is_constant(&self) -> bool {
        self.broadcast == BROADCAST_CONSTANT
    }
}

impl Save {
    /// Bytes that are written for each pixel: one if `argmax` is on.
    pub const fn pixel_bytes(&self) -> u32 {
        if self.argmax >= 2 && self.const_en == 0 { 1 } else { self.channel }
    }
}

fn check_save(save: &Save, target: &Target) -> Legality {
    Instruction::from(*save).check_fields()?;
    check_feature_bank(Opcode::Save, "bank_id", save.bank_id, target)?;
    let argmax_max = if target.argmax { 3 } else { 1 };
    quantity(Opcode::Save, "argmax", save.argmax).at_most(argmax_max, "the target has no argmax in Save")
}

fn check_conv_init(init: &ConvInit, target: &Target) -> Legality {
    Instruction::from(*init).check_fields()?;
    let field = |name, value| quantity(Opcode::ConvInit, name, value);
    field("shift_bias", init.shift_bias).at_most(SHIFT_BIAS_MAX, "the bias shifter ends there")?;
    field("stride_h", init.stride_h).at_most(CONV_STRIDE_MAX as u32, "the convolution engine strides no further")?;
    field("stride_w", init.stride_w).at_most(CONV_STRIDE_MAX as u32, "the convolution engine strides no further")?;
    field("stride_offset_in", init.stride_offset_in)
        .below(init.stride_h, "it is a row slot among the stride_h of a bank")?;
    field("valid_pixel_parallel", init.valid_pixel_parallel)
        .at_most(target.pixel_parallel as u32, "the array computes no more rows at once")?;
    check_activation(Opcode::ConvInit, init.act_type, target.conv_leaky_relu)
}

fn check_conv(init: &ConvInit, conv: &Conv, target: &Target) -> Legality {
    check_conv_init(init, target)?;
    Instruction::from(*conv).check_fields()?;
    check_feature_bank(Opcode::Conv, "bank_id_in", conv.bank_id_in, target)?;
    check_feature_bank(Opcode::Conv, "bank_id_out", conv.bank_id_out, target)?;
    check_passes(Opcode::Conv, &InputWindow::of_conv(init, conv), target)?;
    quantity(Opcode::Conv, "kernel_h * kernel_w * channel_group", init.kernel_h * init.kernel_w * conv.channel_group)
        .at_most(BANK_LINES as u32, "one output channel's weights lie in one bank")
}

fn check_alu_init(init: &AluInit, target: &Target) -> Legality {
    Instruction::from(*init).check_fields()?;
    let field = |name, value| quantity(Opcode::AluInit, name, value);
    let mode = field("exec_mode", init.exec_mode);
    let mode = AluMode::from_number(init.exec_mode).ok_or_else(|| {
        mode.violates(Limit::Below { bound: AluMode::ALL.len() as u32, reason: "ISA 1 has no further modes" })
    })?;
    field("shift_bias", init.shift_bias).at_most(SHIFT_BIAS_MAX, "the bias shifter ends there, in every mode")?;
    field("stride_offset_in", init.stride_offset_in)
        .below(init.stride_h, "it is a row slot among the stride_h of a bank")?;
    check_activation(Opcode::AluInit, init.act_type, target.alu_leaky_relu)?;
    if mode.is_pointwise() {
        let reason = "PReLU, leaky ReLU and hard sigmoid look at one pixel";
        field("kernel_h", init.kernel_h).one_of(&[1], reason)?;
        field("kernel_w", init.kernel_w).one_of(&[1], reason)?;
        field("stride_h", init.stride_h).one_of(&[1], reason)?;
        field("stride_w", init.stride_w).one_of(&[1], reason)?;
    }
    Ok(())
}

fn check_alu(init: &AluInit, alu: &Alu, target: &Target) -> Legality {
    check_alu_init(init, target)?;
    Instruction::from(*alu).check_fields()?;
    quantity(Opcode::Alu, "valid_pixel_parallel", alu.valid_pixel_parallel)
        .at_most(target.alu_pixel_parallel as u32, "the misc engine computes no more rows at once")?;
    if !AluMode::from_number(init.exec_mode).is_some_and(AluMode::is_depthwise) {
        quantity(Opcode::Alu, "kernel_d", alu.kernel_d).one_of(&[1], "only depthwise modes sum over slices")?;
    }
    check_feature_bank(Opcode::Alu, "bank_id_in", alu.bank_id_in, target)?;
    check_feature_bank(Opcode::Alu, "bank_id_out", alu.bank_id_out, target)?;
    check_passes(Opcode::Alu, &InputWindow::of_alu(init, alu), target)
}

fn check_elew_init(init: &ElewInit, target: &Target) -> Legality {
    Instruction::from(*init).check_fields()?;
    check_feature_bank(Opcode::ElewInit, "bank_id_in", init.bank_id_in, target)
}

fn check_elew(inputs: &ElewInputs, elew: &Elew, target: &Target) -> Legality {
    Instruction::from(*elew).check_fields()?;
    let field = |name, value| quantity(Opcode::Elew, name, value);
    field("elew_type", elew.elew_type).at_most(1, "0 adds, 1 multiplies, there is no third operation")?;
    if elew.elew_type == 1 {
        field("num", elew.num).one_of(&[2], "a multiplication has two inputs")?;
    }
    field("valid_pixel_parallel", elew.valid_pixel_parallel)
        .at_most(target.alu_pixel_parallel as u32, "the misc engine computes no more rows at once")?;
    check_feature_bank(Opcode::Elew, "bank_id_out", elew.bank_id_out, target)?;
    for (position, input) in inputs.iter().enumerate() {
        check_elew_init(input, target)?;
        quantity(Opcode::ElewInit, "id", input.id)
            .one_of(&[position as u32], "the inputs of an Elew are numbered 0, 1, … in order")?;
        quantity(Opcode::ElewInit, "jump_bank * valid_pixel_parallel", input.jump_bank * elew.valid_pixel_parallel)
            .at_most(target.pixel_parallel as u32, "the rows must lie in one round over the banks")?;
    }
    Ok(())
}

fn check_feature_bank(opcode: Opcode, field: &'static str, bank: u32, target: &Target) -> Legality {
    let reason = "only feature-map banks hold pixels";
    quantity(opcode, field, bank).below(target.feature_banks() as u32, reason)
}

fn check_passes(opcode: Opcode, window: &InputWindow, target: &Target) -> Legality {
    quantity(opcode, "passes of the input window", window.passes(target))
        .at_most(WINDOW_PASSES, "there are four base lines, bank_addr_in to bank_addr_in_3")
}

fn check_activation(opcode: Opcode, code: u32, leaky_relu: bool) -> Legality {
    let reason = "the target has no other activations";
    let codes: &[u32] = if leaky_relu { &[0, 1, 3, 4] } else { &[0, 1, 4] };
    quantity(opcode, "act_type", code).one_of(codes, reason)
}
