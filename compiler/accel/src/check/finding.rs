//! What a check can find.

use std::fmt;

use dpuc_isa::{Engine, IllegalInstruction, Lines};
use thiserror::Error;

/// Result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The findings in stream order, those about the end of the program last; bounded by the limit of the check.
    pub findings: Vec<Finding>,
    /// Findings beyond the limit.
    pub omitted: u64,
    limit: usize,
}

impl Report {
    pub(super) fn new(limit: usize) -> Self {
        Self { findings: Vec::new(), omitted: 0, limit }
    }

    pub(super) fn add(&mut self, finding: Finding) {
        if self.findings.len() < self.limit {
            self.findings.push(finding);
        } else {
            self.omitted += 1;
        }
    }

    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.omitted == 0
    }
}

/// One fault of a program. Instructions are named by their position in the stream, from 0.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Finding {
    /// The target does not execute an instruction; what follows was not checked.
    #[error("instruction {index}: {cause}")]
    Illegal {
        /// The instruction.
        index: usize,
        /// Why it is illegal.
        cause: IllegalInstruction,
    },
    /// Nothing orders two conflicting accesses of different engines.
    #[error("instructions {first} and {second} race: {hazard} at {place}, and no token orders them")]
    Race {
        /// The instruction that must come first.
        first: usize,
        /// The instruction that must wait for it.
        second: usize,
        /// How they conflict.
        hazard: Hazard,
        /// The first place where they do.
        place: Place,
    },
    /// In stream order an instruction takes a token that was not given yet.
    #[error("instruction {index} takes a token of the {} engine before one is given", from.name())]
    EarlyToken {
        /// The instruction that waits.
        index: usize,
        /// The engine it waits for.
        from: Engine,
    },
    /// However the engines run, they all come to wait for tokens that nobody can give.
    #[error("deadlock: instruction {index} waits for the {} engine for ever", from.name())]
    Deadlock {
        /// The first instruction of the stream that never starts.
        index: usize,
        /// An engine it waits for.
        from: Engine,
    },
    /// Tokens are left when the program ends; they would disturb the next one.
    #[error("{count} tokens from the {} to the {} engine are never taken", from.name(), to.name())]
    LeftoverTokens {
        /// The engine that gave them.
        from: Engine,
        /// The engine that should take them.
        to: Engine,
        /// How many, the initial self token not counted.
        count: usize,
    },
    /// The token that each engine holds for itself at the start is gone at the end.
    #[error("the {} engine takes its own token and does not give it back", engine.name())]
    LostSelfToken {
        /// The engine.
        engine: Engine,
    },
    /// An instruction reads lines that no instruction of the program wrote before.
    #[error(
        "instruction {index} reads {} lines of bank {} from line {} on, which were never written",
        lines.count, lines.bank, lines.first
    )]
    UndefinedRead {
        /// The instruction.
        index: usize,
        /// The first run of such lines.
        lines: Lines,
    },
    /// `ElewInit` records are left when the program ends.
    #[error("{count} ElewInit have no Elew behind them")]
    UnusedElewInputs {
        /// How many.
        count: usize,
    },
    /// The last instruction is not End.
    #[error("the program does not end with End")]
    NoEnd,
    /// So many DDR transfers are in flight at once that comparing them was given up.
    #[error("DDR races of instruction {index} and later ones were not looked for: too many transfers are unordered")]
    DdrUnchecked {
        /// The first instruction that was not checked.
        index: usize,
    },
}

/// How the second of two accesses conflicts with the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hazard {
    /// The second reads what the first writes.
    ReadAfterWrite,
    /// The second overwrites what the first reads.
    WriteAfterRead,
    /// The second overwrites what the first writes.
    WriteAfterWrite,
}

impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadAfterWrite => "read after write",
            Self::WriteAfterRead => "write after read",
            Self::WriteAfterWrite => "write after write",
        })
    }
}

/// A place in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A line of a bank.
    Line {
        /// Bank id.
        bank: u16,
        /// Line, `0 .. 2048`.
        line: u16,
    },
    /// A byte of a DDR region.
    Byte {
        /// Region number.
        region: u8,
        /// Offset in the region.
        byte: u32,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { bank, line } => write!(f, "bank {bank}, line {line}"),
            Self::Byte { region, byte } => write!(f, "region {region}, byte {byte}"),
        }
    }
}
