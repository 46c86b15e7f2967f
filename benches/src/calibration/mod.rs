//! The timing model against published times.
//!
//! Two kinds of programs are timed: AMD's own, from the compiled samples, and programs built from the shapes of a network in the manner of
//! AMD's compiler, because published times are those of AMD's code. How near the manner is to the original is told by the networks of
//! which both exist.

pub(crate) mod network;
mod published;
mod report;
mod stream;
mod tokens;
mod vendor;
pub(crate) mod zoo;

use dpuc_accel::Statistics;
use dpuc_accel::timing::simulate;
use dpuc_isa::{Instruction, Target};
use dpuc_runtime::DpuProgram;
use dpuc_xmodel::GraphIndex;

pub use self::network::{Kind, MapId, Network, Operator};
pub use self::published::{Published, Role, Subject, YOLOX_HOST_MILLISECONDS, published};
pub use self::report::{json, markdown};

use crate::sample;

/// One comparison.
pub struct Row {
    /// The published time.
    pub published: Published,
    /// Modelled milliseconds.
    pub modelled: f64,
    /// Modelled cycles.
    pub cycles: u64,
    /// Instructions.
    pub instructions: usize,
    /// Bytes from and to memory.
    pub bytes: [u64; 2],
    /// Busy cycles of each engine, by [`dpuc_isa::Engine::index`].
    pub busy: [u64; 4],
}

impl Row {
    /// Models what was measured; `None`, with a notice, if its sample is not there.
    ///
    /// # Panics
    /// If the program is illegal.
    pub fn of(published: Published) -> Option<Self> {
        let target = Target::from_name(&format!("DPUCZDX8G_ISA1_{}", published.target)).expect("a registered target");
        let program = match published.subject {
            Subject::Sample(name) => sample_program(name)?,
            Subject::Shapes(network) => stream::program(&network(), &target),
        };
        let board = published.board();
        let name = published.name;
        let timeline =
            simulate(&program, &target, &board, published.cores).unwrap_or_else(|error| panic!("{name}: {error}"));
        let statistics = Statistics::of(&program, &target).unwrap_or_else(|error| panic!("{name}: {error}"));
        Some(Self {
            modelled: board.milliseconds(timeline.cycles),
            cycles: timeline.cycles,
            instructions: program.len(),
            bytes: [statistics.loaded_from.iter().sum(), statistics.saved_bytes],
            busy: timeline.busy,
            published,
        })
    }

    /// Modelled minus published, as a share of the published time.
    pub fn error(&self) -> f64 {
        self.modelled / self.published.milliseconds - 1.0
    }
}

/// All comparisons whose programs are there.
pub fn rows() -> Vec<Row> {
    published().into_iter().filter_map(Row::of).collect()
}

/// The only DPU program of a sample.
fn sample_program(name: &str) -> Option<Vec<Instruction>> {
    let graph = sample(name)?;
    let index = GraphIndex::new(&graph);
    let subgraphs = index.dpu_subgraphs().expect("a valid sample");
    Some(DpuProgram::load(subgraphs.first()?).expect("a valid sample").instructions)
}

#[cfg(test)]
mod tests {
    use dpuc_accel::{Finding, check};
    use dpuc_isa::Opcode;

    use super::*;

    fn b4096() -> Target {
        Target::from_name("DPUCZDX8G_ISA1_B4096").expect("a registered target")
    }

