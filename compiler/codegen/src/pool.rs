//! Max and average pools (`spec/recipes-conv.md` sections 4 and 5.4).

use dpuc_isa::{AluInit, AluMode, Target};

use crate::alu::{AluParameters, push_alu};
use crate::axis::convolution_phases;
use crate::block::{Block, Compute};
use crate::layer::{Pool, PoolKind};
use crate::numeric::{average_factor, pool_shift_field};
use crate::stage::InputPlace;
use crate::stream::Stream;
use crate::task::{Channels, Reach, Task, WeightSize};

/// The sub-problems of a pool: always one.
pub(crate) fn pool_tasks(pool: &Pool, place: InputPlace, target: &Target) -> Vec<Task> {
    let Pool { input, output, kernel, strides, pads, .. } = pool;
    let fold = place == InputPlace::Ddr;
    let rows = convolution_phases(input.height, output.height, kernel[0], strides[0], pads[0], 1, fold);
    let columns = convolution_phases(input.width, output.width, kernel[1], strides[1], pads[1], 1, fold);
    let (channels, weights) = (Channels::Same(input.channels), WeightSize::NONE);
    let task = |rows, columns| Task::of_phases(input, output, [rows, columns], channels, Reach::misc(target), weights);
    rows.iter().flat_map(|rows| columns.iter().map(move |columns| task(rows, columns))).collect()
}

/// The right shift behind the maximum or behind the scaled sum; a left shift if negative.
pub(crate) fn pool_shift(pool: &Pool) -> i64 {
    let rescale = i64::from(pool.input.fix_point) - i64::from(pool.output.fix_point);
    match pool.kind {
        PoolKind::Max => rescale,
        PoolKind::Average => i64::from(average_factor(pool.kernel).1) + rescale,
    }
}

/// Computes blocks with Alu modes 2 and 3.
pub(crate) struct PoolCompute {
    operation: AluInit,
}

impl PoolCompute {
    pub(crate) fn new(pool: &Pool) -> Self {
        let (mode, multi_factor) = match pool.kind {
            PoolKind::Max => (AluMode::MaxPool, 0),
            PoolKind::Average => (AluMode::AveragePool, average_factor(pool.kernel).0),
        };
        let shift_cut = pool_shift_field(pool_shift(pool)) as u32;
        Self { operation: AluInit { exec_mode: mode as u32, multi_factor, shift_cut, ..AluInit::default() } }
    }
}

impl Compute for PoolCompute {
    fn compute(&mut self, stream: &mut Stream, block: &Block) {
        push_alu(stream, block, self.operation, AluParameters::default());
    }
}
