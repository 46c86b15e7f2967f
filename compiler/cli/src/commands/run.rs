//! `dpuc run`

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use dpuc_dialects::Ir;
use dpuc_evaluate::{Operators, Tensor};
use dpuc_passes::LoweringOptions;
use dpuc_runtime::{DpuProgram, Host, Network, Outcome, Port, Session, preprocess};
use dpuc_xmodel::{Attributed, Graph};
use serde_json::Value;

use crate::images::ImageOptions;
use crate::onnx::{self, ImportOptions};
use crate::results::{self, ResultOptions};
use crate::samples::Collection;
use crate::{files, network};

/// Findings that are written for one program.
const FINDINGS_SHOWN: usize = 20;

/// Run a compiled network on the accelerator model and the CPU, or a quantised one on the CPU.
///
/// Writes every output of the network, and every int8 tensor that leaves a DPU subgraph, as `NAME.npy`, NAME being the tensor's with `/`
/// written as `_`, and with a number if two tensors would share a file. Arrays for and from an ONNX model have the order of its own
/// dimensions, e.g. NCHW.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Compiled or quantised .xmodel, ONNX model, or IR text (.mlir).
    model: PathBuf,
    /// An .npy array or a PNG or JPEG image, as `FILE` or `NAME=FILE`. int8 arrays are taken as they are; floats and images are quantised
    /// with the input's fix point. Many samples are one run each: a folder, files by a pattern with `*` or `?`, an array whose first dimension
    /// counts them, an .npz archive (`FILE:ARRAY` picks an array).
    #[arg(short, long = "input", value_name = "[NAME=]FILE", num_args = 1..)]
    inputs: Vec<String>,
    /// Folder for the outputs.
    #[arg(short, long = "output_dir", alias = "output-dir", value_name = "DIR", default_value = ".")]
    output_dir: PathBuf,
    /// Run only this DPU subgraph, on inputs of its own.
    #[arg(long, value_name = "NAME")]
    subgraph: Option<String>,
    /// What computes: a compiled network's own devices, or the CPU alone, or the reference, slow and plain.
    #[arg(long, value_enum, default_value_t = Device::Auto)]
    device: Device,
    /// Also check that tokens order all conflicting accesses and that nothing unwritten is read; fail if not.
    #[arg(long)]
    check: bool,
    /// The DPU the program is for: target, board, fingerprint or arch.json. Refuses a file compiled for another, as the hardware's runtime
    /// does, and says in which features they differ.
    #[arg(short, long)]
    arch: Option<String>,
    #[command(flatten)]
    import: ImportOptions,
    /// Also write every value that has a name, of a network that is not compiled; maps as the program has them, NHWC.
    #[arg(long)]
    dump: bool,
    #[command(flatten)]
    images: ImageOptions,
    #[command(flatten)]
    results: ResultOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Device {
    /// DPU subgraphs on the accelerator model, everything else on the CPU.
    Auto,
    /// Everything on the CPU, as machine code; of a compiled file, what its subgraphs say they compute.
    Cpu,
    /// DPU subgraphs on the accelerator model, everything else by the evaluator.
    Reference,
}

/// What is run each time.
enum Runner {
    /// A compiled network.
    Session(Session),
    /// One DPU subgraph of it.
    Subgraph { session: Session, name: String, inputs: Vec<Port> },
    /// A network on the CPU; behind its results are values that are written too.
    Network { network: Network, results: usize },
}

impl Runner {
    fn inputs(&self) -> &[Port] {
        match self {
            Self::Session(session) => session.inputs(),
            Self::Subgraph { inputs, .. } => inputs,
            Self::Network { network, .. } => network.inputs(),
        }
    }

