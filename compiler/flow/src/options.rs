//! What a session is built with.

use std::path::PathBuf;

use dpuc_backend::Subgraphs;
use dpuc_evaluate::Operators;
use dpuc_isa::Target;
use dpuc_runtime::Host;

/// Calls that calibrate, if nobody says otherwise.
const CALIBRATION_CALLS: usize = 128;

/// What a session is built with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The DPU.
    pub target: Target,
    /// How many calls run in float and are the calibration data.
    pub calibration_calls: usize,
    /// Where calls, and what is built from them, are kept; nowhere if absent. A finished build in it is used at once.
    pub build_folder: Option<PathBuf>,
    /// How the network is quantised.
    pub quantiser: dpuc_quantise::Options,
    /// How many DPU subgraphs it becomes.
    pub subgraphs: Subgraphs,
    /// Whether leaky activations with a slope near the hardware's 26/256 take that slope.
    pub allow_leaky_approximation: bool,
    /// What runs the CPU's part.
    pub host: Host,
    /// User-supplied operators.
    pub operators: Operators,
}

impl Options {
    /// The usual choices for a target.
    pub fn new(target: Target) -> Self {
        Self {
            target,
            calibration_calls: CALIBRATION_CALLS,
            build_folder: None,
            quantiser: dpuc_quantise::Options::default(),
            subgraphs: Subgraphs::All,
            // The calibration data speak for the network with the hardware's slope.
            allow_leaky_approximation: true,
            host: Host::Compiled,
            operators: Operators::new(),
        }
    }

    /// Takes what `PX_QUANT_SIZE` (calibration calls) and `PX_BUILD_DIR` (build folder) say, as `PyXIR` does; `variable` looks them up.
    /// A text that is no number counts as its leading digits say, as with C's `atoi`.
    #[must_use]
    pub fn with_environment(mut self, variable: impl Fn(&str) -> Option<String>) -> Self {
        if let Some(text) = variable("PX_QUANT_SIZE") {
            self.calibration_calls = leading_number(&text);
        }
        if let Some(folder) = variable("PX_BUILD_DIR").filter(|folder| !folder.is_empty()) {
            self.build_folder = Some(folder.into());
        }
        self
    }
}

/// The number that a text begins with, 0 if it begins with none or a negative one.
fn leading_number(text: &str) -> usize {
    let digits = text.trim_start().trim_start_matches('+');
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().unwrap_or(if end > 0 { usize::MAX } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_read_as_pyxir_reads_it() {
        let options = |size: &str| {
            let target = Target::from_name("DPUCZDX8G_ISA1_B4096").unwrap();
            let variable = |name: &str| (name == "PX_QUANT_SIZE").then(|| size.to_owned());
            Options::new(target).with_environment(variable).calibration_calls
        };
        for (text, calls) in [("12", 12), (" 7 images", 7), ("many", 0), ("-3", 0), ("", 0), ("+4", 4)] {
            assert_eq!(options(text), calls, "{text:?}");
        }
        assert_eq!(options("99999999999999999999999"), usize::MAX);
    }
}
