//! Compiles CPU functions of the IR to machine code, for the machine it runs on.
//!
//! * **Flat** (`network`): calls are unfolded, constants read, dead operations dropped.
//! * **Loops** (`loops`, `lower`, `fuse`): elementwise operations, movements and reductions become loop nests with the shapes of this
//!   function; a producer is computed inside its reader where nothing is computed twice.
//! * **Calls** (`kernel`): heavy operators are calls of kernels that are bound to their constants when the function is compiled.
//! * **Memory** (`memory`): one arena for each running instance, planned by live ranges.
//! * **Code** (`codegen`, `machine`): Cranelift IR with 128-bit vectors, then machine code that is never writable and executable at once.
//!
//! Results of `int8` operations equal those of `dpuc_evaluate` to the bit, and so do elementwise `nn` operations and means and sums over one
//! axis; sums over several axes may differ in the last bit, for their double-precision parts are added in another order.
//!
//! ```
//! use dpuc_dialects::dialects::{func, nn};
//! use dpuc_dialects::{Ir, OpBuilder};
//! use dpuc_evaluate::Tensor;
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
//! let compiled = dpuc_jit::compile(&ir, "main", &dpuc_jit::Options::default()).unwrap();
//! let input = Tensor::from_f32(&[1, 3], vec![-1.0, 0.0, 2.0]).unwrap();
//! assert_eq!(compiled.run(&[input]).unwrap(), [Tensor::from_f32(&[1, 3], vec![0.0, 0.0, 2.0]).unwrap()]);
//! ```

mod codegen;
mod compiled;
mod error;
mod fuse;
mod kernel;
mod listing;
mod loops;
mod lower;
#[expect(unsafe_code, reason = "machine code is made and called here, behind safe functions")]
mod machine;
mod memory;
mod network;
mod program;

pub use compiled::{Compiled, Options, compile};
pub use error::Error;
pub use listing::{Listing, listing};
