//! `dpuc quantise` and `dpuc merge-stats`

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use dpuc_dialects::Ir;
use dpuc_dialects::text::PrintOptions;
use dpuc_quantise::{Quantised, Quantiser, Shard, Statistics};

use crate::images::ImageOptions;
use crate::onnx::ImportOptions;
use crate::options::QuantiserOptions;
use crate::progress::Bars;
use crate::samples::Collection;
use crate::{costs, files, network};

/// Quantise a float network with calibration data.
///
/// Writes the network as `NAME_int.xmodel`, for `dpuc compile` and for AMD's compiler, and as IR text, `NAME_int.mlir` with its constants;
/// `quant_info.json`; and what it costs, layer by layer: `quantise.html`, a page that opens from disk, and `quantise.json`. NAME is the model
/// file's if no other is given. Large calibration sets can be spread over machines: each runs `--shard I/N --statistics FILE` and writes what
/// its samples say; `dpuc merge-stats` joins the files, and a last run with `--statistics MERGED` gives what one machine would have given.
#[derive(Debug, Args)]
pub(crate) struct Quantise {
    /// A float network: IR text (.mlir), ONNX or .xmodel.
    model: PathBuf,
    /// Samples: a folder of images or .npy arrays, one each, or a pattern with `*` and `?` for their names; an .npy array whose first
    /// dimension counts them; or an .npz archive of such arrays (`FILE:ARRAY` picks one). Unsigned bytes are pixels, as in images. Once for
    /// each input of the network, as `PATH` or `NAME=PATH`.
    #[arg(
        short,
        long,
        value_name = "[NAME=]PATH",
        visible_alias = "input",
        visible_short_alias = 'i',
        required = true
    )]
    calibrate: Vec<String>,
    /// Use only the first N samples.
    #[arg(long, value_name = "N")]
    samples: Option<usize>,
    /// Folder for the results.
    #[arg(short, long = "output_dir", alias = "output-dir", value_name = "DIR", default_value = ".")]
    output_dir: PathBuf,
    /// NAME in the names of the results; the model file's if absent.
    #[arg(short, long = "net_name", alias = "net-name", value_name = "NAME")]
    net_name: Option<String>,
    /// Look only at part I of N of the samples, from 0, and write what they say to the file of --statistics.
    #[arg(long, value_name = "I/N", value_parser = shard, requires = "statistics")]
    shard: Option<Shard>,
    /// Statistics: with --shard the file to write, else a merged one to use instead of running the samples again.
    #[arg(long, value_name = "FILE")]
    statistics: Option<PathBuf>,
    #[command(flatten)]
    import: ImportOptions,
    #[command(flatten)]
    quantiser: QuantiserOptions,
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

fn shard(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
    match parts {
        Some((index, count)) if index < count => Ok(Shard { index, count }),
        _ => Err(format!("{text:?} is not I/N with I from 0 to N - 1")),
    }
}

impl Quantise {
    pub(crate) fn run(self) -> Result<()> {
        self.net_name.as_deref().map_or(Ok(()), files::check_name)?;
        let mut ir = network::read(&self.model, &self.import)?;
        self.images.record(&mut ir)?;
        let samples = self.samples(&ir)?;
        let bars = Bars::default();
        let quantiser = Quantiser::new(&ir, &samples, self.quantiser.options(), &bars)
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

    fn samples(&self, ir: &Ir) -> Result<Collection> {
        let inputs = dpuc_runtime::function_inputs(ir, "main");
        let preprocessing = self.images.preprocessing(network::preprocessing(ir))?;
        Collection::open(&self.calibrate, &inputs, &preprocessing, self.samples)
    }

    fn write(&self, quantised: &Quantised) -> Result<()> {
        files::create_folder(&self.output_dir)?;
        let own_name = || self.model.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = self.net_name.clone().unwrap_or_else(own_name);
        let network = self.output_dir.join(format!("{name}_int.xmodel"));
        for extension in ["xmodel", "mlir", "safetensors"] {
            files::keep_input(&self.model, &network.with_extension(extension))?;
        }
        network::write_quantised(&quantised.ir, &network)?;
        network::write_text(&quantised.ir, &network.with_extension("mlir"), PrintOptions::default())?;
        let json = |file: &str, value: serde_json::Result<String>| {
            files::write(&self.output_dir.join(file), format!("{}\n", value?).as_bytes())
        };
        json("quant_info.json", serde_json::to_string_pretty(&quantised.info))?;
        let page = costs::write(&quantised.report, &name, &self.output_dir)?;
        files::print(&costs::table(&quantised.report));
        files::note(&format!("written: {}; what it costs: {}", network.display(), page.display()));
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
