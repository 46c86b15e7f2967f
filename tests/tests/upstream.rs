//! The generic form is accepted by upstream MLIR tools with unregistered dialects allowed.
//!
//! Optional: `DPUC_MLIR_OPT` is the tool's command line, e.g. `xdsl-opt --allow-unregistered-dialect` or
//! `iree-opt --allow-unregistered-dialect`, both from the Python package index.

use std::io::Write;
use std::process::{Command, Stdio};

use dpuc_dialects::text::{PrintOptions, print};
use dpuc_tests::{QUANTISED, import, models};

#[test]
fn generic_form_is_accepted_upstream() {
    let Ok(tool) = std::env::var("DPUC_MLIR_OPT") else {
        eprintln!("SKIPPED: DPUC_MLIR_OPT does not name an MLIR tool");
        return;
    };
    let Some(models) = models() else { return };
    let mut words = tool.split_whitespace();
    let program = words.next().expect("DPUC_MLIR_OPT names a program");
    let arguments: Vec<&str> = words.collect();
    for sample in QUANTISED.iter().chain(&["squeezenet/compiled_b4096.xmodel"]) {
        let ir = import(&models, sample);
        for locations in [false, true] {
            let text = print(&ir, PrintOptions { generic: true, locations });
            let mut child = Command::new(program)
                .args(&arguments)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap_or_else(|error| panic!("{program}: {error}"));
            child.stdin.take().expect("piped").write_all(text.as_bytes()).unwrap();
            let output = child.wait_with_output().unwrap();
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{sample}: {complaint}");
        }
    }
}
