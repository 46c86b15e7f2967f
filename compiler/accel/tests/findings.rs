//! Each finding of the check, on the smallest program that has it and on its nearest correct neighbour.

use dpuc_accel::{Finding, Hazard, Place, check};
use dpuc_isa::{
    Conv, ConvInit, Elew, ElewInit, End, Engine, EngineSet, Instruction, Lines, Load, Save, Target, Tokens,
};

const L: u32 = 1;
const S: u32 = 2;
const C: u32 = 4;
const M: u32 = 8;

fn target() -> Target {
    Target::registered().remove(0)
}

/// An instruction with its own bit in both masks, and the given engines besides.
fn with(instruction: impl Into<Instruction>, wait: u32, notify: u32) -> Instruction {
    let mut instruction = instruction.into();
    let own = EngineSet::only(instruction.engine()).bits();
    let (wait, notify) = (EngineSet::from_bits(wait | own), EngineSet::from_bits(notify | own));
    *instruction.tokens_mut() = Tokens { wait, notify };
    instruction
}

fn load(bank_id: u32, bank_addr: u32) -> Load {
    Load { bank_id, bank_addr, channel: 8, reg_id: 0, ..Load::default() }
}

fn save(bank_id: u32, bank_addr: u32) -> Save {
    Save { bank_id, bank_addr, channel: 8, reg_id: 1, ..Save::default() }
}

fn findings(program: &[Instruction]) -> Vec<Finding> {
    let mut program = program.to_vec();
    program.push(with(End::default(), 0, 0));
    check(&program, &target(), 100).findings
}

fn race(first: usize, second: usize, hazard: Hazard, bank: u16, line: u16) -> Finding {
    Finding::Race { first, second, hazard, place: Place::Line { bank, line } }
}

#[test]
fn read_after_write() {
    assert_eq!(findings(&[with(load(2, 2047), 0, S), with(save(2, 2047), L, 0)]), []);
    let unordered = [with(load(2, 2047), 0, 0), with(save(2, 2047), 0, 0)];
    assert_eq!(findings(&unordered), [race(0, 1, Hazard::ReadAfterWrite, 2, 2047)]);
}

#[test]
fn write_after_read() {
    let first = [with(load(0, 0), 0, S), with(save(0, 0), L, L)];
    assert_eq!(findings(&[first[0], first[1], with(load(0, 0), S, 0)]), []);
    let found = findings(&[first[0], with(save(0, 0), L, 0), with(load(0, 0), 0, 0)]);
    assert_eq!(found, [race(1, 2, Hazard::WriteAfterRead, 0, 0)]);
}

#[test]
fn write_after_write_across_the_end_of_the_ring() {
    let input = ElewInit { bank_id_in: 1, ..ElewInit::default() };
    let elew = Elew { bank_id_out: 3, bank_addr_out: 2040, length: 16, ..Elew::default() };
    let input_pixels = Load { length: 16, ..load(1, 0) };
    let program = |wait, notify| {
        [
            with(input_pixels, 0, M),
            with(input, L, 0),
            with(Elew { jump_write: 1, ..elew }, 0, notify),
            with(load(3, 7), wait, 0),
        ]
    };
    // The input is one pixel read sixteen times, the output wraps to lines 0 to 7.
    assert_eq!(findings(&program(M, L)), []);
    assert_eq!(findings(&program(0, 0)), [race(2, 3, Hazard::WriteAfterWrite, 3, 7)]);
}

#[test]
fn order_is_transitive_and_includes_earlier_instructions_of_an_engine() {
    // load -> misc -> save: nothing goes from load to save directly, and the token is that of a later Load.
    let program = [
        with(load(0, 0), 0, 0),
        with(load(1, 0), 0, M),
        with(ElewInit { bank_id_in: 1, ..ElewInit::default() }, L, 0),
        with(Elew { bank_id_out: 2, ..Elew::default() }, 0, S),
        with(save(0, 0), M, 0),
    ];
    assert_eq!(findings(&program), []);
}

#[test]
fn instructions_of_one_engine_do_not_race() {
    let overwritten = with(load(0, 0), 0, 0);
    assert_eq!(findings(&[overwritten, overwritten]), []);
}

#[test]
fn ddr_races_are_exact_to_the_byte() {
    // Pixels of 3 bytes every 8 bytes; the Load reads the 5 bytes between them.
    let stored = Save { channel: 3, length: 4, jump_write: 8, jump_read: 1, reg_id: 5, ..save(0, 0) };
    let between = Load { channel: 5, length: 4, jump_read: 8, reg_id: 5, ddr_addr: 3, ..load(1, 0) };
    let program = |loaded: Load| [with(Load { length: 4, ..load(0, 0) }, 0, S), with(stored, L, 0), with(loaded, 0, 0)];
    assert_eq!(findings(&program(between)), []);
    let touching = Load { ddr_addr: 4, ..between };
    let place = Place::Byte { region: 5, byte: 8 };
    let found = Finding::Race { first: 1, second: 2, hazard: Hazard::ReadAfterWrite, place };
    assert_eq!(findings(&program(touching)), [found]);
    assert_eq!(findings(&program(Load { reg_id: 4, ..touching })), []);
    // A constant Load reads no DDR.
    assert_eq!(findings(&program(Load { broadcast: 7, ..touching })), []);
}

