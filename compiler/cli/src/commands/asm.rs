//! `dpuc asm`

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use dpuc_accel::Statistics;
use dpuc_backend::instructions_from_program;
use dpuc_dialects::dialects::dpu;
use dpuc_dialects::text::ParseOptions;
use dpuc_isa::{Instruction, Target, encode};

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
            let known: Vec<String> = programs.iter().map(|program| program.name.clone()).collect();
            programs.retain(|program| program.name == *wanted);
            if programs.is_empty() {
                bail!("{name} has no program `{wanted}`; it has {}", known.join(", "));
            }
        }
        programs.iter().try_for_each(Program::check)?;
        if let [program] = &programs[..] {
            return files::write(&self.output, &encode(&program.instructions)?);
        }
        files::create_folder(&self.output)?;
        let mut names = files::Names::default();
        for program in &programs {
            files::write(&self.output.join(names.file(&program.name, "bin")), &encode(&program.instructions)?)?;
        }
        Ok(())
    }
}

/// AMD's text has one upper-case mnemonic a line; IR text has dialects or a module.
fn is_ir(source: &str) -> bool {
    let first = source.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with(['#', '/']));
    first.is_none_or(|line| ["module", "\"", "dpu."].iter().any(|start| line.starts_with(start)))
}

/// A program as it was written.
struct Program {
    name: String,
    /// The target it names.
    target: Option<String>,
    instructions: Vec<Instruction>,
}

impl Program {
    /// Checks it against the target it names; a program need not be complete, but it is said if it is not.
    fn check(&self) -> Result<()> {
        if let Some(target) = &self.target {
            let target = Target::resolve(target)?;
            Statistics::of(&self.instructions, &target)
                .with_context(|| format!("{}: not for {}", self.name, target.name))?;
        }
        let end = self.instructions.iter().position(|instruction| matches!(instruction, Instruction::End(_)));
        if end.is_none_or(|end| end + 1 != self.instructions.len()) {
            files::note(&format!("warning: {}: the program does not end with its one End", self.name));
        }
        Ok(())
    }
}

fn from_ir(source: &str, name: &str) -> Result<Vec<Program>> {
    let ir = network::parse_text(source, name, &ParseOptions::default())?;
    network::check(&ir, source, name)?;
    let programs: Vec<_> = ir
        .ops(ir.body())
        .filter(|&op| ir.is(op, &dpu::PROGRAM))
        .map(|op| {
            let name = ir.symbol_name(op).unwrap_or_default().to_owned();
            let target = ir.str(op, "target").map(str::to_owned);
            instructions_from_program(&ir, op).map(|instructions| Program { name, target, instructions })
        })
        .collect::<Result<_, _>>()?;
    if programs.is_empty() { Err(anyhow!("{name} has no `dpu.program`")) } else { Ok(programs) }
}

fn from_amd(source: &str, name: &str) -> Result<Program> {
    match dpuc_isa::parse_text(source) {
        Ok(instructions) => Ok(Program { name: name.to_owned(), target: None, instructions }),
        Err(errors) => {
            let lines: Vec<String> = errors.iter().map(|error| format!("{name}: {error}")).collect();
            bail!("{} problem(s)\n{}", lines.len(), lines.join("\n"))
        }
    }
}
