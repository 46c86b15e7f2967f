//! One sub-problem as the tile recipe sees it, whatever engine computes it.

use dpuc_isa::Target;

use crate::axis::{Phase, Sampling, Span};
use crate::layer::FeatureMap;
use crate::source::Source;

/// How channels of the output depend on channels of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channels {
    /// Every output channel reads every input channel.
    All {
        /// Input channels.
        input: u32,
        /// Output channels.
        output: u32,
    },
    /// Every output channel reads the input channel of the same number.
    Same(u32),
}

impl Channels {
    pub(crate) const fn output(self) -> u32 {
        match self {
            Self::All { output, .. } => output,
            Self::Same(channels) => channels,
        }
    }
}

/// Sizes of one instruction of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Output rows.
    pub(crate) rows: u32,
    /// Output columns.
    pub(crate) columns: u32,
    /// Lines between rows of one bank.
    pub(crate) row_jump: u32,
    /// Row interleave of the input, and columns by which a window moves.
    pub(crate) interleave: u32,
}

impl Reach {
    pub(crate) const fn conv(target: &Target) -> Self {
        Self { rows: target.pixel_parallel as u32, columns: 1024, row_jump: 1024, interleave: 8 }
    }

    pub(crate) const fn misc(target: &Target) -> Self {
        Self { rows: target.alu_pixel_parallel as u32, columns: 2048, row_jump: 8192, interleave: 256 }
    }

    /// The same with windows that move by `stride` columns: further than the engine can, one column at a time.
    pub(crate) const fn for_stride(self, stride: u32) -> Self {
        if stride > self.interleave { Self { columns: 1, ..self } } else { self }
    }

    /// Load and Save alone.
    pub(crate) const fn copy(target: &Target) -> Self {
        Self { rows: target.pixel_parallel as u32, columns: 2048, row_jump: 8192, interleave: 1 }
    }
}

/// Weights in the on-chip weight memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WeightSize {
    /// Lines of one output-channel group in each bank.
    pub(crate) lines: u32,
    /// Bytes of one output-channel group.
    pub(crate) bytes: u32,
}

impl WeightSize {
    /// No weights.
    pub(crate) const NONE: Self = Self { lines: 0, bytes: 0 };
}

/// One sub-problem.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) rows: Span,
    pub(crate) columns: Span,
    pub(crate) source: Source,
    /// Where each output row is saved: one map, or several that get the same pixels.
    pub(crate) outputs: Vec<FeatureMap>,
    pub(crate) channels: Channels,
    pub(crate) reach: Reach,
    pub(crate) weights: WeightSize,
    /// Whether results get lines of their own; a plain copy is saved from where it was loaded.
    pub(crate) computes: bool,
}

impl Task {
    /// The sub-problem of one phase of each axis of an operator on one input map. If all its windows are padding, a 1 × 1
    /// window over nothing takes its place.
    pub(crate) fn of_phases(
        input: &FeatureMap,
        output: &FeatureMap,
        [rows, columns]: [&Phase; 2],
        channels: Channels,
        reach: Reach,
        weights: WeightSize,
    ) -> Self {
        let outputs = vec![sample(output, rows.output, columns.output)];
        if rows.span.is_padding() || columns.span.is_padding() {
            let nothing = |span: &Span| Span { size: 0, ..Span::identity(span.count) };
            return Self {
                rows: nothing(&rows.span),
                columns: nothing(&columns.span),
                source: Source::Padding,
                outputs,
                channels: match channels {
                    Channels::All { output, .. } => Channels::All { input: 0, output },
                    same @ Channels::Same(_) => same,
                },
                reach,
                weights: WeightSize::NONE,
                computes: true,
            };
        }
        Self {
            rows: rows.span,
            columns: columns.span,
            source: Source::Maps(vec![sample(input, rows.input, columns.input)]),
            outputs,
            channels,
            reach,
            weights,
            computes: true,
        }
    }

    /// A sub-problem where output pixel and input pixel have the same place.
    pub(crate) fn pointwise(
        inputs: Vec<FeatureMap>,
        outputs: Vec<FeatureMap>,
        reach: Reach,
        weights: WeightSize,
    ) -> Self {
        let shape = inputs[0];
        Self {
            rows: Span::identity(shape.height),
            columns: Span::identity(shape.width),
            channels: Channels::Same(shape.channels),
            source: Source::Maps(inputs),
            outputs,
            reach,
            weights,
            computes: true,
        }
    }
}

/// The view of a map that consists of some of its rows and columns.
pub(crate) const fn sample(map: &FeatureMap, rows: Sampling, columns: Sampling) -> FeatureMap {
    let offset = (rows.offset as u64)
        .saturating_mul(map.row_stride as u64)
        .saturating_add((columns.offset as u64).saturating_mul(map.pixel_stride as u64));
    let offset = if offset > u32::MAX as u64 { u32::MAX } else { offset as u32 };
    FeatureMap {
        address: map.address.saturating_add(offset),
        height: rows.count,
        width: columns.count,
        row_stride: map.row_stride.saturating_mul(rows.step),
        pixel_stride: map.pixel_stride.saturating_mul(columns.step),
        ..*map
    }
}
