//! `dpuc asm`

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use clap::Args;
use dpuc_backend::instructions_from_program;
use dpuc_dialects::dialects::dpu;
use dpuc_dialects::text::ParseOptions;
use dpuc_isa::{Instruction, encode};

use crate::{files, network};

/// Encode instructions written as text: the `dpu.program`s of IR text, or AMD's assembly text.
#[derive(Debug, Args)]
pub(crate) struct Asm {
    /// Text file; standard input if absent or `-`.
    file: Option<PathBuf>,
    /// Where to write the machine code. With several programs a folder, which gets NAME.bin for each.
    #[arg(short, long)]
    output: PathBuf,
    /// Only this program.
    #[arg(long, value_name = "NAME")]
    program: Option<String>,
}

impl Asm {
    pub(crate) fn run(self) -> Result<()> {
        let (source, name) = match self.file.as_deref().filter(|path| *path != Path::new("-")) {
            Some(path) => (files::read_text(path)?, path.display().to_string()),
            None => (std::io::read_to_string(std::io::stdin())?, "<stdin>".to_owned()),
        };
        let mut programs = if is_ir(&source) { from_ir(&source, &name)? } else { vec![from_amd(&source, &name)?] };
        if let Some(wanted) = &self.program {
            let known: Vec<String> = programs.iter().map(|(name, _)| name.clone()).collect();
            programs.retain(|(name, _)| name == wanted);
            if programs.is_empty() {
                bail!("{name} has no program `{wanted}`; it has {}", known.join(", "));
            }
        }
        if let [(_, instructions)] = &programs[..] {
            return files::write(&self.output, &encode(instructions)?);
        }
        files::create_folder(&self.output)?;
        for (name, instructions) in &programs {
            let file = format!("{}.bin", name.replace(['/', '\\'], "_"));
            files::write(&self.output.join(file), &encode(instructions)?)?;
        }
        Ok(())
    }
}

/// AMD's text has one upper-case mnemonic a line; IR text has dialects or a module.
fn is_ir(source: &str) -> bool {
    let first = source.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with(['#', '/']));
    first.is_none_or(|line| ["module", "\"", "dpu."].iter().any(|start| line.starts_with(start)))
}

fn from_ir(source: &str, name: &str) -> Result<Vec<(String, Vec<Instruction>)>> {
    let ir = network::parse_text(source, name, &ParseOptions::default())?;
    network::check(&ir, source, name)?;
    let programs: Vec<_> = ir
        .ops(ir.body())
        .filter(|&op| ir.is(op, &dpu::PROGRAM))
        .map(|op| {
            let name = ir.symbol_name(op).unwrap_or_default().to_owned();
            instructions_from_program(&ir, op).map(|instructions| (name, instructions))
        })
        .collect::<Result<_, _>>()?;
    if programs.is_empty() { Err(anyhow!("{name} has no `dpu.program`")) } else { Ok(programs) }
}

fn from_amd(source: &str, name: &str) -> Result<(String, Vec<Instruction>)> {
    match dpuc_isa::parse_text(source) {
        Ok(instructions) => Ok((name.to_owned(), instructions)),
        Err(errors) => {
            let lines: Vec<String> = errors.iter().map(|error| format!("{name}: {error}")).collect();
            bail!("{} problem(s)\n{}", lines.len(), lines.join("\n"))
        }
    }
}
