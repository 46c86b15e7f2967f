//! Machine code and the calls across its border: the only unsafe code of this crate.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::slice::{from_raw_parts, from_raw_parts_mut};

use cranelift_codegen::Context;
use cranelift_codegen::ir::Signature;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Linkage, Module, ModuleResult, default_libcall_names};

use crate::codegen::{signature, slot, tensor_slot};
use crate::error::Error;
use crate::memory::{ALIGNMENT, Arena};
use crate::program::{Call, Program, Region, Step};

/// A compiled function: takes the frame, returns 0 or 1 + the step that failed.
type Entry = unsafe extern "C" fn(*const *mut u8) -> u32;

/// Executable memory with one function.
pub(crate) struct Code {
    entry: Entry,
    /// Taken when dropped.
    module: Option<JITModule>,
}

// SAFETY: after `Code::new` the module is not touched again until it is dropped, which takes `&mut self`; the code itself is read-only.
unsafe impl Sync for Code {}

impl Code {
    /// Compiles a function and makes it executable.
    pub(crate) fn new(isa: OwnedTargetIsa, context: &mut Context) -> Result<Self, Error> {
        let signature = signature(&*isa);
        let mut module = JITModule::new(JITBuilder::with_isa(isa, default_libcall_names()));
        match define(&mut module, &signature, context) {
            Ok(entry) => {
                // SAFETY: `entry` is the first instruction of a function of exactly this signature.
                let entry = unsafe { std::mem::transmute::<*const u8, Entry>(entry) };
                Ok(Self { entry, module: Some(module) })
            }
            Err(error) => {
                // SAFETY: nothing has kept a pointer into the module.
                unsafe { module.free_memory() };
                Err(Error::Machine(format!("{error:?}")))
            }
        }
    }
}

/// Compiles a function into a module; gives its first instruction.
#[expect(clippy::result_large_err, reason = "the error is Cranelift's")]
fn define(module: &mut JITModule, signature: &Signature, context: &mut Context) -> ModuleResult<*const u8> {
    let function = module.declare_function("dpuc", Linkage::Export, signature)?;
    module.define_function(function, context)?;
    module.finalize_definitions()?;
    Ok(module.get_finalized_function(function))
}

impl Drop for Code {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: `entry` is called only through `&self`, which cannot outlive this.
            unsafe { module.free_memory() };
        }
    }
}

/// Zeroed, aligned memory.
pub(crate) struct Memory {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: it owns plain bytes.
unsafe impl Send for Memory {}

impl Memory {
    /// Asks the system for memory; an error if it has none.
    pub(crate) fn new(bytes: u64) -> Result<Self, Error> {
        let size = usize::try_from(bytes).unwrap_or(usize::MAX).max(1);
        let layout = Layout::from_size_align(size, ALIGNMENT as usize).map_err(|_| Error::Allocation(size))?;
        // SAFETY: the size is not 0.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) }).ok_or(Error::Allocation(size))?;
        Ok(Self { start, layout })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: `start` was allocated with this layout.
        unsafe { dealloc(self.start.as_ptr(), self.layout) };
    }
}

/// The tensors of one run. Inputs and constants are only read.
pub(crate) struct Tensors<'a> {
    /// The bytes of each input, then each constant.
    pub(crate) inputs: Vec<&'a [u8]>,
    pub(crate) outputs: Vec<&'a mut [u8]>,
    pub(crate) constants: Vec<&'a [u8]>,
}

/// What the trampoline needs.
struct Session<'a> {
    program: &'a Program,
    arena: &'a Arena,
    frame: *const *mut u8,
    error: Option<Error>,
}

