//! What a program did.

use std::collections::BTreeMap;

use dpuc_isa::{Instruction, Latches, Opcode, Operation, Save, Target};

use crate::error::RunError;
use crate::regions::REGIONS;

/// Counts of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Executed instructions of each kind.
    pub instructions: BTreeMap<Opcode, u64>,
    /// Bytes that Loads moved from DDR, by destination.
    pub loaded: LoadedBytes,
    /// The same bytes by the DDR region they come from. Constants may also go to feature-map banks.
    pub loaded_from: [u64; REGIONS],
    /// Bytes that Saves moved to DDR.
    pub saved_bytes: u64,
    /// Multiply-accumulates of the convolution array: every output row, column and channel of every Conv, surplus channels and
    /// masked inputs included.
    pub conv_macs: u64,
    /// Taps times channels that the misc engine processed in Alu and Elew.
    pub misc_operations: u64,
}

impl Statistics {
    /// Counts of a program without executing it.
    ///
    /// # Errors
    /// The first illegal instruction.
    pub fn of(program: &[Instruction], target: &Target) -> Result<Self, RunError> {
        let mut statistics = Self::default();
        let mut latches = Latches::new();
        for (index, instruction) in program.iter().enumerate() {
            let operation =
                latches.resolve(instruction).and_then(|operation| operation.check(target).map(|()| operation));
            let operation =
                operation.map_err(|cause| RunError { index, opcode: instruction.opcode(), fault: cause.into() })?;
            statistics.record(instruction.opcode(), &operation, target);
        }
        Ok(statistics)
    }

    /// Executed instructions of all kinds.
    pub fn instruction_count(&self) -> u64 {
        self.instructions.values().sum()
    }

    /// Bytes that a Save moves.
    pub fn saved_by(save: &Save) -> u64 {
        let argmax = save.argmax >= 2 && save.const_en == 0;
        u64::from(save.length) * u64::from(if argmax { 1 } else { save.channel })
    }

    /// Work of all engines that compute.
    pub(crate) fn work(&self) -> u64 {
        self.conv_macs.saturating_add(self.misc_operations)
    }

    /// Adds one operation.
    pub(crate) fn record(&mut self, opcode: Opcode, operation: &Operation, target: &Target) {
        *self.instructions.entry(opcode).or_default() += 1;
        match operation {
            Operation::Load(load) if !load.is_constant() => {
                let moved = u64::from(load.length) * u64::from(load.channel);
                self.loaded.add(target, load.bank_id, moved);
                self.loaded_from[load.reg_id as usize] += moved;
            }
            Operation::Save(save) => self.saved_bytes += Self::saved_by(save),
            Operation::Conv(..) => self.conv_macs = self.conv_macs.saturating_add(operation.work(target)),
            Operation::Alu(..) | Operation::Elew(..) => {
                self.misc_operations = self.misc_operations.saturating_add(operation.work(target));
            }
            _ => {}
        }
    }
}

/// Bytes moved from DDR to the banks of each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadedBytes {
    /// To feature-map banks.
    pub features: u64,
    /// To convolution weight banks.
    pub conv_weights: u64,
    /// To the depthwise weight bank.
    pub depthwise_weights: u64,
    /// To the bias bank.
    pub bias: u64,
}

impl LoadedBytes {
    /// To parameter banks of any class.
    pub const fn parameters(&self) -> u64 {
        self.conv_weights + self.depthwise_weights + self.bias
    }

    pub(crate) fn add(&mut self, target: &Target, bank: u32, bytes: u64) {
        let bank = bank as usize;
        *if bank < target.feature_banks() {
            &mut self.features
        } else if bank < target.depthwise_weight_bank() {
            &mut self.conv_weights
        } else if bank < target.bias_bank() {
            &mut self.depthwise_weights
        } else {
            &mut self.bias
        } += bytes;
    }
}
