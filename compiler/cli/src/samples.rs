//! Samples for a network: folders of files, arrays of many samples, archives of arrays.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use dpuc_evaluate::Tensor;
use dpuc_quantise::Samples;
use dpuc_runtime::npy::{is_npy, read_npy};
use dpuc_runtime::npz::{self, is_npz, read_npz};
use dpuc_runtime::{Port, Preprocessing, Rows};

use crate::commands::inputs::{assign, missing};
use crate::{files, images, tensors};

/// Samples with a tensor for each input of a network.
#[derive(Debug)]
pub(crate) struct Collection {
    inputs: Vec<Input>,
    count: usize,
    preprocessing: Preprocessing,
}

/// What the samples of one input come from.
#[derive(Debug)]
struct Input {
    port: Port,
    path: PathBuf,
    source: Source,
    /// Whether it is a file with one sample.
    is_file: bool,
}

#[derive(Debug)]
enum Source {
    /// A file for each sample.
    Files(Vec<PathBuf>),
    /// An array of samples.
    Rows(Box<Rows>),
}

impl Collection {
    /// The samples of `[NAME=]PATH` for each input: named ones first, the others in order. A path is a folder of images or `.npy` arrays, such a
    /// file, a pattern for the names of such files, or an `.npz` archive, of which `PATH:ARRAY` picks an array. At most `limit` samples are
    /// taken.
    pub(crate) fn open(
        paths: &[String],
        ports: &[Port],
        preprocessing: &Preprocessing,
        limit: Option<usize>,
    ) -> Result<Self> {
        let mut inputs = Vec::new();
        for (path, port) in assign(paths, ports)?.into_iter().zip(ports) {
            let Some(path) = path else { return Err(missing(port, ports)) };
            inputs.push(Input::open(path, port).with_context(|| format!("cannot use {path}"))?);
        }
        if let Some([one, other]) =
            inputs.array_windows().find(|[one, other]: &&[Input; 2]| one.count() != other.count())
        {
            let said =
                |input: &Input| format!("{} for `{}` ({})", input.count(), input.port.name, input.path.display());
            bail!("the inputs have different numbers of samples: {} and {}", said(one), said(other));
        }
        // A network without inputs computes the same once.
        let count = inputs.first().map_or(1, Input::count).min(limit.unwrap_or(usize::MAX));
        if count == 0 {
            bail!("0 samples are too few; --samples says how many are used");
        }
        Ok(Self { inputs, count, preprocessing: preprocessing.clone() })
    }

    /// How many samples there are.
    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    /// Whether it is one file for each input, and no folder or other collection that could hold more.
    pub(crate) fn is_single(&self) -> bool {
        self.inputs.iter().all(|input| input.is_file)
    }

    /// What a sample is called, for people.
    pub(crate) fn title(&self, index: usize) -> String {
        self.inputs.first().map_or_else(String::new, |input| input.title(index))
    }

    /// A name for the results of a sample.
    pub(crate) fn stem(&self, index: usize) -> String {
        self.inputs.first().map_or_else(String::new, |input| input.stem(index))
    }

    /// The image that a sample is, if the network has one input.
    pub(crate) fn picture(&self, index: usize) -> Option<&Path> {
        let [Input { source: Source::Files(files), .. }] = &self.inputs[..] else { return None };
        files.get(index).map(PathBuf::as_path).filter(|path| files::is_image(path))
    }

    /// A tensor for each input.
    pub(crate) fn tensors(&self, index: usize) -> Result<Vec<Tensor>> {
        self.inputs.iter().map(|input| input.read(index, &self.preprocessing)).collect()
    }

    /// A tensor for each input, fit to calibrate with: all numbers are finite.
    pub(crate) fn finite_tensors(&self, index: usize) -> Result<Vec<Tensor>> {
        let tensors = self.tensors(index)?;
        for (tensor, input) in tensors.iter().zip(&self.inputs) {
            if tensor.as_f32().is_some_and(|values| !values.iter().all(|value| value.is_finite())) {
                bail!("{} has elements that are no finite numbers", input.title(index));
            }
        }
        Ok(tensors)
    }
}

impl Samples for Collection {
    fn count(&self) -> usize {
        self.count
    }

