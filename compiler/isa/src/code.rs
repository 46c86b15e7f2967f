//! Encoding and decoding of instruction streams.
//!
//! A stream is a sequence of little-endian 32-bit words without padding. Word 0 of every instruction holds the opcode in bits
//! 31:28, `dpdon` in 27:24 and `dpdby` in 23:20. Bits of no field are reserved: written as 0, and rejected when set, so that
//! decoding and encoding are inverse on every accepted stream.

use thiserror::Error;

use crate::engine::EngineSet;
use crate::instruction::{Instruction, Opcode, Tokens};

const OPCODE_BIT: u32 = 28;
const WAIT_BIT: u32 = 24;
const NOTIFY_BIT: u32 = 20;

/// Why a stream could not be decoded. Offsets are bytes from the start of the stream.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The stream is no whole number of words.
    #[error("the stream has {bytes} bytes, which is no whole number of 32-bit words")]
    PartialWord {
        /// Bytes in the stream.
        bytes: usize,
    },
    /// There are no words left.
    #[error("an instruction should start at byte {offset}, where the stream ends")]
    Empty {
        /// Byte offset.
        offset: usize,
    },
    /// No instruction has this opcode.
    #[error("unknown opcode {opcode:#x} at byte {offset}")]
    UnknownOpcode {
        /// Byte offset.
        offset: usize,
        /// Bits 31:28.
        opcode: u32,
    },
    /// The stream ends inside an instruction.
    #[error("the stream ends inside the {} at byte {offset}: {present} of {} words are there", opcode.name(), opcode.words())]
    Truncated {
        /// Byte offset.
        offset: usize,
        /// The instruction that is cut.
        opcode: Opcode,
        /// Words that are there.
        present: usize,
    },
    /// A reserved bit is set.
    #[error("word {word} of the {} at byte {offset} has reserved bits set: {bits:#010x}", opcode.name())]
    ReservedBits {
        /// Byte offset.
        offset: usize,
        /// The instruction.
        opcode: Opcode,
        /// Word of the instruction.
        word: usize,
        /// The set reserved bits.
        bits: u32,
    },
}

/// A field value that its bits cannot hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}.{field} = {value} is outside {min}..={max}", opcode.name())]
pub struct FieldError {
    /// The instruction.
    pub opcode: Opcode,
    /// The field.
    pub field: &'static str,
    /// The value that does not fit.
    pub value: u32,
    /// Smallest legal value.
    pub min: u32,
    /// Largest legal value.
    pub max: u32,
}

impl Instruction {
    /// Checks every field against its range.
    pub fn check_fields(&self) -> Result<(), FieldError> {
        let mut result = Ok(());
        self.for_each_field(|field, value| {
            if result.is_ok() && !field.accepts(value) {
                let (opcode, min, max) = (self.opcode(), field.min(), field.max());
                result = Err(FieldError { opcode, field: field.name, value, min, max });
            }
        });
        result
    }

    /// Appends the instruction's words to `words`.
    pub fn encode_into(&self, words: &mut Vec<u32>) -> Result<(), FieldError> {
        self.check_fields()?;
        let start = words.len();
        words.resize(start + self.opcode().words(), 0);
        let own = &mut words[start..];
        let Tokens { wait, notify } = self.tokens();
        own[0] = (self.opcode() as u32) << OPCODE_BIT | wait.bits() << WAIT_BIT | notify.bits() << NOTIFY_BIT;
        self.for_each_field(|field, value| own[field.word as usize] |= (value - field.min()) << field.bit);
        Ok(())
    }

    /// Decodes the instruction at the start of `words`, which begin at byte `offset` of the stream.
    pub fn decode(words: &[u32], offset: usize) -> Result<Self, DecodeError> {
        let number = words.first().ok_or(DecodeError::Empty { offset })? >> OPCODE_BIT;
        let opcode = Opcode::from_number(number).ok_or(DecodeError::UnknownOpcode { offset, opcode: number })?;
        let Some(own) = words.get(..opcode.words()) else {
            return Err(DecodeError::Truncated { offset, opcode, present: words.len() });
        };
        let mut used = [0u32; 6];
        used[0] = u32::MAX << NOTIFY_BIT;
        let mut instruction = Self::with_default_fields(opcode);
        *instruction.tokens_mut() = Tokens {
            wait: EngineSet::from_bits(own[0] >> WAIT_BIT),
            notify: EngineSet::from_bits(own[0] >> NOTIFY_BIT),
        };
        instruction.map_fields(|field, _| {
            used[field.word as usize] |= field.mask() << field.bit;
            (own[field.word as usize] >> field.bit & field.mask()) + field.min()
        });
        for (word, (&value, used)) in own.iter().zip(used).enumerate() {
            if value & !used != 0 {
                return Err(DecodeError::ReservedBits { offset, opcode, word, bits: value & !used });
            }
        }
        Ok(instruction)
    }
}

/// Encodes instructions to the bytes of a stream.
pub fn encode(instructions: &[Instruction]) -> Result<Vec<u8>, FieldError> {
    let mut words = Vec::with_capacity(instructions.len() * 5);
    for instruction in instructions {
        instruction.encode_into(&mut words)?;
    }
    Ok(words.into_iter().flat_map(u32::to_le_bytes).collect())
}

/// Decodes the bytes of a stream.
pub fn decode(bytes: &[u8]) -> Result<Vec<Instruction>, DecodeError> {
    let (words, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(DecodeError::PartialWord { bytes: bytes.len() });
    }
    let words: Vec<u32> = words.iter().map(|&word| u32::from_le_bytes(word)).collect();
    let mut instructions = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let instruction = Instruction::decode(&words[at..], at * 4)?;
        at += instruction.opcode().words();
        instructions.push(instruction);
    }
    Ok(instructions)
}
