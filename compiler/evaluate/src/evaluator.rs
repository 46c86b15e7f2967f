//! Walking functions.

use std::cell::Cell;
use std::collections::HashMap;

use dpuc_dialects::define::Traits;
use dpuc_dialects::dialects::{dpu, func};
use dpuc_dialects::{Attribute, BlockId, Ir, OpId, ValueId};

use crate::error::{EvalError, Problem};
use crate::liveness::Plan;
use crate::operators::Operators;
use crate::single::{evaluate_operation, failure};
use crate::tensor::{ElementKind, Tensor};

/// Deepest nesting of calls; real programs have two levels.
const MAX_CALL_DEPTH: usize = 64;
/// Functions entered in one evaluation, so that functions which call each other twice end.
const MAX_CALLS: usize = 10_000;

/// Evaluates the function `function` of the module; see [`Evaluator::run`].
pub fn evaluate(
    ir: &Ir,
    function: &str,
    inputs: &[Tensor],
    observer: &mut dyn FnMut(OpId, &Tensor),
) -> Result<Vec<Tensor>, EvalError> {
    Evaluator::new(ir).run(function, inputs, observer)
}

/// Evaluates functions of a module, if wanted with some values given from outside.
///
/// Only operations that the wanted values depend on are evaluated, and every value is dropped after its last use.
#[derive(Clone, Debug)]
pub struct Evaluator<'a> {
    ir: &'a Ir,
    given: HashMap<ValueId, Tensor>,
    operators: Operators,
    /// Functions entered so far.
    calls: Cell<usize>,
}

impl<'a> Evaluator<'a> {
    /// An evaluator of the functions of `ir`, which must be verified.
    pub fn new(ir: &'a Ir) -> Self {
        Self { ir, given: HashMap::new(), operators: Operators::new(), calls: Cell::new(0) }
    }

    /// Gives a value instead of computing it: what it depends on is not evaluated for it. This is the way past an operation that
    /// has no evaluator, and into the middle of a function.
    #[must_use]
    pub fn with_value(mut self, value: ValueId, tensor: Tensor) -> Self {
        self.given.insert(value, tensor);
        self
    }

    /// Supplies operators that this library does not know.
    #[must_use]
    pub fn with_operators(mut self, operators: Operators) -> Self {
        self.operators = operators;
        self
    }

    /// Evaluates the function `function`; gives its results. `observer` sees every evaluated operation, constants included, with
    /// its result.
    pub fn run(
        &self,
        function: &str,
        inputs: &[Tensor],
        observer: &mut dyn FnMut(OpId, &Tensor),
    ) -> Result<Vec<Tensor>, EvalError> {
        let op = self.find(function)?;
        self.calls.set(0);
        self.call(op, inputs.to_vec(), 0, observer)
    }

    /// Evaluates some values of one function, which must be results or arguments in the function's own block. Arguments they depend
    /// on must be given ([`Evaluator::with_value`]).
    pub fn values(
        &self,
        function: &str,
        targets: &[ValueId],
        observer: &mut dyn FnMut(OpId, &Tensor),
    ) -> Result<Vec<Tensor>, EvalError> {
        let entry = func::entry(self.ir, self.find(function)?);
        self.block(entry, HashMap::new(), targets, 0, observer)
    }

    fn find(&self, function: &str) -> Result<OpId, EvalError> {
        let found = self.ir.find_symbol(function).filter(|&op| {
            self.ir.has_traits(op, Traits::FUNCTION)
                && self.ir.op_regions(op).first().is_some_and(|&region| !self.ir.region_blocks(region).is_empty())
        });
        found.ok_or_else(|| EvalError::UnknownFunction(function.to_owned()))
    }

    fn call(
        &self,
        function: OpId,
        inputs: Vec<Tensor>,
        depth: usize,
        observer: &mut dyn FnMut(OpId, &Tensor),
    ) -> Result<Vec<Tensor>, EvalError> {
        let name = || self.ir.symbol_name(function).unwrap_or_default().to_owned();
        let entry = func::entry(self.ir, function);
        let arguments = self.ir.arguments(entry);
        if arguments.len() != inputs.len() {
            let (expected, found) = (arguments.len(), inputs.len());
            return Err(EvalError::InputCount { function: name(), expected, found });
        }
        self.calls.set(self.calls.get() + 1);
        if self.calls.get() > MAX_CALLS {
            return Err(EvalError::Calls { limit: MAX_CALLS });
        }
        if depth > MAX_CALL_DEPTH {
            return Err(EvalError::Depth { function: name(), limit: MAX_CALL_DEPTH });
        }
        for (index, (&argument, input)) in arguments.iter().zip(&inputs).enumerate() {
            let ty = self.ir.value_type(argument);
            if !input.has_type(self.ir, ty) {
                return Err(EvalError::InputType {
                    function: name(),
                    index,
                    expected: self.ir.show_type(ty),
                    found: input.shape().to_vec(),
                    element: match input.element() {
                        ElementKind::F32 => "f32",
                        ElementKind::I8 => "i8",
                    },
                });
            }
        }
        let known = arguments.iter().copied().zip(inputs).collect();
        let results = self.ir.last_op(entry).map(|end| self.ir.operands(end)).unwrap_or_default();
        self.block(entry, known, results, depth, observer)
    }