    /// GOP as published, so that the shapes are those of the networks.
    #[test]
    fn networks_have_the_published_operations() {
        for (network, giga) in [
            (zoo::vgg([2, 2, 3, 3, 3]), 30.96),
            (zoo::vgg([2, 2, 4, 4, 4]), 39.28),
            (zoo::resnet([3, 4, 6, 3], zoo::Halving::First), 7.76),
            (zoo::resnet([3, 4, 6, 3], zoo::Halving::Middle), 8.2),
            (zoo::resnet([3, 4, 6, 3], zoo::Halving::Last), 6.97),
            (zoo::resnet([3, 4, 23, 3], zoo::Halving::Last), 14.4),
            (zoo::resnet([3, 8, 36, 3], zoo::Halving::Last), 21.83),
            (zoo::resnet18(1000), 3.65),
            (zoo::inception_v1(), 3.0),
            (zoo::inception_v3(), 11.45),
            (zoo::mobilenet_v1(224, 4), 1.14),
            (zoo::mobilenet_v1(160, 2), 0.15),
            (zoo::mobilenet_v1(128, 1), 0.027),
            (zoo::mobilenet_v2(10, 1001), 0.602),
            (zoo::mobilenet_v2(14, 1001), 1.16),
            (zoo::squeezenet(), 0.7034),
        ] {
            let found = network.operations() as f64 * 1e-9;
            assert!((found / giga - 1.0).abs() < 0.025, "{found} instead of {giga}");
        }
    }

    /// The figures of two real streams: `spec/dpuczdx8g-isa.md` sections 0.2 and 7.
    #[test]
    fn mobilenet_v2_is_cut_as_by_amd() {
        let network = zoo::mobilenet_v2(10, 3);
        assert_eq!(vendor::cut(&network, &b4096()).superlayers.len(), 36);
        let statistics = Statistics::of(&stream::program(&network, &b4096()), &b4096()).unwrap();
        assert_eq!(statistics.saved_bytes, 1_154_051);
        assert_eq!(statistics.loaded.features, 1_379_840);
        assert_eq!(statistics.loaded.parameters(), 2_210_659);
        assert_eq!(statistics.instructions[&Opcode::Load], 10_441);
    }

    /// Of `SqueezeNet` there is AMD's own program: the one in its manner takes as long and saves the same bytes.
    #[test]
    fn the_manner_is_the_original_s() {
        let squeezenet = || published().into_iter().filter(|published| published.name == "SqueezeNet_pt");
        let [original, manner] = [Role::Fitted, Role::Compared]
            .map(|role| squeezenet().find(|published| published.role == role).and_then(Row::of));
        let (Some(original), Some(manner)) = (original, manner) else { return };
        assert_eq!(original.bytes[1], manner.bytes[1]);
        let ratio = manner.cycles as f64 / original.cycles as f64;
        assert!((ratio - 1.0).abs() < 0.01, "{ratio}");
    }

    /// The page shows what the command prints.
    #[test]
    fn the_tables_are_those_of_the_page() {
        let rows = rows();
        if rows.len() < published().len() {
            return;
        }
        let page = include_str!("../../CALIBRATION.md");
        assert!(page.contains(&markdown(&rows)), "paste the output of `calibrate` into benches/CALIBRATION.md");
    }

    /// The aims of the calibration: 10 % on classification networks, 15 % on what was held back. One published rate is beyond
    /// (`benches/CALIBRATION.md`).
    #[test]
    fn the_aims_are_met() {
        let beyond = |role: Role, aim: f64| {
            let rows = rows().into_iter().filter(move |row| row.published.role == role && row.error().abs() > aim);
            rows.map(|row| row.published.name).collect::<Vec<_>>()
        };
        assert_eq!(beyond(Role::Fitted, 0.05), Vec::<&str>::new());
        assert_eq!(beyond(Role::Compared, 0.1), ["mobilenet_v1_0_5_160_tf"]);
        assert_eq!(beyond(Role::HeldBack, 0.15), Vec::<&str>::new());
    }

    #[test]
    fn tokens_are_balanced() {
        for network in [zoo::squeezenet(), zoo::inception_v1(), zoo::mobilenet_v1(128, 1), zoo::resnet18(10)] {
            for target in Target::registered() {
                let program = stream::program(&network, &target);
                let report = check(&program, &target, usize::MAX);
                // Without addresses every access conflicts; only the tokens are looked at.
                let token =
                    |finding: &&Finding| !matches!(finding, Finding::Race { .. } | Finding::UndefinedRead { .. });
                assert_eq!(report.findings.iter().find(token), None, "{}", target.name);
            }
        }
    }
}
