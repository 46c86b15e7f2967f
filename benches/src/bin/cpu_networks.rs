//! Whole networks on the CPU, one thread, for `benches/peers/compare.py`:
//!
//! * `cpu_networks`: the time of each network;
//! * `cpu_networks --export DIR`: writes each network as `NAME.json` and `NAME.safetensors`;
//! * `cpu_networks --serve NAME`: reads commands, a line each, and answers each with a line of JSON. `inputs FILE.npy … outputs PREFIX` sets
//!   the inputs (floats), runs the network and writes `PREFIX_output<n>.npy`; `run` runs it and gives its time.

use std::io::{self, BufRead, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use dpuc_benches::peers::{CpuNetwork, describe, networks, read_floats, write_floats};
use dpuc_dialects::Ir;
use serde_json::json;

/// Runs of which the fastest counts.
const RUNS: usize = 30;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => times(),
        ["--export", folder] => export(Path::new(folder)),
        ["--serve", name] => serve(name),
        _ => bail!("usage: cpu_networks [--export DIR | --serve NAME]"),
    }
}

fn times() -> Result<()> {
    for (name, ir) in networks() {
        let network = CpuNetwork::new(&ir).context(name)?;
        let inputs = network.random_inputs();
        let seconds = (0..RUNS).map(|_| timed(&network, &inputs)).collect::<Result<Vec<f64>>>()?;
        println!("{name}: {:.3} ms", 1e3 * seconds.into_iter().fold(f64::INFINITY, f64::min));
    }
    Ok(())
}

fn export(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, ir) in networks() {
        let description = describe(&ir).with_context(|| format!("{name} is no integer network"))?;
        std::fs::write(folder.join(format!("{name}.json")), description.json.to_string())?;
        std::fs::write(folder.join(format!("{name}.safetensors")), &description.constants)?;
    }
    Ok(())
}

fn serve(name: &str) -> Result<()> {
    let ir: Ir = networks().into_iter().find_map(|(own, ir)| (own == name).then_some(ir)).context("no such network")?;
    let network = CpuNetwork::new(&ir)?;
    let mut inputs = network.random_inputs();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let answer = match &words[..] {
            ["run"] => json!({"seconds": timed(&network, &inputs)?}),
            ["inputs", files @ .., "outputs", prefix] => {
                let floats = files.iter().map(|file| read_floats(Path::new(file))).collect::<Result<Vec<_>>>()?;
                inputs = network.inputs(floats)?;
                for (number, output) in network.run(&inputs)?.iter().enumerate() {
                    write_floats(Path::new(&format!("{prefix}_output{number}.npy")), &network.floats(number, output))?;
                }
                json!({"fix": network.output_fixes()})
            }
            _ => bail!("unknown command `{line}`"),
        };
        println!("{answer}");
        io::stdout().flush()?;
    }
    Ok(())
}

fn timed(network: &CpuNetwork, inputs: &[dpuc_evaluate::Tensor]) -> Result<f64> {
    let start = Instant::now();
    network.run(inputs)?;
    Ok(start.elapsed().as_secs_f64())
}
