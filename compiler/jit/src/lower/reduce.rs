//! Reductions over whole axes.

use dpuc_kernels::reference::pool::AverageFactor;

use super::attributes::sizes;
use super::{Lowered, Lowering, strided, whole};
use crate::loops::{Binary, Nest, Reduction, row_major};
use crate::network::{Element, Operation, place};

/// Products of sums and multipliers that single precision holds exactly (rule D6).
pub(super) const EXACT: i64 = 1 << 24;

impl Lowering<'_> {
    /// Lowers `reduce_mean`, `reduce_max`, `reduce_min` and `reduce_sum`: a nest over what stays, then over what is folded.
    pub(super) fn reduce(&mut self, name: &str, operation: &Operation) -> Lowered {
        let (input, result) = (operation.operands[0], operation.results[0]);
        let mut axes = sizes(self.ir, operation.op, "axes")?;
        axes.sort_unstable();
        let shape = self.shape(input).to_vec();
        if axes.is_empty()
            || axes.windows(2).any(|pair| pair[0] == pair[1])
            || axes.iter().any(|&axis| axis >= shape.len())
        {
            return None;
        }
        let strides = row_major(&shape);
        let stays: Vec<usize> = (0..shape.len()).filter(|axis| !axes.contains(axis)).collect();
        let order: Vec<usize> = stays.iter().chain(&axes).copied().collect();
        let extents: Vec<usize> = order.iter().map(|&axis| shape[axis]).collect();
        let mut store = whole(self.write(result), &extents[..stays.len()]);
        store.strides.resize(order.len(), 0);
        let mut nest = Nest::new(place(self.ir, operation.op), extents, stays.len(), store);
        let element = self.info(input).element;
        let load = strided(self.read(input), 0, order.iter().map(|&axis| strides[axis]).collect());
        let x = nest.load(load, element);
        let count = nest.folded();
        if count == 0 {
            return None;
        }
        nest.result = match (name, element) {
            ("reduce_mean", Element::F32) => nest.body.reduce(Reduction::Mean(count as u64), x, count),
            ("reduce_sum", Element::F32) => nest.body.reduce(Reduction::Sum, x, count),
            ("reduce_min", Element::F32) => nest.body.reduce(Reduction::Min, x, count),
            ("reduce_max", Element::F32) => nest.body.reduce(Reduction::Max, x, count),
            (_, Element::I8) => {
                let shift = self.fix(input)? - self.fix(result)?;
                let reduction = if name == "reduce_max" { Reduction::Max } else { Reduction::Sum };
                // More points would leave 32 bits.
                if count > 1 << 23 {
                    return None;
                }
                let folded = nest.body.reduce(reduction, x, count);
                if name == "reduce_mean" {
                    let factors = axes.iter().map(|&axis| AverageFactor::search(shape[axis]));
                    let (multiplier, own) = factors.fold((1i64, 0i64), |(product, sum), factor| {
                        (product.saturating_mul(factor.multiplier), sum + i64::from(factor.shift))
                    });
                    if (count as i64 * 128).saturating_mul(multiplier) > EXACT {
                        return None;
                    }
                    let factor = nest.body.integer(multiplier);
                    let product = nest.body.binary(Binary::Mul, folded, factor);
                    nest.body.requantise(product, own + shift)
                } else {
                    nest.body.requantise(folded, shift)
                }
            }
            _ => return None,
        };
        self.push(nest);
        Some(())
    }
}
