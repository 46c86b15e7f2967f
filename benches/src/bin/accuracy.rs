//! What quantisation costs on the data of the shared folder: `accuracy [--json] [--limit N] [--tensors] [--images FOLDER]
//! [--variant NAME]… [NETWORK]…`.
//!
//! `--limit` takes that many test samples, `--tensors` adds all tensors, `--images` measures the classifier of natural images on a folder of
//! labelled ones as well (`labels.txt` has a file name and a class in each line; without it the images, in order of their names, are one of
//! each class). Those networks are called `mobilenet_v2 from crops`, calibrated on the shared pictures, and `mobilenet_v2 from images`,
//! calibrated on an eighth of the folder, which the test leaves out.

use std::path::PathBuf;

use anyhow::{Result, bail};
use dpuc_benches::accuracy::{Task, Variant, measure, tasks};
use dpuc_quantise::{Effort, Options, Profile, Quantised, Statistic};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (mut json, mut tensors, mut limit) = (false, false, usize::MAX);
    let mut images = None;
    let (mut networks, mut names) = (Vec::new(), Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => json = true,
            "--tensors" => tensors = true,
            "--limit" => limit = arguments.next().unwrap_or_default().parse()?,
            "--images" => images = arguments.next().map(PathBuf::from),
            "--variant" => names.extend(arguments.next()),
            name if !name.starts_with('-') => networks.push(argument),
            other => bail!("unknown option {other}"),
        }
    }
    let variants: Vec<Variant> = variants()
        .into_iter()
        .filter(|variant| names.is_empty() || names.iter().any(|name| name == variant.name))
        .collect();
    if !json {
        println!(
            "{:28} {:14} {:10} {:>8} {:>8} {:>7} {:>9} {:>8} {:>6}",
            "network", "options", "metric", "float", "int8", "loss", "agreement", "SQNR dB", "s"
        );
    }
    let mut all = Vec::new();
    let is_wanted = |task: &Task| networks.is_empty() || networks.iter().any(|name| name == task.name);
    for task in tasks(images.as_deref()).into_iter().filter(is_wanted) {
        all.extend(measure(&task, &variants, limit, |loss, quantised| {
            if json {
                return;
            }
            println!(
                "{:28} {:14} {:10} {:8.2} {:8.2} {:7.2} {:9.2} {:8.2} {:6.1}",
                loss.network,
                loss.variant,
                loss.metric,
                loss.float,
                loss.int8,
                loss.loss,
                loss.agreement,
                loss.sqnr,
                loss.seconds
            );
            if tensors {
                print_tensors(quantised);
            }
        })?);
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    }
    Ok(())
}

/// The ways to quantise, each with one more stage than the one before; then the whole with other rules.
fn variants() -> Vec<Variant> {
    let plain = Options { equalise: false, correct_bias: false, ..Options::default() };
    let variant = |name, options| Variant { name, options };
    vec![
        variant("plain", plain.clone()),
        variant("equalised", Options { equalise: true, ..plain.clone() }),
        variant("corrected", Options { correct_bias: true, ..plain }),
        variant("default", Options::default()),
        variant("high", Options { effort: Effort::High, ..Options::default() }),
        variant(
            "modal",
            Options { statistic: Statistic::Modal { batch: 32 }, result_headroom: false, ..Options::default() },
        ),
        variant("decent_q", Options { profile: Profile::DecentQ, ..Options::default() }),
    ]
}

fn print_tensors(quantised: &Quantised) {
    for tensor in &quantised.report.tensors {
        println!(
            "    {:24} {:24} position {:3}  SQNR {:7.2}  loss {:7.2}  saturated {:.5}",
            tensor.name, tensor.operation, tensor.position, tensor.sqnr, tensor.loss, tensor.saturated
        );
    }
}
