//! Tokens from dependencies (`spec/dpuczdx8g-isa.md` section 4.4).

use dpuc_isa::{EngineSet, Instruction};

/// Instructions of a program and what each must wait for.
#[derive(Debug, Default)]
pub(super) struct Draft {
    instructions: Vec<Instruction>,
    needs: Vec<Vec<usize>>,
}

impl Draft {
    /// Appends an instruction that waits for earlier ones; the result is its position.
    pub(super) fn push(&mut self, instruction: impl Into<Instruction>, needs: &[Option<usize>]) -> usize {
        self.instructions.push(instruction.into());
        self.needs.push(needs.iter().copied().flatten().collect());
        self.instructions.len() - 1
    }

    /// Position of the last instruction.
    pub(super) fn last(&self) -> Option<usize> {
        self.instructions.len().checked_sub(1)
    }

    /// The program: Saves of even `hp_id` followed by one of odd `hp_id` are a pair, of which the first waits and the second notifies.
    pub(super) fn finish(mut self) -> Vec<Instruction> {
        let mut partner: Vec<usize> = (0..self.instructions.len()).collect();
        let mut is_second = vec![false; self.instructions.len()];
        for (first, second) in self.pairs() {
            (partner[first], is_second[second]) = (second, true);
            let needs = std::mem::take(&mut self.needs[second]);
            self.needs[first].extend(needs);
        }
        // What each engine knows to be complete, by engine: all instructions below a position.
        let mut known = [[0usize; 4]; 4];
        let mut clocks = vec![[0usize; 4]; self.instructions.len()];
        for index in 0..self.instructions.len() {
            let engine = self.instructions[index].engine();
            let mut needs: Vec<usize> = self.needs[index].iter().map(|&need| partner[need]).collect();
            // The last of an engine implies those before it.
            needs.sort_unstable_by(|first, second| second.cmp(first));
            for need in needs {
                let from = self.instructions[need].engine();
                if from == engine || known[engine.index()][from.index()] > need {
                    continue;
                }
                let giver = self.instructions[need].tokens_mut();
                giver.notify = giver.notify.with(engine);
                let taker = self.instructions[index].tokens_mut();
                taker.wait = taker.wait.with(from);
                for (known, given) in known[engine.index()].iter_mut().zip(clocks[need]) {
                    *known = (*known).max(given);
                }
            }
            known[engine.index()][engine.index()] = index + 1;
            clocks[index] = known[engine.index()];
        }
        for index in 0..self.instructions.len() {
            let own = EngineSet::only(self.instructions[index].engine());
            let tokens = self.instructions[index].tokens_mut();
            if !is_second[index] {
                tokens.wait = EngineSet::from_bits(tokens.wait.bits() | own.bits());
            }
            if partner[index] == index {
                tokens.notify = EngineSet::from_bits(tokens.notify.bits() | own.bits());
            }
        }
        self.instructions
    }

    /// Pairs of Saves: one on port 0, and the next if it is on port 1.
    fn pairs(&self) -> Vec<(usize, usize)> {
        let port = |index: usize| match &self.instructions[index] {
            Instruction::Save(save) => Some(save.hp_id),
            _ => None,
        };
        let saves: Vec<usize> = (0..self.instructions.len()).filter(|&index| port(index).is_some()).collect();
        let pairs = saves.windows(2).filter(|pair| port(pair[0]) == Some(0) && port(pair[1]) == Some(1));
        pairs.map(|pair| (pair[0], pair[1])).collect()
    }
}
