//! Networks from files: `.xmodel` or IR text, by content.

use std::io::IsTerminal;
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use dpuc_dialects::dialects::{func, nn};
use dpuc_dialects::text::{ParseOptions, PrintOptions, parse, print};
use dpuc_dialects::verify::{Finding, Findings, verify};
use dpuc_dialects::{Attribute, Ir, OpId, ValueId};
use dpuc_grammar::Diagnostic;
use dpuc_passes::LoweringOptions;
use dpuc_runtime::preprocess;
use dpuc_xmodel::Graph;

use crate::files;
use crate::onnx::{self, ImportOptions};

/// Problems that are written out.
const PROBLEMS_SHOWN: usize = 100;

/// Lowers a quantised network to integers, in canonical form, and writes what the lowering has to say.
pub(crate) fn lower(ir: &mut Ir, options: LoweringOptions) -> Result<()> {
    dpuc_passes::canonicalise(ir)?;
    for note in dpuc_passes::lower_to_int8_with(ir, options)?.notes {
        files::note(&format!("note: {note}"));
    }
    dpuc_passes::canonicalise(ir)?;
    Ok(())
}

/// How images become inputs, if the module says it.
pub(crate) fn preprocessing(ir: &Ir) -> Option<&str> {
    ir.attribute(ir.root(), preprocess::ATTRIBUTE).and_then(Attribute::as_str)
}

/// Whether a file holds IR text, judged by its name.
pub(crate) fn is_text(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "mlir")
}

/// Reads an `.xmodel`.
pub(crate) fn read_graph(path: &Path) -> Result<Graph> {
    let bytes = files::read(path)?;
    dpuc_xmodel::read_shared(bytes).map_err(|error| anyhow!("{} is no valid .xmodel: {error}", path.display()))
}

/// Imports an `.xmodel` and writes the importer's warnings.
pub(crate) fn import(graph: &Graph, path: &Path) -> Result<Ir> {
    let imported =
        dpuc_import::import_xmodel(graph).map_err(|error| anyhow!("cannot import {}: {error}", path.display()))?;
    for warning in &imported.warnings {
        files::note(&format!("warning: {warning}"));
    }
    Ok(imported.ir)
}

/// Reads an uncompiled network: IR text, an ONNX model or an `.xmodel`, judged by its name.
pub(crate) fn read(path: &Path, options: &ImportOptions) -> Result<Ir> {
    if is_text(path) {
        read_text(path)
    } else if onnx::is_onnx(path) {
        onnx::import(path, options)
    } else {
        import(&read_graph(path)?, path)
    }
}

/// Makes every value of `@main` that has a name a result of it, behind the ones it has.
pub(crate) fn return_all(ir: &mut Ir) {
    let Some(function) = ir.find_symbol("main") else { return };
    let Some(entry) = func::body(ir, function) else { return };
    let Some(end) = ir.last_op(entry) else { return };
    let is_named = |ir: &Ir, op: OpId, value: ValueId| {
        ir.value_name(value).is_some() && !ir.is(op, &nn::CONSTANT) && !ir.operands(end).contains(&value)
    };
    let values = |ir: &Ir, op: OpId| ir.results(op).iter().copied().filter(|&value| is_named(ir, op, value)).collect();
    let named: Vec<ValueId> = ir.ops(entry).flat_map(|op| -> Vec<ValueId> { values(ir, op) }).collect();
    for value in named {
        ir.add_operand(end, value);
    }
    func::refresh_signature(ir, function);
}

/// Reads IR text and its side file, and verifies it.
pub(crate) fn read_text(path: &Path) -> Result<Ir> {
    let source = files::read_text(path)?;
    let name = path.display().to_string();
    let mut ir = parse_text(&source, &name, &ParseOptions::default())?;
    open_weights(&mut ir, path)?;
    check(&ir, &source, &name)?;
    Ok(ir)
}

/// Reads IR text; all that is wrong with it becomes one error.
pub(crate) fn parse_text(source: &str, file: &str, options: &ParseOptions) -> Result<Ir> {
    let options = ParseOptions { file: file.to_owned(), ..options.clone() };
    let parsed = parse(source, &options);
    if !parsed.is_ok() {
        bail!(explain(&parsed.diagnostics, source, file));
    }
    Ok(parsed.ir)
}

/// Maps the side file that the module names, relative to the text's folder.
pub(crate) fn open_weights(ir: &mut Ir, path: &Path) -> Result<()> {
    let side_file = ir.attribute(ir.root(), "dpuc.weights").and_then(Attribute::as_str).map(str::to_owned);
    if let Some(side_file) = side_file {
        let folder = path.parent().unwrap_or(Path::new("."));
        ir.weights.open(&folder.join(side_file))?;
    }
    Ok(())
}

/// Writes a program as text, and its constants into a side file of the same name.
pub(crate) fn write_text(ir: &Ir, path: &Path, options: PrintOptions) -> Result<()> {
    let mut ir = ir.clone();
    if !ir.weights.is_empty() {
        let side_file = path.with_extension("safetensors");
        if side_file == path {
            bail!("{} is the name of the side file; give the text another extension, such as mlir", path.display());
        }
        let name = side_file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        files::write(&side_file, &ir.weights.to_safetensors()?)?;
        ir.set_attribute(ir.root(), "dpuc.weights", Attribute::string(name));
    }
    files::write(path, print(&ir, options).as_bytes())
}

/// Writes a quantised network as `.xmodel`, and says what other tools will not understand in it.
pub(crate) fn write_quantised(ir: &Ir, path: &Path) -> Result<()> {
    let graph = dpuc_backend::export_quantised(ir, None)?;
    let foreign: Vec<String> =
        dpuc_backend::foreign_operators(&graph).map(|(name, kind)| format!("{name} ({kind})")).collect();
    if !foreign.is_empty() {
        let shown = foreign[..foreign.len().min(FOREIGN_SHOWN)].join(", ");
        let rest = if foreign.len() > FOREIGN_SHOWN { ", …" } else { "" };
        files::note(&format!(
            "note: {} operators of {} have no form in AMD's registry and only dpuc knows them: {shown}{rest}",
            foreign.len(),
            path.display()
        ));
    }
    files::write(path, &dpuc_xmodel::write(&graph)?)
}

/// Operators that are named when other tools do not know them.
const FOREIGN_SHOWN: usize = 5;

/// Verifies a program read from text.
pub(crate) fn check(ir: &Ir, source: &str, file: &str) -> Result<()> {
    let findings = verify(ir);
    if findings.is_empty() {
        return Ok(());
    }
    bail!(explain_findings(&findings, source, file))
}

/// Findings as diagnostics on the source.
pub(crate) fn explain_findings(findings: &Findings, source: &str, file: &str) -> String {
    let diagnostics: Vec<_> = findings.list().iter().map(Finding::to_diagnostic).collect();
    explain(&diagnostics, source, file)
}

/// Diagnostics with carets, and how many there are.
pub(crate) fn explain(diagnostics: &[Diagnostic], source: &str, file: &str) -> String {
    let color = std::io::stderr().is_terminal();
    let count = diagnostics.len();
    let plural = if count == 1 { "" } else { "s" };
    let shown = &diagnostics[..count.min(PROBLEMS_SHOWN)];
    let rest = if shown.len() < count { format!("\n… and {} more", count - shown.len()) } else { String::new() };
    format!("{count} problem{plural} in {file}\n{}{rest}", dpuc_grammar::render(shown, source, file, color))
}
