//! `dpuc bisect`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use clap::Args;
use dpuc_backend::{Options, compile};
use dpuc_dialects::Ir;
use dpuc_evaluate::Tensor;
use dpuc_isa::Random;
use dpuc_runtime::bisect::{Compared, Difference, Evidence, Expected, InstructionPlace, Problem, compare_subgraph};
use dpuc_runtime::{Port, function_inputs};
use dpuc_xmodel::{Graph, GraphIndex};
use serde_json::{Value, json};

use super::run::is_compiled;
use crate::images::ImageOptions;
use crate::{files, network};

/// Exit code when the comparison itself is impossible.
const IMPOSSIBLE: u8 = 2;

/// Find the first operation whose result on the accelerator model differs from the reference.
///
/// A network is compiled for --arch; a compiled file, this compiler's or AMD's, is taken as it is and compared with the integer network inside
/// it, or with that of another file (--reference). Every tensor in DDR is compared the moment it is complete. Exit code 0: equal,
/// 1: different, 2: not comparable.
#[derive(Debug, Args)]
pub(crate) struct Bisect {
    /// Compiled or quantised .xmodel, or IR text (.mlir).
    model: PathBuf,
    /// Target to compile a network for: target, board, fingerprint or arch.json.
    #[arg(short, long)]
    arch: Option<String>,
    /// Take the expected values from the network in this file, by the names of its tensors: compiled or quantised .xmodel, or IR text.
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// An .npy array or a PNG or JPEG image, as FILE or NAME=FILE; inputs without a file are random, always the same.
    #[arg(short, long = "input", value_name = "[NAME=]FILE", num_args = 1..)]
    inputs: Vec<String>,
    /// Seed of random inputs.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    images: ImageOptions,
    /// Machine-readable result.
    #[arg(long)]
    json: bool,
}

impl Bisect {
    pub(crate) fn run(self) -> ExitCode {
        match self.compare() {
            Ok(compared) => {
                if self.json {
                    let all: Vec<Value> = compared.iter().map(to_json).collect();
                    files::print(&format!("{:#}\n", json!({"equal": is_equal(&compared), "subgraphs": all})));
                } else {
                    files::print(&compared.iter().map(show).collect::<String>());
                }
                if is_equal(&compared) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
            }
            Err(error) => {
                files::report(&error);
                ExitCode::from(IMPOSSIBLE)
            }
        }
    }

    /// The subgraphs in order, up to the first that differs.
    fn compare(&self) -> Result<Vec<Compared>> {
        let (graph, own) = self.program()?;
        let reference = match (&self.reference, own) {
            (Some(path), _) => Reference::load(path)?,
            (None, Some(own)) => own,
            (None, None) => Reference::of(&graph, &self.model)?,
        };
        let expected = self.expected(&reference)?;
        let index = GraphIndex::new(&graph);
        let mut all = Vec::new();
        for view in index.dpu_subgraphs()? {
            all.push(compare_subgraph(&index, &view, &expected)?);
            if !is_equal(&all) {
                break;
            }
        }
        if all.is_empty() {
            bail!("{} has no DPU subgraph: nothing of it runs on the DPU", self.model.display());
        }
        Ok(all)
    }

    /// The compiled file; or the network compiled now, with what it should compute.
    fn program(&self) -> Result<(Graph, Option<Reference>)> {
        let ir = if network::is_text(&self.model) {
            network::read_text(&self.model)?
        } else {
            let graph = network::read_graph(&self.model)?;
            if is_compiled(&graph) {
                if self.arch.is_some() {
                    bail!("{} is compiled already; leave out --arch", self.model.display());
                }
                return Ok((graph, None));
            }
            network::import(&graph, &self.model)?
        };
        let arch = self.arch.as_deref().ok_or_else(|| {
            anyhow!("{} is not compiled: name the target to compile it for with --arch", self.model.display())
        })?;
        let original = Reference::lowered(ir)?;
        let compiled = compile(original.ir.clone(), &super::targets::resolve(arch)?, &Options::default())?;
        // The compiler gives every operation a name, by which the file's tensors are found.
        let reference = Reference { ir: compiled.ir, original: Some(original.ir), ..original };
        Ok((compiled.graph, Some(reference)))
    }

    fn expected(&self, reference: &Reference) -> Result<Expected> {
        let ports = function_inputs(&reference.ir, "main");
        let mut random = Random::new(self.seed);
        let preprocessing = self.images.preprocessing(network::preprocessing(&reference.ir))?;
        let given =
            super::inputs::read(&self.inputs, &ports, &preprocessing, &mut |port| random_tensor(port, &mut random))?;
        let expected = Expected::evaluate(&reference.ir, &reference.names, given.clone())?;
        if let Some(original) = &reference.original
            && Expected::evaluate(original, &reference.names, given)?.outputs() != expected.outputs()
        {
            bail!(
                "the network the compiler has placed does not compute what {} says, so the fault is not in the program; please report this \
                 as a fault of the compiler",
                self.model.display()
            );
        }
        Ok(expected)
    }
}

/// The integer network that says what is right.
struct Reference {
    ir: Ir,
    /// The tensors that are its arguments.
    names: Vec<String>,
    /// The network before it was compiled.
    original: Option<Ir>,
}

impl Reference {
    fn load(path: &Path) -> Result<Self> {
        if network::is_text(path) {
            return Self::lowered(network::read_text(path)?);
        }
        Self::of(&network::read_graph(path)?, path)
    }

