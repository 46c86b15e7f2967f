//! The model against a second, literal transcription of the specification, on random legal programs for all targets.

mod machine;

use dpuc_accel::Core;
use dpuc_isa::{
    Alu, AluInit, AluMode, BANK_LINES, Bounds, Conv, ConvInit, Instruction, LegalGenerator, Opcode, Target,
};
use dpuc_kernels::simd::{Kernels, Tier};

use machine::Machine;

const REGION_BYTES: u32 = 1 << 16;

/// A core with garbage in all memories, and the literal machine in the same state.
fn pair(target: &Target, kernels: Kernels, seed: u64) -> (Core, Machine<'_>) {
    let mut core = Core::with_kernels(target, kernels);
    core.scramble_banks(seed);
    let mut regions = Vec::new();
    for region in 0..8 {
        core.regions_mut().define(region, REGION_BYTES as usize).unwrap();
        core.scramble_region(region, seed + 1 + region as u64);
        regions.push(core.regions().bytes(region, 0, REGION_BYTES as usize).unwrap().to_vec());
    }
    let machine = Machine::new(target, banks(&core), regions);
    (core, machine)
}

fn banks(core: &Core) -> Vec<Vec<i8>> {
    let bytes = BANK_LINES * core.target().line_bytes();
    (0..core.target().bank_count()).map(|bank| core.bank_bytes(bank, 0, bytes).unwrap()).collect()
}

fn assert_same_memories(core: &Core, machine: &Machine, program: &[Instruction], seed: u64) {
    let name = &core.target().name;
    for (bank, (ours, literal)) in banks(core).iter().zip(&machine.banks).enumerate() {
        assert!(ours == literal, "{name}, seed {seed}: bank {bank} differs after {program:#?}");
    }
    for (region, literal) in machine.regions.iter().enumerate() {
        let ours = core.regions().bytes(region, 0, literal.len()).unwrap();
        assert!(ours == literal, "{name}, seed {seed}: region {region} differs after {program:#?}");
    }
}

fn check(target: &Target, kernels: Kernels, seed: u64, program: &[Instruction]) {
    let (mut core, mut machine) = pair(target, kernels, seed);
    core.run(program).unwrap();
    for instruction in program {
        machine.execute(instruction);
    }
    assert_same_memories(&core, &machine, program, seed);
}

/// Every operation alone, so that a difference names its instruction.
#[test]
fn single_operations() {
    for (t, target) in Target::registered().iter().enumerate() {
        for opcode in [Opcode::Load, Opcode::Save, Opcode::Conv, Opcode::Alu, Opcode::Elew] {
            let count = if opcode == Opcode::Alu { 90 } else { 25 };
            for round in 0..count {
                let seed = 1_000_000 * t as u64 + 1_000 * opcode as u64 + round;
                let bounds = Bounds { region_bytes: REGION_BYTES, work: 1 << (10 + round % 9) };
                let program = LegalGenerator::new(seed, target, bounds).operation_of(opcode);
                check(target, Kernels::detect(), seed, &program);
            }
        }
    }
}

/// Programs in which instructions read what others wrote, on every instruction-set tier of this machine.
#[test]
fn programs_on_every_tier() {
    for kernels in Tier::ALL.into_iter().filter_map(Kernels::new) {
        for (t, target) in Target::registered().iter().enumerate() {
            for round in 0..3 {
                let seed = 77 + 100 * t as u64 + round;
                let bounds = Bounds { region_bytes: REGION_BYTES, work: 1 << 14 };
                let program = LegalGenerator::new(seed, target, bounds).program(40);
                check(target, kernels, seed, &program);
            }
        }
    }
}

/// Larger than the parts in which the model works: windows that do not fit one tile, kernels whose weights do not fit one part.
#[test]
fn operations_in_parts() {
    for target in [&Target::registered()[1], &Target::registered()[7]] {
        let rows = target.pixel_parallel as u32;
        let init =
            ConvInit { kernel_h: 3, kernel_w: 3, stride_w: 2, valid_pixel_parallel: rows, ..ConvInit::default() };
        let init = ConvInit { shift_cut: 7, jump_read: 6, ..init };
        let pads = Conv { pad_top: 1, pad_left: 1, pad_bottom: 1, pad_right: 1, ..Conv::default() };
        let conv = Conv { length: 301, channel_group: 6, channel_offset: 3, bank_id_in: rows + 2, ..pads };
        check(target, Kernels::detect(), 1, &[init.into(), conv.into()]);
        for mode in [AluMode::Depthwise, AluMode::DepthwiseNoBias, AluMode::WideWeights] {
            let init =
                AluInit { exec_mode: mode as u32, kernel_h: 128, kernel_w: 256, stride_h: 17, ..AluInit::default() };
            let init = AluInit { shift_cut: 12, jump_read_weights: 3, length: 2, channel_offset: 1, ..init };
            let alu = Alu { kernel_d: 3, pad_left: 2, pad_bottom: 120, pad_right: 255, ..Alu::default() };
            check(target, Kernels::detect(), 2, &[init.into(), alu.into()]);
        }
    }
}
