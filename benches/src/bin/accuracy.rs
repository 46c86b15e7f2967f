//! What quantisation costs on the data of the shared folder: `accuracy [--json] [--limit N] [--tensors] [--variant NAME]… [NETWORK]…`.
//!
//! `--limit` takes that many test samples, `--tensors` adds the tensors with the greatest losses.

use anyhow::{Result, bail};
use dpuc_benches::accuracy::{Variant, measure, tasks};
use dpuc_quantise::{Effort, Options, Profile, Quantised, Statistic};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (mut json, mut tensors, mut limit) = (false, false, usize::MAX);
    let (mut networks, mut names) = (Vec::new(), Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => json = true,
            "--tensors" => tensors = true,
            "--limit" => limit = arguments.next().unwrap_or_default().parse()?,
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
            "{:28} {:14} {:10} {:>8} {:>8} {:>7} {:>8} {:>6}",
            "network", "options", "metric", "float", "int8", "loss", "SQNR dB", "s"
        );
    }
    let mut all = Vec::new();
    for task in tasks().into_iter().filter(|task| networks.is_empty() || networks.iter().any(|name| name == task.name))
    {
        all.extend(measure(&task, &variants, limit, |loss, quantised| {
            if json {
                return;
            }
            println!(
                "{:28} {:14} {:10} {:8.2} {:8.2} {:7.2} {:8.2} {:6.1}",
                loss.network, loss.variant, loss.metric, loss.float, loss.int8, loss.loss, loss.sqnr, loss.seconds
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
        variant("modal", Options { statistic: Statistic::Modal { batch: 32 }, ..Options::default() }),
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