/// Runs a function on tensors of the sizes that its program says, with an arena of the planned size.
///
/// # Panics
/// If a tensor has another size.
pub(crate) fn run(
    code: &Code,
    program: &Program,
    arena: &Arena,
    memory: &mut Memory,
    tensors: &mut Tensors<'_>,
) -> Result<(), Error> {
    assert!(memory.layout.size() as u64 >= arena.bytes, "the arena is too small");
    for info in program.buffers.values() {
        let found = match info.place {
            crate::loops::Place::Input(number) => tensors.inputs[number].len(),
            crate::loops::Place::Output(number) => tensors.outputs[number].len(),
            crate::loops::Place::Constant(number) => tensors.constants[number].len(),
            crate::loops::Place::Arena => continue,
        };
        assert!(found == info.bytes(), "a tensor has {found} bytes, the function needs {}", info.bytes());
    }
    let mut frame: Vec<*mut u8> = vec![std::ptr::null_mut(); slot::TENSORS];
    frame.extend(tensors.inputs.iter().map(|bytes| bytes.as_ptr().cast_mut()));
    frame.extend(tensors.outputs.iter_mut().map(|bytes| bytes.as_mut_ptr()));
    frame.extend(tensors.constants.iter().map(|bytes| bytes.as_ptr().cast_mut()));
    let mut session = Session { program, arena, frame: std::ptr::null(), error: None };
    let context: *mut Session<'_> = &raw mut session;
    frame[slot::TRAMPOLINE] = trampoline as *mut u8;
    frame[slot::CONTEXT] = context.cast();
    frame[slot::ARENA] = memory.start.as_ptr();
    // SAFETY: `context` points to `session`, which nothing else uses until the call below returns.
    unsafe { (*context).frame = frame.as_ptr() };
    // SAFETY: the code reads and writes only buffers of the program, at offsets inside them: inputs, constants and outputs have the sizes
    // checked above, the arena has the planned size. Outputs and the arena are exclusively borrowed. The frame outlives the call.
    let status = unsafe { (code.entry)(frame.as_ptr()) };
    match (status, session.error) {
        (0, _) => Ok(()),
        (_, Some(error)) => Err(error),
        (status, None) => Err(Error::Run { place: format!("step {status}"), reason: "it failed".to_owned() }),
    }
}

/// Runs the call of one step. Called by machine code: a panic ends here and becomes an error.
extern "C" fn trampoline(session: *mut Session<'_>, step: u32) -> u32 {
    // SAFETY: machine code passes the context of its frame on, which points to the session of this run; only one call runs at a time.
    let session = unsafe { &mut *session };
    let Some(Step::Call(call)) = session.program.steps.get(step as usize) else { return step + 1 };
    let outcome = catch_unwind(AssertUnwindSafe(|| session.call(call, step as usize)));
    let reason = match outcome {
        Ok(Ok(())) => return 0,
        Ok(Err(reason)) => reason,
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            format!("it panicked: {}", text.unwrap_or_default())
        }
    };
    session.error = Some(Error::Run { place: format!("{}: `{}`", call.label, call.op), reason });
    step + 1
}

impl Session<'_> {
    fn call(&self, call: &Call, step: usize) -> Result<(), String> {
        // SAFETY: regions are inside their buffers; the buffers of one call that it writes overlap none of its others, because all are
        // alive at this step; scratch memory is planned for this step alone.
        unsafe {
            let inputs: Vec<&[u8]> = call.inputs.iter().map(|region| self.bytes(region)).collect();
            let mut outputs: Vec<&mut [u8]> = call.outputs.iter().map(|region| self.bytes_mut(region)).collect();
            let arena = *self.frame.add(slot::ARENA);
            let (place, bytes) = self.arena.scratch[step];
            let scratch = from_raw_parts_mut(arena.add(place as usize), bytes);
            call.kernel.run(&inputs, &mut outputs, scratch)
        }
    }

    /// The first byte of a region, and how many it has.
    ///
    /// # Safety
    /// The frame must be that of a run of the program.
    unsafe fn place(&self, region: &Region) -> (*mut u8, usize) {
        let info = &self.program.buffers[region.view.buffer];
        let size = info.element.bytes();
        let start = region.view.offset * size;
        // SAFETY: the frame has a slot for every tensor, and the region is inside its buffer.
        let first = unsafe {
            match tensor_slot(self.program, info.place) {
                Some(slot) => (*self.frame.add(slot)).add(start),
                None => (*self.frame.add(slot::ARENA)).add(self.arena.offsets[region.view.buffer] as usize + start),
            }
        };
        (first, region.elements * size)
    }

    /// # Safety
    /// As [`Session::place`], and nothing may write the region while the result lives.
    unsafe fn bytes(&self, region: &Region) -> &[u8] {
        // SAFETY: as promised by the caller.
        unsafe {
            let (first, bytes) = self.place(region);
            from_raw_parts(first, bytes)
        }
    }

    /// # Safety
    /// As [`Session::place`], and nothing else may use the region while the result lives.
    #[expect(clippy::mut_from_ref, reason = "the memory is the run's, not the session's")]
    unsafe fn bytes_mut(&self, region: &Region) -> &mut [u8] {
        // SAFETY: as promised by the caller.
        unsafe {
            let (first, bytes) = self.place(region);
            from_raw_parts_mut(first, bytes)
        }
    }
}
