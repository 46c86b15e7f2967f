//! AMD's assembly text, the form its functional simulator reads and writes.
//!
//! One instruction a line, words separated by blanks, tabs, commas or semicolons:
//!
//! ```text
//! MNEMONIC  dpdon  dpdby  field value  field value  …
//! ```
//!
//! `dpdon` and `dpdby` are four binary digits in the order misc, conv, save, load. Every field appears once, in any order, with
//! its natural value in decimal. Empty lines and lines that begin with `#` say nothing. Source: `spec/dpuczdx8g-isa.md` 2.4.

use std::fmt;

use thiserror::Error;

use crate::code::FieldError;
use crate::engine::EngineSet;
use crate::instruction::{Instruction, Opcode, Tokens};
use crate::suggest::closest;

/// Commands to AMD's simulator that share the text form but are no instructions.
const DIRECTIVES: [&str; 3] = ["DUMPBANK", "DUMPDDR", "DUMPDDRSLICE"];

/// Errors reported for one text; a text that is something else altogether has no more to say.
const ERRORS_MAX: usize = 50;

/// A line that is no instruction.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct TextError {
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: TextProblem,
}

/// What is wrong with a line of assembly text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TextProblem {
    /// No instruction has this name.
    #[error("`{word}` is no instruction{}", did_you_mean(suggestion.as_deref()))]
    UnknownMnemonic {
        /// The first word of the line.
        word: String,
        /// The closest mnemonic.
        suggestion: Option<&'static str>,
    },
    /// A command to AMD's simulator.
    #[error("`{word}` is a command to AMD's simulator, which has no machine code; delete the line")]
    Directive {
        /// The command.
        word: String,
    },
    /// A dependency mask that is no four binary digits.
    #[error("{mask} must be four binary digits in the order misc, conv, save, load (0001 = load), {}", found(word.as_deref()))]
    Mask {
        /// `dpdon` or `dpdby`.
        mask: &'static str,
        /// What is there; nothing at the end of the line.
        word: Option<String>,
    },
    /// The instruction has no such field.
    #[error("{} has no field `{word}`{}", opcode.name(), did_you_mean(suggestion.as_deref()))]
    UnknownField {
        /// The instruction.
        opcode: Opcode,
        /// The name.
        word: String,
        /// The closest field.
        suggestion: Option<&'static str>,
    },
    /// A field given twice.
    #[error("field `{field}` is given twice")]
    DuplicateField {
        /// The field.
        field: &'static str,
    },
    /// A value that is no decimal number.
    #[error("field `{field}` must have a decimal number, {}", found(word.as_deref()))]
    Value {
        /// The field.
        field: &'static str,
        /// What is there; nothing at the end of the line.
        word: Option<String>,
    },
    /// A value out of range.
    #[error(transparent)]
    Range(#[from] FieldError),
    /// Fields that are not given.
    #[error("{} lacks {}", opcode.name(), fields.join(", "))]
    MissingFields {
        /// The instruction.
        opcode: Opcode,
        /// The fields, in table order.
        fields: Vec<&'static str>,
    },
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map(|word| format!(", did you mean `{word}`?")).unwrap_or_default()
}

fn found(word: Option<&str>) -> String {
    word.map_or_else(|| "but the line ends here".to_owned(), |word| format!("found `{word}`"))
}

/// Words quoted in messages are cut to this many characters.
const QUOTE_MAX: usize = 40;

fn quote(word: &str) -> String {
    word.chars().take(QUOTE_MAX).collect()
}

impl Opcode {
    /// Upper-case name in assembly text, e.g. `CONVINIT`.
    pub fn mnemonic(self) -> String {
        self.name().to_ascii_uppercase()
    }

    fn from_mnemonic(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|opcode| opcode.name().eq_ignore_ascii_case(word))
    }
}