    /// The network inside a file.
    fn of(graph: &Graph, path: &Path) -> Result<Self> {
        let inputs = graph.ops.iter().filter(|op| matches!(op.kind.as_str(), "data" | "data-fix"));
        let names = inputs.map(|op| op.tensor.name.clone()).collect();
        Ok(Self { names, ..Self::lowered(network::import(graph, path)?)? })
    }

    fn lowered(mut ir: Ir) -> Result<Self> {
        dpuc_runtime::check_main(&ir)?;
        network::lower(&mut ir, dpuc_passes::LoweringOptions::default())?;
        let names = function_inputs(&ir, "main").into_iter().map(|port| port.name).collect();
        Ok(Self { ir, names, original: None })
    }
}

/// Every byte if the port takes codes; quarters of them if it takes floats.
fn random_tensor(port: &Port, random: &mut Random) -> Option<Tensor> {
    let codes: Vec<i8> = (0..port.elements()).map(|_| random.bits() as i8).collect();
    match port.fix_point {
        Some(_) => Tensor::from_i8(&port.shape, codes),
        None => Tensor::from_f32(&port.shape, codes.into_iter().map(|code| f32::from(code) / 4.0).collect()),
    }
}

fn is_equal(compared: &[Compared]) -> bool {
    compared.iter().all(|compared| compared.difference.is_none())
}

/// A subgraph in words.
fn show(compared: &Compared) -> String {
    let Compared { subgraph, instructions, tensors, hidden, difference } = compared;
    let hidden = match hidden.len() {
        0 => String::new(),
        count => format!(", {count} not compared (on chip, not reached, or unknown to the reference)"),
    };
    match difference {
        None => format!("{subgraph}: equal; {instructions} instructions, {tensors} tensors compared{hidden}\n"),
        Some(difference) => format!(
            "{subgraph}: different after {instructions} instructions and {tensors} tensors{hidden}\n{}",
            show_difference(difference)
        ),
    }
}

fn show_difference(difference: &Difference) -> String {
    let Difference { operation, kind, tensor, shape, problem, suspects, evidence } = difference;
    let elements: usize = shape.iter().product();
    let mut text = format!("first different operation: {operation} ({kind}), tensor {tensor} of shape {shape:?}\n");
    text += &match problem {
        Problem::Values { first, wrong } => format!(
            "  {wrong} of {elements} elements differ; the first at {:?}: found {}, expected {} (REG_{}, byte {})\n",
            first.index, first.found, first.expected, first.region, first.address
        ),
        Problem::Overwritten { first } => format!(
            "  it was right and then overwritten: at {:?} found {}, expected {} (REG_{}, byte {})\n",
            first.index, first.found, first.expected, first.region, first.address
        ),
        Problem::Missing { first, missing } => {
            format!("  {missing} of {elements} elements are never written, the first at {first:?}\n")
        }
        Problem::Stopped { reason } => format!("  the accelerator stops while working on it: {reason}\n"),
    };
    if !suspects.is_empty() {
        text += &format!("  not compared in front of it, so perhaps at fault: {}\n", suspects.join(", "));
    }
    let Evidence { written_by, computed_by } = evidence;
    let listings = [("written by", written_by), ("computed by", computed_by)];
    text.extend(listings.into_iter().filter_map(|(role, place)| Some(listing(role, place.as_ref()?))));
    text
}

/// An instruction between its neighbours.
fn listing(role: &str, place: &InstructionPlace) -> String {
    let mut text = format!("  {role} instruction {}:\n", place.index);
    for (index, instruction) in &place.listing {
        let mark = if *index == place.index { '>' } else { ' ' };
        text += &format!("  {mark} {index:>7}  {instruction}\n");
    }
    text
}

fn to_json(compared: &Compared) -> Value {
    json!({
        "subgraph": compared.subgraph,
        "equal": compared.difference.is_none(),
        "instructions": compared.instructions,
        "tensors_compared": compared.tensors,
        "tensors_not_compared": compared.hidden,
        "difference": compared.difference.as_ref().map(difference_to_json),
    })
}

fn difference_to_json(difference: &Difference) -> Value {
    let element = |element: &dpuc_runtime::bisect::Element| {
        json!({"index": element.index, "region": element.region, "address": element.address,
               "found": element.found, "expected": element.expected})
    };
    let problem = match &difference.problem {
        Problem::Values { first, wrong } => json!({"kind": "values", "first": element(first), "wrong_elements": wrong}),
        Problem::Overwritten { first } => json!({"kind": "overwritten", "first": element(first)}),
        Problem::Missing { first, missing } => {
            json!({"kind": "missing", "first_index": first, "missing_elements": missing})
        }
        Problem::Stopped { reason } => json!({"kind": "stopped", "reason": reason}),
    };
    let place = |place: &Option<InstructionPlace>| {
        place.as_ref().map(|place| {
            let lines = place
                .listing
                .iter()
                .map(|(index, instruction)| json!({"index": index, "text": instruction.to_string()}));
            json!({"index": place.index, "listing": lines.collect::<Vec<_>>()})
        })
    };
    json!({
        "operation": difference.operation,
        "kind": difference.kind,
        "tensor": difference.tensor,
        "shape": difference.shape,
        "problem": problem,
        "suspects": difference.suspects,
        "written_by": place(&difference.evidence.written_by),
        "computed_by": place(&difference.evidence.computed_by),
    })
}
