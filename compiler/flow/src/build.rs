//! Quantising and compiling in one step.

use dpuc_backend::{Compiled, Device, PartitionReport, compile};
use dpuc_dialects::define::Traits;
use dpuc_dialects::dialects::nn;
use dpuc_dialects::{Ir, OpId};
use dpuc_passes::LoweringOptions;
use dpuc_quantise::{Progress, Quantised, Samples, quantise};
use dpuc_report::{Plan, Source};

use crate::error::Error;
use crate::options::Options;

/// A network, quantised and compiled.
#[derive(Debug)]
pub struct Built {
    /// The quantised network; absent if the network came quantised.
    pub quantised: Option<Quantised>,
    /// The compiled one.
    pub compiled: Compiled,
    /// What the lowering to integers has to say.
    pub notes: Vec<String>,
}

/// What there is to say about a build.
#[derive(Clone, Debug)]
pub struct Summary {
    /// What runs where, and why.
    pub partition: PartitionReport,
    /// The parts of the network, and what passes between them.
    pub plan: Plan,
    /// What quantisation costs; absent if the network came quantised.
    pub quantisation: Option<dpuc_quantise::Report>,
    /// What the lowering to integers has to say.
    pub notes: Vec<String>,
}

impl Summary {
    pub(crate) fn of(built: Built) -> Result<Self, Error> {
        let plan = Plan::of(&Source::compiled(&built.compiled))?;
        let quantisation = built.quantised.map(|quantised| quantised.report);
        Ok(Self { partition: built.compiled.report, plan, quantisation, notes: built.notes })
    }
}

impl Built {
    /// Name of the network.
    pub fn name(&self) -> &str {
        &self.compiled.graph.name
    }
}

/// Quantises a float network with calibration samples, if it is not quantised yet, and compiles it. Canonical form is the caller's
/// ([`dpuc_passes::canonicalise`]).
///
/// # Errors
/// See [`Error`]; a network of which nothing runs on the DPU is one.
pub fn build(network: &Ir, samples: &dyn Samples, options: &Options, progress: &dyn Progress) -> Result<Built, Error> {
    let quantised = if is_quantised(network) {
        None
    } else {
        let quantiser = dpuc_quantise::Options { operators: options.operators.clone(), ..options.quantiser.clone() };
        Some(quantise(network, samples, quantiser, progress)?)
    };
    let mut ir = quantised.as_ref().map_or(network, |quantised| &quantised.ir).clone();
    let lowering = LoweringOptions { allow_leaky_approximation: options.allow_leaky_approximation };
    dpuc_passes::canonicalise(&mut ir)?;
    let notes = dpuc_passes::lower_to_int8_with(&mut ir, lowering)?.notes;
    dpuc_passes::canonicalise(&mut ir)?;
    let backend = dpuc_backend::Options { subgraphs: options.subgraphs, ..dpuc_backend::Options::default() };
    let compiled = compile(ir, &options.target, &backend)?;
    if compiled.report.count(Device::Dpu) == 0 {
        return Err(Error::NothingOnDpu(reasons(&compiled)));
    }
    Ok(Built { quantised, compiled, notes: notes.iter().map(ToString::to_string).collect() })
}

/// Whether a network has fixed-point tensors already.
pub(crate) fn is_quantised(ir: &Ir) -> bool {
    ir.find_symbol("main").is_some_and(|main| any(ir, main, &|op| ir.is(op, &nn::FIX)))
        || ir
            .ops(ir.body())
            .filter(|&op| ir.has_traits(op, Traits::FUNCTION))
            .any(|function| any(ir, function, &|op| ir.op_name(op).starts_with("int8.")))
}

fn any(ir: &Ir, op: OpId, test: &dyn Fn(OpId) -> bool) -> bool {
    let blocks = ir.op_regions(op).iter().flat_map(|&region| ir.region_blocks(region));
    blocks.flat_map(|&block| ir.ops(block)).any(|inner| test(inner) || any(ir, inner, test))
}

/// Why the first operations are not on the DPU.
fn reasons(compiled: &Compiled) -> String {
    const SHOWN: usize = 10;
    let operations = compiled.report.operations.iter().filter(|operation| !operation.reasons.is_empty());
    let line = |operation: &dpuc_backend::OperationReport| {
        let reasons: Vec<String> = operation.reasons.iter().map(ToString::to_string).collect();
        format!("  {} ({}): {}\n", operation.name, operation.kind, reasons.join("; "))
    };
    operations.take(SHOWN).map(line).collect()
}