#[test]
fn a_save_may_not_overwrite_what_a_load_still_reads() {
    let stored = with(Save { reg_id: 0, ddr_addr: 7, ..save(0, 0) }, L, 0);
    let program = |first, second| [with(load(0, 0), 0, first), with(load(1, 0), 0, second), stored];
    let place = Place::Byte { region: 0, byte: 7 };
    let found = Finding::Race { first: 1, second: 2, hazard: Hazard::WriteAfterRead, place };
    assert_eq!(findings(&program(S, 0)), [found]);
    assert_eq!(findings(&program(0, S)), []);
}

#[test]
fn tokens_taken_before_they_are_given() {
    let program = [with(save(0, 0), L, 0), with(load(0, 0), 0, S)];
    let found = findings(&program);
    assert!(found.contains(&Finding::EarlyToken { index: 0, from: Engine::Load }), "{found:?}");
    assert!(
        !found.iter().any(|finding| matches!(finding, Finding::Deadlock { .. })),
        "the Load can run first: {found:?}"
    );
}

#[test]
fn deadlocks() {
    let program = [with(load(0, 0), S, S), with(save(0, 0), L, L)];
    let deadlock = Finding::Deadlock { index: 0, from: Engine::Save };
    let found = findings(&program);
    assert_eq!(found, [Finding::EarlyToken { index: 0, from: Engine::Save }, deadlock]);
}

#[test]
fn tokens_at_the_end() {
    let leftover = Finding::LeftoverTokens { from: Engine::Load, to: Engine::Conv, count: 2 };
    assert_eq!(findings(&[with(load(0, 0), 0, C), with(load(0, 1), 0, C)]), [leftover]);
    let mut selfish = with(load(0, 0), 0, 0);
    selfish.tokens_mut().notify = EngineSet::EMPTY;
    assert_eq!(findings(&[selfish]), [Finding::LostSelfToken { engine: Engine::Load }]);
    let mut generous = with(load(0, 0), 0, 0);
    generous.tokens_mut().wait = EngineSet::EMPTY;
    let leftover = Finding::LeftoverTokens { from: Engine::Load, to: Engine::Load, count: 1 };
    assert_eq!(findings(&[generous]), [leftover]);
}

#[test]
fn undefined_feature_lines() {
    let stored = Save { length: 4, ..save(0, 2046) };
    let program = [with(Load { length: 2, ..load(0, 2047) }, 0, S), with(stored, L, 0)];
    let undefined = |first, count| Finding::UndefinedRead { index: 1, lines: Lines { bank: 0, first, count } };
    assert_eq!(findings(&program), [undefined(2046, 1)]);
    let program = [with(Load { length: 2, ..load(0, 2046) }, 0, S), with(stored, L, 0)];
    assert_eq!(findings(&program), [undefined(0, 2)]);
}

/// A 1x1 Conv of one pixel whose first `loaded` weight banks were loaded, but for `missing`.
fn conv(loaded: u32, missing: Option<u32>) -> Vec<Instruction> {
    let weights = target().conv_weight_bank() as u32;
    let mut program = vec![with(load(0, 0), 0, 0)];
    let banks = (0..loaded).filter(|&bank| Some(bank) != missing);
    program.extend(banks.map(|bank| with(load(weights + bank, 0), 0, 0)));
    program.push(with(load(target().bias_bank() as u32, 0), 0, C));
    program.push(with(ConvInit::default(), 0, 0));
    program.push(with(Conv { bank_id_out: 4, ..Conv::default() }, L, 0));
    program
}

#[test]
fn weight_banks_of_missing_output_channels_may_be_undefined() {
    assert_eq!(findings(&conv(8, None)), []);
    assert_eq!(findings(&conv(3, None)), []);
    let weights = target().conv_weight_bank() as u16;
    let undefined = |program: &[Instruction], bank| {
        let lines = Lines { bank, first: 0, count: 1 };
        assert_eq!(findings(program), [Finding::UndefinedRead { index: program.len() - 1, lines }]);
    };
    undefined(&conv(0, None), weights);
    undefined(&conv(5, Some(2)), weights + 2);
}

#[test]
fn fully_masked_windows_read_nothing() {
    let mut program = conv(8, None);
    program.remove(0);
    let index = program.len() - 1;
    let lines = Lines { bank: 0, first: 0, count: 1 };
    assert_eq!(findings(&program), [Finding::UndefinedRead { index, lines }]);
    program[index] = with(Conv { bank_id_out: 4, channel_offset: 8, ..Conv::default() }, L, 0);
    assert_eq!(findings(&program), []);
}

#[test]
fn shape_of_a_program() {
    let report = check(&[with(load(0, 0), 0, 0)], &target(), 100);
    assert_eq!(report.findings, [Finding::NoEnd]);
    let unused = [with(ElewInit::default(), 0, 0)];
    assert_eq!(findings(&unused), [Finding::UnusedElewInputs { count: 1 }]);
    let illegal = findings(&[with(Conv::default(), 0, 0)]);
    assert!(matches!(illegal[..], [Finding::Illegal { index: 0, .. }]), "{illegal:?}");
}

#[test]
fn findings_are_bounded() {
    let mut program = vec![with(save(0, 0), 0, 0); 10];
    program.push(with(End::default(), 0, 0));
    let report = check(&program, &target(), 4);
    assert_eq!((report.findings.len(), report.omitted), (4, 6));
    assert!(!report.is_clean());
}

#[test]
fn findings_explain_themselves() {
    let found = findings(&[with(load(2, 5), 0, 0), with(save(2, 5), 0, 0)]);
    assert_eq!(
        found[0].to_string(),
        "instructions 0 and 1 race: read after write at bank 2, line 5, and no token orders them"
    );
}
