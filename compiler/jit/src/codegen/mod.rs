//! The loop IR to Cranelift IR.
//!
//! A compiled function takes one pointer, to its *frame*: a table of pointers (see [`slot`]). It returns 0, or what the first failing call
//! returned. Everything that differs from run to run, or from process to process, comes out of the frame, so the code needs no relocations.

mod lanes;
mod nest;

use cranelift_codegen::Context;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{AbiParam, InstBuilder, MemFlagsData, Signature, Value, types};
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

use crate::error::Error;
use crate::loops::{Buffer, Place};
use crate::memory::Arena;
use crate::program::{Program, Step};

/// Places in the frame.
pub(crate) mod slot {
    /// The trampoline, `extern "C" fn(context, step) -> u32`.
    pub(crate) const TRAMPOLINE: usize = 0;
    /// What the trampoline is given.
    pub(crate) const CONTEXT: usize = 1;
    /// The arena.
    pub(crate) const ARENA: usize = 2;
    /// The inputs, then the outputs, then the constants.
    pub(crate) const TENSORS: usize = 3;
}

/// The frame slot of a place outside of the arena.
pub(crate) fn tensor_slot(program: &Program, place: Place) -> Option<usize> {
    let (inputs, outputs) = (program.inputs.len(), program.outputs.len());
    match place {
        Place::Input(number) => Some(slot::TENSORS + number),
        Place::Output(number) => Some(slot::TENSORS + inputs + number),
        Place::Constant(number) => Some(slot::TENSORS + inputs + outputs + number),
        Place::Arena => None,
    }
}

/// The code generator of this machine.
pub(crate) fn host() -> Result<OwnedTargetIsa, Error> {
    let builder = cranelift_native::builder().map_err(|reason| Error::Machine(reason.to_owned()))?;
    let mut flags = settings::builder();
    for (name, value) in [
        ("opt_level", "speed"),
        ("is_pic", "false"),
        ("use_colocated_libcalls", "false"),
        ("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }),
    ] {
        flags.set(name, value).map_err(|error| Error::Machine(error.to_string()))?;
    }
    builder.finish(settings::Flags::new(flags)).map_err(|error| Error::Machine(error.to_string()))
}

/// The signature of compiled functions.
pub(crate) fn signature(isa: &dyn TargetIsa) -> Signature {
    let mut signature = Signature::new(isa.default_call_conv());
    signature.params.push(AbiParam::new(types::I64));
    signature.returns.push(AbiParam::new(types::I32));
    signature
}

/// The function of a program, in Cranelift IR.
pub(crate) fn generate(program: &Program, arena: &Arena, isa: &dyn TargetIsa) -> Context {
    let mut context = Context::new();
    context.func.signature = signature(isa);
    let mut frontend = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(&mut context.func, &mut frontend);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    builder.seal_block(entry);
    let frame = builder.block_params(entry)[0];
    let mut generator = Generator { builder: &mut builder, program, arena, frame };
    generator.steps(isa);
    builder.finalize(isa.frontend_config());
    context
}

struct Generator<'a, 'b> {
    builder: &'a mut FunctionBuilder<'b>,
    program: &'a Program,
    arena: &'a Arena,
    frame: Value,
}

impl Generator<'_, '_> {
    fn steps(&mut self, isa: &dyn TargetIsa) {
        let failed = self.builder.create_block();
        self.builder.append_block_param(failed, types::I32);
        self.builder.set_cold_block(failed);
        let mut trampoline = Signature::new(isa.default_call_conv());
        trampoline.params.extend([AbiParam::new(types::I64), AbiParam::new(types::I32)]);
        trampoline.returns.push(AbiParam::new(types::I32));
        let trampoline = self.builder.import_signature(trampoline);
        for (index, step) in self.program.steps.iter().enumerate() {
            match step {
                Step::Nest(nest) => {
                    let accesses = nest.loads.iter().chain([&nest.store]);
                    let addresses: Vec<Value> =
                        accesses.map(|access| self.address(access.buffer, access.offset)).collect();
                    nest::emit(self.builder, nest, &self.program.buffers, &addresses);
                }
                Step::Call(_) => {
                    let (callee, context) = (self.slot(slot::TRAMPOLINE), self.slot(slot::CONTEXT));
                    let number = self.builder.ins().iconst(types::I32, index as i64);
                    let call = self.builder.ins().call_indirect(trampoline, callee, &[context, number]);
                    let status = self.builder.inst_results(call)[0];
                    let is_bad = self.builder.ins().icmp_imm_s(IntCC::NotEqual, status, 0);
                    let next = self.builder.create_block();
                    self.builder.ins().brif(is_bad, failed, &[status.into()], next, &[]);
                    self.builder.seal_block(next);
                    self.builder.switch_to_block(next);
                }
            }
        }
        let success = self.builder.ins().iconst(types::I32, 0);
        self.builder.ins().return_(&[success]);
        self.builder.seal_block(failed);
        self.builder.switch_to_block(failed);
        let status = self.builder.block_params(failed)[0];
        self.builder.ins().return_(&[status]);
    }

    /// The pointer in a slot of the frame; the frame does not change while the function runs.
    fn slot(&mut self, slot: usize) -> Value {
        let flags = MemFlagsData::trusted().with_readonly();
        self.builder.ins().load(types::I64, flags, self.frame, (slot * 8) as i32)
    }

    /// The address of an element.
    fn address(&mut self, buffer: Buffer, element: i64) -> Value {
        let info = &self.program.buffers[buffer];
        let (base, start) = match tensor_slot(self.program, info.place) {
            Some(slot) => (self.slot(slot), 0),
            None => (self.slot(slot::ARENA), self.arena.offsets[buffer] as i64),
        };
        self.builder.ins().iadd_imm_s(base, start + element * info.element.bytes() as i64)
    }
}
