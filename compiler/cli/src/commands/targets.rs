//! `dpuc targets`

use anyhow::{Result, bail};
use clap::Args;
use dpuc_isa::{Target, fingerprint_differences};
use serde_json::json;

use crate::files;

/// List targets and boards, or explain a target, a board or a fingerprint.
#[derive(Debug, Args)]
pub(crate) struct Targets {
    /// Target name, board, fingerprint or arch.json to explain; all if absent.
    target: Option<String>,
    /// Say in which features the target differs from this one.
    #[arg(long, value_name = "TARGET", requires = "target", conflicts_with = "json")]
    against: Option<String>,
    /// Print the target's arch.json, as boards' tools write it, for `dpuc compile --arch` and for AMD's compiler.
    #[arg(long = "arch-json", alias = "arch_json", requires = "target", conflicts_with_all = ["json", "against"])]
    arch_json: bool,
    /// Machine-readable output.
    #[arg(long)]
    json: bool,
}

impl Targets {
    pub(crate) fn run(self) -> Result<()> {
        let targets = match &self.target {
            Some(text) => vec![resolve(text)?],
            None => Target::registered(),
        };
        if let Some(other) = &self.against {
            files::print(&differences(&targets[0], &resolve(other)?, [&targets[0].name, other]));
            return Ok(());
        }
        if self.arch_json {
            let arch = json!({"fingerprint": format!("{:#x}", targets[0].fingerprint)});
            files::print(&format!("{}\n", serde_json::to_string_pretty(&arch)?));
            return Ok(());
        }
        if self.json {
            let list: Vec<_> = targets.iter().map(describe).collect();
            files::print(&format!("{}\n", serde_json::to_string_pretty(&list)?));
            return Ok(());
        }
        let mut text = format!(
            "{:<24} {:<18} {:>5} {:>9} {:>9} {:>6}  options\n",
            "target", "fingerprint", "rows", "channels", "alu rows", "banks"
        );
        for target in &targets {
            let options = [
                (target.channel_augmentation, "augmentation"),
                (target.conv_leaky_relu, "leaky-relu"),
                (target.alu_leaky_relu, "depthwise-leaky-relu"),
                (target.argmax, "argmax"),
            ];
            let options: Vec<_> = options.into_iter().filter(|&(has, _)| has).map(|(_, name)| name).collect();
            text += &format!(
                "{:<24} {:#018x} {:>5} {:>9} {:>9} {:>6}  {}\n",
                target.name,
                target.fingerprint,
                target.pixel_parallel,
                target.channel_parallel,
                target.alu_pixel_parallel,
                target.bank_count(),
                options.join(", ")
            );
        }
        if self.target.is_none() {
            text += "\nboards\n";
            for board in Target::boards() {
                let target = Target::from_fingerprint(board.fingerprint)?;
                text += &format!("  {:<12} {:<24} {}\n", board.name, target.name, board.description);
            }
        }
        files::print(&text);
        Ok(())
    }
}

/// The target a command line names: an arch.json, a fingerprint, a target name or a board.
pub(crate) fn resolve(text: &str) -> Result<Target> {
    let path = std::path::Path::new(text);
    if path.extension().is_some_and(|extension| extension == "json") || path.is_file() {
        let content = files::read_text(path)?;
        return Target::parse_arch_json(&content).map_err(|error| anyhow::anyhow!("{text}: {error}"));
    }
    Ok(Target::resolve(text)?)
}

/// Fails unless a file's program can run on a device: the hardware's runtime demands equal fingerprints.
pub(super) fn require_same(file: &Target, device: &Target) -> Result<()> {
    if file.fingerprint == device.fingerprint {
        return Ok(());
    }
    let difference = differences(file, device, ["file", "device"]);
    bail!(
        "the file is for {} ({:#018x}), the device is {} ({:#018x}):\n{difference}compile it again with --arch {}",
        file.name,
        file.fingerprint,
        device.name,
        device.fingerprint,
        device.name
    )
}

/// The features in which two targets differ, one a line.
fn differences(first: &Target, second: &Target, subjects: [&str; 2]) -> String {
    let differences = fingerprint_differences(first.fingerprint, second.fingerprint);
    if differences.is_empty() {
        return "  no difference\n".to_owned();
    }
    differences
        .iter()
        .map(|difference| format!("  {}\n", difference.describe(subjects[0], subjects[1])))
        .collect::<Vec<_>>()
        .concat()
}

fn describe(target: &Target) -> serde_json::Value {
    json!({
        "name": target.name,
        "fingerprint": format!("{:#018x}", target.fingerprint),
        "pixel_parallel": target.pixel_parallel,
        "channel_parallel": target.channel_parallel,
        "alu_pixel_parallel": target.alu_pixel_parallel,
        "feature_groups": target.feature_groups,
        "banks": target.bank_count(),
        "channel_augmentation": target.channel_augmentation,
        "conv_leaky_relu": target.conv_leaky_relu,
        "alu_leaky_relu": target.alu_leaky_relu,
        "argmax": target.argmax,
        "peak_operations_per_cycle": target.peak_operations(),
    })
}
