//! How AMD's compiler cuts a network into superlayers, as far as its output shows.
//!
//! Read off the compiled samples and `spec/dpuczdx8g-isa.md` section 4.3:
//! 1. a convolution takes a depthwise convolution, pool or sum behind it into its superlayer;
//! 2. a result stays on chip for the superlayers that read it if it fits into one bank group; parts of a concatenation always go to
//!    memory, and every reader of it loads it again;
//! 3. superlayers do not overlap.

use dpuc_isa::Target;

use super::network::{Kind, MapId, Network};

/// Lines of both bank groups together, per bank.
const LINES: u32 = 2 * dpuc_isa::BANK_LINES as u32;

/// One superlayer, by positions of operators.
#[derive(Clone, Copy, Debug)]
pub(super) struct Superlayer {
    /// The convolution.
    pub(super) conv: Option<usize>,
    /// The operator of the misc engine behind it, or alone.
    pub(super) misc: Option<usize>,
}

impl Superlayer {
    /// The operators, in order.
    pub(super) fn operators(self) -> impl Iterator<Item = usize> {
        self.conv.into_iter().chain(self.misc)
    }
}

/// The cut of a network.
pub(super) struct Cut {
    pub(super) superlayers: Vec<Superlayer>,
    /// Whether each map stays on chip between superlayers.
    pub(super) on_chip: Vec<bool>,
    /// Channels between two pixels of each map in memory: more than its own if it is part of a concatenation.
    pub(super) pixel_stride: Vec<u32>,
}

/// Cuts a network.
pub(super) fn cut(network: &Network, target: &Target) -> Cut {
    let superlayers = superlayers(network);
    let mut pixel_stride: Vec<u32> = network.shapes.iter().map(|shape| shape[2]).collect();
    let mut in_memory = vec![false; network.shapes.len()];
    in_memory[0] = true;
    for operator in network.operators.iter().filter(|operator| operator.kind == Kind::Concat) {
        in_memory[operator.output.0] = true;
        for input in &operator.inputs {
            in_memory[input.0] = true;
            pixel_stride[input.0] = network.shape(operator.output)[2];
        }
    }
    // Which superlayer an operator belongs to.
    let mut step_of = vec![0; network.operators.len()];
    for (step, superlayer) in superlayers.iter().enumerate() {
        superlayer.operators().for_each(|operator| step_of[operator] = step);
    }
    let mut occupied = vec![0u32; superlayers.len()];
    let mut on_chip = vec![false; network.shapes.len()];
    for (step, superlayer) in superlayers.iter().enumerate() {
        let Some(operator) = superlayer.operators().last() else { continue };
        let operator = &network.operators[operator];
        let map = operator.output;
        let Some(last) = network.readers(map).map(|reader| step_of[reader]).max() else { continue };
        let lines = lines(network.shape(map), target);
        if in_memory[map.0] || lines > LINES / 2 {
            continue;
        }
        // A sum overwrites an operand that nobody reads later.
        let dies = |input: MapId| on_chip[input.0] && network.readers(input).all(|reader| step_of[reader] <= step);
        let in_place = operator.kind == Kind::Add && operator.inputs.iter().any(|&input| dies(input));
        let first = if in_place { step + 1 } else { step };
        if (first..=last).all(|step| occupied[step] + lines <= LINES) {
            on_chip[map.0] = true;
            occupied[first..=last].iter_mut().for_each(|occupied| *occupied += lines);
        }
    }
    Cut { superlayers, on_chip, pixel_stride }
}

/// Lines per bank of a whole map.
pub(super) fn lines([height, width, channels]: [u32; 3], target: &Target) -> u32 {
    height.div_ceil(target.pixel_parallel as u32) * width * target.lines(channels as usize) as u32
}

fn superlayers(network: &Network) -> Vec<Superlayer> {
    let mut superlayers = Vec::new();
    let mut taken = vec![false; network.operators.len()];
    for (at, operator) in network.operators.iter().enumerate() {
        if taken[at] || operator.kind == Kind::Concat {
            continue;
        }
        if operator.kind != Kind::Conv {
            superlayers.push(Superlayer { conv: None, misc: Some(at) });
            continue;
        }
        let mut readers = network.readers(operator.output);
        let next = match (readers.next(), readers.next()) {
            (Some(next), None) => Some(next),
            _ => None,
        };
        // A sum goes with the last of its operands.
        let ready = |next: usize| network.operators[next].inputs.iter().all(|input| input.0 <= operator.output.0);
        let misc = next.filter(|&next| {
            matches!(network.operators[next].kind, Kind::Depthwise | Kind::Pool | Kind::Add) && ready(next)
        });
        if let Some(misc) = misc {
            taken[misc] = true;
        }
        superlayers.push(Superlayer { conv: Some(at), misc });
    }
    superlayers
}
