//! `dpuc disasm`

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use dpuc_backend::program_from_instructions;
use dpuc_dialects::Ir;
use dpuc_dialects::text::{PrintOptions, print};
use dpuc_runtime::{DpuProgram, Session};

use crate::{files, network};

/// Write the instructions of a compiled .xmodel as text; `dpuc asm` reads it back.
#[derive(Debug, Args)]
pub(crate) struct Disasm {
    /// Compiled .xmodel.
    model: PathBuf,
    /// Only this DPU subgraph.
    #[arg(long, value_name = "NAME")]
    subgraph: Option<String>,
    /// Which text.
    #[arg(long, value_enum, default_value_t = Format::Ir)]
    format: Format,
    /// Where to write it; standard output if absent.
    #[arg(short, long)]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// IR text: one `dpu.program` for each subgraph, fields at their smallest value left out.
    Ir,
    /// The assembly text of AMD's simulator, every field written.
    Amd,
}

impl Disasm {
    pub(crate) fn run(self) -> Result<()> {
        let graph = network::read_graph(&self.model)?;
        let session = Session::new(&graph)?;
        let programs: Vec<&DpuProgram> = match &self.subgraph {
            Some(name) => vec![session.find_program(name)?],
            None => session.programs().collect(),
        };
        if programs.is_empty() {
            bail!("{} has no DPU subgraph", self.model.display());
        }
        let text = match self.format {
            Format::Ir => ir_text(&programs),
            Format::Amd => {
                let texts = programs.iter();
                texts
                    .map(|program| format!("# {}\n{}", program.name, dpuc_isa::to_text(&program.instructions)))
                    .collect::<Vec<_>>()
                    .concat()
            }
        };
        match &self.output {
            Some(path) => {
                files::keep_input(&self.model, path)?;
                files::write(path, text.as_bytes())
            }
            None => {
                files::print(&text);
                Ok(())
            }
        }
    }
}

fn ir_text(programs: &[&DpuProgram]) -> String {
    let mut ir = Ir::new();
    for program in programs {
        let unknown = ir.unknown_location();
        program_from_instructions(&mut ir, &program.name, Some(&program.target.name), &program.instructions, |_| {
            unknown
        });
    }
    print(&ir, PrintOptions::default())
}
