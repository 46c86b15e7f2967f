//! `quant_info.json` as AMD's PyTorch quantiser writes it (`spec/quantisation.md` section 11).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::adjust::Positions;
use crate::quantiser::Quantiser;

/// The positions of a quantised network, as `[[bits, position]]` by tensor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QuantInfo {
    /// Weights and biases.
    pub param: BTreeMap<String, [[i32; 2]; 1]>,
    /// Results of operators, and inputs of the network.
    pub output: BTreeMap<String, [[i32; 2]; 1]>,
    /// Roundings in front of single operators: there are none.
    pub input: BTreeMap<String, [[i32; 2]; 1]>,
    /// Whether weights were rounded with the data in view, or trained.
    pub fast_finetuned: bool,
    /// Whether biases were corrected.
    pub bias_corrected: bool,
    /// What wrote it.
    pub version: String,
    /// Identifies the float network.
    pub graph_md5: String,
}

/// Bits of every number.
const BITS: i32 = 8;

impl QuantInfo {
    /// `is_tuned` says whether weights are others than the nearest to the float ones.
    pub(crate) fn new(quantiser: &Quantiser, positions: &Positions, is_tuned: bool) -> Self {
        let placement = &quantiser.placement;
        let module = quantiser.ir.symbol_name(quantiser.ir.root()).unwrap_or("main").to_owned();
        let key = |name: &str| format!("{module}::{name}");
        let parameters = placement.parameters.iter().zip(&positions.parameters);
        let param = parameters.map(|(parameter, &position)| (key(&parameter.symbol), [[BITS, position]])).collect();
        let sites = placement.sites.iter().enumerate();
        let output = sites.map(|(id, site)| (key(&site.name), [[BITS, positions.of(placement, id)]])).collect();
        Self {
            param,
            output,
            input: BTreeMap::new(),
            fast_finetuned: is_tuned,
            bias_corrected: quantiser.options.correct_bias,
            version: format!("dpuc {}", env!("CARGO_PKG_VERSION")),
            graph_md5: quantiser.hash(),
        }
    }
}
