//! A superlayer before its sizes are chosen: stages, and the buffers between them.

use dpuc_isa::Target;

use crate::onchip::OnChip;
use crate::stage::Stage;

/// What fills a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filler {
    /// Loads of an operand of a stage.
    Loads {
        /// The stage whose source it is.
        stage: usize,
        /// The operand of that stage.
        operand: usize,
    },
    /// Stages of this superlayer; the buffer lives as long as the superlayer runs.
    Stages,
    /// It has a place of its own beyond this superlayer, which may read it or fill it.
    Resident(OnChip),
}

/// A feature map on chip.
#[derive(Clone, Debug)]
pub(crate) struct Buffer {
    /// What fills it.
    pub(crate) filler: Filler,
    /// Rows per bank.
    pub(crate) interleave: u32,
    /// Rows and columns of the map.
    pub(crate) size: [u32; 2],
    /// Lines of a pixel with all channels.
    pub(crate) pixel_lines: u32,
    /// Stages of this superlayer that write it.
    pub(crate) producers: Vec<usize>,
    /// Stages of this superlayer that read it.
    pub(crate) consumers: Vec<usize>,
}

impl Buffer {
    /// The rows as they lie in banks; line and number of passes are not yet known.
    pub(crate) fn shape(&self, target: &Target) -> OnChip {
        if let Filler::Resident(map) = self.filler {
            return map;
        }
        OnChip {
            group: 0,
            banks: target.pixel_parallel as u32,
            line: 0,
            interleave: self.interleave,
            passes: 1,
            first_column: 0,
            columns: self.size[1],
            pixel_lines: self.pixel_lines,
            offset: 0,
        }
    }
}

/// Where a stage puts its result on chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    /// The buffer.
    pub(crate) buffer: usize,
    /// Lines of a pixel in front of the stage's first channel.
    pub(crate) offset: u32,
}

/// Stages that run together, row block by row block.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// In an order in which they can run.
    pub(crate) stages: Vec<Stage>,
    /// The buffer of each operand of each stage.
    pub(crate) operands: Vec<Vec<usize>>,
    /// Where each stage puts its result; plain copies have none.
    pub(crate) results: Vec<Option<Destination>>,
    /// Whether the result of each stage goes to DDR.
    pub(crate) saves: Vec<bool>,
    /// Feature maps on chip.
    pub(crate) buffers: Vec<Buffer>,
}

impl Draft {
    /// A stage that reads DDR and writes DDR.
    pub(crate) fn of_stage(stage: Stage, interleave: u32, target: &Target) -> Self {
        let groups = stage.groups(target);
        let operands: Vec<usize> = (0..stage.source.operands() as usize).collect();
        let loaded = |operand: usize| Buffer {
            filler: Filler::Loads { stage: 0, operand },
            interleave,
            size: stage.input_size(),
            pixel_lines: stage.input_lines(groups, target),
            producers: Vec::new(),
            consumers: vec![0],
        };
        let mut buffers: Vec<Buffer> = operands.iter().map(|&operand| loaded(operand)).collect();
        let result = stage.engine.is_some().then(|| {
            buffers.push(Buffer {
                filler: Filler::Stages,
                interleave: stage.output_interleaves().0,
                size: stage.size,
                pixel_lines: groups,
                producers: vec![0],
                consumers: Vec::new(),
            });
            Destination { buffer: buffers.len() - 1, offset: 0 }
        });
        Self { stages: vec![stage], operands: vec![operands], results: vec![result], saves: vec![true], buffers }
    }

    /// Whether nobody in the superlayer reads the result of a stage.
    pub(crate) fn is_sink(&self, stage: usize) -> bool {
        self.results[stage].is_none_or(|result| self.buffers[result.buffer].consumers.is_empty())
    }

    /// Whether all rows of the result of a stage must be computed, whether or not somebody in the superlayer reads them.
    pub(crate) fn is_complete(&self, stage: usize) -> bool {
        let resident = |buffer: usize| matches!(self.buffers[buffer].filler, Filler::Resident(_));
        self.saves[stage] || self.is_sink(stage) || self.results[stage].is_some_and(|result| resident(result.buffer))
    }
}
