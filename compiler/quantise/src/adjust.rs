//! Positions that the hardware can compute with (`spec/quantisation.md` section 9, `spec/numerics.md` section 9).

use crate::options::Profile;
use crate::place::{Activation, Layer, LayerId, OperatorKind, ParameterId, Placement, SiteId};

/// Positions of all roundings.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Positions {
    /// By site; those of tied sites are not used.
    pub(crate) sites: Vec<i32>,
    /// By parameter.
    pub(crate) parameters: Vec<i32>,
}

impl Positions {
    /// The position of a site.
    pub(crate) fn of(&self, placement: &Placement, site: SiteId) -> i32 {
        self.sites[placement.root(site)]
    }
}

/// Most times the rules are applied to all layers; each round moves positions one way only, so that far fewer are needed.
const ROUNDS: usize = 16;
/// Largest right shift of a convolution's sum.
const MAX_CUT: i32 = 16;
/// Largest left shift of a bias.
const MAX_BIAS_SHIFT: i32 = 16;
/// Largest alignment of an operand of a sum.
const MAX_READ: i32 = 15;
/// Largest shift of the result of a sum or product.
const MAX_WRITE: i32 = 15;
/// Least position of a `relu6`: below it the hardware clamps above 6.
const LEAST_RELU6: i32 = 4;
/// Least position of a hard sigmoid: below it the greatest code is above 1, where the hardware does not clamp.
const LEAST_GATE: i32 = 7;

/// Applies the rules until nothing changes.
pub(crate) fn adjust(placement: &Placement, positions: &mut Positions, profile: Profile) {
    for _ in 0..ROUNDS {
        let before = positions.clone();
        for id in 0..placement.layers.len() {
            Rules { placement, positions, profile }.layer(id);
        }
        if *positions == before {
            return;
        }
    }
}

/// The coarsest and the finest position of a bias that the hardware can align, given the other positions of the layer.
pub(crate) fn bias_range(placement: &Placement, positions: &Positions, layer: LayerId, profile: Profile) -> (i32, i32) {
    let product = product_position(placement, positions, layer);
    let cut = product - positions.of(placement, placement.layers[layer].output);
    let lowest_shift = match profile {
        // Bits below half a unit of the sum are dropped by the hardware: a finer bias is no better.
        Profile::Nndct => (cut - MAX_CUT).clamp(-1, 0),
        Profile::DecentQ => (cut - MAX_CUT).min(0),
    };
    (product - MAX_BIAS_SHIFT, product - lowest_shift)
}

/// Whether the hardware can shift the sum and the bias of a weighted layer as these positions need it.
pub(crate) fn is_computable(placement: &Placement, positions: &Positions, layer: LayerId, profile: Profile) -> bool {
    let output = positions.of(placement, placement.layers[layer].output);
    let cut = product_position(placement, positions, layer) - output;
    let (coarsest, finest) = bias_range(placement, positions, layer, profile);
    let bias = placement.weights(layer).and_then(|(_, bias)| bias);
    (0..=MAX_CUT).contains(&cut) && bias.is_none_or(|bias| (coarsest..=finest).contains(&positions.parameters[bias]))
}

/// Position of the products of a weighted layer.
fn product_position(placement: &Placement, positions: &Positions, layer: LayerId) -> i32 {
    let weights = placement.weights(layer).map_or(0, |(weights, _)| positions.parameters[weights]);
    let input = placement.layers[layer].inputs.first().map_or(0, |&input| positions.of(placement, input));
    input + weights
}

struct Rules<'a> {
    placement: &'a Placement,
    positions: &'a mut Positions,
    profile: Profile,
}

