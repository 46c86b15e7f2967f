//! Attributes of operations that walk a window over a map.

use dpuc_dialects::{Ir, OpId};

use super::Reason;

/// Kernel, strides, dilations and pads; `[height, width]` and `[top, left, bottom, right]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) kernel: [u32; 2],
    pub(crate) strides: [u32; 2],
    pub(crate) dilations: [u32; 2],
    pub(crate) pads: [u32; 4],
}

impl Window {
    /// The window of a pool (attribute `kernel`) or of a convolution (shape of the weights).
    pub(crate) fn of(ir: &Ir, op: OpId) -> Result<Self, Reason> {
        let kernel = if ir.attribute(op, "kernel").is_some() {
            numbers(ir, op, "kernel")?
        } else {
            let weights = ir.operands(op).get(1).and_then(|&weights| ir.shape_of(weights));
            match weights.as_deref() {
                Some(&[_, height, width, _]) => [narrow(height)?, narrow(width)?],
                _ => return Err(Reason::Malformed { what: "kernel" }),
            }
        };
        Ok(Self {
            kernel,
            strides: numbers(ir, op, "strides")?,
            dilations: if has_dilations(ir, op) { numbers(ir, op, "dilations")? } else { [1, 1] },
            pads: numbers(ir, op, "pads")?,
        })
    }

    /// The same window without bottom and right padding that no position reaches, for maps of the given `[height, width]`.
    #[must_use]
    pub(crate) fn without_unused_pads(mut self, input: [usize; 2], output: [usize; 2]) -> Self {
        for axis in 0..2 {
            let extent = (i64::from(self.kernel[axis]) - 1) * i64::from(self.dilations[axis]) + 1;
            let reached = (output[axis] as i64 - 1) * i64::from(self.strides[axis]) + extent;
            let needed = reached - input[axis] as i64 - i64::from(self.pads[axis]);
            self.pads[axis + 2] = u32::try_from(needed).unwrap_or(0);
        }
        self
    }
}

fn has_dilations(ir: &Ir, op: OpId) -> bool {
    ir.definition(op).is_some_and(|definition| definition.attribute("dilations").is_some())
}

fn narrow(value: usize) -> Result<u32, Reason> {
    u32::try_from(value).map_err(|_| Reason::Malformed { what: "kernel" })
}

/// A list of numbers of fixed length, or its default.
pub(super) fn numbers<const N: usize>(ir: &Ir, op: OpId, name: &'static str) -> Result<[u32; N], Reason> {
    let malformed = Reason::Malformed { what: name };
    let values = ir.int_array::<N>(op, name).ok_or_else(|| malformed.clone())?;
    let mut narrowed = [0; N];
    for (narrow, value) in narrowed.iter_mut().zip(values) {
        *narrow = u32::try_from(value).map_err(|_| malformed.clone())?;
    }
    Ok(narrowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pads_no_window_reaches_are_dropped() {
        let window = Window { kernel: [3, 3], strides: [2, 2], dilations: [1, 1], pads: [1, 1, 1, 1] };
        assert_eq!(window.without_unused_pads([28, 27], [14, 14]).pads, [1, 1, 0, 1]);
        let wide = Window { kernel: [1, 1], strides: [3, 3], ..window };
        assert_eq!(Window { pads: [0; 4], ..wide }.without_unused_pads([9, 9], [3, 3]).pads, [0; 4]);
        let dilated = Window { strides: [1, 1], dilations: [2, 2], pads: [2; 4], ..window };
        assert_eq!(dilated.without_unused_pads([5, 5], [5, 5]).pads, [2; 4]);
    }
}
