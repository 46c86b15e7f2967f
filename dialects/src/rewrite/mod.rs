//! Rewriting by patterns.
//!
//! A [`Pattern`] first *matches*, with read access only, and then *rewrites* what the match found, through a [`Rewriter`] that records
//! every change. The driver [`apply`] works until no pattern matches; it computes what changed from the records, and a step budget
//! ends patterns that undo each other, naming them.
//!
//! ```
//! use dpuc_dialects::dialects::{func, nn};
//! use dpuc_dialects::rewrite::{Pattern, Patterns, Rewriter, apply};
//! use dpuc_dialects::{Ir, OpBuilder, OpId, ValueId, define::OpDefinition};
//!
//! /// relu(relu(x)) = relu(x)
//! struct ReluOfRelu;
//!
//! impl Pattern for ReluOfRelu {
//!     const NAME: &'static str = "relu-of-relu";
//!     type Match = ValueId;
//!
//!     fn root(&self) -> &'static OpDefinition {
//!         &nn::RELU
//!     }
//!
//!     fn matches(&self, ir: &Ir, op: OpId) -> Option<ValueId> {
//!         let input = ir.operand(op, 0);
//!         ir.is(ir.defining_op(input)?, &nn::RELU).then_some(input)
//!     }
//!
//!     fn rewrite(&self, input: ValueId, op: OpId, rewriter: &mut Rewriter) {
//!         rewriter.replace(op, &[input]);
//!     }
//! }
//!
//! let mut ir = Ir::new();
//! let map = ir.float_tensor(&[1, 2, 2, 1]);
//! let body = ir.body();
//! let function = func::build(&mut ir, body, "main", &[("x", map)], &[map]);
//! let entry = func::entry(&ir, function);
//! let mut value = ir.arguments(entry)[0];
//! for _ in 0..3 {
//!     let relu = OpBuilder::new(&nn::RELU).operands([value]).result(map, "").append(&mut ir, entry);
//!     value = ir.result(relu);
//! }
//! OpBuilder::new(&func::RETURN).operands([value]).append(&mut ir, entry);
//! let summary = apply(&mut ir, function, &Patterns::new().with(ReluOfRelu)).unwrap();
//! assert_eq!(summary.applications(), [("relu-of-relu", 2)]);
//! ```

mod driver;
mod pattern;
mod rewriter;

pub use driver::{NotConverged, Summary, apply, apply_with_budget};
pub use pattern::{Pattern, Patterns};
pub use rewriter::{Event, Rewriter};