impl fmt::Display for Instruction {
    /// The instruction as a line of assembly text, without a line end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tokens { wait, notify } = self.tokens();
        write!(f, "{} {:04b} {:04b}", self.opcode().mnemonic(), wait.bits(), notify.bits())?;
        let mut result = Ok(());
        self.for_each_field(|field, value| {
            if result.is_ok() {
                result = write!(f, " {} {value}", field.name);
            }
        });
        result
    }
}

/// Prints instructions as assembly text.
pub fn to_text(instructions: &[Instruction]) -> String {
    let lines = instructions.iter().flat_map(|instruction| [instruction.to_string(), "\n".to_owned()]);
    lines.collect()
}

/// Reads assembly text.
///
/// # Errors
/// The first problem of each line that has one, up to 50 lines.
pub fn parse_text(text: &str) -> Result<Vec<Instruction>, Vec<TextError>> {
    let mut instructions = Vec::new();
    let mut errors = Vec::new();
    for (index, line) in text.lines().enumerate() {
        match parse_line(line) {
            Ok(instruction) => instructions.extend(instruction),
            Err(problem) => errors.push(TextError { line: index + 1, problem }),
        }
        if errors.len() == ERRORS_MAX {
            break;
        }
    }
    if errors.is_empty() { Ok(instructions) } else { Err(errors) }
}

fn parse_line(line: &str) -> Result<Option<Instruction>, TextProblem> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let mut words = line.split([' ', '\t', ',', ';']).filter(|word| !word.is_empty());
    let Some(mnemonic) = words.next() else { return Ok(None) };
    let opcode = parse_mnemonic(mnemonic)?;
    let tokens = Tokens { wait: parse_mask("dpdon", words.next())?, notify: parse_mask("dpdby", words.next())? };
    let mut values = vec![None; opcode.fields().len()];
    while let Some(word) = words.next() {
        let Some(index) = opcode.fields().iter().position(|field| field.name == word) else {
            let suggestion = closest(word, opcode.fields().iter().map(|field| field.name));
            return Err(TextProblem::UnknownField { opcode, word: quote(word), suggestion });
        };
        let field = opcode.fields()[index].name;
        let value = parse_value(field, words.next())?;
        if values[index].replace(value).is_some() {
            return Err(TextProblem::DuplicateField { field });
        }
    }
    let names = opcode.fields().iter().map(|field| field.name);
    let missing: Vec<_> = names.zip(&values).filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
    if !missing.is_empty() {
        return Err(TextProblem::MissingFields { opcode, fields: missing });
    }
    let mut instruction = Instruction::with_default_fields(opcode);
    *instruction.tokens_mut() = tokens;
    let mut values = values.into_iter().flatten();
    instruction.map_fields(|_, default| values.next().unwrap_or(default));
    instruction.check_fields()?;
    Ok(Some(instruction))
}

fn parse_mnemonic(word: &str) -> Result<Opcode, TextProblem> {
    if let Some(opcode) = Opcode::from_mnemonic(word) {
        return Ok(opcode);
    }
    if DIRECTIVES.iter().any(|directive| directive.eq_ignore_ascii_case(word)) {
        return Err(TextProblem::Directive { word: quote(word) });
    }
    let suggestion = closest(word, Opcode::ALL.iter().map(|opcode| opcode.name()));
    Err(TextProblem::UnknownMnemonic { word: quote(word), suggestion })
}

fn parse_mask(mask: &'static str, word: Option<&str>) -> Result<EngineSet, TextProblem> {
    let digits = word.filter(|word| word.len() == 4 && word.bytes().all(|byte| matches!(byte, b'0' | b'1')));
    let bits = digits.and_then(|digits| u32::from_str_radix(digits, 2).ok());
    bits.map(EngineSet::from_bits).ok_or_else(|| TextProblem::Mask { mask, word: word.map(quote) })
}

fn parse_value(field: &'static str, word: Option<&str>) -> Result<u32, TextProblem> {
    let digits = word.filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| TextProblem::Value { field, word: word.map(quote) })
}
