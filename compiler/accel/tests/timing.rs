//! Modelled time of hand-made programs, with costs chosen so that every cycle can be counted.

use std::borrow::Cow;

use dpuc_accel::timing::{Board, CoreTiming, Timeline, simulate};
use dpuc_accel::{Fault, RunError};
use dpuc_isa::{Alu, AluInit, Conv, ConvInit, End, Engine, EngineSet, Instruction, Load, Opcode, Save, Target, Tokens};

const L: EngineSet = EngineSet::only(Engine::Load);
const S: EngineSet = EngineSet::only(Engine::Save);
const C: EngineSet = EngineSet::only(Engine::Conv);
const M: EngineSet = EngineSet::only(Engine::Misc);
const NONE: EngineSet = EngineSet::EMPTY;

/// Cycles of memory latency of [`board`].
const LATENCY: u64 = 100;

/// One bank line a cycle loaded, half of one saved on each port, 100 cycles of latency, no overheads, instructions that are never late
/// after the first.
fn board() -> Board {
    Board {
        name: Cow::Borrowed("hand-made"),
        clock_mhz: 100.0,
        cores: 1,
        memory_mb_s: 1e6,
        memory_latency_ns: 1000.0,
        core: CoreTiming {
            port_lines: 0.5,
            transfer_overhead: 0,
            compute_overhead: 0,
            fetch_words: f64::INFINITY,
            queue: None,
        },
    }
}

fn target() -> Target {
    Target::from_name("DPUCZDX8G_ISA1_B4096").unwrap()
}

fn both(first: EngineSet, second: EngineSet) -> EngineSet {
    EngineSet::from_bits(first.bits() | second.bits())
}

/// 160 bytes: 10 cycles.
fn load(wait: EngineSet, notify: EngineSet) -> Instruction {
    Load { channel: 160, tokens: Tokens { wait, notify }, ..Default::default() }.into()
}

/// 160 bytes: 20 cycles.
fn save(port: u32, wait: EngineSet, notify: EngineSet) -> Instruction {
    Save { channel: 160, hp_id: port, tokens: Tokens { wait, notify }, ..Default::default() }.into()
}

fn conv_init() -> Instruction {
    ConvInit { tokens: Tokens { wait: C, notify: C }, ..Default::default() }.into()
}

fn conv(columns: u32, wait: EngineSet, notify: EngineSet) -> Instruction {
    Conv { length: columns, bank_id_out: 8, tokens: Tokens { wait, notify }, ..Default::default() }.into()
}

fn end() -> Instruction {
    End { tokens: Tokens { wait: S, notify: S } }.into()
}

fn timeline(program: &[Instruction], board: &Board) -> Timeline {
    simulate(program, &target(), board, 1).unwrap()
}

/// Start and end of each instruction, from the moment the first is fetched.
fn spans(timeline: &Timeline) -> Vec<(u64, u64)> {
    timeline.spans.iter().map(|span| (span.start - LATENCY, span.end - LATENCY)).collect()
}

#[test]
fn engines_overlap_and_tokens_hold_them_back() {
    let program = [
        conv_init(),
        load(L, both(L, C)),
        conv(50, both(C, L), C),
        load(L, both(L, C)),
        conv(70, both(C, L), both(C, S)),
        save(0, both(S, C), S),
        end(),
    ];
    let timeline = timeline(&program, &board());
    // Data are there 100 cycles after their Load; the second Load hides behind the first Conv.
    let expected = [(0, 1), (0, 10), (110, 160), (10, 20), (160, 230), (230, 250), (250, 251)];
    assert_eq!(spans(&timeline), expected);
    let waited: Vec<_> = timeline.spans.iter().map(|span| span.waited_for).collect();
    let expected = [None, None, Some(Engine::Load), None, None, Some(Engine::Conv), None];
    assert_eq!(waited, expected);
    assert_eq!(timeline.cycles, LATENCY + 350, "the last Save is acknowledged");
    assert_eq!(timeline.busy, [20, 21, 121, 0]);
    assert!((timeline.occupancy(Engine::Conv) - 121.0 / 450.0).abs() < 1e-12);
}

