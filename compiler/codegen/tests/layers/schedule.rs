//! Execution of a program by four engines that only tokens hold back (`spec/dpuczdx8g-isa.md` section 4.2).

use std::collections::VecDeque;

use dpuc_accel::Core;
use dpuc_codegen::Program;
use dpuc_isa::{Engine, Opcode, Random};

/// Which engine goes next among those that may.
pub(crate) enum Policy {
    /// Any.
    Random(Random),
    /// The first of this order.
    Priority([Engine; 4]),
}

impl Policy {
    fn choose(&mut self, ready: &[Engine]) -> Engine {
        match self {
            Self::Random(random) => random.pick(ready),
            Self::Priority(order) => *order.iter().find(|engine| ready.contains(engine)).expect("some engine is ready"),
        }
    }
}

/// Runs a program out of order on a core. Panics on deadlock and on tokens left over.
pub(crate) fn run_out_of_order(core: &mut Core, program: &Program, mut policy: Policy) {
    let mut queues: [VecDeque<usize>; 4] = Default::default();
    for (index, instruction) in program.instructions.iter().enumerate() {
        queues[instruction.engine().index()].push_back(index);
    }
    // tokens[x][y]: sent by x to y and not yet taken; each engine starts with one of its own.
    let mut tokens = [[0u32; 4]; 4];
    for engine in Engine::ALL {
        tokens[engine.index()][engine.index()] = 1;
    }
    core.restart();
    loop {
        let ready: Vec<Engine> = Engine::ALL
            .into_iter()
            .filter(|engine| {
                queues[engine.index()].front().is_some_and(|&index| {
                    let instruction = &program.instructions[index];
                    let is_end = instruction.opcode() == Opcode::End;
                    let last = queues.iter().map(VecDeque::len).sum::<usize>() == 1;
                    let granted = instruction.tokens().wait.iter().all(|from| tokens[from.index()][engine.index()] > 0);
                    granted && (last || !is_end)
                })
            })
            .collect();
        if ready.is_empty() {
            break;
        }
        let engine = policy.choose(&ready);
        let index = queues[engine.index()].pop_front().expect("a ready engine has an instruction");
        let instruction = &program.instructions[index];
        for from in instruction.tokens().wait.iter() {
            tokens[from.index()][engine.index()] -= 1;
        }
        core.execute(index, instruction).expect("the program is legal");
        for to in instruction.tokens().notify.iter() {
            tokens[engine.index()][to.index()] += 1;
        }
    }
    assert!(queues.iter().all(VecDeque::is_empty), "deadlock: {queues:?}");
    for (from, row) in tokens.iter().enumerate() {
        for (to, &count) in row.iter().enumerate() {
            assert_eq!(count, u32::from(from == to), "tokens from engine {from} to engine {to} left over");
        }
    }
}
