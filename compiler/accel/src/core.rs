//! The core: its state, and the loop over a program.

use dpuc_isa::{Instruction, Latches, Operation, Random, Target};
use dpuc_kernels::simd::Kernels;

use crate::banks::Banks;
use crate::error::{Fault, RunError};
use crate::execute::Scratch;
use crate::regions::Regions;
use crate::statistics::Statistics;

/// Multiplications or comparisons a program may need unless the caller sets another limit: sixteen times those of a large
/// detector (64 G), and minutes, not hours, of this model's time.
const DEFAULT_OPERATION_LIMIT: u64 = 1 << 40;

/// One DPU core: banks, DDR regions and latched Init fields.
#[derive(Clone, Debug)]
pub struct Core {
    pub(crate) target: Target,
    pub(crate) banks: Banks,
    pub(crate) regions: Regions,
    pub(crate) kernels: Kernels,
    pub(crate) statistics: Statistics,
    pub(crate) scratch: Scratch,
    latches: Latches,
    operation_limit: u64,
    end: Option<usize>,
}

impl Core {
    /// A core of the given configuration with all banks 0 and no region defined.
    pub fn new(target: &Target) -> Self {
        Self::with_kernels(target, Kernels::detect())
    }

    /// The same with kernels of a chosen instruction-set tier; results do not depend on it.
    pub fn with_kernels(target: &Target, kernels: Kernels) -> Self {
        Self {
            target: target.clone(),
            banks: Banks::new(target),
            regions: Regions::default(),
            kernels,
            statistics: Statistics::default(),
            scratch: Scratch::default(),
            latches: Latches::new(),
            operation_limit: DEFAULT_OPERATION_LIMIT,
            end: None,
        }
    }

    /// The configuration.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// DDR.
    pub fn regions(&self) -> &Regions {
        &self.regions
    }

    /// DDR, to define, fill and change.
    pub fn regions_mut(&mut self) -> &mut Regions {
        &mut self.regions
    }

    /// Bytes of a bank from `line` (modulo 2048) on, wrapping around at its end.
    ///
    /// Nothing if the target has no such bank.
    pub fn bank_bytes(&self, bank: usize, line: usize, count: usize) -> Option<Vec<i8>> {
        if bank >= self.target.bank_count() {
            return None;
        }
        let mut bytes = vec![0; count];
        self.banks.read(bank as u32, (line % dpuc_isa::BANK_LINES) as u32, &mut bytes);
        Some(bytes)
    }

    /// Fills all banks with garbage; a correct program does not depend on it.
    pub fn scramble_banks(&mut self, seed: u64) {
        let mut random = Random::new(seed);
        self.banks.fill_with(|bytes| fill_random(bytemuck::cast_slice_mut(bytes), &mut random));
    }

    /// Fills a defined region with garbage.
    pub fn scramble_region(&mut self, region: usize, seed: u64) {
        let size = self.regions.size(region).unwrap_or(0);
        if let Ok(bytes) = self.regions.bytes_mut(region, 0, size) {
            fill_random(bytes, &mut Random::new(seed));
        }
    }

    /// Bounds the work of a program: multiply-accumulates of Conv plus channel taps of Alu and Elew.
    pub fn set_operation_limit(&mut self, limit: u64) {
        self.operation_limit = limit;
    }

    /// Runs a program from its first instruction to its End. Banks and regions keep what earlier programs left there.
    ///
    /// # Errors
    /// The first instruction that is illegal, leaves its DDR region, follows the End, or exceeds the operation limit.
    pub fn run(&mut self, program: &[Instruction]) -> Result<Statistics, RunError> {
        self.restart();
        for (index, instruction) in program.iter().enumerate() {
            self.execute(index, instruction)?;
        }
        Ok(self.statistics.clone())
    }

    /// Forgets latched Init fields and statistics: the next instruction is the first of a program.
    pub fn restart(&mut self) {
        self.latches = Latches::new();
        self.statistics = Statistics::default();
        self.end = None;
    }

    /// Counts since the start of the program.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Executes one instruction; `index` is its position in the program, for error messages.
    pub fn execute(&mut self, index: usize, instruction: &Instruction) -> Result<(), RunError> {
        self.step(index, instruction).map_err(|fault| RunError { index, opcode: instruction.opcode(), fault })
    }

    fn step(&mut self, index: usize, instruction: &Instruction) -> Result<(), Fault> {
        if let Some(end) = self.end {
            return Err(Fault::AfterEnd { end });
        }
        let operation = self.latches.resolve(instruction)?;
        operation.check(&self.target)?;
        self.statistics.record(instruction.opcode(), &operation, &self.target);
        if self.statistics.work() > self.operation_limit {
            return Err(Fault::OperationLimit { limit: self.operation_limit });
        }
        match &operation {
            Operation::Load(load) => self.load(load, operation.region_span())?,
            Operation::Save(save) => self.save(save, operation.region_span())?,
            Operation::Conv(init, conv) => self.conv(init, conv),
            Operation::Alu(init, alu) => self.alu(init, alu),
            Operation::Elew(inputs, elew) => self.elew(inputs, elew),
            Operation::ConvInit(_) | Operation::AluInit(_) | Operation::ElewInit(_) => {}
            Operation::End => self.end = Some(index),
        }
        Ok(())
    }
}

fn fill_random(bytes: &mut [u8], random: &mut Random) {
    for bytes in bytes.chunks_mut(8) {
        bytes.copy_from_slice(&random.bits().to_le_bytes()[..bytes.len()]);
    }
}