    /// How many of the tensors it gives are results of the network, or of the subgraph.
    fn results(&self) -> usize {
        match self {
            Self::Session(session) => session.results(),
            Self::Subgraph { .. } => usize::MAX,
            Self::Network { results, .. } => *results,
        }
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Outcome> {
        Ok(match self {
            Self::Session(session) => session.run(inputs)?,
            Self::Subgraph { session, name, .. } => session.run_subgraph(name, &inputs)?,
            Self::Network { network, .. } => network.run(inputs)?,
        })
    }
}

impl Run {
    pub(crate) fn run(self) -> Result<()> {
        let (runner, description) = self.load()?;
        let preprocessing = self.images.preprocessing(description.as_deref())?;
        let shown = self.results.shown(0)?;
        let samples = Collection::open(&self.inputs, runner.inputs(), &preprocessing, None)?;
        let mut folders = files::Names::default();
        let mut summaries = Vec::new();
        for index in 0..samples.len() {
            let outcome = runner.run(samples.tensors(index)?)?;
            // What is one file has its results in the folder itself.
            let folder = if samples.is_single() {
                self.output_dir.clone()
            } else {
                self.output_dir.join(folders.folder(&samples.stem(index)))
            };
            let written = results::write(&outcome, runner.results(), &folder)?;
            let drawn = if self.results.pictures {
                results::draw(&written, samples.picture(index).map(|path| (path, &preprocessing)))?
            } else {
                Vec::new()
            };
            if self.results.json {
                summaries.push(shown.json(&outcome, &written, &drawn));
            } else {
                files::print(&shown.text(&written, &drawn));
            }
        }
        if self.results.json {
            let summary = if samples.is_single() { summaries.remove(0) } else { Value::Array(summaries) };
            files::print(&format!("{}\n", serde_json::to_string_pretty(&summary)?));
        }
        Ok(())
    }

    /// The network, and what it says about images.
    fn load(&self) -> Result<(Runner, Option<String>)> {
        if network::is_text(&self.model) || onnx::is_onnx(&self.model) {
            let mut ir = network::read(&self.model, &self.import)?;
            if onnx::is_onnx(&self.model) && !self.dump {
                dpuc_passes::fold_float(&mut ir)?;
            }
            return self.load_function(ir);
        }
        let graph = network::read_graph(&self.model)?;
        if is_compiled(&graph) && self.device != Device::Cpu {
            let description = graph.attr_opt::<&str>(preprocess::ATTRIBUTE)?.map(str::to_owned);
            return Ok((self.load_compiled(&graph)?, description));
        }
        self.load_function(network::import(&graph, &self.model)?)
    }

    fn load_compiled(&self, graph: &Graph) -> Result<Runner> {
        let host = if self.device == Device::Reference { Host::Reference } else { Host::Compiled };
        let session = Session::on_host(graph, host, &Operators::new())?;
        if let Some(arch) = &self.arch {
            let device = super::targets::resolve(arch)?;
            session.programs().try_for_each(|program| super::targets::require_same(&program.target, &device))?;
        }
        if self.check {
            let programs: Vec<&DpuProgram> = match &self.subgraph {
                Some(name) => vec![session.find_program(name)?],
                None => session.programs().collect(),
            };
            check(&programs)?;
        }
        let Some(name) = self.subgraph.clone() else { return Ok(Runner::Session(session)) };
        let inputs = session.find_program(&name)?.inputs.iter().map(|placed| placed.port.clone()).collect();
        Ok(Runner::Subgraph { session, name, inputs })
    }

    /// Quantised networks are lowered to integers first, so that the result is that of the hardware.
    fn load_function(&self, mut ir: Ir) -> Result<(Runner, Option<String>)> {
        if self.subgraph.is_some() || self.check {
            bail!("{} is not run on the DPU: there is no DPU subgraph to run or check", self.model.display());
        }
        let results = dpuc_runtime::function_outputs(&ir, "main").len();
        if self.dump {
            network::return_all(&mut ir);
        }
        let inputs = dpuc_runtime::function_inputs(&ir, "main");
        let outputs = dpuc_runtime::function_outputs(&ir, "main");
        let description = network::preprocessing(&ir).map(str::to_owned);
        dpuc_runtime::check_main(&ir)?;
        network::lower(&mut ir, LoweringOptions::default())?;
        let host = if self.device == Device::Reference { Host::Reference } else { Host::Compiled };
        let network = Network::with_ports(ir, inputs, outputs, host, &Operators::new())?;
        Ok((Runner::Network { network, results }, description))
    }
}

/// Whether a file holds DPU programs.
pub(crate) fn is_compiled(graph: &Graph) -> bool {
    graph.root.children.iter().any(|child| child.attr_opt::<&str>("device").ok().flatten().is_some())
}

/// Checks programs and writes what is wrong with them.
fn check(programs: &[&DpuProgram]) -> Result<()> {
    let mut total = 0;
    for program in programs {
        let report = dpuc_accel::check(&program.instructions, &program.target, FINDINGS_SHOWN);
        for finding in &report.findings {
            files::note(&format!("{}: {finding}", program.name));
        }
        total += report.findings.len() as u64 + report.omitted;
    }
    if total > 0 {
        bail!("the check found {total} problem(s)");
    }
    files::note(&format!("check: nothing found in {} program(s)", programs.len()));
    Ok(())
}
