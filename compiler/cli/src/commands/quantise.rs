//! `dpuc quantise` and `dpuc merge-stats`

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use dpuc_dialects::Ir;
use dpuc_dialects::text::PrintOptions;
use dpuc_evaluate::Tensor;
use dpuc_quantise::{Effort, Options, Profile, Quantised, Quantiser, Report, Samples, Shard, Statistic, Statistics};
use dpuc_runtime::{Port, Preprocessing};

use crate::images::ImageOptions;
use crate::onnx::ImportOptions;
use crate::progress::Bars;
use crate::{files, network, tensors};

/// Tensors that are listed: those where most accuracy is lost.
const WORST: usize = 10;

/// Quantise a float network with calibration data.
///
/// Writes `NAME_int.mlir` with its constants, `quant_info.json` and `quantise.json`, NAME being the model file's. Large calibration sets can
/// be spread over machines: each runs `--shard I/N --statistics FILE` and writes what its samples say; `dpuc merge-stats` joins the files, and
/// a last run with `--statistics MERGED` gives what one machine would have given.
#[derive(Debug, Args)]
pub(crate) struct Quantise {
    /// A float network: IR text (.mlir), ONNX or .xmodel.
    model: PathBuf,
    /// Folder of images or .npy arrays, one sample each, or one such file.
    #[arg(short, long, value_name = "DIR")]
    calibrate: PathBuf,
    /// Use only the first N samples.
    #[arg(long, value_name = "N")]
    samples: Option<usize>,
    /// Folder for the results.
    #[arg(short, long = "output_dir", alias = "output-dir", value_name = "DIR", default_value = ".")]
    output_dir: PathBuf,
    /// `high` also optimises how weights are rounded, which takes minutes.
    #[arg(long, value_name = "EFFORT", default_value = "normal", value_parser = super::deploy::effort)]
    effort: Effort,
    /// Whose rules decide: `nndct` (AMD's PyTorch quantiser) or `decent_q` (the one behind TVM).
    #[arg(long, value_name = "NAME", default_value = "nndct", value_parser = profile)]
    profile: Profile,
    /// Take the position that most batches of N samples ask for, as AMD's tools do, instead of the best one for all samples.
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// Leave channels as they are instead of equalising them.
    #[arg(long)]
    no_equalise: bool,
    /// Leave biases as they are instead of correcting them.
    #[arg(long)]
    no_bias_correction: bool,
    /// Look only at part I of N of the samples, from 0, and write what they say to the file of --statistics.
    #[arg(long, value_name = "I/N", value_parser = shard, requires = "statistics")]
    shard: Option<Shard>,
    /// Statistics: with --shard the file to write, else a merged one to use instead of running the samples again.
    #[arg(long, value_name = "FILE")]
    statistics: Option<PathBuf>,
    #[command(flatten)]
    import: ImportOptions,
    #[command(flatten)]
    images: ImageOptions,
}

/// Join the statistics of shards that `dpuc quantise --shard` wrote.
#[derive(Debug, Args)]
pub(crate) struct MergeStats {
    /// The files, in any order.
    #[arg(required = true)]
    shards: Vec<PathBuf>,
    /// The file to write.
    #[arg(short, long)]
    output: PathBuf,
}

fn profile(text: &str) -> Result<Profile, String> {
    match text {
        "nndct" => Ok(Profile::Nndct),
        "decent_q" => Ok(Profile::DecentQ),
        _ => Err("nndct and decent_q are known".to_owned()),
    }
}

fn shard(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
    match parts {
        Some((index, count)) if index < count => Ok(Shard { index, count }),
        _ => Err(format!("{text:?} is not I/N with I from 0 to N - 1")),
    }
}

impl Quantise {
    pub(crate) fn run(self) -> Result<()> {
        let mut ir = network::read(&self.model, &self.import)?;
        self.images.record(&mut ir)?;
        let samples = self.samples(&ir)?;
        let bars = Bars::default();
        let quantiser = Quantiser::new(&ir, &samples, self.options(), &bars)
            .with_context(|| format!("cannot quantise {}", self.model.display()))?;
        if let (Some(shard), Some(path)) = (self.shard, &self.statistics) {
            let statistics = quantiser.observe(&samples, shard, &bars)?;
            files::write(path, &statistics.to_bytes())?;
            files::note(&format!("{} of {} samples: {}", statistics.count(), statistics.total(), path.display()));
            return Ok(());
        }
        let statistics = match &self.statistics {
            Some(path) => read_statistics(path)?,
            None => quantiser.observe(&samples, Shard::WHOLE, &bars)?,
        };
        let quantised = quantiser.finish(&statistics, &samples, &bars)?;
        self.write(&quantised)
    }

