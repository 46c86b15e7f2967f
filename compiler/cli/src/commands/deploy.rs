//! `dpuc deploy`

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use dpuc_flow::{Computation, Options, Phase, Session};
use dpuc_runtime::Outcome;
use serde_json::{Value, json};

use crate::images::ImageOptions;
use crate::onnx::ImportOptions;
use crate::options::{CompilerOptions, QuantiserOptions};
use crate::progress::Bars;
use crate::results::{self, ResultOptions};
use crate::samples::Collection;
use crate::{files, network, partition};

/// Run a float network on a folder of images or arrays, quantise it from the first of them, and continue on the DPU.
///
/// The first calls run in float on the CPU and calibrate; then the network is quantised and compiled, and the rest runs on the accelerator
/// model. Results are written as by `dpuc run`, each in a folder of its own. With --build-dir an interrupted command continues where it was,
/// and a finished build is used at once. `PX_QUANT_SIZE` and `PX_BUILD_DIR` are --calls and --build-dir.
#[derive(Debug, Args)]
pub(crate) struct Deploy {
    /// IR text (.mlir) or ONNX of a float network, or a folder that --export wrote.
    model: PathBuf,
    /// Target, board, fingerprint or arch.json.
    #[arg(short, long)]
    arch: String,
    /// Samples: a folder of images or .npy arrays, one each, or a pattern with `*` and `?` for their names; an .npy array whose first
    /// dimension counts them; or an .npz archive of such arrays (`FILE:ARRAY` picks one). Unsigned bytes are pixels, as in images. Once for
    /// each input of the network, as `PATH` or `NAME=PATH`.
    #[arg(short, long = "input", value_name = "[NAME=]PATH", required = true)]
    inputs: Vec<String>,
    /// Calls that calibrate; 128 if nobody says otherwise.
    #[arg(long, value_name = "N")]
    calls: Option<usize>,
    /// Keep calls and what is built from them here.
    #[arg(long = "build_dir", alias = "build-dir", value_name = "DIR")]
    build_dir: Option<PathBuf>,
    /// Folder for the results.
    #[arg(short, long = "output_dir", alias = "output-dir", value_name = "DIR", default_value = "out")]
    output_dir: PathBuf,
    /// Write the built network into this folder, ready to be loaded elsewhere.
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
    #[command(flatten)]
    results: ResultOptions,
    #[command(flatten)]
    compiler: CompilerOptions,
    #[command(flatten)]
    import: ImportOptions,
    #[command(flatten)]
    quantiser: QuantiserOptions,
    #[command(flatten)]
    images: ImageOptions,
}

impl Deploy {
    pub(crate) fn run(self) -> Result<()> {
        let target = super::targets::resolve(&self.arch)?;
        let mut options = Options::new(target).with_environment(|name| std::env::var(name).ok());
        options.calibration_calls = self.calls.unwrap_or(options.calibration_calls);
        options.build_folder = self.build_dir.clone().or(options.build_folder);
        options.quantiser = self.quantiser.options();
        options.subgraphs = self.compiler.partition;
        options.allow_leaky_approximation = self.compiler.allow_leaky_approximation;
        let (mut session, description) = self.session(&options)?;
        let preprocessing = self.images.preprocessing(description.as_deref())?;
        let shown = self.results.shown(1)?;
        let ports = session.inputs().to_vec();
        let samples = Collection::open(&self.inputs, &ports, &preprocessing, None)?;
        let mut journal = Journal::open(options.build_folder.as_deref(), &self.inputs, &self.output_dir)?;
        let mut folders = files::Names::default();
        let mut summaries = Vec::new();
        let mut computed = [0; 2];
        for index in 0..samples.len() {
            let folder = folders.folder(&samples.stem(index));
            if journal.has(&folder) {
                continue;
            }
            let inputs = ports.iter().zip(samples.finite_tensors(index)?).map(|(port, tensor)| port.give(&tensor));
            let was_calibrating = session.phase() != Phase::Accelerated;
            let outputs = session.call(inputs.collect())?;
            if was_calibrating {
                announce(&session);
            }
            computed[usize::from(session.computation() == Some(Computation::Dpu))] += 1;
            let tensors = session.outputs().iter().zip(outputs);
            let tensors = tensors.map(|(port, tensor)| Ok((port.clone(), port.take(tensor)?)));
            let outcome = Outcome { tensors: tensors.collect::<Result<_>>()?, statistics: Vec::new() };
            let written = results::write(&outcome, outcome.tensors.len(), &self.output_dir.join(&folder))?;
            let drawn = if self.results.pictures {
                let picture = samples.picture(index).map(|path| (path, &preprocessing));
                results::draw(&written, picture)?
            } else {
                Vec::new()
            };
            journal.note(folder)?;
            if self.results.json {
                let mut summary = shown.json(&outcome, &written, &drawn);
                summary["input"] = samples.title(index).into();
                summary["device"] = device(&session).into();
                summaries.push(summary);
            } else {
                let best = shown.line(&outcome);
                files::print(&format!("{:<10} {}{best}\n", device(&session), samples.title(index)));
            }
        }
        journal.close()?;
        let [float, dpu] = computed;
        files::note(&format!(
            "{} calls: {float} in float on the CPU, {dpu} on the DPU; results: {}",
            float + dpu,
            self.output_dir.display()
        ));
        self.finish(&mut session, summaries)
    }

