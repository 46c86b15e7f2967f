//! Compiled functions.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytemuck::{cast_slice, cast_slice_mut};
use dpuc_dialects::Ir;
use dpuc_evaluate::{Operators, Tensor};

use crate::codegen::{generate, host};
use crate::error::Error;
use crate::fuse::fuse;
use crate::lower::lower;
use crate::machine::{Code, Memory, Tensors, run};
use crate::memory::Arena;
use crate::network::{Element, Network};
use crate::program::{Port, Program};

/// How functions are compiled.
#[derive(Clone, Debug)]
pub struct Options {
    /// User-supplied operators, for `nn.custom`.
    pub operators: Operators,
    /// Most bytes that the values of one running instance may take together.
    pub memory_limit: u64,
}

impl Default for Options {
    /// No user-supplied operators, 4 GiB.
    fn default() -> Self {
        Self { operators: Operators::new(), memory_limit: 1 << 32 }
    }
}

/// A function as machine code, with its constants. It can be run any number of times, by many threads at once; dropping it frees
/// everything.
pub struct Compiled {
    code: Code,
    program: Program,
    arena: Arena,
    /// Arenas of runs that have ended.
    idle: Mutex<Vec<Memory>>,
}

/// Compiles the function `function` of a verified module for this machine.
pub fn compile(ir: &Ir, function: &str, options: &Options) -> Result<Compiled, Error> {
    let program = program(ir, function, options)?;
    let arena = Arena::plan(&program, options.memory_limit)?;
    let isa = host()?;
    let mut context = generate(&program, &arena, &*isa);
    let code = Code::new(isa, &mut context)?;
    Ok(Compiled { code, program, arena, idle: Mutex::new(Vec::new()) })
}

/// Lowers a function to nests and calls.
pub(crate) fn program(ir: &Ir, function: &str, options: &Options) -> Result<Program, Error> {
    let ir = Arc::new(ir.clone());
    let network = Network::new(&ir, function)?;
    let mut program = lower(&ir, &network, &options.operators)?;
    fuse(&mut program);
    Ok(program)
}

impl Compiled {
    /// Runs the function; one tensor for each argument, of exactly its shape and element type.
    pub fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, Error> {
        let ports = &self.program.inputs;
        if inputs.len() != ports.len() {
            return Err(Error::InputCount { expected: ports.len(), found: inputs.len() });
        }
        for (index, (input, port)) in inputs.iter().zip(ports).enumerate() {
            check(index, input, port)?;
        }
        let inputs: Vec<Cow<'_, Tensor>> = inputs.iter().map(in_order).collect();
        let mut outputs: Vec<Elements> = self.program.outputs.iter().map(Elements::zeros).collect();
        let mut memory = self.take_memory()?;
        let mut tensors = Tensors {
            inputs: inputs.iter().map(|input| bytes(input)).collect(),
            outputs: outputs.iter_mut().map(Elements::bytes_mut).collect(),
            constants: self.program.constants.iter().map(|constant| bytes(constant)).collect(),
        };
        let outcome = run(&self.code, &self.program, &self.arena, &mut memory, &mut tensors);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        outcome?;
        let finished = outputs.into_iter().zip(&self.program.outputs);
        Ok(finished.filter_map(|(elements, port)| elements.into_tensor(&port.shape)).collect())
    }

    /// Bytes of memory that each running instance has for its values and scratch.
    pub const fn arena_bytes(&self) -> u64 {
        self.arena.bytes
    }

    fn take_memory(&self) -> Result<Memory, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| Memory::new(self.arena.bytes), Ok)
    }
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Program { steps, inputs, outputs, .. } = &self.program;
        f.debug_struct("Compiled")
            .field("inputs", inputs)
            .field("outputs", outputs)
            .field("steps", &steps.len())
            .field("arena_bytes", &self.arena.bytes)
            .finish_non_exhaustive()
    }
}

fn check(index: usize, input: &Tensor, port: &Port) -> Result<(), Error> {
    let element = match input {
        Tensor::F32(_) => Element::F32,
        Tensor::I8(_) => Element::I8,
    };
    if input.shape() == port.shape && element == port.element {
        return Ok(());
    }
    let text = |shape: &[usize], element: Element| format!("{shape:?} of {}", element.name());
    let (expected, found) = (text(&port.shape, port.element), text(input.shape(), element));
    Err(Error::InputType { index, name: port.name.clone(), expected, found })
}

/// A tensor with its elements in C order.
fn in_order(tensor: &Tensor) -> Cow<'_, Tensor> {
    match tensor {
        Tensor::F32(values) if !values.is_standard_layout() => {
            Cow::Owned(Tensor::F32(values.as_standard_layout().into_owned()))
        }
        Tensor::I8(values) if !values.is_standard_layout() => {
            Cow::Owned(Tensor::I8(values.as_standard_layout().into_owned()))
        }
        _ => Cow::Borrowed(tensor),
    }
}

/// The elements of a tensor in C order.
fn bytes(tensor: &Tensor) -> &[u8] {
    match tensor {
        Tensor::F32(values) => cast_slice(values.as_slice().unwrap_or_default()),
        Tensor::I8(values) => cast_slice(values.as_slice().unwrap_or_default()),
    }
}

/// The elements of a result.
enum Elements {
    I8(Vec<i8>),
    F32(Vec<f32>),
}

impl Elements {
    fn zeros(port: &Port) -> Self {
        let count = port.shape.iter().product();
        match port.element {
            Element::I8 => Self::I8(vec![0; count]),
            Element::F32 => Self::F32(vec![0.0; count]),
        }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Self::I8(values) => cast_slice_mut(values),
            Self::F32(values) => cast_slice_mut(values),
        }
    }

    fn into_tensor(self, shape: &[usize]) -> Option<Tensor> {
        match self {
            Self::I8(values) => Tensor::from_i8(shape, values),
            Self::F32(values) => Tensor::from_f32(shape, values),
        }
    }
}
