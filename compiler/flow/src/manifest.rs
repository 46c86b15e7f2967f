//! What a deployed network says about itself.

use std::collections::BTreeMap;

use dpuc_isa::{Target, fingerprint_differences};
use dpuc_runtime::Port;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::Error;

/// Name of the manifest's file.
pub const MANIFEST: &str = "manifest.json";
/// Version of the manifest.
pub const FORMAT: u32 = 1;

/// What a deployed network says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this format, [`FORMAT`].
    pub format: u32,
    /// Who wrote it.
    pub compiler: String,
    /// Name of the network, and of its files.
    pub network: String,
    /// SHA-256 of the float network.
    pub source: String,
    /// The DPU it is for.
    pub target: TargetEntry,
    /// Calls or samples it was calibrated with.
    pub calibration_samples: usize,
    /// How images become inputs, if it is said.
    pub preprocessing: Option<String>,
    /// Its inputs in order.
    pub inputs: Vec<PortEntry>,
    /// Its outputs in order.
    pub outputs: Vec<PortEntry>,
    /// Its files.
    pub files: BTreeMap<String, FileEntry>,
}

/// A DPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetEntry {
    /// Its name.
    pub name: String,
    /// Its fingerprint in hexadecimal, which says all its features.
    pub fingerprint: String,
}

/// An input or output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortEntry {
    /// Its name.
    pub name: String,
    /// Its dimensions in the framework's order.
    pub shape: Vec<usize>,
    /// The order of dimensions in which the network computes.
    pub layout: String,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its length.
    pub bytes: usize,
    /// SHA-256 of its content in hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// Refuses a device that this network was not compiled for, and says in which features it differs.
    pub fn check_target(&self, device: &Target) -> Result<(), Error> {
        let built = Target::resolve(&self.target.fingerprint)
            .map_err(|error| damaged(format!("its target cannot be understood: {error}")))?;
        if built.fingerprint == device.fingerprint {
            return Ok(());
        }
        let mut difference = String::new();
        for feature in fingerprint_differences(built.fingerprint, device.fingerprint) {
            difference += &format!("  {}\n", feature.describe("network", "device"));
        }
        Err(Error::OtherTarget { built: built.name, device: device.name.clone(), difference })
    }

    /// Checks that files are complete and unchanged.
    pub fn check_files(&self, files: &BTreeMap<String, Vec<u8>>) -> Result<(), Error> {
        for (name, entry) in &self.files {
            let fail = |problem: String| Error::Damaged { file: name.clone(), problem };
            let bytes = files.get(name).ok_or_else(|| fail("it is missing".to_owned()))?;
            if bytes.len() != entry.bytes {
                return Err(fail(format!("it has {} bytes, not {}", bytes.len(), entry.bytes)));
            }
            if sha256(bytes) != entry.sha256 {
                return Err(fail("its content has changed".to_owned()));
            }
        }
        Ok(())
    }

    /// Reads a manifest.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        if manifest.format != FORMAT {
            return Err(damaged(format!("its format is {}, this program knows {FORMAT}", manifest.format)));
        }
        if let Some(name) = manifest.files.keys().find(|name| !is_file_name(name)) {
            return Err(damaged(format!("`{name}` is no file name")));
        }
        Ok(manifest)
    }
}

/// Whether a name stays in its folder.
fn is_file_name(name: &str) -> bool {
    !name.is_empty() && ![".", ".."].contains(&name) && !name.contains(['/', '\\']) && !name.contains(char::is_control)
}

fn damaged(problem: String) -> Error {
    Error::Damaged { file: MANIFEST.to_owned(), problem }
}

impl FileEntry {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len(), sha256: sha256(bytes) }
    }
}

impl PortEntry {
    pub(crate) fn of(port: &Port) -> Self {
        let layout = port.layout.name();
        Self { name: port.name.clone(), shape: port.framework_shape(), layout: layout.to_owned() }
    }
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