impl Rules<'_> {
    fn layer(&mut self, id: LayerId) {
        let layer = &self.placement.layers[id];
        if layer.activation == Some(Activation::Relu6) {
            self.set(layer.output, self.site(layer.output).max(LEAST_RELU6));
        }
        match layer.kind {
            OperatorKind::Weighted => self.weighted(id),
            OperatorKind::Sum | OperatorKind::Extremum => self.sum(layer),
            OperatorKind::Product => self.product(layer),
            OperatorKind::HardSigmoid => {
                self.raise_inputs(layer, 0);
                let input = self.input(layer);
                self.set(layer.output, self.site(layer.output).clamp(LEAST_GATE, (14 + input).max(LEAST_GATE)));
            }
            OperatorKind::HardSwish => {
                self.raise_inputs(layer, 0);
                let input = self.input(layer);
                // The product of the input and a gate at position 7 is only shifted right, by at most 15.
                self.set(
                    layer.output,
                    self.site(layer.output).clamp(input + LEAST_GATE - MAX_WRITE, input + LEAST_GATE),
                );
            }
            OperatorKind::Maximum
            | OperatorKind::Nearest
            | OperatorKind::Rectifier
            | OperatorKind::Concat
            | OperatorKind::Other => {}
        }
    }

    fn weighted(&mut self, id: LayerId) {
        let layer = &self.placement.layers[id];
        let Some((weights, bias)) = self.placement.weights(id) else { return };
        let product = product_position(self.placement, self.positions, id);
        let cut = product - self.site(layer.output);
        match self.profile {
            Profile::Nndct if cut < 0 => self.set(layer.output, product),
            Profile::DecentQ if cut < 0 => self.positions.parameters[weights] -= cut,
            _ => {}
        }
        if cut > MAX_CUT {
            self.positions.parameters[weights] -= cut - MAX_CUT;
        }
        let Some(bias) = bias else { return };
        self.bias(id, weights, bias);
    }

    fn bias(&mut self, id: LayerId, weights: ParameterId, bias: ParameterId) {
        let (coarsest, finest) = bias_range(self.placement, self.positions, id, self.profile);
        let position = self.positions.parameters[bias];
        if position > finest {
            self.positions.parameters[bias] = finest;
        } else if position < coarsest {
            match self.profile {
                Profile::Nndct => self.positions.parameters[weights] -= coarsest - position,
                Profile::DecentQ => self.positions.parameters[bias] = coarsest,
            }
        }
    }

    /// Every operand of a sum is aligned to the coarsest one, and the result is shifted from there.
    fn sum(&mut self, layer: &Layer) {
        let Some(coarsest) = self.operands(layer).min() else { return };
        for &input in &layer.inputs {
            self.set(input, self.site(input).min(coarsest + MAX_READ));
        }
        for &parameter in &layer.parameters {
            let position = &mut self.positions.parameters[parameter];
            *position = (*position).min(coarsest + MAX_READ);
        }
        self.set(layer.output, self.site(layer.output).clamp(coarsest - MAX_WRITE, coarsest + MAX_WRITE));
        if self.profile == Profile::Nndct {
            self.align(layer);
        }
    }

    /// Rounds operands that nobody else reads to the result's position at once. Where a sum of finer operands is rounded, half of its
    /// results or a quarter of them are ties, which all go up: the mean of every channel moves.
    fn align(&mut self, layer: &Layer) {
        let position = self.site(layer.output);
        for &input in &layer.inputs {
            let site = &self.placement.sites[input];
            let clips =
                site.layer.is_some_and(|layer| self.placement.layers[layer].activation == Some(Activation::Relu6));
            if site.has_one_reader && site.tied_to.is_none() && site.layer.is_some() && !clips {
                self.set(input, self.site(input).min(position));
            }
        }
    }

    /// A product is only shifted right.
    fn product(&mut self, layer: &Layer) {
        let sum: i32 = self.operands(layer).sum();
        self.set(layer.output, self.site(layer.output).clamp(sum - MAX_WRITE, sum));
    }

    fn operands(&self, layer: &Layer) -> impl Iterator<Item = i32> {
        let inputs = layer.inputs.iter().map(|&input| self.site(input));
        inputs.chain(layer.parameters.iter().map(|&parameter| self.positions.parameters[parameter]))
    }

    fn raise_inputs(&mut self, layer: &Layer, least: i32) {
        for &input in &layer.inputs {
            self.set(input, self.site(input).max(least));
        }
    }

    fn input(&self, layer: &Layer) -> i32 {
        layer.inputs.first().map_or(0, |&input| self.site(input))
    }

    fn site(&self, site: SiteId) -> i32 {
        self.positions.of(self.placement, site)
    }

    fn set(&mut self, site: SiteId, position: i32) {
        self.positions.sites[self.placement.root(site)] = position;
    }
}

#[cfg(test)]
mod tests;
