//! The `dpuc` command line: an open compiler for AMD's DPU.

mod answers;
mod commands;
mod costs;
mod files;
mod images;
mod network;
mod onnx;
mod options;
mod partition;
mod picture;
mod progress;
mod report;
mod results;
mod samples;
mod tensors;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Open compiler for AMD's DPU (DPUCZDX8G): networks in, programs of the accelerator out, and a bit-exact model to run them.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compile and run the built-in example and draw what it did.
    Demo(commands::demo::Demo),
    /// Compile a network for a DPU.
    Compile(commands::compile::Compile),
    /// Run a compiled or quantised network on arrays or images.
    Run(commands::run::Run),
    /// Quantise a float network with calibration data.
    #[command(alias = "quantize")]
    Quantise(commands::quantise::Quantise),
    /// Join the calibration statistics of shards.
    MergeStats(commands::quantise::MergeStats),
    /// Run a float network, quantise it from its first inputs, and continue on the DPU.
    Deploy(commands::deploy::Deploy),
    /// Find the first operation whose result differs from the reference.
    Bisect(commands::bisect::Bisect),
    /// Show what is in an .xmodel.
    Inspect(commands::inspect::Inspect),
    /// Write the instructions of a compiled .xmodel as text.
    Disasm(commands::disasm::Disasm),
    /// Encode instructions written as text.
    Asm(commands::asm::Asm),
    /// Read, verify, transform and print IR text.
    Opt(commands::opt::Opt),
    /// List the ONNX operators that can be imported.
    Operators(commands::operators::Operators),
    /// Format IR text, keeping names and comments.
    Fmt(commands::fmt::Fmt),
    /// List targets and boards, or explain a fingerprint.
    Targets(commands::targets::Targets),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse_from(arguments()).command {
        Command::Demo(command) => command.run(),
        Command::Compile(command) => command.run(),
        Command::Run(command) => command.run(),
        Command::Quantise(command) => command.run(),
        Command::MergeStats(command) => command.run(),
        Command::Deploy(command) => command.run(),
        Command::Bisect(command) => return command.run(),
        Command::Inspect(command) => command.run(),
        Command::Disasm(command) => command.run(),
        Command::Asm(command) => command.run(),
        Command::Opt(command) => command.run(),
        Command::Operators(command) => command.run(),
        Command::Fmt(command) => command.run(),
        Command::Targets(command) => command.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            files::report(&error);
            ExitCode::FAILURE
        }
    }
}

/// The command line; called as `vai_c_xir` the program is `dpuc compile`.
fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let called = arguments.first().map(Path::new).and_then(Path::file_stem);
    if called.is_some_and(|name| name == "vai_c_xir") {
        arguments.insert(1, "compile".into());
    }
    arguments
}
