//! Evaluates functions of the IR with the reference kernels: what a network computes, without any compilation.
//!
//! * `int8` operations are evaluated by `dpuc_kernels::reference`, to the bit.
//! * `nn` operations are evaluated in single precision (sums in double precision). A quantised graph, whose values are small
//!   multiples of powers of two, is therefore evaluated exactly, up to the operators whose hardware form is another one than the
//!   mathematical one (average pooling, hard sigmoid; `spec/numerics.md` section 5.22).
//! * `func.call` enters functions and `dpu.subgraph`s; the containers of the `dpu` dialect are transparent.
//!
//! ```
//! use dpuc_dialects::dialects::{func, nn};
//! use dpuc_dialects::{Ir, OpBuilder};
//! use dpuc_evaluate::{Tensor, evaluate};
//!
//! let mut ir = Ir::new();
//! let map = ir.float_tensor(&[1, 3]);
//! let body = ir.body();
//! let function = func::build(&mut ir, body, "main", &[("x", map)], &[map]);
//! let entry = func::entry(&ir, function);
//! let x = ir.arguments(entry)[0];
//! let relu = OpBuilder::new(&nn::RELU).operands([x]).result(map, "y").append(&mut ir, entry);
//! let y = ir.result(relu);
//! OpBuilder::new(&func::RETURN).operands([y]).append(&mut ir, entry);
//!
//! let input = Tensor::from_f32(&[1, 3], vec![-1.0, 0.0, 2.0]).unwrap();
//! let outputs = evaluate(&ir, "main", &[input], &mut |_, _| {}).unwrap();
//! assert_eq!(outputs, [Tensor::from_f32(&[1, 3], vec![0.0, 0.0, 2.0]).unwrap()]);
//! ```

mod error;
mod evaluator;
mod fixed;
mod float;
mod liveness;
mod movement;
mod operation;
mod operators;
mod single;
mod tensor;

pub use error::{EvalError, Problem};
pub use evaluator::{Evaluator, evaluate};
pub use float::sampling;
pub use operators::{CustomCall, Operators};
pub use single::evaluate_operation;
pub use tensor::{ElementKind, Tensor};
