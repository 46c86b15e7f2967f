//! Sessions that calibrate while they work.

use std::path::Path;

use dpuc_dialects::Ir;
use dpuc_dialects::text::{PrintOptions, print};
use dpuc_evaluate::Tensor;
use dpuc_isa::Target;
use dpuc_quantise::{Progress, Silent};
use dpuc_runtime::{Host, Network, Outcome, Port};

use crate::artefact::Artefact;
use crate::build::{Built, Summary, build, is_quantised};
use crate::error::Error;
use crate::folder::CallFolder;
use crate::manifest::sha256;
use crate::options::Options;

/// A network that is run again and again: in float on the CPU first, which calibrates it, then on the DPU.
///
/// As with TVM's executor, inputs are set by name, [`Session::run`] computes, outputs are got by number; [`Session::call`] does all three.
/// Tensors are floats in the framework's order of dimensions.
pub struct Session {
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    state: State,
    set: Vec<Option<Tensor>>,
    computed: Vec<Tensor>,
    computation: Option<Computation>,
    summary: Option<Summary>,
    progress: Box<dyn Progress + Send>,
}

enum State {
    Calibrating(Box<Calibration>),
    Accelerated(Box<Accelerated>),
}

/// The float network and the calls it has seen.
struct Calibration {
    ir: Ir,
    float: Network,
    options: Options,
    source: String,
    /// Whether the network came quantised and needs no calls.
    quantised: bool,
    calls: Vec<Vec<Tensor>>,
    folder: Option<CallFolder>,
    /// Whether the last of `calls` comes from an interrupted session, whose caller may not have got its result.
    resumed: bool,
}

struct Accelerated {
    session: dpuc_runtime::Session,
    artefact: Artefact,
}

/// What computed a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Computation {
    /// The float network on the CPU.
    Float,
    /// The compiled network: its DPU programs, and the CPU's part.
    Dpu,
}

/// What a session is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Calls run in float and are recorded.
    Calibrating {
        /// Calls so far.
        seen: usize,
        /// Calls needed.
        wanted: usize,
    },
    /// Calls run on the DPU.
    Accelerated,
}