    fn options(&self) -> Options {
        Options {
            profile: self.profile,
            statistic: self.batch.map_or(Statistic::AllData, |batch| Statistic::Modal { batch }),
            equalise: !self.no_equalise,
            correct_bias: !self.no_bias_correction,
            effort: self.effort,
            ..Options::default()
        }
    }

    fn samples(&self, ir: &Ir) -> Result<Files> {
        let inputs = dpuc_runtime::function_inputs(ir, "main");
        let [port] = &inputs[..] else {
            bail!("the network has {} inputs; `dpuc quantise` calibrates networks with one", inputs.len())
        };
        let mut paths =
            if self.calibrate.is_dir() { files::samples(&self.calibrate)? } else { vec![self.calibrate.clone()] };
        paths.truncate(self.samples.unwrap_or(usize::MAX));
        let preprocessing = self.images.preprocessing(network::preprocessing(ir))?;
        Ok(Files { paths, port: port.clone(), preprocessing })
    }

    fn write(&self, quantised: &Quantised) -> Result<()> {
        files::create_folder(&self.output_dir)?;
        let name = self.model.file_stem().unwrap_or_default().to_string_lossy();
        let network = self.output_dir.join(format!("{name}_int.mlir"));
        network::write_text(&quantised.ir, &network, PrintOptions::default())?;
        let json = |file: &str, value: serde_json::Result<String>| {
            files::write(&self.output_dir.join(file), format!("{}\n", value?).as_bytes())
        };
        json("quant_info.json", serde_json::to_string_pretty(&quantised.info))?;
        json("quantise.json", serde_json::to_string_pretty(&quantised.report))?;
        files::print(&table(&quantised.report));
        files::note(&format!("written: {}", network.display()));
        Ok(())
    }
}

impl MergeStats {
    pub(crate) fn run(self) -> Result<()> {
        let shards = self.shards.iter().map(|path| read_statistics(path)).collect::<Result<Vec<_>>>()?;
        let merged = Statistics::merge(shards)?;
        files::write(&self.output, &merged.to_bytes())?;
        files::note(&format!("{} of {} samples: {}", merged.count(), merged.total(), self.output.display()));
        Ok(())
    }
}

fn read_statistics(path: &Path) -> Result<Statistics> {
    Statistics::from_bytes(&files::read(path)?).map_err(|error| anyhow!("{}: {error}", path.display()))
}

/// The tensors where most is lost, and the last ones.
fn table(report: &Report) -> String {
    let mut text = String::new();
    for note in &report.notes {
        text += &format!("note: {note}\n");
    }
    text += &format!(
        "{:<32} {:<24} {:>8} {:>8} {:>8} {:>10}\n",
        "tensor", "operation", "position", "SQNR dB", "loss dB", "saturated"
    );
    let mut worst: Vec<_> = report.tensors.iter().collect();
    worst.sort_by(|a, b| b.loss.total_cmp(&a.loss));
    worst.truncate(WORST);
    for tensor in worst.into_iter().chain(report.tensors.last()) {
        text += &format!(
            "{:<32} {:<24} {:>8} {:>8.2} {:>8.2} {:>9.4}%\n",
            tensor.name,
            tensor.operation,
            tensor.position,
            tensor.sqnr,
            tensor.loss,
            100.0 * tensor.saturated
        );
    }
    text
}

/// Calibration samples in files.
struct Files {
    paths: Vec<PathBuf>,
    port: Port,
    preprocessing: Preprocessing,
}

impl Samples for Files {
    fn count(&self) -> usize {
        self.paths.len()
    }

    fn sample(&self, index: usize) -> Result<Vec<Tensor>, String> {
        let path = self.paths.get(index).ok_or("there is no such sample")?;
        tensors::read(path, &self.port, &self.preprocessing)
            .map(|tensor| vec![tensor])
            .map_err(|error| format!("{error:#}"))
    }
}
