//! A network compiled for the CPU.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, Result, bail};
use dpuc_dialects::dialects::{func, int8};
use dpuc_dialects::{Ir, ValueId};
use dpuc_evaluate::Tensor;
use dpuc_isa::Random;
use dpuc_jit::{Compiled, Options, compile};
use ndarray::ArrayD;
use npyz::WriterBuilder;

/// A network that runs on one thread.
pub struct CpuNetwork {
    compiled: Compiled,
    pool: rayon::ThreadPool,
    inputs: Vec<(Vec<usize>, Option<i32>)>,
    output_fixes: Vec<Option<i32>>,
}

impl CpuNetwork {
    /// Compiles `@main`.
    pub fn new(ir: &Ir) -> Result<Self> {
        let main = ir.find_symbol("main").and_then(|main| func::body(ir, main)).context("no function `@main`")?;
        let port = |&value: &ValueId| (ir.shape_of(value).unwrap_or_default(), ir.fix_of(value));
        let outputs = ir.last_op(main).map(|end| ir.operands(end)).unwrap_or_default();
        // The step of a float output is that of the codes it comes from.
        let fix = |&value: &ValueId| {
            let source = ir.defining_op(value).filter(|&op| ir.is(op, &int8::DEQUANTISE)).map(|op| ir.operand(op, 0));
            ir.fix_of(source.unwrap_or(value))
        };
        Ok(Self {
            compiled: compile(ir, "main", &Options::default())?,
            pool: rayon::ThreadPoolBuilder::new().num_threads(1).build()?,
            inputs: ir.arguments(main).iter().map(port).collect(),
            output_fixes: outputs.iter().map(fix).collect(),
        })
    }

    /// Runs it.
    pub fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
        Ok(self.pool.install(|| self.compiled.run(inputs))?)
    }

    /// Fix points of the outputs' codes.
    pub fn output_fixes(&self) -> &[Option<i32>] {
        &self.output_fixes
    }

    /// Inputs, always the same.
    pub fn random_inputs(&self) -> Vec<Tensor> {
        let mut random = Random::new(1);
        let tensor = |(shape, fix): &(Vec<usize>, Option<i32>)| match fix {
            Some(_) => Tensor::I8(ArrayD::from_shape_simple_fn(shape.clone(), || random.bits() as i8)),
            None => Tensor::F32(ArrayD::from_shape_simple_fn(shape.clone(), || f32::from(random.bits() as i8) / 32.0)),
        };
        self.inputs.iter().map(tensor).collect()
    }

    /// Inputs from numbers, rounded where the network takes codes.
    pub fn inputs(&self, floats: Vec<ArrayD<f32>>) -> Result<Vec<Tensor>> {
        if floats.len() != self.inputs.len() {
            bail!("{} inputs instead of {}", floats.len(), self.inputs.len());
        }
        let tensor = |(values, (_, fix)): (ArrayD<f32>, &(Vec<usize>, Option<i32>))| match *fix {
            Some(fix) => {
                Tensor::I8(values.mapv(|value| (f64::from(value) * f64::from(fix).exp2()).round_ties_even() as i8))
            }
            None => Tensor::F32(values),
        };
        Ok(floats.into_iter().zip(&self.inputs).map(tensor).collect())
    }

    /// An output as numbers.
    pub fn floats(&self, output: usize, tensor: &Tensor) -> ArrayD<f32> {
        match (tensor, self.output_fixes[output]) {
            (Tensor::I8(codes), Some(fix)) => codes.mapv(|code| (f64::from(code) * f64::from(-fix).exp2()) as f32),
            (Tensor::I8(codes), None) => codes.mapv(f32::from),
            (Tensor::F32(values), _) => values.clone(),
        }
    }
}

/// Reads an array of floats.
pub fn read_floats(path: &Path) -> Result<ArrayD<f32>> {
    let array = npyz::NpyFile::new(std::io::BufReader::new(File::open(path)?))?;
    let shape: Vec<usize> = array.shape().iter().map(|&size| size as usize).collect();
    Ok(ArrayD::from_shape_vec(shape, array.into_vec()?)?)
}

/// Writes an array of floats.
pub fn write_floats(path: &Path, values: &ArrayD<f32>) -> Result<()> {
    let shape: Vec<u64> = values.shape().iter().map(|&size| size as u64).collect();
    let file = BufWriter::new(File::create(path)?);
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(file).begin_nd()?;
    writer.extend(values.iter().copied())?;
    Ok(writer.finish()?)
}
