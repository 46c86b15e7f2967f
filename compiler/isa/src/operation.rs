//! What an instruction does once the Init fields latched before it are known.
//!
//! A Conv computes nothing without the last `ConvInit`, an Alu without the last `AluInit`, an Elew without the `ElewInit` records
//! in front of it. [`Latches`] keeps that state and turns an instruction into an [`Operation`] that needs no further context, so
//! that legality, accesses and execution are functions of one value.

use std::collections::VecDeque;

use crate::instruction::{Alu, AluInit, Conv, ConvInit, Elew, ElewInit, Instruction, Load, Opcode, Save};
use crate::legality::IllegalInstruction;
use crate::target::Target;

/// Most inputs one Elew combines: the range of its field `num`.
pub const ELEW_INPUTS: usize = 4;

/// The input records one Elew combines, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElewInputs {
    records: [ElewInit; ELEW_INPUTS],
    count: usize,
}

impl std::ops::Deref for ElewInputs {
    type Target = [ElewInit];

    fn deref(&self) -> &[ElewInit] {
        &self.records[..self.count]
    }
}

/// An ISA-1 instruction together with the Init fields that govern it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// DDR to bank.
    Load(Load),
    /// Bank to DDR.
    Save(Save),
    /// Latches the parameters of the following Convs.
    ConvInit(ConvInit),
    /// A convolution with its parameters.
    Conv(ConvInit, Conv),
    /// Latches the parameters of the following Alus.
    AluInit(AluInit),
    /// A misc-engine operation with its parameters.
    Alu(AluInit, Alu),
    /// Appends one input of the following Elew.
    ElewInit(ElewInit),
    /// An elementwise operation with its inputs.
    Elew(ElewInputs, Elew),
    /// End of the program.
    End,
}

impl Operation {
    /// Size of the operation: multiplications of the arithmetic ones, padding and masked channels included, and bytes moved by
    /// Load and Save. A measure for bounds, not a time.
    pub fn work(&self, target: &Target) -> u64 {
        let product = |factors: &[u32]| factors.iter().map(|&factor| u64::from(factor)).product::<u64>();
        let width = target.channel_parallel as u32;
        match self {
            Self::Load(i) => product(&[i.length, i.channel]),
            Self::Save(i) => product(&[i.length, i.channel]),
            Self::Conv(p, i) => {
                product(&[p.valid_pixel_parallel, i.length, p.kernel_h, p.kernel_w, i.channel_group, width, width])
            }
            Self::Alu(p, i) => {
                product(&[i.valid_pixel_parallel, p.length, p.kernel_h, p.kernel_w, i.kernel_d, p.channel_group, width])
            }
            Self::Elew(_, i) => product(&[i.valid_pixel_parallel, i.length, i.channel_group, width, i.num]),
            Self::ConvInit(_) | Self::AluInit(_) | Self::ElewInit(_) | Self::End => 0,
        }
    }
}

/// The Init state of a core: what Conv, Alu and Elew refer to.
#[derive(Clone, Debug, Default)]
pub struct Latches {
    conv: Option<ConvInit>,
    alu: Option<AluInit>,
    elew: VecDeque<ElewInit>,
}

impl Latches {
    /// The state at the start of a program: nothing latched.
    pub fn new() -> Self {
        Self::default()
    }

    /// `ElewInit` records that no Elew has taken yet.
    pub fn pending_elew_inputs(&self) -> usize {
        self.elew.len()
    }

    /// Takes the next instruction of the stream: latches Init fields and joins the others with theirs.
    ///
    /// # Errors
    /// An ISA-0 instruction, a Conv or Alu before its first Init, an Elew with fewer records in front of it than it takes. The
    /// state is then unchanged. Field values are not looked at; [`Operation::check`] does that.
    pub fn resolve(&mut self, instruction: &Instruction) -> Result<Operation, IllegalInstruction> {
        let missing_init = |opcode, init| IllegalInstruction::MissingInit { opcode, init };
        Ok(match *instruction {
            Instruction::Load(load) => Operation::Load(load),
            Instruction::Save(save) => Operation::Save(save),
            Instruction::ConvInit(init) => {
                self.conv = Some(init);
                Operation::ConvInit(init)
            }
            Instruction::Conv(conv) => {
                Operation::Conv(self.conv.ok_or(missing_init(Opcode::Conv, Opcode::ConvInit))?, conv)
            }
            Instruction::AluInit(init) => {
                self.alu = Some(init);
                Operation::AluInit(init)
            }
            Instruction::Alu(alu) => Operation::Alu(self.alu.ok_or(missing_init(Opcode::Alu, Opcode::AluInit))?, alu),
            Instruction::ElewInit(init) => {
                self.elew.push_back(init);
                Operation::ElewInit(init)
            }
            Instruction::Elew(elew) => Operation::Elew(self.take_inputs(elew.num)?, elew),
            Instruction::End(_) => Operation::End,
            Instruction::PoolInit(_) | Instruction::Pool(_) | Instruction::DWInit(_) | Instruction::DptWise(_) => {
                return Err(IllegalInstruction::NotInIsa1 { opcode: instruction.opcode() });
            }
        })
    }

    fn take_inputs(&mut self, num: u32) -> Result<ElewInputs, IllegalInstruction> {
        let missing = IllegalInstruction::MissingInputs { num, pending: self.elew.len() };
        let count = num as usize;
        if count > self.elew.len().min(ELEW_INPUTS) {
            return Err(missing);
        }
        let mut records = [ElewInit::default(); ELEW_INPUTS];
        for (record, init) in records.iter_mut().zip(self.elew.drain(..count)) {
            *record = init;
        }
        Ok(ElewInputs { records, count })
    }
}
