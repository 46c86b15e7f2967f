//! Which input elements each output element of a window operator sees.

use dpuc_kernels::reference::{KernelError, MAX_ELEMENTS};

use crate::error::Problem;
use crate::operation::{Operation, Outcome};

/// A kernel element and the input element under it, along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tap {
    pub(super) kernel: usize,
    pub(super) input: usize,
}

/// The taps of every output element along one axis.
pub(super) type Taps = Vec<Vec<Tap>>;

/// One spatial axis of a window operator. All sizes are at most `MAX_WINDOW`, so that no index computation overflows.
struct Axis {
    input: usize,
    output: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    /// Padding in front of the input, or, transposed, elements cropped from the front of the output.
    before: usize,
}

/// Largest kernel, stride, dilation and padding: what the verifier allows.
const MAX_WINDOW: usize = 1 << 16;

impl Axis {
    /// `position = o * stride + k * dilation - before` on the input.
    fn sliding(&self) -> Taps {
        let taps = |o: usize| {
            let tap = |kernel: usize| {
                let input = (o * self.stride + kernel * self.dilation).checked_sub(self.before)?;
                (input < self.input).then_some(Tap { kernel, input })
            };
            (0..self.kernel).filter_map(tap).collect()
        };
        (0..self.output).map(taps).collect()
    }

    /// The input is spread by the stride and padded by `kernel - 1 - before`; `position = o + k - (kernel - 1 - before)`.
    fn transposed(&self) -> Taps {
        let taps = |o: usize| {
            let tap = |kernel: usize| {
                let position = (o + kernel + self.before).checked_sub(self.kernel - 1)?;
                let input = position / self.stride;
                (position % self.stride == 0 && input < self.input).then_some(Tap { kernel, input })
            };
            (0..self.kernel).filter_map(tap).collect()
        };
        (0..self.output).map(taps).collect()
    }
}

/// The taps of both spatial axes, rows and columns, of an operation from `input` (`[n, h, w, c]`) to the shape of its result.
pub(super) fn taps(op: Operation<'_>, input: &[usize], kernel: [usize; 2], transposed: bool) -> Outcome<[Taps; 2]> {
    let [_, height, width, _] = *input else {
        return Err(Problem::Operand { index: 0, expected: "a map" });
    };
    let (input, output) = ([height, width], op.result_size()?);
    let strides = op.sizes::<2>("strides")?;
    let dilations = if op.ir.definition(op.op).is_some_and(|own| own.attribute("dilations").is_some()) {
        op.sizes::<2>("dilations")?
    } else {
        [1, 1]
    };
    let pads = op.sizes::<4>("pads")?;
    for (name, values) in [("strides", &strides[..]), ("dilations", &dilations), ("kernel", &kernel)] {
        if values.iter().any(|value| !(1..=MAX_WINDOW).contains(value)) {
            return Err(Problem::Attribute(name));
        }
    }
    if pads.iter().any(|&pad| pad > MAX_WINDOW) {
        return Err(Problem::Attribute("pads"));
    }
    let axis = |axis: usize| Axis {
        input: input[axis],
        output: output[axis],
        kernel: kernel[axis],
        stride: strides[axis],
        dilation: dilations[axis],
        before: pads[axis],
    };
    let taps = if transposed { Axis::transposed } else { Axis::sliding };
    Ok([taps(&axis(0)), taps(&axis(1))])
}

/// Space for a result of this shape.
pub(super) fn buffer(operator: &'static str, shape: &[usize]) -> Outcome<Vec<f32>> {
    let count = shape.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim));
    match count.filter(|&count| count <= MAX_ELEMENTS) {
        Some(count) => Ok(Vec::with_capacity(count)),
        None => Err(KernelError::TooLarge { operator, shape: shape.to_vec() }.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(taps: &Taps) -> Vec<Vec<(usize, usize)>> {
        taps.iter().map(|taps| taps.iter().map(|tap| (tap.kernel, tap.input)).collect()).collect()
    }

    #[test]
    fn a_sliding_window_leaves_out_the_padding() {
        let axis = Axis { input: 4, output: 2, kernel: 3, stride: 2, dilation: 1, before: 1 };
        assert_eq!(pairs(&axis.sliding()), [vec![(1, 0), (2, 1)], vec![(0, 1), (1, 2), (2, 3)]]);
        let dilated = Axis { dilation: 3, before: 3, output: 4, stride: 1, ..axis };
        assert_eq!(pairs(&dilated.sliding())[0], [(1, 0), (2, 3)]);
    }

    /// Example C11 of numerics.md: input [1, 2], kernel [1, 2, 3], stride 2 gives [3, 2, 7, 4, 2].
    #[test]
    fn a_transposed_window_correlates_the_spread_input() {
        let axis = Axis { input: 2, output: 5, kernel: 3, stride: 2, dilation: 1, before: 0 };
        let (input, kernel) = ([1, 2], [1, 2, 3]);
        let sums = |taps: &Taps| -> Vec<i32> {
            taps.iter().map(|taps| taps.iter().map(|tap| input[tap.input] * kernel[tap.kernel]).sum()).collect()
        };
        assert_eq!(sums(&axis.transposed()), [3, 2, 7, 4, 2]);
        assert_eq!(sums(&Axis { output: 3, before: 1, ..axis }.transposed()), [2, 7, 4]);
    }
}
