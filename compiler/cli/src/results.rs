//! Results of a run, for files, people and machines.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use dpuc_evaluate::Tensor;
use dpuc_runtime::npy::to_npy;
use dpuc_runtime::{Outcome, Port, Preprocessing};
use serde_json::{Value, json};

use crate::answers::{best, class_map, mask, overlay, scores};
use crate::{files, images};

/// A tensor and the file it was written to.
#[derive(Debug)]
pub(crate) struct Written<'a> {
    path: PathBuf,
    port: &'a Port,
    tensor: &'a Tensor,
    /// Whether it is a result of the network, and not of a part of it.
    is_result: bool,
}

/// Writes every tensor as `NAME.npy` into a folder, in the framework's order of dimensions. The first `results` of them are the network's.
pub(crate) fn write<'a>(outcome: &'a Outcome, results: usize, folder: &Path) -> Result<Vec<Written<'a>>> {
    files::create_folder(folder)?;
    let mut names = files::Names::default();
    let mut written = Vec::new();
    for (number, (port, tensor)) in outcome.tensors.iter().enumerate() {
        let path = folder.join(names.file(&port.name, "npy"));
        files::write(&path, &to_npy(&port.give(tensor)))?;
        written.push(Written { path, port, tensor, is_result: number < results });
    }
    Ok(written)
}

/// Writes every map of classes as `NAME_mask.png`, and over the picture it was made from as `NAME_overlay.png`.
pub(crate) fn draw(written: &[Written<'_>], picture: Option<(&Path, &Preprocessing)>) -> Result<Vec<PathBuf>> {
    let mut drawn = Vec::new();
    for Written { path, tensor, .. } in written {
        let Some(classes) = class_map(tensor) else { continue };
        let beside = |what: &str| {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            path.with_file_name(format!("{stem}_{what}.png"))
        };
        drawn.push((beside("mask"), mask(&classes)?));
        if let Some((file, preprocessing)) = picture {
            let image = images::decode(&files::read(file)?)?;
            let seen = preprocessing.fit(&image, classes.width(), classes.height()).unwrap_or_else(|_| image.to_rgb8());
            drawn.push((beside("overlay"), overlay(&classes, &seen)?));
        }
    }
    drawn.iter().try_for_each(|(path, bytes)| files::write(path, bytes))?;
    Ok(drawn.into_iter().map(|(path, _)| path).collect())
}

/// What the command line says about results.
#[derive(Clone, Debug, Args)]
pub(crate) struct ResultOptions {
    /// Show the K best classes of results that are classifications, and no tensors of parts of the network.
    #[arg(long, value_name = "K")]
    top: Option<usize>,
    /// Names of the classes, one a line.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Draw results that are maps of classes, as `NAME_mask.png`, and over the input image as `NAME_overlay.png`.
    #[arg(long)]
    pub(crate) pictures: bool,
    /// Machine-readable summary.
    #[arg(long)]
    pub(crate) json: bool,
}

impl ResultOptions {
    /// How results are shown; `top` is the number of classes if none is given.
    pub(crate) fn shown(&self, top: usize) -> Result<Shown> {
        let labels = self.labels.as_deref().map(files::read_text).transpose()?.unwrap_or_default();
        Ok(Shown { top: self.top.unwrap_or(top), labels: labels.lines().map(str::to_owned).collect() })
    }
}

/// How results are shown.
#[derive(Debug)]
pub(crate) struct Shown {
    /// How many of the best classes.
    top: usize,
    /// Names of the classes.
    labels: Vec<String>,
}

impl Shown {
    /// Lines for people.
    pub(crate) fn text(&self, written: &[Written<'_>], drawn: &[PathBuf]) -> String {
        let mut text = String::new();
        for Written { path, port, tensor, .. } in written.iter().filter(|own| own.is_result || self.top == 0) {
            let fix = port.fix_point.map_or_else(String::new, |point| format!(", fix point {point}"));
            text += &format!("{}  {} {:?}{fix}\n", path.display(), element(tensor), port.framework_shape());
            for (class, score) in self.best(port, tensor) {
                text += &format!("  {score:10.4}  {class}\n");
            }
        }
        for path in drawn {
            text += &format!("{}\n", path.display());
        }
        text
    }

    /// The best classes of the first output that is a classification, in one line.
    pub(crate) fn line(&self, outcome: &Outcome) -> String {
        let best = outcome.tensors.iter().map(|(port, tensor)| self.best(port, tensor)).find(|best| !best.is_empty());
        let classes = best.into_iter().flatten().map(|(class, score)| format!("  {class} {score:.4}"));
        classes.collect()
    }

    /// The same for machines.
    pub(crate) fn json(&self, outcome: &Outcome, written: &[Written<'_>], drawn: &[PathBuf]) -> Value {
        let output = |Written { path, port, tensor, is_result }: &Written<'_>| {
            let mut output = json!({"name": port.name, "file": path.display().to_string(), "shape": port.framework_shape(),
                                    "dtype": element(tensor), "fix_point": port.fix_point});
            if self.top > 0 && *is_result {
                let best = self.best(port, tensor).into_iter();
                output["best"] = best.map(|(class, score)| json!({"class": class, "score": score})).collect();
            }
            output
        };
        let outputs: Vec<Value> = written.iter().map(output).collect();
        let subgraph = |(name, statistics): &(String, dpuc_accel::Statistics)| json!({"name": name, "instructions": statistics.instruction_count(), "array_macs": statistics.conv_macs});
        let subgraphs: Vec<Value> = outcome.statistics.iter().map(subgraph).collect();
        let mut summary = json!({"outputs": outputs, "subgraphs": subgraphs});
        if !drawn.is_empty() {
            summary["pictures"] = drawn.iter().map(|path| path.display().to_string()).collect();
        }
        summary
    }

    /// The best classes by name or number, with their scores; none for what is no classification.
    fn best(&self, port: &Port, tensor: &Tensor) -> Vec<(String, f32)> {
        let Some(scores) = scores(tensor, port.fix_point).filter(|_| self.top > 0) else { return Vec::new() };
        let name = |class: usize| {
            self.labels.get(class).map_or_else(|| format!("class {class}"), |label| label.trim().to_owned())
        };
        best(&scores, self.top).into_iter().map(|answer| (name(answer.class), answer.score)).collect()
    }
}

const fn element(tensor: &Tensor) -> &'static str {
    match tensor {
        Tensor::I8(_) => "int8",
        Tensor::F32(_) => "float32",
    }
}
