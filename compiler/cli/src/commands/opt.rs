//! `dpuc opt`

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use clap::{Args, ValueEnum};
use dpuc_dialects::Ir;
use dpuc_dialects::pass::{PassEvent, PassFailure, PassManager, PassRegistry, PassTime, parse_pipeline};
use dpuc_dialects::text::{ParseOptions, PrintOptions, print};
use dpuc_dialects::verify::verify;

use crate::onnx::{self, ImportOptions};
use crate::{files, network};

/// Read, verify, transform and print IR text.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Opt {
    /// IR text, or an .xmodel or ONNX model to import; standard input if absent or `-`.
    file: Option<PathBuf>,
    /// Passes to run, e.g. `lower-to-int8,dce`; see --list-passes.
    #[arg(short, long, default_value = "")]
    pipeline: String,
    /// Where to write the result; standard output if absent. Constants go beside it, with the extension `safetensors`.
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Print MLIR's generic form.
    #[arg(long)]
    generic: bool,
    /// Print locations.
    #[arg(long)]
    locations: bool,
    /// Accept operations of unknown dialects in generic form.
    #[arg(long)]
    allow_unregistered_dialect: bool,
    /// Print the program to standard error after these passes.
    #[arg(long, value_enum, default_value_t = PrintAfter::None)]
    print_after: PrintAfter,
    /// Print how long each pass took to standard error.
    #[arg(long)]
    timing: bool,
    /// Do not verify between passes.
    #[arg(long)]
    no_verify: bool,
    /// Print what a function becomes on the CPU instead of the program.
    #[arg(long, value_enum, value_name = "LEVEL")]
    emit: Option<Level>,
    /// The function for --emit.
    #[arg(long, value_name = "NAME", default_value = "main")]
    function: String,
    /// List the passes and stop.
    #[arg(long)]
    list_passes: bool,
    #[command(flatten)]
    import: ImportOptions,
    /// Print the reference of all operations as Markdown and stop.
    #[arg(long)]
    reference: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PrintAfter {
    /// Never.
    None,
    /// After every pass.
    All,
    /// After every pass that changed it.
    Change,
}

/// A level of the lowering to machine code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Level {
    /// Loop nests and calls.
    Loops,
    /// Cranelift IR.
    Cranelift,
    /// Machine code of this machine.
    Asm,
}

/// The passes of the command line.
pub(crate) fn registry() -> PassRegistry {
    PassRegistry::new().with(dpuc_passes::PASSES).with(dpuc_backend::PASSES)
}

impl Opt {
    pub(crate) fn run(self) -> Result<()> {
        let registry = registry();
        if self.reference {
            files::print(&dpuc_dialects::reference::markdown());
            return Ok(());
        }
        if self.list_passes {
            files::print(&list(&registry));
            return Ok(());
        }
        let passes = parse_pipeline(&self.pipeline, &registry)
            .map_err(|diagnostics| anyhow!(network::explain(&diagnostics, &self.pipeline, "--pipeline")))?;
        let (mut ir, source, name) = self.load()?;
        let findings = verify(&ir);
        if !findings.is_empty() {
            bail!(network::explain_findings(&findings, &source, &name));
        }
        if !passes.is_empty() {
            let mut manager = PassManager::new(passes);
            manager.verify = !self.no_verify;
            manager.detect_changes = self.print_after == PrintAfter::Change;
            let times = manager.run(&mut ir, |event| self.observe(event)).map_err(|failure| explain(&failure))?;
            if self.timing {
                files::note(&timing(&times));
            }
        }
        self.write(&ir)
    }

    fn load(&self) -> Result<(Ir, String, String)> {
        let Some(path) = self.file.as_ref().filter(|path| path.as_os_str() != "-") else {
            let source = std::io::read_to_string(std::io::stdin())?;
            return Ok((self.parse(&source, "<stdin>")?, source, "<stdin>".to_owned()));
        };
        let name = path.display().to_string();
        if onnx::is_onnx(path) || path.extension().is_some_and(|extension| extension == "xmodel") {
            return Ok((network::read(path, &self.import)?, String::new(), name));
        }
        let source = files::read_text(path)?;
        let mut ir = self.parse(&source, &name)?;
        if !self.pipeline.is_empty() || self.output.is_some() || self.emit.is_some() {
            network::open_weights(&mut ir, path)?;
        }
        Ok((ir, source, name))
    }

    fn parse(&self, source: &str, name: &str) -> Result<Ir> {
        let options = ParseOptions { allow_unregistered: self.allow_unregistered_dialect, ..ParseOptions::default() };
        network::parse_text(source, name, &options)
    }

    fn observe(&self, event: &PassEvent<'_>) {
        let wanted = match self.print_after {
            PrintAfter::None => false,
            PrintAfter::All => true,
            PrintAfter::Change => event.changed == Some(true),
        };
        if wanted {
            let text = print(event.ir, self.print_options());
            files::note(&format!("// after pass {} `{}`\n{text}", event.index + 1, event.pass.name));
        }
    }

    const fn print_options(&self) -> PrintOptions {
        PrintOptions { generic: self.generic, locations: self.locations }
    }

    /// The function at a level of its lowering, as text.
    fn lowered(&self, ir: &Ir, level: Level) -> Result<()> {
        let listing = dpuc_jit::listing(ir, &self.function, &dpuc_jit::Options::default())?;
        let text = match level {
            Level::Loops => listing.loops,
            Level::Cranelift => listing.cranelift,
            Level::Asm => listing.machine,
        };
        match &self.output {
            Some(path) => files::write(path, text.as_bytes()),
            None => {
                files::print(&text);
                Ok(())
            }
        }
    }

    fn write(&self, ir: &Ir) -> Result<()> {
        if let Some(level) = self.emit {
            return self.lowered(ir, level);
        }
        let Some(path) = &self.output else {
            files::print(&print(ir, self.print_options()));
            return Ok(());
        };
        // Text may be rewritten in place; a model must not become text.
        if let Some(input) = self.file.as_ref().filter(|input| !network::is_text(input)) {
            files::keep_input(input, path)?;
        }
        network::write_text(ir, path, self.print_options())
    }
}

fn list(registry: &PassRegistry) -> String {
    let mut text = String::new();
    for info in registry.iter() {
        text += &format!("{}\n    {}\n", info.name, info.summary);
        for option in info.options {
            let default = option.default.map_or_else(|| "required".to_owned(), |value| format!("default {value}"));
            text += &format!("    {{{}=…}}  {} ({default})\n", option.name, option.doc);
        }
    }
    text
}

fn explain(failure: &PassFailure) -> anyhow::Error {
    match failure {
        PassFailure::Invalid { findings, .. } => {
            let lines: Vec<String> = findings.list().iter().take(20).map(ToString::to_string).collect();
            anyhow!("{failure}\n  {}", lines.join("\n  "))
        }
        PassFailure::Pass { .. } => anyhow!("{failure}"),
    }
}

fn timing(times: &[PassTime]) -> String {
    let milliseconds = |duration: Duration| duration.as_secs_f64() * 1e3;
    let mut text = format!("{:>10} {:>10}  pass\n", "pass ms", "verify ms");
    for time in times {
        text += &format!("{:>10.2} {:>10.2}  {}\n", milliseconds(time.pass), milliseconds(time.verify), time.name);
    }
    text
}
