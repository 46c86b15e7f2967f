//! The files of build folders and artefacts, and the calls that are kept in a build folder.

use std::io::Write;
use std::path::{Path, PathBuf};

use dpuc_evaluate::Tensor;
use dpuc_runtime::npy::{from_npy, to_npy};

use crate::error::Error;

/// The file that says which network a build folder belongs to.
const OWNER: &str = "network.sha256";
/// The folder of the calls.
const CALLS: &str = "calibration";

/// The calls of a session in its build folder: `calibration/CALL_INPUT.npy`, CALL and INPUT counting from 0.
#[derive(Clone, Debug)]
pub(crate) struct CallFolder {
    path: PathBuf,
    inputs: usize,
}

impl CallFolder {
    /// The calls of the network with this hash; the folder is made if it is not there.
    pub(crate) fn open(build: &Path, source: &str, inputs: usize) -> Result<Self, Error> {
        let path = build.join(CALLS);
        create(&path)?;
        let owner = build.join(OWNER);
        if owner.is_file() {
            if read(&owner)? != source.as_bytes() {
                return Err(Error::OtherNetwork(build.to_owned()));
            }
        } else {
            write(&owner, source.as_bytes())?;
        }
        Ok(Self { path, inputs })
    }

    /// The calls that were kept completely, in order.
    pub(crate) fn read(&self) -> Result<Vec<Vec<Tensor>>, Error> {
        let mut calls = Vec::new();
        while (0..self.inputs).all(|input| self.file(calls.len(), input).is_file()) && self.inputs > 0 {
            let inputs = (0..self.inputs).map(|input| {
                let file = self.file(calls.len(), input);
                from_npy(&read(&file)?)
                    .map_err(|error| Error::Damaged { file: file.display().to_string(), problem: error.to_string() })
            });
            let inputs = inputs.collect::<Result<_, _>>()?;
            calls.push(inputs);
        }
        Ok(calls)
    }

    /// Keeps the inputs of a call.
    pub(crate) fn keep(&self, call: usize, inputs: &[Tensor]) -> Result<(), Error> {
        inputs.iter().enumerate().try_for_each(|(input, tensor)| write(&self.file(call, input), &to_npy(tensor)))
    }

    fn file(&self, call: usize, input: usize) -> PathBuf {
        self.path.join(format!("{call:05}_{input}.npy"))
    }
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> Error {
    move |error| Error::File { path: path.to_owned(), error }
}

/// Makes a folder and those above it.
pub(crate) fn create(path: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(path).map_err(failed(path))
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(failed(path))
}

pub(crate) fn length(path: &Path) -> Result<u64, Error> {
    Ok(std::fs::metadata(path).map_err(failed(path))?.len())
}

/// Writes a file completely or not at all.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed(path))?;
    file.write_all(bytes).map_err(failed(path))?;
    make_readable(&file).map_err(failed(path))?;
    file.persist(path).map_err(|error| failed(path)(error.error))?;
    Ok(())
}

/// Temporary files are private; results are as readable as any other file.
#[cfg(unix)]
fn make_readable(file: &tempfile::NamedTempFile) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &tempfile::NamedTempFile) -> std::io::Result<()> {
    Ok(())
}
