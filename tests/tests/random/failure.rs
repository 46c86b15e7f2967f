//! Failing networks: caught, shrunk, written to a file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use dpuc_dialects::text::{PrintOptions, print};
use dpuc_dialects::{Attribute, Ir};

/// Runs `work`; a panic becomes an error with its message.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        format!("panic: {}", text.unwrap_or("without a message"))
    })
}

/// Fails, after shrinking the network, if `test` finds something wrong with it.
pub(crate) fn require(name: &str, ir: Ir, test: &dyn Fn(&Ir) -> Result<(), String>) {
    let Err(problem) = test(&ir) else { return };
    let kind = kind(&problem);
    let smallest = dpuc_graphs::shrink(ir, &mut |ir| test(ir).is_err_and(|problem| self::kind(&problem) == kind));
    let problem = test(&smallest).err().unwrap_or_else(|| "it fails only sometimes".to_owned());
    let path = write(name, &smallest);
    panic!("{name}: {problem}\n{}\nwritten: {}", print(&smallest, PrintOptions::default()), path.display());
}

/// The first words of a problem without the target: what stays the same while the network shrinks.
fn kind(problem: &str) -> Vec<String> {
    let text = problem.split_once(": ").filter(|(target, _)| !target.contains(' ')).map_or(problem, |(_, text)| text);
    let is_word = |word: &&str| word.chars().all(char::is_alphabetic);
    text.split_whitespace().filter(is_word).take(3).map(str::to_owned).collect()
}

/// Writes the network as text with its side file.
fn write(name: &str, ir: &Ir) -> PathBuf {
    let mut ir = ir.clone();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("{name}.mlir"));
    if !ir.weights.is_empty() {
        let side_file = format!("{name}.safetensors");
        std::fs::write(folder.join(&side_file), ir.weights.to_safetensors().unwrap()).unwrap();
        ir.set_attribute(ir.root(), "dpuc.weights", Attribute::string(side_file));
    }
    std::fs::write(&path, print(&ir, PrintOptions::default())).unwrap();
    path
}