impl Session {
    /// A session of a network for a target. A network that is quantised already, and one whose build folder holds a finished build, is
    /// accelerated from the first call.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn build(network: &Ir, options: Options) -> Result<Self, Error> {
        Self::build_with(network, options, Box::new(Silent))
    }

    /// As [`Session::build`]; `progress` hears how far quantising is.
    pub fn build_with(network: &Ir, options: Options, progress: Box<dyn Progress + Send>) -> Result<Self, Error> {
        let source = hash(network);
        if let Some(folder) = options.build_folder.as_deref().filter(|folder| Artefact::is_in(folder)) {
            let artefact = Artefact::read(folder)?;
            if artefact.manifest.source != source {
                return Err(Error::OtherNetwork(folder.to_owned()));
            }
            return Self::load(artefact, &options.target, options.host, &options.operators);
        }
        let mut ir = network.clone();
        let quantised = is_quantised(&ir);
        if !quantised {
            dpuc_passes::fold_float(&mut ir)?;
        }
        dpuc_passes::canonicalise(&mut ir)?;
        let (inputs, outputs) =
            (dpuc_runtime::function_inputs(&ir, "main"), dpuc_runtime::function_outputs(&ir, "main"));
        if options.calibration_calls == 0 && !quantised {
            return Err(Error::NoCalibration);
        }
        let float = Network::new(ir.clone(), options.host, &options.operators)?;
        let folder = options.build_folder.as_deref().map(|build| CallFolder::open(build, &source, inputs.len()));
        let folder = folder.transpose()?;
        let calls = folder.as_ref().map(CallFolder::read).transpose()?.unwrap_or_default();
        let resumed = !calls.is_empty();
        let calibration = Calibration { ir, float, options, source, quantised, calls, folder, resumed };
        let (set, state) = (vec![None; inputs.len()], State::Calibrating(Box::new(calibration)));
        let (computed, computation, summary) = (Vec::new(), None, None);
        let mut session = Self { inputs, outputs, state, set, computed, computation, summary, progress };
        if quantised {
            session.accelerate()?;
        }
        Ok(session)
    }

    /// A session of a deployed network on a device. It accelerates from the first call.
    ///
    /// # Errors
    /// A network for another device, damaged files.
    pub fn load(
        artefact: Artefact,
        device: &Target,
        host: Host,
        operators: &dpuc_evaluate::Operators,
    ) -> Result<Self, Error> {
        artefact.manifest.check_target(device)?;
        let graph = dpuc_xmodel::read(artefact.xmodel()?).map_err(|error| Error::Damaged {
            file: format!("{}.xmodel", artefact.manifest.network),
            problem: error.to_string(),
        })?;
        let session = dpuc_runtime::Session::on_host(&graph, host, operators)?;
        let count = artefact.manifest.outputs.len();
        let outputs = session.outputs().get(..count).ok_or(Error::Outputs)?.to_vec();
        if session.inputs().len() != artefact.manifest.inputs.len() {
            return Err(Error::Outputs);
        }
        let rename = |ports: &[Port], entries: &[crate::manifest::PortEntry]| -> Vec<Port> {
            let renamed = ports.iter().zip(entries);
            renamed.map(|(port, entry)| Port { name: entry.name.clone(), ..port.clone() }).collect()
        };
        let inputs = rename(session.inputs(), &artefact.manifest.inputs);
        let outputs = rename(&outputs, &artefact.manifest.outputs);
        let set = vec![None; inputs.len()];
        let state = State::Accelerated(Box::new(Accelerated { session, artefact }));
        let (computed, computation, summary) = (Vec::new(), None, None);
        Ok(Self { inputs, outputs, state, set, computed, computation, summary, progress: Box::new(Silent) })
    }

    /// Inputs of the network.
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// Outputs of the network.
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// What the next call will do.
    pub fn phase(&self) -> Phase {
        match &self.state {
            State::Calibrating(calibration) => {
                Phase::Calibrating { seen: calibration.calls.len(), wanted: calibration.options.calibration_calls }
            }
            State::Accelerated(_) => Phase::Accelerated,
        }
    }

    /// Sets an input for the next runs. Shapes are in the framework's order of dimensions.
    ///
    /// # Errors
    /// No such input; a tensor of another shape.
    pub fn set_input(&mut self, name: &str, tensor: Tensor) -> Result<(), Error> {
        let known = || self.inputs.iter().map(|port| port.name.clone()).collect();
        let index = self.inputs.iter().position(|port| port.is_called(name));
        let index = index.ok_or_else(|| Error::UnknownInput { name: name.to_owned(), known: known() })?;
        self.set[index] = Some(self.inputs[index].take(tensor)?);
        Ok(())
    }

    /// Computes the outputs. The first calls, as many as calibrate, give float results; the next one quantises and compiles first.
    ///
    /// # Errors
    /// An input that is not set; see [`Error`]. A call that failed was not recorded.
    pub fn run(&mut self) -> Result<(), Error> {
        let missing = self.set.iter().position(Option::is_none);
        if let Some(index) = missing {
            return Err(Error::MissingInput(self.inputs[index].name.clone()));
        }
        if let State::Calibrating(calibration) = &mut self.state {
            let inputs: Vec<Tensor> = self.set.iter().flatten().cloned().collect();
            if !calibration.is_complete() || calibration.is_repeated(&inputs) {
                let outcome = calibration.float.run(inputs.clone())?;
                calibration.record(inputs)?;
                self.give(outcome, Computation::Float);
                return Ok(());
            }
            self.accelerate()?;
        }
        let State::Accelerated(accelerated) = &self.state else { return Ok(()) };
        let outcome = accelerated.session.run(self.set.iter().flatten().cloned().collect())?;
        self.give(outcome, Computation::Dpu);
        Ok(())
    }

    fn give(&mut self, outcome: Outcome, computation: Computation) {
        let tensors = self.outputs.iter().zip(outcome.tensors);
        self.computed = tensors.map(|(port, (_, tensor))| port.give(&tensor)).collect();
        self.computation = Some(computation);
    }

    /// What computed the outputs of the last run.
    pub const fn computation(&self) -> Option<Computation> {
        self.computation
    }

    /// What this session has built; none before it has, and none if it was loaded.
    pub const fn summary(&self) -> Option<&Summary> {
        self.summary.as_ref()
    }

    /// Output number `index` of the last run, in the framework's order of dimensions.
    ///
    /// # Errors
    /// There is no such output, or nothing was run.
    pub fn get_output(&self, index: usize) -> Result<&Tensor, Error> {
        self.computed.get(index).ok_or(Error::NoOutput { index, count: self.computed.len() })
    }

    /// Sets all inputs in order, runs, and gives all outputs.
    ///
    /// # Errors
    /// See [`Session::run`].
    pub fn call(&mut self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, Error> {
        if inputs.len() != self.inputs.len() {
            return Err(Error::InputCount { expected: self.inputs.len(), found: inputs.len() });
        }
        for (index, tensor) in inputs.into_iter().enumerate() {
            self.set[index] = Some(self.inputs[index].take(tensor)?);
        }
        self.run()?;
        Ok(self.computed.clone())
    }

    /// What was built, to deploy it; built now, if the calibration is complete.
    ///
    /// # Errors
    /// The calibration is not complete; see [`Error`].
    pub fn artefact(&mut self) -> Result<&Artefact, Error> {
        self.accelerate()?;
        match &self.state {
            State::Accelerated(accelerated) => Ok(&accelerated.artefact),
            State::Calibrating(calibration) => Err(calibration.incomplete()),
        }
    }

    /// Writes what was built into a folder; see [`Artefact::write`].
    ///
    /// # Errors
    /// The calibration is not complete; files that cannot be written.
    pub fn export(&mut self, folder: &Path) -> Result<(), Error> {
        self.artefact()?.write(folder)
    }

    /// Quantises with the recorded calls, compiles, and switches to the DPU, if that is not done.
    ///
    /// # Errors
    /// The calibration is not complete; see [`Error`].
    pub fn accelerate(&mut self) -> Result<(), Error> {
        let State::Calibrating(calibration) = &self.state else { return Ok(()) };
        if !calibration.is_complete() {
            return Err(calibration.incomplete());
        }
        let Calibration { ir, options, source, calls, .. } = &**calibration;
        let calls = &calls[..calls.len().min(options.calibration_calls)].to_vec();
        let built: Built = build(ir, calls, options, &*self.progress)?;
        let artefact = Artefact::new(&built, &options.target, [&self.inputs, &self.outputs], source, calls.len())?;
        if let Some(folder) = &options.build_folder {
            artefact.write(folder)?;
        }
        let progress = std::mem::replace(&mut self.progress, Box::new(Silent));
        let loaded = Self::load(artefact, &options.target, options.host, &options.operators)?;
        let (set, computed) = (std::mem::take(&mut self.set), std::mem::take(&mut self.computed));
        let encode = |(port, tensor): (&Port, Option<Tensor>)| match tensor {
            Some(Tensor::F32(values)) => Some(port.encode(values)),
            other => other,
        };
        let set = loaded.inputs.iter().zip(set).map(encode).collect();
        let summary = Some(Summary::of(built)?);
        *self = Self { set, computed, computation: self.computation, summary, progress, ..loaded };
        Ok(())
    }
}

impl Calibration {
    fn is_complete(&self) -> bool {
        self.quantised || self.calls.len() >= self.options.calibration_calls
    }

    fn incomplete(&self) -> Error {
        Error::NotCalibrated { seen: self.calls.len(), wanted: self.options.calibration_calls }
    }

    /// Whether this is the last call of an interrupted session again, whose caller may not have got its result.
    fn is_repeated(&self, inputs: &[Tensor]) -> bool {
        self.resumed && self.calls.last().is_some_and(|last| last == inputs)
    }

    /// Keeps the inputs of a call; those of a repeated one are there already.
    fn record(&mut self, inputs: Vec<Tensor>) -> Result<(), Error> {
        let is_repeated = self.is_repeated(&inputs);
        self.resumed = false;
        if is_repeated {
            return Ok(());
        }
        if let Some(folder) = &self.folder {
            folder.keep(self.calls.len(), &inputs)?;
        }
        self.calls.push(inputs);
        Ok(())
    }
}

/// Identifies a network: its text and its constants.
fn hash(ir: &Ir) -> String {
    let mut bytes = print(ir, PrintOptions::default()).into_bytes();
    for (name, weight) in ir.weights.iter() {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(weight.bytes());
    }
    sha256(&bytes)
}