#[test]
fn a_pair_of_saves_uses_both_ports() {
    let pair = |ports: [u32; 2]| [save(ports[0], S, NONE), save(ports[1], NONE, S), save(0, S, S)];
    let side_by_side = timeline(&pair([0, 1]), &board());
    assert_eq!(spans(&side_by_side), [(0, 20), (0, 20), (20, 40)]);
    assert_eq!(side_by_side.busy[Engine::Save.index()], 40);
    let one_port = timeline(&pair([0, 0]), &board());
    assert_eq!(spans(&one_port), [(0, 20), (20, 40), (40, 60)]);
}

#[test]
fn tokens_of_a_pair_imply_both_saves() {
    let long = Save { channel: 800, tokens: Tokens { wait: S, notify: NONE }, ..Default::default() }.into();
    let timeline = timeline(&[long, save(1, NONE, both(S, L)), load(both(L, S), L)], &board());
    assert_eq!(spans(&timeline), [(0, 100), (0, 20), (200, 210)]);
    assert_eq!(timeline.spans[2].waited_for, Some(Engine::Save));
}

#[test]
fn nothing_starts_before_it_is_fetched() {
    let mut board = board();
    board.core.fetch_words = 0.5;
    // A Load has five words: ten cycles, as many as its data take.
    let program = [load(L, L), load(L, L), load(L, L)];
    assert_eq!(spans(&timeline(&program, &board)), [(10, 20), (20, 30), (30, 40)]);
    board.core.fetch_words = 0.25;
    let bound = timeline(&program, &board);
    assert_eq!(spans(&bound), [(20, 30), (40, 50), (60, 70)]);
    assert!(bound.spans.iter().all(|span| span.waited_for.is_none()));
}

#[test]
fn a_full_queue_stops_the_fetch() {
    let mut board = board();
    let program = [conv_init(), load(L, L), load(L, L), load(L, both(L, C)), conv(50, both(C, L), C), conv(50, C, C)];
    let free = [(0, 1), (0, 10), (10, 20), (20, 30), (130, 180), (180, 230)];
    for depth in [None, Some(3)] {
        board.core.queue = depth;
        assert_eq!(spans(&timeline(&program, &board)), free);
    }
    // The Conv is fetched when the last Load has room, which is when the second has started.
    board.core.queue = Some(1);
    board.core.fetch_words = 1.0;
    let one = timeline(&program, &board);
    assert_eq!(spans(&one), [(4, 5), (9, 19), (19, 29), (29, 39), (139, 189), (189, 239)]);
    // Nothing behind a full queue is fetched, not even for other engines.
    let program = [load(L, L), load(L, L), load(L, L), conv_init(), conv(5, C, C)];
    let one = timeline(&program, &board);
    assert_eq!(spans(&one), [(5, 15), (15, 25), (25, 35), (24, 25), (29, 34)]);
}

#[test]
fn a_full_queue_that_waits_for_what_follows_is_a_deadlock() {
    let mut board = board();
    let program = [conv_init(), conv(5, both(C, L), C), conv(5, C, C), load(L, both(L, C))];
    assert!(simulate(&program, &target(), &board, 1).is_ok());
    board.core.queue = Some(1);
    let error = simulate(&program, &target(), &board, 1).unwrap_err();
    assert_eq!((error.index, error.fault), (1, Fault::Deadlock { from: Engine::Load }));
    board.core.queue = Some(2);
    assert!(simulate(&program, &target(), &board, 1).is_ok());
}

#[test]
fn overheads_are_paid_once_an_instruction() {
    let mut board = board();
    (board.core.transfer_overhead, board.core.compute_overhead) = (1, 3);
    let init = ConvInit { kernel_h: 3, kernel_w: 3, ..Default::default() };
    let alu_init =
        AluInit { kernel_w: 2, kernel_h: 2, exec_mode: 3, length: 5, channel_group: 7, ..Default::default() };
    let program: [Instruction; 6] = [
        load(NONE, NONE),
        save(0, NONE, NONE),
        init.into(),
        Conv { length: 10, channel_group: 2, bank_id_out: 8, ..Default::default() }.into(),
        alu_init.into(),
        Alu { bank_id_out: 8, ..Default::default() }.into(),
    ];
    let timeline = timeline(&program, &board);
    let busy: Vec<_> = timeline.spans.iter().map(|span| span.end - span.start).collect();
    assert_eq!(busy, [10 + 1, 20 + 1, 1, 10 * 9 * 2 + 3, 1, 5 * 7 * 4 + 3]);
}

