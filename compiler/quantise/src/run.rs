//! Running networks and parts of them.

use dpuc_dialects::Ir;
use dpuc_evaluate::{Operators, Tensor};
use dpuc_jit::{Compiled, compile};

use crate::error::Error;
use crate::network::MAIN;

/// Calibration data: samples by number, each with one tensor for each argument of the network, in order.
pub trait Samples: Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// Sample `index`.
    ///
    /// # Errors
    /// Why it cannot be had, in words.
    fn sample(&self, index: usize) -> Result<Vec<Tensor>, String>;
}

impl Samples for Vec<Vec<Tensor>> {
    fn count(&self) -> usize {
        self.len()
    }

    fn sample(&self, index: usize) -> Result<Vec<Tensor>, String> {
        self.get(index).cloned().ok_or_else(|| "there is no such sample".to_owned())
    }
}

/// Sample `index` of `samples`.
pub(crate) fn sample(samples: &dyn Samples, index: usize) -> Result<Vec<Tensor>, Error> {
    samples.sample(index).map_err(|reason| Error::Sample { index, reason })
}

/// A function as machine code.
pub(crate) struct Runner(Compiled);

impl Runner {
    /// `main` as it is.
    pub(crate) fn float(ir: &Ir, operators: &Operators) -> Result<Self, Error> {
        let options = dpuc_jit::Options { operators: operators.clone(), ..dpuc_jit::Options::default() };
        Ok(Self(compile(ir, MAIN, &options)?))
    }

    /// `main` in integer arithmetic, as the hardware computes it.
    pub(crate) fn integer(mut ir: Ir, operators: &Operators) -> Result<Self, Error> {
        dpuc_passes::lower_to_int8(&mut ir)?;
        Self::float(&ir, operators)
    }

    /// The results, all floats.
    pub(crate) fn run(&self, inputs: &[Tensor]) -> Result<Vec<Vec<f32>>, Error> {
        Ok(self.0.run(inputs)?.into_iter().map(floats).collect())
    }
}

fn floats(tensor: Tensor) -> Vec<f32> {
    match tensor {
        Tensor::F32(values) => values.into_raw_vec_and_offset().0,
        Tensor::I8(values) => values.into_iter().map(f32::from).collect(),
    }
}
