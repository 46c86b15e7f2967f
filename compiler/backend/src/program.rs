//! Instructions as operations: `dpu.program` to a stream and back.
//!
//! Each instruction is one `dpu` operation whose attributes are the fields that differ from their smallest value, and the lists
//! `wait` and `notify` of engines. Both directions are exact inverses.

use dpuc_dialects::dialects::dpu;
use dpuc_dialects::{Attribute, BlockId, Ir, Location, Name, OpBuilder, OpId};
use dpuc_isa::{Engine, EngineSet, Field, Instruction, Opcode, Tokens};
use thiserror::Error;

/// Why a `dpu.program` is no stream of instructions.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("operation {index} of program `@{program}`, `{operation}`, {problem}")]
pub struct ProgramError {
    /// The program.
    pub program: String,
    /// Position in it, from 0.
    pub index: usize,
    /// The operation.
    pub operation: String,
    /// What is wrong with it.
    pub problem: ProgramProblem,
}

/// What is wrong with an operation in a program.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProgramProblem {
    /// It is none of the instructions.
    #[error("is no machine instruction")]
    NoInstruction,
    /// A field has no number, or one its bits cannot hold.
    #[error("needs an integer from {min} to {max} as `{field}`")]
    Field {
        /// The field.
        field: &'static str,
        /// Smallest value.
        min: u32,
        /// Largest value.
        max: u32,
    },
    /// `wait` or `notify` is no list of engines.
    #[error("needs a list of \"load\", \"save\", \"conv\" and \"misc\", each once, as `{mask}`")]
    Engines {
        /// `wait` or `notify`.
        mask: &'static str,
    },
    /// An attribute is none of the instruction's fields.
    #[error("has no field `{attribute}`")]
    UnknownField {
        /// The attribute.
        attribute: String,
    },
}

/// Appends a `dpu.program` to the module, one operation for each instruction.
///
/// `location_of` gives the location of the instruction with a number. `target` is recorded by name.
pub fn program_from_instructions(
    ir: &mut Ir,
    name: &str,
    target: Option<&str>,
    instructions: &[Instruction],
    location_of: impl Fn(usize) -> Location,
) -> OpId {
    let module = ir.body();
    let mut program = OpBuilder::new(&dpu::PROGRAM).attribute("sym_name", Attribute::string(name));
    if let Some(target) = target {
        program = program.attribute("target", Attribute::string(target));
    }
    let program = program.append(ir, module);
    let region = ir.op_regions(program)[0];
    let body = ir.add_block(region);
    let masks: Vec<Attribute> = (0..16).map(|bits| engine_list(EngineSet::from_bits(bits))).collect();
    for (index, instruction) in instructions.iter().enumerate() {
        append_instruction(ir, body, instruction, location_of(index), &masks);
    }
    program
}

fn append_instruction(ir: &mut Ir, body: BlockId, instruction: &Instruction, location: Location, masks: &[Attribute]) {
    let mut builder = OpBuilder::new(dpu::instruction(instruction.opcode())).at(location);
    let Tokens { wait, notify } = instruction.tokens();
    for (name, engines) in [("wait", wait), ("notify", notify)] {
        if engines != EngineSet::EMPTY {
            builder = builder.attribute(name, masks[engines.bits() as usize].clone());
        }
    }
    let mut fields = Vec::new();
    instruction.for_each_field(|field, value| {
        if value != field.min() {
            fields.push((field.name, Attribute::int(i64::from(value))));
        }
    });
    for (name, value) in fields {
        builder = builder.attribute(name, value);
    }
    builder.append(ir, body);
}

fn engine_list(engines: EngineSet) -> Attribute {
    Attribute::Array(engines.iter().map(|engine| Attribute::string(engine.name())).collect())
}

/// The instructions of a `dpu.program`, in order.
///
/// # Errors
/// The first operation that is no instruction, or has attributes that are not its fields' values.
pub fn instructions_from_program(ir: &Ir, program: OpId) -> Result<Vec<Instruction>, ProgramError> {
    let fail = |index: usize, op: OpId, problem: ProgramProblem| ProgramError {
        program: ir.symbol_name(program).unwrap_or_default().to_owned(),
        index,
        operation: ir.op_name(op).to_owned(),
        problem,
    };
    let reader = Reader::new(ir);
    let blocks = ir.op_regions(program).iter().flat_map(|&region| ir.region_blocks(region));
    let ops = blocks.flat_map(|&block| ir.ops(block));
    ops.enumerate().map(|(index, op)| reader.read(op).map_err(|problem| fail(index, op, problem))).collect()
}

/// The names of all fields, looked up once.
struct Reader<'a> {
    ir: &'a Ir,
    wait: Option<Name>,
    notify: Option<Name>,
    fields: Vec<(Opcode, Vec<(Name, &'static Field)>)>,
}

impl<'a> Reader<'a> {
    fn new(ir: &'a Ir) -> Self {
        // A name the module does not know is an attribute no operation has.
        let named = |opcode: Opcode| {
            opcode.fields().iter().filter_map(|field| Some((ir.find_name(field.name)?, field))).collect::<Vec<_>>()
        };
        Self {
            ir,
            wait: ir.find_name("wait"),
            notify: ir.find_name("notify"),
            fields: Opcode::ALL.iter().map(|&opcode| (opcode, named(opcode))).collect(),
        }
    }

    fn read(&self, op: OpId) -> Result<Instruction, ProgramProblem> {
        let opcode = self.ir.definition(op).and_then(dpu::opcode).ok_or(ProgramProblem::NoInstruction)?;
        let named = self.fields.iter().find(|(own, _)| *own == opcode).map_or(&[][..], |(_, named)| named);
        let mut tokens = Tokens::default();
        let mut values: Vec<(&'static str, u32)> = Vec::new();
        for (name, value) in self.ir.attributes(op) {
            if Some(*name) == self.wait {
                tokens.wait = engine_set(value).ok_or(ProgramProblem::Engines { mask: "wait" })?;
            } else if Some(*name) == self.notify {
                tokens.notify = engine_set(value).ok_or(ProgramProblem::Engines { mask: "notify" })?;
            } else if let Some((_, field)) = named.iter().find(|(own, _)| own == name) {
                values.push((field.name, field_value(field, value)?));
            } else {
                return Err(ProgramProblem::UnknownField { attribute: self.ir.text(*name).to_owned() });
            }
        }
        let mut instruction = Instruction::with_default_fields(opcode);
        *instruction.tokens_mut() = tokens;
        instruction.map_fields(|field, smallest| {
            let given = values.iter().find(|(name, _)| std::ptr::eq(*name, field.name) || *name == field.name);
            given.map_or(smallest, |&(_, value)| value)
        });
        Ok(instruction)
    }
}

fn field_value(field: &'static Field, value: &Attribute) -> Result<u32, ProgramProblem> {
    let value = value.as_int().and_then(|value| u32::try_from(value).ok()).filter(|&value| field.accepts(value));
    value.ok_or(ProgramProblem::Field { field: field.name, min: field.min(), max: field.max() })
}

fn engine_set(value: &Attribute) -> Option<EngineSet> {
    value.as_array()?.iter().try_fold(EngineSet::EMPTY, |set, engine| {
        let engine = Engine::from_name(engine.as_str()?)?;
        (!set.contains(engine)).then(|| set.with(engine))
    })
}
