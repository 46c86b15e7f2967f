//! ONNX models from files.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use dpuc_dialects::Ir;
use dpuc_import::{OnnxOptions, Scales, import_onnx};
use dpuc_onnx::Model;

use crate::files;

/// How ONNX models are imported.
#[derive(Clone, Debug, Args)]
pub(crate) struct ImportOptions {
    /// ONNX: shape of an input in the framework's order, e.g. `x=1,3,224,224`. Needed where the model leaves sizes other than the batch open.
    #[arg(long = "input-shape", value_name = "NAME=SHAPE", value_parser = shape)]
    shapes: Vec<(String, Vec<usize>)>,
    /// ONNX: what becomes of a quantised model's scales that are no powers of two.
    #[arg(long, value_enum, default_value_t = ScaleOption::Exact)]
    scales: ScaleOption,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ScaleOption {
    /// An error that lists them.
    Exact,
    /// Powers of two that hold their range; accuracy suffers.
    Requantise,
    /// Leave rounding out: a float network, to be quantised anew.
    Float,
}

fn shape(text: &str) -> Result<(String, Vec<usize>)> {
    let (name, sizes) = text.rsplit_once('=').ok_or_else(|| anyhow!("{text:?} is not NAME=SIZE,SIZE,…"))?;
    let sizes: Result<Vec<usize>, _> = sizes.split([',', 'x']).map(|size| size.trim().parse::<usize>()).collect();
    let sizes = sizes.with_context(|| format!("{text:?} has a size that is no number"))?;
    Ok((name.to_owned(), sizes))
}

/// Whether a file holds an ONNX model, judged by its name.
pub(crate) fn is_onnx(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "onnx")
}

/// Reads a model and the files its tensors are in, which are relative to its folder.
pub(crate) fn read(path: &Path) -> Result<Model> {
    let invalid = || format!("{} is no valid ONNX model", path.display());
    let mut model = dpuc_onnx::read(files::read(path)?.into()).with_context(invalid)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let read = |location: &str| files::read(&folder.join(location)).map(Into::into).map_err(|error| error.to_string());
    dpuc_onnx::load_external(&mut model, read).with_context(invalid)?;
    Ok(model)
}

/// Reads and imports a model, and writes the importer's warnings.
pub(crate) fn import(path: &Path, options: &ImportOptions) -> Result<Ir> {
    let mut own = OnnxOptions {
        scales: match options.scales {
            ScaleOption::Exact => Scales::Exact,
            ScaleOption::Requantise => Scales::Requantise,
            ScaleOption::Float => Scales::Float,
        },
        ..OnnxOptions::default()
    };
    for (name, shape) in &options.shapes {
        if own.input_shapes.insert(name.clone(), shape.clone()).is_some() {
            bail!("two shapes are given for the input {name:?}");
        }
    }
    let imported =
        import_onnx(&read(path)?, &own).map_err(|error| anyhow!("cannot import {}: {error}", path.display()))?;
    for warning in &imported.warnings {
        files::note(&format!("warning: {warning}"));
    }
    Ok(imported.ir)
}