#[test]
fn busy_cores_share_the_memory() {
    let mut board = board();
    let cycles = |board: &Board, cores| spans(&simulate(&[load(L, L)], &target(), board, cores).unwrap())[0].1;
    assert_eq!([1, 4].map(|cores| cycles(&board, cores)), [10, 10], "the ports are slower than the memory");
    board.memory_mb_s = 100.0;
    let shared = [1, 2, 4].map(|cores| cycles(&board, cores));
    assert!(shared[0] > 10 && shared[1] >= 2 * shared[0] - 1 && shared[2] >= 2 * shared[1] - 1, "{shared:?}");
    assert_eq!(cycles(&board, 0), shared[0], "no core means one");
}

#[test]
fn tokens_given_later_in_the_stream_are_waited_for() {
    let program = [conv_init(), conv(50, both(C, L), C), conv_init(), load(L, both(L, C)), conv(10, C, C)];
    let timeline = timeline(&program, &board());
    assert_eq!(spans(&timeline), [(0, 1), (110, 160), (160, 161), (0, 10), (161, 171)]);
}

#[test]
fn a_deadlock_is_an_error() {
    let stuck = |program: &[Instruction]| simulate(program, &target(), &board(), 1).unwrap_err();
    let program = [load(both(L, C), both(L, C)), conv_init(), conv(1, both(C, L), both(C, L)), end()];
    let error = stuck(&program);
    assert_eq!(error, RunError { index: 0, opcode: Opcode::Load, fault: Fault::Deadlock { from: Engine::Conv } });
    assert_eq!(error.to_string(), "instruction 0 (Load): deadlock: it waits for the conv engine for ever");
    // The self token is gone.
    assert_eq!(stuck(&[load(L, NONE), load(L, L)]).index, 1);
    assert_eq!(stuck(&[save(0, M, S)]).fault, Fault::Deadlock { from: Engine::Misc });
}

#[test]
fn an_illegal_instruction_is_an_error() {
    let error = simulate(&[conv(1, C, C)], &target(), &board(), 1).unwrap_err();
    assert_eq!((error.index, error.opcode), (0, Opcode::Conv));
    assert!(matches!(error.fault, Fault::Illegal(_)));
}

#[test]
fn the_longest_instructions_do_not_overflow() {
    let init = AluInit {
        kernel_w: 256,
        kernel_h: 256,
        stride_h: 256,
        exec_mode: 6,
        length: 2048,
        channel_group: 256,
        ..Default::default()
    };
    let program: [Instruction; 2] = [init.into(), Alu { kernel_d: 16, bank_id_out: 8, ..Default::default() }.into()];
    assert_eq!(timeline(&program, &board()).busy[Engine::Misc.index()], 1 + (256 * 256 * 16 * 2048 * 256));
}

/// Slowing anything down never makes a program of one chain faster.
#[test]
fn time_is_monotone_in_every_cost() {
    let program = [
        conv_init(),
        load(L, both(L, C)),
        conv(50, both(C, L), both(C, S)),
        save(0, both(S, C), NONE),
        save(1, NONE, both(S, L)),
        load(both(L, S), both(L, C)),
        conv(9, both(C, L), both(C, S)),
        save(0, both(S, C), S),
        end(),
    ];
    let base = timeline(&program, &board()).cycles;
    let slower: [fn(&mut Board); 6] = [
        |board| board.core.port_lines /= 2.0,
        |board| board.core.fetch_words = 0.01,
        |board| board.core.transfer_overhead += 5,
        |board| board.core.compute_overhead += 5,
        |board| board.memory_latency_ns *= 2.0,
        |board| board.memory_mb_s = 100.0,
    ];
    for (number, change) in slower.into_iter().enumerate() {
        let mut board = board();
        change(&mut board);
        assert!(timeline(&program, &board).cycles > base, "change {number}");
    }
}

#[test]
fn the_table_has_every_board_with_a_known_target() {
    for board in Target::boards() {
        let timing = Board::named(&board.name).unwrap_or_else(|| panic!("no times for {}", board.name));
        assert!(timing.memory_bytes(timing.cores) > 0.0 && timing.memory_latency() > 0);
    }
    assert!(Board::named("generic").is_some() && Board::named("no such board").is_none());
    assert!((Board::named("kv260").unwrap().milliseconds(300_000) - 1.0).abs() < 1e-12);
}
