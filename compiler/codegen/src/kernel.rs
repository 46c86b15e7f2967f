//! What all members of the convolution family share: their sub-problems, and loading kernels (`spec/recipes-conv.md` section 3).

use crate::axis::{Phase, Sampling, convolution_phases, transposed_phases};
use crate::layer::{Constant, Convolution};
use crate::source::{BankLine, DdrPixels};
use crate::stage::InputPlace;
use crate::stream::Stream;
use crate::task::{Channels, Reach, Task, WeightSize};

/// The kernel taps a sub-problem uses: rows, columns.
pub(crate) type Taps = [Sampling; 2];

/// Phases of both axes of a convolution.
pub(crate) fn sliding(convolution: &Convolution, place: InputPlace) -> [Vec<Phase>; 2] {
    let fold = place == InputPlace::Ddr;
    let Convolution { input, output, kernel, strides, pads, dilations, .. } = convolution;
    [
        convolution_phases(input.height, output.height, kernel[0], strides[0], pads[0], dilations[0], fold),
        convolution_phases(input.width, output.width, kernel[1], strides[1], pads[1], dilations[1], fold),
    ]
}

/// Phases of both axes of a transposed convolution.
pub(crate) fn transposed(convolution: &Convolution) -> [Vec<Phase>; 2] {
    let Convolution { input, output, kernel, strides, pads, .. } = convolution;
    [
        transposed_phases(input.height, output.height, kernel[0], strides[0], pads[0]),
        transposed_phases(input.width, output.width, kernel[1], strides[1], pads[1]),
    ]
}

/// The sub-problems of a convolution: every pair of phases. `weights` gives the size of a kernel with some taps.
pub(crate) fn sub_problems(
    convolution: &Convolution,
    [rows, columns]: &[Vec<Phase>; 2],
    channels: Channels,
    reach: Reach,
    weights: impl Fn(u32) -> WeightSize,
) -> Vec<(Task, Taps)> {
    let Convolution { input, output, .. } = convolution;
    let pairs = rows.iter().flat_map(|rows| columns.iter().map(move |columns| [rows, columns]));
    let sub_problem = |phases: [&Phase; 2]| {
        let taps = phases.map(|phase| phase.taps);
        let size = weights(taps[0].count * taps[1].count);
        (Task::of_phases(input, output, phases, channels, reach, size), taps)
    };
    pairs.map(sub_problem).collect()
}

/// A kernel in DDR: `rows · columns` taps of `channels` bytes, row by row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoredKernel {
    pub(crate) place: Constant,
    pub(crate) rows: u32,
    pub(crate) columns: u32,
    pub(crate) channels: u32,
}

impl StoredKernel {
    pub(crate) const fn bytes(&self) -> u32 {
        self.rows * self.columns * self.channels
    }

    /// Loads `bytes` channels from `channel` on of each of some taps: at once if they are the whole kernel, else row by row.
    pub(crate) fn load(
        &self,
        stream: &mut Stream,
        [rows, columns]: Taps,
        [channel, bytes]: [u32; 2],
        to: BankLine,
        lines_per_tap: u32,
    ) {
        let mut load = |taps: Sampling, before: u32| {
            let pixels = DdrPixels {
                region: self.place.region,
                address: self.place.address + taps.offset * self.channels + channel,
                stride: taps.step * self.channels,
                count: taps.count,
                bytes,
            };
            pixels.load(stream, to.after(before * lines_per_tap), lines_per_tap);
        };
        if [rows, columns] == [Sampling::all(self.rows), Sampling::all(self.columns)] {
            load(Sampling::all(self.rows * self.columns), 0);
            return;
        }
        for row in 0..rows.count {
            let offset = (rows.offset + row * rows.step) * self.columns + columns.offset;
            load(Sampling { offset, ..columns }, row * columns.count);
        }
    }
}
