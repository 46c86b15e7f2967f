//! Instructions as operations and back.

use dpuc_backend::{ProgramProblem, instructions_from_program, program_from_instructions};
use dpuc_dialects::verify::verify;
use dpuc_dialects::{Attribute, Ir};
use dpuc_isa::{EngineSet, Field, Instruction, Opcode, Random, Tokens};

/// Any instruction with any field values and tokens.
fn random_instruction(random: &mut Random) -> Instruction {
    let mut instruction = Instruction::with_default_fields(random.pick(Opcode::ALL));
    instruction.map_fields(|field: &Field, _| random.field(field));
    let mut engines = || EngineSet::from_bits(random.below(16));
    *instruction.tokens_mut() = Tokens { wait: engines(), notify: engines() };
    instruction
}

#[test]
fn every_instruction_survives_as_an_operation() {
    let mut random = Random::new(1);
    let instructions: Vec<Instruction> = (0..60_000).map(|_| random_instruction(&mut random)).collect();
    let mut ir = Ir::new();
    let locations = ["a", "b"].map(|name| ir.named_location(name));
    let program = program_from_instructions(&mut ir, "p", Some("DPUCZDX8G_ISA1_B4096"), &instructions, |index| {
        locations[index % 2]
    });
    assert!(verify(&ir).is_empty(), "{:?}", verify(&ir).list().first());
    assert_eq!(instructions_from_program(&ir, program).unwrap(), instructions);
    assert_eq!(ir.str(program, "target"), Some("DPUCZDX8G_ISA1_B4096"));
    let body = ir.region_blocks(ir.op_regions(program)[0])[0];
    let second = ir.ops(body).nth(1).unwrap();
    assert_eq!(ir.location_name(ir.op(second).location), Some("b"));
}

#[test]
fn only_fields_that_differ_are_written() {
    let mut ir = Ir::new();
    let instruction = Instruction::with_default_fields(Opcode::End);
    let unknown = ir.unknown_location();
    let program = program_from_instructions(&mut ir, "p", None, &[instruction], |_| unknown);
    let body = ir.region_blocks(ir.op_regions(program)[0])[0];
    let end = ir.ops(body).next().unwrap();
    assert!(ir.attributes(end).is_empty() && ir.op_name(end) == "dpu.end");
    assert_eq!(ir.attribute(program, "target"), None);
}

#[test]
fn wrong_attributes_are_refused_with_place_and_way_out() {
    let problem = |name: &str, value: Attribute| {
        let mut ir = Ir::new();
        let instructions = [Opcode::End, Opcode::Load].map(Instruction::with_default_fields);
        let unknown = ir.unknown_location();
        let program = program_from_instructions(&mut ir, "p", None, &instructions, |_| unknown);
        let body = ir.region_blocks(ir.op_regions(program)[0])[0];
        let load = ir.ops(body).nth(1).unwrap();
        ir.set_attribute(load, name, value);
        instructions_from_program(&ir, program).unwrap_err()
    };
    let length = problem("length", Attribute::int(1025));
    assert_eq!(
        length.to_string(),
        "operation 1 of program `@p`, `dpu.load`, needs an integer from 1 to 1024 as `length`"
    );
    assert!(matches!(problem("length", Attribute::string("x")).problem, ProgramProblem::Field { .. }));
    assert!(matches!(problem("pace", Attribute::int(1)).problem, ProgramProblem::UnknownField { .. }));
    let engines = |names: &[&str]| Attribute::Array(names.iter().map(|&name| Attribute::string(name)).collect());
    for wrong in [engines(&["load", "load"]), engines(&["loader"]), Attribute::int(1)] {
        assert!(matches!(problem("wait", wrong).problem, ProgramProblem::Engines { mask: "wait" }));
    }
}
