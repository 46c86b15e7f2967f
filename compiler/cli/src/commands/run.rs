//! `dpuc run`

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use dpuc_dialects::Ir;
use dpuc_evaluate::{Operators, Tensor};
use dpuc_passes::LoweringOptions;
use dpuc_runtime::{DpuProgram, Host, Outcome, Port, Session};
use dpuc_xmodel::{Attributed, Graph};
use serde_json::json;

use crate::tensors::Pixels;
use crate::{files, network, tensors};

/// Findings that are written for one program.
const FINDINGS_SHOWN: usize = 20;

/// Run a compiled network on the accelerator model and the CPU, or a quantised one on the CPU.
///
/// Writes every output of the network, and every int8 tensor that leaves a DPU subgraph, as `NAME.npy`, NAME being the tensor's with `/`
/// written as `_`, and with a number if two tensors would share a file.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Compiled or quantised .xmodel, or IR text (.mlir).
    model: PathBuf,
    /// An .npy array or a PNG or JPEG image, as FILE or NAME=FILE. int8 arrays are taken as they are; floats and images are quantised
    /// with the input's fix point.
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
    /// Images: number that stands for zero.
    #[arg(long, default_value_t = 0.0)]
    mean: f32,
    /// Images: factor from pixels to numbers.
    #[arg(long, default_value_t = 1.0 / 255.0)]
    scale: f32,
    /// Machine-readable summary.
    #[arg(long)]
    json: bool,
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

impl Run {
    pub(crate) fn run(self) -> Result<()> {
        let outcome = if network::is_text(&self.model) {
            self.run_function(network::read_text(&self.model)?)?
        } else {
            let graph = network::read_graph(&self.model)?;
            if is_compiled(&graph) && self.device != Device::Cpu {
                self.run_compiled(&graph)?
            } else {
                let ir = network::import(&graph, &self.model)?;
                self.run_function(ir)?
            }
        };
        self.write(&outcome)
    }

    fn run_compiled(&self, graph: &Graph) -> Result<Outcome> {
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
        match &self.subgraph {
            Some(name) => {
                let ports: Vec<Port> =
                    session.find_program(name)?.inputs.iter().map(|placed| placed.port.clone()).collect();
                Ok(session.run_subgraph(name, &self.read_inputs(&ports)?)?)
            }
            None => Ok(session.run(self.read_inputs(session.inputs())?)?),
        }
    }

    /// Quantised networks are lowered to integers first, so that the result is that of the hardware.
    fn run_function(&self, mut ir: Ir) -> Result<Outcome> {
        if self.subgraph.is_some() || self.check {
            bail!("{} is not run on the DPU: there is no DPU subgraph to run or check", self.model.display());
        }
        let inputs = dpuc_runtime::function_inputs(&ir, "main");
        let outputs = dpuc_runtime::function_outputs(&ir, "main");
        dpuc_runtime::check_main(&ir)?;
        network::lower(&mut ir, LoweringOptions::default())?;
        let inputs = self.read_inputs(&inputs)?;
        let tensors = match self.device {
            Device::Reference => dpuc_runtime::run_reference(&ir, inputs)?,
            Device::Auto | Device::Cpu => dpuc_runtime::run_compiled(&ir, inputs)?,
        };
        Ok(Outcome { tensors: outputs.into_iter().zip(tensors).collect(), statistics: Vec::new() })
    }

    fn read_inputs(&self, ports: &[Port]) -> Result<Vec<Tensor>> {
        let pixels = Pixels { mean: self.mean, scale: self.scale };
        super::inputs::read(&self.inputs, ports, pixels, &mut |_| None)
    }

    fn write(&self, outcome: &Outcome) -> Result<()> {
        files::create_folder(&self.output_dir)?;
        let mut listed = Vec::new();
        let mut names = files::Names::default();
        for (port, tensor) in &outcome.tensors {
            let path = self.output_dir.join(names.file(&port.name, "npy"));
            files::write(&path, &tensors::to_npy(tensor)?)?;
            listed.push((path, port, tensor));
        }
        if self.json {
            let outputs: Vec<_> = listed
                .iter()
                .map(|(path, port, tensor)| {
                    json!({"name": port.name, "file": path.display().to_string(), "shape": port.shape,
                           "dtype": dtype(tensor), "fix_point": port.fix_point})
                })
                .collect();
            let subgraphs: Vec<_> = outcome
                .statistics
                .iter()
                .map(|(name, statistics)| json!({"name": name, "instructions": statistics.instruction_count(), "array_macs": statistics.conv_macs}))
                .collect();
            let summary = json!({"outputs": outputs, "subgraphs": subgraphs});
            files::print(&format!("{}\n", serde_json::to_string_pretty(&summary)?));
            return Ok(());
        }
        for (path, port, tensor) in listed {
            let fix = port.fix_point.map_or_else(String::new, |point| format!(", fix point {point}"));
            files::print(&format!("{}  {} {:?}{fix}\n", path.display(), dtype(tensor), tensor.shape()));
        }
        Ok(())
    }
}

const fn dtype(tensor: &Tensor) -> &'static str {
    match tensor {
        Tensor::I8(_) => "int8",
        Tensor::F32(_) => "float32",
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
