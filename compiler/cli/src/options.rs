//! What the command line says about quantising and compiling.

use clap::Args;
use dpuc_backend::Subgraphs;
use dpuc_quantise::{Effort, Options, Profile, Statistic};

/// How networks are quantised.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Quantising")]
pub(crate) struct QuantiserOptions {
    /// `high` also optimises how weights are rounded, which takes minutes.
    #[arg(long, value_name = "EFFORT", default_value = "normal", value_parser = effort)]
    effort: Effort,
    /// Whose rules decide: `nndct` (AMD's PyTorch quantiser) or `decent_q` (the one behind TVM).
    #[arg(long, value_name = "NAME", default_value = "nndct", value_parser = profile)]
    profile: Profile,
    /// Take the position that most batches of N samples ask for, as AMD's tools do, instead of the best one for all samples.
    #[arg(long, value_name = "N", value_parser = batch)]
    batch: Option<usize>,
    /// Leave channels as they are instead of equalising them.
    #[arg(long)]
    no_equalise: bool,
    /// Leave biases as they are instead of correcting them.
    #[arg(long)]
    no_bias_correction: bool,
}

impl QuantiserOptions {
    pub(crate) fn options(&self) -> Options {
        Options {
            profile: self.profile,
            statistic: self.batch.map_or(Statistic::AllData, |batch| Statistic::Modal { batch }),
            result_headroom: self.batch.is_none(),
            equalise: !self.no_equalise,
            correct_bias: !self.no_bias_correction,
            effort: self.effort,
            ..Options::default()
        }
    }
}

fn effort(text: &str) -> Result<Effort, String> {
    match text {
        "normal" => Ok(Effort::Normal),
        "high" => Ok(Effort::High),
        _ => Err("normal and high are known".to_owned()),
    }
}

fn profile(text: &str) -> Result<Profile, String> {
    match text {
        "nndct" => Ok(Profile::Nndct),
        "decent_q" => Ok(Profile::DecentQ),
        _ => Err("nndct and decent_q are known".to_owned()),
    }
}

fn batch(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|&number: &usize| number > 0);
    number.ok_or_else(|| "a number of samples, at least 1, is needed".to_owned())
}

/// How networks are compiled.
#[derive(Clone, Debug, Args)]
pub(crate) struct CompilerOptions {
    /// Which parts run on the DPU: `all` it can run, in as many subgraphs as it takes, or only the `largest`.
    #[arg(long, value_name = "WHICH", default_value = "all")]
    pub(crate) partition: Subgraphs,
    /// Give leaky activations with a slope near the hardware's 26/256, such as 0.1, that slope; results change slightly.
    #[arg(long)]
    pub(crate) allow_leaky_approximation: bool,
}
