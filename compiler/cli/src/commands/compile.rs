//! `dpuc compile`

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use dpuc_backend::{Compiled, Options, compile};
use dpuc_dialects::Ir;
use dpuc_dialects::text::PrintOptions;
use dpuc_passes::LoweringOptions;
use dpuc_report::{Plan, Source, explain};

use crate::images::ImageOptions;
use crate::onnx::ImportOptions;
use crate::options::CompilerOptions;
use crate::{files, network, partition, report};

/// Compile a network for a DPU: writes NAME.xmodel, meta.json and md5sum.txt, and what runs where as a picture, `NAME_partition.svg`.
#[derive(Debug, Args)]
pub(crate) struct Compile {
    /// IR text (.mlir), a quantised .xmodel or ONNX model, or a compiled .xmodel to take the network back out of.
    #[arg(value_name = "MODEL", required_unless_present_any = ["xmodel", "ir"], conflicts_with_all = ["xmodel", "ir"])]
    model: Option<PathBuf>,
    /// The same as MODEL, as `vai_c_xir` calls it.
    #[arg(short, long, value_name = "FILE", conflicts_with = "ir")]
    xmodel: Option<PathBuf>,
    /// IR text, whatever its name.
    #[arg(long, value_name = "FILE")]
    ir: Option<PathBuf>,
    /// arch.json, target name, fingerprint or board; see `dpuc targets`.
    #[arg(short, long)]
    arch: String,
    /// Folder for the results.
    #[arg(short, long = "output_dir", alias = "output-dir", value_name = "DIR", default_value = ".")]
    output_dir: PathBuf,
    /// Name of the result, without extension.
    #[arg(short, long = "net_name", alias = "net-name", value_name = "NAME", default_value = "deploy")]
    net_name: String,
    #[command(flatten)]
    compiler: CompilerOptions,
    /// Also write the program at every level of the IR, as NAME.mlir.
    #[arg(long)]
    emit_ir: bool,
    /// Also explain the result: report.html, report.json and trace.json, in this folder. Times are modelled.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// The board whose time --report models; if absent, the one named by --arch.
    #[arg(long, value_name = "NAME", requires = "report")]
    board: Option<String>,
    /// Machine-readable partition.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    import: ImportOptions,
    #[command(flatten)]
    images: ImageOptions,
}

impl Compile {
    pub(crate) fn run(self) -> Result<()> {
        let target = super::targets::resolve(&self.arch)?;
        files::check_name(&self.net_name)?;
        let board = report::board_for(self.board.as_deref(), &self.arch)?;
        let (path, mut ir) = self.load()?;
        self.images.record(&mut ir)?;
        let allow_leaky_approximation = self.compiler.allow_leaky_approximation;
        network::lower(&mut ir, LoweringOptions { allow_leaky_approximation })?;
        let digest = dpuc_xmodel::md5_hex(&files::read(path)?);
        let files_md5sum = [(path.display().to_string(), digest)].into();
        let options = Options { name: None, files_md5sum, subgraphs: self.compiler.partition };
        let compiled = compile(ir, &target, &options)?;
        for extension in ["xmodel", "mlir", "safetensors"] {
            let output = self.output_dir.join(format!("{}.{extension}", self.net_name));
            files::keep_input(path, &output)?;
            files::keep_input(&path.with_extension("safetensors"), &output)?;
        }
        if let Some(folder) = &self.report {
            report::keep_input(path, folder)?;
            report::write(&explain(&Source::compiled(&compiled), board)?, folder)?;
        }
        self.write(&compiled, &target.name)
    }

    fn load(&self) -> Result<(&Path, Ir)> {
        match (self.model.as_ref().or(self.xmodel.as_ref()), &self.ir) {
            (Some(path), _) => Ok((path, network::read(path, &self.import)?)),
            (None, Some(path)) => Ok((path, network::read_text(path)?)),
            (None, None) => bail!("a network is needed: `dpuc compile MODEL --arch ARCH`"),
        }
    }

    fn write(&self, compiled: &Compiled, target: &str) -> Result<()> {
        let bytes = dpuc_xmodel::write(&compiled.graph)?;
        let file_name = format!("{}.xmodel", self.net_name);
        let kernels: Vec<&str> = compiled.report.subgraphs.iter().map(|subgraph| subgraph.name.as_str()).collect();
        let meta = dpuc_xmodel::meta_json(&file_name, &kernels, target);
        files::create_folder(&self.output_dir)?;
        let path = self.output_dir.join(&file_name);
        files::write(&path, &bytes)?;
        files::write(&self.output_dir.join("meta.json"), meta.as_bytes())?;
        files::write(&self.output_dir.join("md5sum.txt"), dpuc_xmodel::md5sum_txt(&bytes).as_bytes())?;
        let picture = self.output_dir.join(format!("{}_partition.svg", self.net_name));
        let plan = Plan::of(&Source::compiled(compiled))?;
        files::write(&picture, plan.svg().as_bytes())?;
        if self.emit_ir {
            let text = self.output_dir.join(format!("{}.mlir", self.net_name));
            network::write_text(&compiled.ir, &text, PrintOptions { locations: true, ..PrintOptions::default() })?;
        }
        if self.json {
            files::print(&format!("{}\n", serde_json::to_string_pretty(&partition::to_json(&compiled.report, &plan))?));
        } else {
            files::print(&format!(
                "{}written: {} ({} bytes); the partition as a picture: {}\n",
                partition::show(&compiled.report, &plan),
                path.display(),
                bytes.len(),
                picture.display()
            ));
        }
        Ok(())
    }
}
