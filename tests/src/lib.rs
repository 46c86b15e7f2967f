//! What the tests over real models share: finding the models, golden arrays, random inputs.

use std::path::Path;

use dpuc_dialects::Ir;
use dpuc_dialects::dialects::func;
use dpuc_evaluate::Tensor;
pub use dpuc_samples::{COMPILED, QUANTISED, models};
use dpuc_xmodel::Graph;

/// Reads a sample.
///
/// # Panics
/// If it cannot be read.
pub fn read(models: &Path, sample: &str) -> Graph {
    let bytes = std::fs::read(models.join(sample)).unwrap_or_else(|error| panic!("{sample}: {error}"));
    dpuc_xmodel::read(&bytes).unwrap_or_else(|error| panic!("{sample}: {error}"))
}

/// Imports a sample.
///
/// # Panics
/// If it cannot be imported.
pub fn import(models: &Path, sample: &str) -> Ir {
    dpuc_import::import_xmodel(&read(models, sample)).unwrap_or_else(|error| panic!("{sample}: {error}")).ir
}

/// A golden array of a compiled sample: `in:<tensor>` or `out:<tensor>`.
///
/// # Panics
/// If there is none of signed bytes.
pub fn golden(models: &Path, sample: &str, key: &str) -> Vec<i8> {
    let path = models.join(sample).with_file_name("golden_compiled.npz");
    let mut archive = npyz::npz::NpzArchive::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let array = archive.by_name(key).ok().flatten().unwrap_or_else(|| panic!("{}: no {key}", path.display()));
    array.into_vec().unwrap_or_else(|error| panic!("{}: {key}: {error}", path.display()))
}

/// What an input of signed bytes is filled with.
#[derive(Clone, Copy, Debug)]
pub enum Fill {
    /// Pseudo-random bytes from a seed.
    Random(u64),
    /// One byte everywhere.
    Constant(i8),
}

impl Fill {
    /// Three random inputs, and the extremes.
    pub const ALL: [Self; 5] =
        [Self::Random(1), Self::Random(2), Self::Random(3), Self::Constant(-128), Self::Constant(127)];

    /// `count` bytes.
    pub fn bytes(self, count: usize) -> Vec<i8> {
        match self {
            Self::Constant(value) => vec![value; count],
            Self::Random(seed) => {
                let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
                let mut next = || {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    (state >> 32) as i8
                };
                (0..count).map(|_| next()).collect()
            }
        }
    }
}

/// Inputs for `@main`: signed bytes where it takes them; where it takes floats, the numbers those bytes stand for at the fix point of the
/// `int8.quantise` that reads them, or at 4 if none does.
///
/// # Panics
/// If there is no function `@main`, or a shape is not known.
pub fn inputs(ir: &Ir, fill: Fill) -> Vec<Tensor> {
    let function = ir.find_symbol("main").expect("@main");
    let arguments = ir.arguments(func::entry(ir, function));
    let tensor = |&argument: &dpuc_dialects::ValueId| {
        let shape = ir.shape_of(argument).expect("a static shape");
        let bytes = fill.bytes(shape.iter().product());
        if ir.fix_of(argument).is_some() {
            return Tensor::from_i8(&shape, bytes).expect("shape and bytes agree");
        }
        let quantised = ir.users(argument).into_iter().find_map(|user| ir.fix_of(ir.result(user)));
        let step = (-f64::from(quantised.unwrap_or(4))).exp2();
        let floats = bytes.into_iter().map(|byte| (f64::from(byte) * step) as f32).collect();
        Tensor::from_f32(&shape, floats).expect("shape and floats agree")
    };
    arguments.iter().map(tensor).collect()
}
