//! A lowered function: buffers, and steps that fill them.

use std::sync::Arc;

use dpuc_evaluate::Tensor;

use crate::kernel::Kernel;
use crate::loops::{Buffer, Buffers, Nest, View};
use crate::network::Element;

/// A function of loop nests and calls.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) buffers: Buffers,
    pub(crate) steps: Vec<Step>,
    pub(crate) constants: Vec<Arc<Tensor>>,
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
}

/// An argument or a result.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) element: Element,
}

/// One step.
#[derive(Debug)]
pub(crate) enum Step {
    Nest(Box<Nest>),
    Call(Call),
}

/// A call of a kernel.
#[derive(Debug)]
pub(crate) struct Call {
    /// Name of the framework's node.
    pub(crate) label: String,
    /// The operation.
    pub(crate) op: String,
    pub(crate) inputs: Vec<Region>,
    pub(crate) outputs: Vec<Region>,
    pub(crate) kernel: Box<dyn Kernel>,
}

/// A whole tensor, as a kernel sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Region {
    pub(crate) view: View,
    pub(crate) elements: usize,
}

impl Step {
    /// The buffers it reads.
    pub(crate) fn reads(&self) -> impl Iterator<Item = Buffer> + '_ {
        let (loads, inputs) = match self {
            Self::Nest(nest) => (&nest.loads[..], &[][..]),
            Self::Call(call) => (&[][..], &call.inputs[..]),
        };
        loads.iter().map(|access| access.buffer).chain(inputs.iter().map(|region| region.view.buffer))
    }

    /// The buffers it writes.
    pub(crate) fn writes(&self) -> impl Iterator<Item = Buffer> + '_ {
        let (store, outputs) = match self {
            Self::Nest(nest) => (Some(nest.store.buffer), &[][..]),
            Self::Call(call) => (None, &call.outputs[..]),
        };
        store.into_iter().chain(outputs.iter().map(|region| region.view.buffer))
    }
}
