//! Average pooling and mean (`spec/numerics.md` section 5.4).

use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::{Attribute, Ir, OpId};
use dpuc_kernels::reference::pool::average_factor;

use super::code::{Fix, code, corrected, is_same_factor, list};
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
            let kernel = ir.int_array::<2>(found.op, "kernel")?;
            if ir.bool(found.op, "exclude_padding")? && ir.int_array::<4>(found.op, "pads")? != [0; 4] {
                return None;
            }
            let padded = PaddedInput::of(ir, found.op, kernel)?;
            let attributes = [
                ("kernel", Attribute::ints(kernel)),
                list(ir, found.op, "strides")?,
                ("pads", padded.add_to(ir, found.op)?),
            ];
            let mut parts: Vec<OpId> = vec![found.op];
            parts.extend(padded.op);
            parts.extend(found.correction.map(|(op, _)| op));
            let note = Mean::of(kernel, found.correction.map(|(_, factor)| factor))?.note();
            let lowered = Lowered::new(&int8::AVG_POOL, fix, parts, [padded.code]).with_all(attributes);
            return Some(Lowered { note, ..lowered });
        }
        let found = corrected(ir, value, &nn::REDUCE_MEAN)?;
        let input = code(ir, ir.operand(found.op, 0))?;
        let (kernel, shape) = whole_axes(ir, found.op)?;
        let parts = Some(found.op).into_iter().chain(found.correction.map(|(op, _)| op)).collect();
        let note = Mean::of(kernel, found.correction.map(|(_, factor)| factor))?.note();
        let lowered = Lowered::new(&int8::AVG_POOL, fix, parts, [input]).with("kernel", Attribute::ints(kernel));
        Some(Lowered { shape, note, ..lowered })
    }
}

/// What a mean, with or without a factor, is to the hardware.
enum Mean {
    /// Exactly what it computes.
    Exact,
    /// Nearly; in words, what it computes. AMD's compiler lowers it all the same.
    Near(String),
}

impl Mean {
    /// The mean over `kernel`, `[h, w]`, times the factor if there is one. `None`: something else.
    fn of(kernel: [i64; 2], found: Option<f64>) -> Option<Self> {
        let [height, width] = kernel.map(|size| usize::try_from(size).unwrap_or(0));
        let hardware = average_factor([height, width]);
        let (multiplier, shift) = (hardware.multiplier, hardware.shift);
        let count = height as f64 * width as f64;
        let expected = count * multiplier as f64 / f64::exp2(f64::from(shift));
        if is_same_factor(found.unwrap_or(1.0), expected) {
            return Some(Self::Exact);
        }
        let near = format!(
            "averages {height}x{width} elements by {multiplier}/2^{shift}, as the hardware does, instead of 1/{count}"
        );
        found.is_none().then_some(Self::Near(near))
    }

    fn note(self) -> Option<String> {
        match self {
            Self::Exact => None,
            Self::Near(note) => Some(note),
        }
    }
}