    /// Evaluates what `targets` need in `block`, starting from the values `known`.
    fn block(
        &self,
        block: BlockId,
        known: HashMap<ValueId, Tensor>,
        targets: &[ValueId],
        depth: usize,
        observer: &mut dyn FnMut(OpId, &Tensor),
    ) -> Result<Vec<Tensor>, EvalError> {
        let is_known = |value| known.contains_key(&value) || self.given.contains_key(&value);
        let plan = Plan::new(self.ir, block, targets, is_known);
        let mut frame = Frame { evaluator: self, values: known, reads: plan.reads, depth };
        for op in plan.ops {
            frame.execute(op, observer)?;
        }
        targets.iter().map(|&target| frame.get(target).cloned()).collect()
    }
}

/// The values of one call.
struct Frame<'e, 'a> {
    evaluator: &'e Evaluator<'a>,
    values: HashMap<ValueId, Tensor>,
    /// Reads that are still to come.
    reads: HashMap<ValueId, usize>,
    depth: usize,
}

impl Frame<'_, '_> {
    fn get(&self, value: ValueId) -> Result<&Tensor, EvalError> {
        let name = || self.evaluator.ir.value_name(value).unwrap_or("unnamed").to_owned();
        let found = self.evaluator.given.get(&value).or_else(|| self.values.get(&value));
        found.ok_or_else(|| EvalError::Unavailable(name()))
    }

    fn execute(&mut self, op: OpId, observer: &mut dyn FnMut(OpId, &Tensor)) -> Result<(), EvalError> {
        let ir = self.evaluator.ir;
        if ir.is(op, &dpu::SUPERLAYER) {
            self.superlayer(op, observer)?;
        } else if ir.is(op, &func::CALL) {
            self.call(op, observer)?;
        } else {
            let operands: Vec<&Tensor> =
                ir.operands(op).iter().map(|&operand| self.get(operand)).collect::<Result<_, _>>()?;
            let results = evaluate_operation(ir, op, &operands, &self.evaluator.operators)?;
            for (&value, result) in ir.results(op).iter().zip(results) {
                observer(op, &result);
                self.store(op, value, result)?;
            }
        }
        for &operand in ir.operands(op) {
            self.release(operand);
        }
        Ok(())
    }

    /// Keeps a result if somebody reads it.
    fn store(&mut self, op: OpId, value: ValueId, tensor: Tensor) -> Result<(), EvalError> {
        let ir = self.evaluator.ir;
        let ty = ir.value_type(value);
        if !tensor.has_type(ir, ty) {
            let problem = Problem::Result { found: tensor.shape().to_vec(), expected: ir.show_type(ty) };
            return Err(failure(ir, op, problem));
        }
        if self.reads.get(&value).is_some_and(|&reads| reads > 0) {
            self.values.insert(value, tensor);
        }
        Ok(())
    }

    /// Notes a read and drops the value if it was the last.
    fn release(&mut self, value: ValueId) {
        let Some(reads) = self.reads.get_mut(&value) else { return };
        *reads = reads.saturating_sub(1);
        if *reads == 0 {
            self.values.remove(&value);
        }
    }

    /// A superlayer's body sees the values around it; block arguments, if it has some, stand for the operands.
    fn superlayer(&mut self, op: OpId, observer: &mut dyn FnMut(OpId, &Tensor)) -> Result<(), EvalError> {
        let ir = self.evaluator.ir;
        let region = ir.op_regions(op).first();
        let Some(&body) = region.and_then(|&region| ir.region_blocks(region).first()) else {
            return Err(failure(ir, op, Problem::NoEvaluator));
        };
        for (&argument, &operand) in ir.arguments(body).iter().zip(ir.operands(op)) {
            let value = self.get(operand)?.clone();
            self.values.insert(argument, value);
        }
        for inner in ir.ops(body) {
            if !ir.is(inner, &dpu::YIELD) {
                self.execute(inner, observer)?;
                continue;
            }
            for (&result, &yielded) in ir.results(op).iter().zip(ir.operands(inner)) {
                let value = self.get(yielded)?.clone();
                self.store(op, result, value)?;
            }
            for &yielded in ir.operands(inner) {
                self.release(yielded);
            }
        }
        Ok(())
    }

    fn call(&mut self, op: OpId, observer: &mut dyn FnMut(OpId, &Tensor)) -> Result<(), EvalError> {
        let ir = self.evaluator.ir;
        let callee = ir.attribute(op, "callee").and_then(Attribute::as_symbol).unwrap_or_default();
        let function = self.evaluator.find(callee)?;
        let inputs = ir.operands(op).iter().map(|&operand| self.get(operand).cloned()).collect::<Result<_, _>>()?;
        let results = self.evaluator.call(function, inputs, self.depth + 1, observer)?;
        for (&value, result) in ir.results(op).iter().zip(results) {
            self.store(op, value, result)?;
        }
        Ok(())
    }
}
