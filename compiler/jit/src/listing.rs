//! What a function becomes, as text.

use std::fmt::Write as _;

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::TargetIsa;
use dpuc_dialects::Ir;

use crate::codegen::{generate, host};
use crate::compiled::{Options, program};
use crate::error::Error;
use crate::loops::show;
use crate::memory::Arena;
use crate::network::Element;
use crate::program::{Port, Program, Region, Step};

/// A function at each level of its lowering.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Loop nests and calls, in order, after fusion.
    pub loops: String,
    /// Cranelift IR.
    pub cranelift: String,
    /// Machine code: instructions on x86-64, bytes elsewhere.
    pub machine: String,
}

/// Lowers a function as [`compile`](crate::compile) does, and shows each level.
pub fn listing(ir: &Ir, function: &str, options: &Options) -> Result<Listing, Error> {
    let program = program(ir, function, options)?;
    let arena = Arena::plan(&program, options.memory_limit)?;
    let isa = host()?;
    let mut context = generate(&program, &arena, &*isa);
    let cranelift = context.func.display().to_string();
    let code = context
        .compile(&*isa, &mut ControlPlane::default())
        .map_err(|error| Error::Machine(format!("{:?}", error.inner)))?;
    Ok(Listing { loops: loops(&program), cranelift, machine: disassemble(&*isa, code.code_buffer()) })
}

/// The steps of a program as text.
fn loops(program: &Program) -> String {
    let ports = |ports: &[Port]| ports.iter().map(port).collect::<Vec<_>>().join(", ");
    let mut text = format!("inputs {}\noutputs {}\n", ports(&program.inputs), ports(&program.outputs));
    for step in &program.steps {
        match step {
            Step::Nest(nest) => text += &show(nest, &program.buffers),
            Step::Call(call) => {
                let regions = |regions: &[Region]| {
                    let region = |region: &Region| {
                        let element = program.buffers[region.view.buffer].element.name();
                        format!("{}.{element}[{}; {}]", region.view.buffer, region.view.offset, region.elements)
                    };
                    regions.iter().map(region).collect::<Vec<_>>().join(", ")
                };
                let (outputs, inputs) = (regions(&call.outputs), regions(&call.inputs));
                let _ = writeln!(text, "call \"{}\"\n  {outputs} = {}({inputs})", call.label, call.op);
            }
        }
    }
    text
}

fn port(port: &Port) -> String {
    let element = match port.element {
        Element::I8 => "i8",
        Element::F32 => "f32",
    };
    format!("{} {:?} {element}", port.name, port.shape)
}

fn disassemble(isa: &dyn TargetIsa, code: &[u8]) -> String {
    use iced_x86::{Decoder, DecoderOptions, Formatter, NasmFormatter};
    let mut text = String::new();
    if isa.name() != "x64" {
        for (line, bytes) in code.chunks(16).enumerate() {
            let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let _ = writeln!(text, "{:6x}  {}", line * 16, bytes.join(" "));
        }
        return text;
    }
    let mut formatter = NasmFormatter::new();
    for instruction in &mut Decoder::new(64, code, DecoderOptions::NONE) {
        let mut line = String::new();
        formatter.format(&instruction, &mut line);
        let _ = writeln!(text, "{:6x}  {line}", instruction.ip());
    }
    text
}
