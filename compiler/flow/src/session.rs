//! Sessions that calibrate while they work.

use std::path::Path;

use dpuc_dialects::Ir;
use dpuc_dialects::text::{PrintOptions, print};
use dpuc_evaluate::Tensor;
use dpuc_isa::Target;
use dpuc_quantise::{Progress, Silent};
use dpuc_runtime::{Host, Network, Outcome, Port};

use crate::artefact::Artefact;
use crate::build::{Built, build, is_quantised};
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
    calls: Vec<Vec<Tensor>>,
    folder: Option<CallFolder>,
    /// Whether the last of `calls` comes from an interrupted session, whose caller may not have got its result.
    resumed: bool,
}

struct Accelerated {
    session: dpuc_runtime::Session,
    artefact: Artefact,
    outcome: Outcome,
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
    /// A session of a network for a target. A network that is quantised already, and one whose build folder holds a finished build or all
    /// the calls, is accelerated from the first call.
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
        dpuc_passes::canonicalise(&mut ir)?;
        let (inputs, outputs) =
            (dpuc_runtime::function_inputs(&ir, "main"), dpuc_runtime::function_outputs(&ir, "main"));
        let quantised = is_quantised(&ir);
        if options.calibration_calls == 0 && !quantised {
            return Err(Error::NoCalibration);
        }
        let float = Network::new(ir.clone(), options.host, &options.operators)?;
        let folder = options.build_folder.as_deref().map(|build| CallFolder::open(build, &source, inputs.len()));
        let folder = folder.transpose()?;
        let calls = folder.as_ref().map(CallFolder::read).transpose()?.unwrap_or_default();
        let resumed = !calls.is_empty();
        let ready = quantised || calls.len() >= options.calibration_calls;
        let calibration = Calibration { ir, float, options, source, calls, folder, resumed };
        let (set, state) = (vec![None; inputs.len()], State::Calibrating(Box::new(calibration)));
        let mut session = Self { inputs, outputs, state, set, computed: Vec::new(), progress };
        if ready {
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
        let state = State::Accelerated(Box::new(Accelerated { session, artefact, outcome: Outcome::default() }));
        Ok(Self { inputs, outputs, state, set, computed: Vec::new(), progress: Box::new(Silent) })
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

    /// Computes the outputs. The call that completes the calibration gives float results, quantises and compiles; the next one is the
    /// DPU's.
    ///
    /// # Errors
    /// An input that is not set; see [`Error`]. A call that failed was not recorded.
    pub fn run(&mut self) -> Result<(), Error> {
        let missing = self.set.iter().position(Option::is_none);
        if let Some(index) = missing {
            return Err(Error::MissingInput(self.inputs[index].name.clone()));
        }
        let inputs: Vec<Tensor> = self.set.iter().flatten().cloned().collect();
        let count = self.outputs.len();
        let (outcome, complete) = match &mut self.state {
            State::Calibrating(calibration) => {
                let outcome = calibration.float.run(inputs.clone())?;
                calibration.record(inputs)?;
                (outcome, calibration.calls.len() >= calibration.options.calibration_calls)
            }
            State::Accelerated(accelerated) => {
                accelerated.outcome = accelerated.session.run(inputs)?;
                let tensors = accelerated.outcome.tensors.iter().take(count).cloned().collect();
                (Outcome { tensors, statistics: Vec::new() }, false)
            }
        };
        self.computed =
            self.outputs.iter().zip(outcome.tensors).map(|(port, (_, tensor))| port.give(&tensor)).collect();
        if complete {
            self.accelerate()?;
        }
        Ok(())
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

    /// What was built, to deploy it.
    ///
    /// # Errors
    /// The calibration is not complete.
    pub fn artefact(&self) -> Result<&Artefact, Error> {
        match &self.state {
            State::Accelerated(accelerated) => Ok(&accelerated.artefact),
            State::Calibrating(calibration) => Err(Error::NotCalibrated {
                seen: calibration.calls.len(),
                wanted: calibration.options.calibration_calls,
            }),
        }
    }

    /// Writes what was built into a folder; see [`Artefact::write`].
    ///
    /// # Errors
    /// The calibration is not complete; files that cannot be written.
    pub fn export(&self, folder: &Path) -> Result<(), Error> {
        self.artefact()?.write(folder)
    }

    /// Quantises with the recorded calls, compiles, and switches to the DPU.
    fn accelerate(&mut self) -> Result<(), Error> {
        let State::Calibrating(calibration) = &self.state else { return Ok(()) };
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
        *self = Self { set, computed, progress, ..loaded };
        Ok(())
    }
}

impl Calibration {
    /// Keeps the inputs of a call. The call that an interrupted session recorded last may be made again by a caller that did not get its
    /// result; it is recorded once.
    fn record(&mut self, inputs: Vec<Tensor>) -> Result<(), Error> {
        let repeated = std::mem::take(&mut self.resumed) && self.calls.last() == Some(&inputs);
        if repeated {
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