    fn finish(&self, session: &mut Session, summaries: Vec<Value>) -> Result<()> {
        if let Phase::Calibrating { seen, wanted } = session.phase()
            && seen < wanted
        {
            files::note(&format!(
                "{seen} of {wanted} calibration calls are done; nothing is quantised yet (--calls says how many)"
            ));
        }
        if let Some(folder) = &self.export {
            let is_built = session.phase() == Phase::Accelerated;
            session.export(folder)?;
            if !is_built {
                announce(session);
            }
            files::note(&format!("exported: {}", folder.display()));
        }
        if self.results.json {
            files::print(&format!("{}\n", serde_json::to_string_pretty(&Value::Array(summaries))?));
        }
        Ok(())
    }

    /// The session, and what the network says about images.
    fn session(&self, options: &Options) -> Result<(Session, Option<String>)> {
        if self.model.is_dir() {
            let artefact = dpuc_flow::Artefact::read(&self.model)?;
            let description = artefact.manifest.preprocessing.clone();
            return Ok((Session::load(artefact, &options.target, options.host, &options.operators)?, description));
        }
        let mut ir = network::read(&self.model, &self.import)?;
        self.images.record(&mut ir)?;
        let description = network::preprocessing(&ir).map(str::to_owned);
        let session = Session::build_with(&ir, options.clone(), Box::new(Bars::default()))
            .with_context(|| format!("cannot build {}", self.model.display()))?;
        Ok((session, description))
    }
}

/// Says what a session has just built, if it has.
fn announce(session: &Session) {
    let Some(built) = session.summary() else { return };
    if let Some(cost) = built.quantisation.as_ref() {
        let results = cost.tensors.last().map_or_else(String::new, |tensor| {
            format!("; the result `{}` keeps {:.1} dB of signal to noise", tensor.name, tensor.sqnr)
        });
        files::note(&format!("quantised, compiled, switching to the DPU{results}"));
    }
    built.notes.iter().for_each(|note| files::note(note));
    files::note(partition::show(&built.partition, &built.plan).trim_end());
}

fn device(session: &Session) -> &'static str {
    if session.computation() == Some(Computation::Float) { "CPU float" } else { "DPU" }
}

/// Which samples an interrupted command has finished, in the build folder. A command that ends removes it.
struct Journal {
    file: Option<PathBuf>,
    job: Value,
    done: Vec<String>,
}

impl Journal {
    /// The journal of this job; that of another job is dropped.
    fn open(build: Option<&Path>, inputs: &[String], output: &Path) -> Result<Self> {
        let absolute = |path: &Path| std::path::absolute(path).map(|path| path.display().to_string());
        let input = |text: &String| match text.split_once('=') {
            Some((name, path)) => absolute(Path::new(path)).map(|path| format!("{name}={path}")),
            None => absolute(Path::new(text)),
        };
        let inputs = inputs.iter().map(input).collect::<Result<Vec<_>, _>>()?;
        let job = json!({"inputs": inputs, "output": absolute(output)?});
        let mut journal = Self { file: build.map(|build| build.join("unfinished.json")), job, done: Vec::new() };
        if let Some(file) = journal.file.as_deref().filter(|file| file.is_file()) {
            let text = files::read_text(file)?;
            let read: Value = serde_json::from_str(&text)
                .map_err(|error| anyhow!("{} is damaged: {error}; remove it to start anew", file.display()))?;
            if read["job"] == journal.job {
                let done = read["done"].as_array().into_iter().flatten();
                journal.done = done.filter_map(|name| name.as_str().map(str::to_owned)).collect();
                files::note(&format!("continuing after {} finished sample(s)", journal.done.len()));
            }
        }
        Ok(journal)
    }

    fn has(&self, sample: &str) -> bool {
        self.done.iter().any(|done| done == sample)
    }

    /// Notes that the results of a sample are written.
    fn note(&mut self, sample: String) -> Result<()> {
        self.done.push(sample);
        let Some(file) = &self.file else { return Ok(()) };
        files::write(file, json!({"job": self.job, "done": self.done}).to_string().as_bytes())
    }

    fn close(self) -> Result<()> {
        let Some(file) = self.file.filter(|file| file.is_file()) else { return Ok(()) };
        std::fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))
    }
}
