//! A deployed network: the compiled file, the quantised network, and a manifest that says what they are for.

use std::collections::BTreeMap;
use std::path::Path;

use dpuc_dialects::text::{PrintOptions, print};
use dpuc_dialects::{Attribute, Ir};
use dpuc_isa::Target;
use dpuc_report::{Plan, Source};
use dpuc_runtime::{Port, preprocess};

use crate::build::Built;
use crate::error::Error;
use crate::folder;
use crate::manifest::{FORMAT, FileEntry, MANIFEST, Manifest, PortEntry, TargetEntry};

/// A deployed network, as files.
///
/// * `NAME.xmodel`: DPU programs, the operators of the CPU, and all constants;
/// * `NAME_int.mlir`, `NAME_int.safetensors`: the quantised network, from which it can be compiled for another DPU;
/// * `NAME_partition.svg`: what runs where, as a picture;
/// * `quant_info.json`, `quantise.json`, `quantise.html`: positions, and what quantisation costs, as data and as a page;
/// * `manifest.json`: target, inputs, outputs, preprocessing, and the hashes of the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Artefact {
    /// What it says about itself.
    pub manifest: Manifest,
    files: BTreeMap<String, Vec<u8>>,
}

impl Artefact {
    /// The artefact of a build. `inputs` and `outputs` are those of the float network, `source` identifies it.
    pub(crate) fn new(
        built: &Built,
        target: &Target,
        [inputs, outputs]: [&[Port]; 2],
        source: &str,
        samples: usize,
    ) -> Result<Self, Error> {
        let network = built.name().to_owned();
        let xmodel = dpuc_xmodel::write(&built.compiled.graph).map_err(|error| Error::Write(error.to_string()))?;
        let plan = Plan::of(&Source::compiled(&built.compiled))?;
        let mut files = BTreeMap::from([
            (format!("{network}.xmodel"), xmodel),
            (format!("{network}_partition.svg"), plan.svg().into_bytes()),
        ]);
        if let Some(quantised) = &built.quantised {
            let (text, constants) = text_and_constants(&quantised.ir, &format!("{network}_int"))?;
            files.insert(format!("{network}_int.mlir"), text);
            files.insert(format!("{network}_int.safetensors"), constants);
            files.insert("quant_info.json".to_owned(), json(&quantised.info)?);
            files.insert("quantise.json".to_owned(), json(&quantised.report)?);
            let page = dpuc_report::quantised_page(&network, &quantised.report);
            files.insert("quantise.html".to_owned(), page.into_bytes());
        }
        let compiled = &built.compiled.ir;
        let preprocessing = compiled.attribute(compiled.root(), preprocess::ATTRIBUTE).and_then(Attribute::as_str);
        let manifest = Manifest {
            format: FORMAT,
            compiler: format!("dpuc {}", env!("CARGO_PKG_VERSION")),
            network,
            source: source.to_owned(),
            target: TargetEntry { name: target.name.clone(), fingerprint: format!("{:#018x}", target.fingerprint) },
            calibration_samples: samples,
            preprocessing: preprocessing.map(str::to_owned),
            inputs: inputs.iter().map(PortEntry::of).collect(),
            outputs: outputs.iter().map(PortEntry::of).collect(),
            files: files.iter().map(|(name, bytes)| (name.clone(), FileEntry::of(bytes))).collect(),
        };
        Ok(Self { manifest, files })
    }

    /// The bytes of the compiled `.xmodel`.
    pub fn xmodel(&self) -> Result<&[u8], Error> {
        let file = format!("{}.xmodel", self.manifest.network);
        let missing = || Error::Damaged { file: file.clone(), problem: "it is missing".to_owned() };
        self.files.get(&file).map(Vec::as_slice).ok_or_else(missing)
    }

    /// Its files by name, without the manifest.
    pub const fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// Writes it into a folder, which is made if it is not there. The manifest comes last, so that a folder with one is complete.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        folder::create(path)?;
        for (name, bytes) in &self.files {
            folder::write(&path.join(name), bytes)?;
        }
        folder::write(&path.join(MANIFEST), &json(&self.manifest)?)
    }

    /// Whether a folder holds an artefact, complete or damaged.
    pub fn is_in(path: &Path) -> bool {
        path.join(MANIFEST).is_file()
    }

    /// Reads it from a folder and checks that all files are complete and unchanged.
    pub fn read(path: &Path) -> Result<Self, Error> {
        if !Self::is_in(path) {
            return Err(Error::NoManifest(path.to_owned()));
        }
        let manifest = Manifest::parse(&folder::read(&path.join(MANIFEST))?)?;
        let mut files = BTreeMap::new();
        for (name, entry) in &manifest.files {
            let file = path.join(name);
            if !file.is_file() {
                return Err(Error::Damaged { file: name.clone(), problem: "it is missing".to_owned() });
            }
            if folder::length(&file)? != entry.bytes as u64 {
                return Err(Error::Damaged { file: name.clone(), problem: "its length has changed".to_owned() });
            }
            files.insert(name.clone(), folder::read(&file)?);
        }
        manifest.check_files(&files)?;
        Ok(Self { manifest, files })
    }
}

/// A module as text, and its constants as the side file called `stem`.
fn text_and_constants(ir: &Ir, stem: &str) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let mut ir = ir.clone();
    let constants = ir.weights.to_safetensors().map_err(|error| Error::Write(error.to_string()))?;
    ir.set_attribute(ir.root(), "dpuc.weights", Attribute::string(format!("{stem}.safetensors")));
    Ok((print(&ir, PrintOptions::default()).into_bytes(), constants))
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Error::Write(error.to_string()))?;
    Ok((text + "\n").into_bytes())
}
