//! Average pooling and mean (`spec/numerics.md` section 5.4).

use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::{Attribute, Ir, OpId};
use dpuc_kernels::reference::pool::average_factor;

use super::code::{Fix, code, corrected, is_same_factor};
use super::convolution::PaddedInput;
use super::lowered::{FixPattern, Lowered};
use super::pool::whole_axes;

/// `nn.avg_pool` or a mean over height and width, with or without the factor that corrects it to the hardware's.
pub(super) struct AveragePool;

impl FixPattern for AveragePool {
    const NAME: &'static str = "average-pool";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let value = fix.input(ir);
        if let Some(found) = corrected(ir, value, &nn::AVG_POOL) {
            let padded = PaddedInput::of(ir, ir.operand(found.op, 0))?;
            let kernel = ir.int_array::<2>(found.op, "kernel")?;
            let attributes = [
                ("kernel", Attribute::ints(kernel)),
                ("strides", ir.attribute(found.op, "strides")?.clone()),
                ("pads", padded.add_to(ir, found.op)?),
            ];
            let mut parts: Vec<OpId> = vec![found.op];
            parts.extend(padded.op);
            parts.extend(found.correction.map(|(op, _)| op));
            let note = check_factor(kernel, found.correction.map(|(_, factor)| factor))?;
            let lowered = Lowered::new(&int8::AVG_POOL, fix, parts, [padded.code]).with_all(attributes);
            return Some(Lowered { note, ..lowered });
        }
        let found = corrected(ir, value, &nn::REDUCE_MEAN)?;
        let input = code(ir, ir.operand(found.op, 0))?;
        let (kernel, shape) = whole_axes(ir, found.op)?;
        let parts = Some(found.op).into_iter().chain(found.correction.map(|(op, _)| op)).collect();
        let note = check_factor(kernel, found.correction.map(|(_, factor)| factor))?;
        let lowered = Lowered::new(&int8::AVG_POOL, fix, parts, [input]).with("kernel", Attribute::ints(kernel));
        Some(Lowered { note, shape, ..lowered })
    }
}

/// Whether the mean, times the factor if there is one, is what the hardware computes. `None`: it is something else. A mean without a
/// factor is lowered too, as AMD's compiler does, and a note says what it becomes.
fn check_factor(kernel: [i64; 2], found: Option<f64>) -> Option<Option<String>> {
    let [height, width] = kernel.map(|size| usize::try_from(size).unwrap_or(0));
    let hardware = average_factor([height, width]);
    let (multiplier, shift) = (hardware.multiplier, hardware.shift);
    let count = height as f64 * width as f64;
    let expected = count * multiplier as f64 / f64::exp2(f64::from(shift));
    match found {
        Some(factor) => is_same_factor(factor, expected).then_some(None),
        None if is_same_factor(1.0, expected) => Some(None),
        None => Some(Some(format!(
            "averages {height}x{width} elements by {multiplier}/2^{shift}, as the hardware does, instead of 1/{count}"
        ))),
    }
}
