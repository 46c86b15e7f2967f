//! The token and definedness check on vendor programs.

mod common;

use std::collections::VecDeque;

use dpuc_accel::{Core, check};
use dpuc_isa::{Engine, EngineSet, Instruction, Random};

const LIMIT: usize = 10;

#[test]
fn vendor_programs_are_clean() {
    let Some(models) = common::models() else { return };
    for sample in common::SAMPLES {
        for program in common::programs(&models, sample) {
            let report = check(&program.instructions, &program.target, LIMIT);
            assert!(report.is_clean(), "{sample}, {}: {report:#?}", program.name);
        }
    }
}

/// A token between two different engines: which instruction gives and which takes it.
#[derive(Clone, Copy, Debug)]
struct Token {
    giver: usize,
    taker: usize,
}

/// All tokens between different engines, matched first given, first taken.
fn tokens(program: &[Instruction]) -> Vec<Token> {
    let mut given: [[VecDeque<usize>; 4]; 4] = Default::default();
    let mut tokens = Vec::new();
    for (taker, instruction) in program.iter().enumerate() {
        let own = instruction.engine();
        for from in instruction.tokens().wait.without(own).iter() {
            let giver = given[from.index()][own.index()].pop_front().expect("vendor programs give before they take");
            tokens.push(Token { giver, taker });
        }
        for to in instruction.tokens().notify.without(own).iter() {
            given[own.index()][to.index()].push_back(taker);
        }
    }
    tokens
}

fn without(set: EngineSet, engine: Engine) -> EngineSet {
    assert!(set.contains(engine));
    set.without(engine)
}

/// Executes a program as far as its tokens allow, the engines interleaved at random.
fn run_interleaved(core: &mut Core, program: &[Instruction], random: &mut Random) {
    let mut waiting: [VecDeque<usize>; 4] = Default::default();
    for (index, instruction) in program.iter().enumerate() {
        waiting[instruction.engine().index()].push_back(index);
    }
    let mut counts = [[0; 4]; 4];
    (0..4).for_each(|engine| counts[engine][engine] = 1);
    core.restart();
    let (mut executed, mut rounds) = (0, 0);
    while executed < program.len() {
        rounds += 1;
        assert!(rounds < 100 * program.len(), "the engines wait for each other");
        // A whole run of one engine at a time: the farther one engine is ahead of the others, the better.
        let engine = random.below(4) as usize;
        let steps = random.below(300);
        for _ in 0..steps {
            let Some(&index) = waiting[engine].front() else { break };
            let tokens = program[index].tokens();
            if tokens.wait.iter().any(|from| counts[from.index()][engine] == 0) {
                break;
            }
            tokens.wait.iter().for_each(|from| counts[from.index()][engine] -= 1);
            core.execute(index, &program[index]).unwrap();
            tokens.notify.iter().for_each(|to| counts[engine][to.index()] += 1);
            waiting[engine].pop_front();
            executed += 1;
        }
    }
}

/// What the check says about the vendor's programs is true: their tokens alone give the right result.
#[test]
fn tokens_alone_order_vendor_programs() {
    let Some(models) = common::models() else { return };
    for sample in
        ["dpu_mnist/compiled_b4096.xmodel", "squeezenet/compiled_b4096.xmodel", "yolox_nano/compiled_b512.xmodel"]
    {
        for program in common::programs(&models, sample) {
            let mut core = Core::new(&program.target);
            for seed in 0..4 {
                program.prepare(&mut core, seed);
                run_interleaved(&mut core, &program.instructions, &mut Random::new(seed));
                assert_eq!(program.wrong_outputs(core.regions()), Vec::<&str>::new(), "{sample}, seed {seed}");
            }
        }
    }
}

/// Removes tokens one at a time from vendor programs. A token that is given but not taken, or taken but not given, is always
/// found. A token removed on both sides leaves the rest balanced and is found only if it ordered a conflict that no other token
/// orders; the vendor's compiler places some tokens without need.
#[test]
fn removed_tokens_are_found() {
    let Some(models) = common::models() else { return };
    /// A check takes time proportional to the program, so that of a long one fewer tokens are tried.
    const INSTRUCTIONS_PER_PROGRAM: usize = 60_000;
    let (mut removed, mut found) = (0, 0);
    for sample in common::SAMPLES {
        for program in common::programs(&models, sample) {
            let tokens = tokens(&program.instructions);
            let tried = (INSTRUCTIONS_PER_PROGRAM / program.instructions.len()).clamp(3, 60);
            let mut mutant = program.instructions.clone();
            for &Token { giver, taker } in tokens.iter().step_by(tokens.len().div_ceil(tried)) {
                let (from, to) = (mutant[giver].engine(), mutant[taker].engine());
                let (notify, wait) = (mutant[giver].tokens().notify, mutant[taker].tokens().wait);
                let find = |mutant: &[Instruction]| !check(mutant, &program.target, LIMIT).is_clean();

                mutant[giver].tokens_mut().notify = without(notify, to);
                assert!(find(&mutant), "{sample}: {from:?} token to {to:?} of {giver} not given");
                mutant[taker].tokens_mut().wait = without(wait, from);
                removed += 1;
                found += usize::from(find(&mutant));
                mutant[giver].tokens_mut().notify = notify;
                assert!(find(&mutant), "{sample}: {from:?} token to {to:?} of {giver} not taken");
                mutant[taker].tokens_mut().wait = wait;
            }
        }
    }
    eprintln!("{found} of {removed} tokens removed on both sides are found");
    assert!(found * 10 >= removed * 9, "{found} of {removed}");
}
