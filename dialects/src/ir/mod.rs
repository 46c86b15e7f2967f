//! The IR core: dense tables of operations, blocks, regions and values with typed indices.

mod attributes;
mod build;
mod edit;
mod entities;
mod intern;
mod locations;
mod tables;
mod types;
mod walk;

pub use attributes::{Attribute, Dense, DenseElements};
pub use build::OpBuilder;
pub use entities::{BlockId, Location, Name, OpId, RegionId, Type, ValueId};
pub use locations::LocationKind;
pub use tables::{Block, Definition, Ir, OpKind, Operation, Region, Value};
pub use types::{Encoding, FloatKind, TensorType, TypeKind};