    fn sample(&self, index: usize) -> Result<Vec<Tensor>, String> {
        self.finite_tensors(index).map_err(|error| format!("{error:#}"))
    }
}

impl Input {
    fn open(text: &str, port: &Port) -> Result<Self> {
        let path = Path::new(text);
        let (path, array) = match text.rsplit_once(':') {
            Some((file, array)) if !path.exists() => (Path::new(file), Some(array)),
            _ => (path, None),
        };
        let (port, path) = (port.clone(), path.to_owned());
        if path.is_dir() || files::is_pattern(&path) {
            let found = if path.is_dir() { files::samples(&path)? } else { files::matching(&path)? };
            return Ok(Self { source: Source::Files(found), port, path, is_file: false });
        }
        let bytes = files::read(&path)?;
        if !is_npy(&bytes) && !is_npz(&bytes) && array.is_none() {
            images::format(&bytes)?;
            return Ok(Self { source: Source::Files(vec![path.clone()]), port, path, is_file: true });
        }
        let rows = if is_npz(&bytes) {
            array_for(&bytes, array, &port)?
        } else if let Some(array) = array {
            bail!("{} is no .npz archive that could have an array `{array}`", path.display())
        } else {
            Rows::new(read_npy(&bytes)?, &port)?
        };
        let is_file = rows.count() == 1;
        Ok(Self { source: Source::Rows(Box::new(rows)), port, path, is_file })
    }

    fn count(&self) -> usize {
        match &self.source {
            Source::Files(files) => files.len(),
            Source::Rows(rows) => rows.count(),
        }
    }

    fn read(&self, index: usize, preprocessing: &Preprocessing) -> Result<Tensor> {
        match &self.source {
            Source::Files(files) => {
                let path = files.get(index).context("there is no such sample")?;
                tensors::read(path, &self.port, preprocessing)
            }
            Source::Rows(rows) if index < rows.count() => rows
                .sample(index, &self.port, preprocessing)
                .with_context(|| format!("cannot use {}", self.title(index))),
            Source::Rows(_) => bail!("there is no such sample"),
        }
    }

    fn title(&self, index: usize) -> String {
        match &self.source {
            Source::Files(files) => files.get(index).map(|path| path.display().to_string()).unwrap_or_default(),
            Source::Rows(rows) if rows.count() == 1 => self.path.display().to_string(),
            Source::Rows(_) => format!("{}[{index}]", self.path.display()),
        }
    }

    fn stem(&self, index: usize) -> String {
        let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match &self.source {
            Source::Files(files) => files.get(index).map(|path| stem(path)).unwrap_or_default(),
            Source::Rows(rows) if rows.count() == 1 => stem(&self.path),
            Source::Rows(_) => format!("{}_{index:05}", stem(&self.path)),
        }
    }
}

/// The samples in an archive: of the array that is named, or that is called as the input, or the only one that fits.
fn array_for(bytes: &[u8], wish: Option<&str>, port: &Port) -> Result<Rows> {
    let names = npz::names(bytes)?;
    let own = names.iter().find(|name| port.is_called(name)).map(String::as_str);
    if let Some(name) = wish.or(own) {
        if !names.iter().any(|known| known == name) {
            bail!("it has no array `{name}`; it has {}", quoted(&names));
        }
        return Ok(Rows::new(read_npz(bytes, name)?, port)?);
    }
    let mut fitting = Vec::new();
    let mut seen = Vec::new();
    for name in &names {
        match read_npz(bytes, name) {
            Ok(array) => {
                seen.push(format!("`{name}` has shape {:?}", array.shape()));
                fitting.extend(Rows::new(array, port).ok().map(|rows| (name.clone(), rows)));
            }
            Err(error) => seen.push(error.to_string()),
        }
    }
    match fitting.len() {
        1 => Ok(fitting.remove(0).1),
        0 => bail!(
            "no array of it holds samples for the input `{}` of shape {:?}: {}",
            port.name,
            port.framework_shape(),
            seen.join("; ")
        ),
        _ => {
            let names: Vec<String> = fitting.into_iter().map(|(name, _)| name).collect();
            bail!("several arrays of it could be samples: {}; pick one with FILE:ARRAY", quoted(&names))
        }
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
