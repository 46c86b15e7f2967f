//! Bit-exact model of the accelerator.
//!
//! A [`Core`] has the banks and DDR regions of one DPUCZDX8G core and executes its instructions one after another in stream
//! order, which defines the functional result of a program (`spec/dpuczdx8g-isa.md` section 3). Dependency masks have no effect on
//! it; [`check`] tells whether they order everything that must be ordered, and [`timing`] how long the program takes.
//!
//! ```
//! use dpuc_accel::Core;
//! use dpuc_isa::{Instruction, Load, Save, Target};
//!
//! let target = Target::registered().pop().expect("B4096 is the last target");
//! let mut core = Core::new(&target);
//! core.regions_mut().define(0, 64)?;
//! core.regions_mut().write(0, 0, &[1, 2, 3])?;
//! let program = [
//!     Instruction::from(Load { channel: 3, ..Load::default() }),
//!     Instruction::from(Save { channel: 3, ddr_addr: 32, ..Save::default() }),
//! ];
//! let statistics = core.run(&program)?;
//! assert_eq!(core.regions().bytes(0, 32, 3)?, [1, 2, 3]);
//! assert_eq!(statistics.saved_bytes, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod banks;
mod check;
mod core;
mod error;
mod execute;
mod regions;
mod round;
mod statistics;
pub mod timing;

pub use crate::check::{Finding, Hazard, Place, Report, check};
pub use crate::core::Core;
pub use crate::error::{Fault, RunError};
pub use crate::regions::{REGION_BYTES_MAX, REGIONS, RegionError, Regions};
pub use crate::statistics::{LoadedBytes, Statistics};
