//! Explicit pads (`spec/xmodel.md` sections 1.7 and 5.2, `spec/numerics.md` section 5.1).

/// How a graph says where windows lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PadMode {
    /// The pads are given; every window lies within the padded input.
    Floor,
    /// The pads are given; the last window may begin in the padded input and end behind it.
    Ceil,
    /// As many windows as strides fit in the input, centred.
    Same,
    /// No padding.
    Valid,
}

impl PadMode {
    /// The mode called `name` in the file.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "FLOOR" => Some(Self::Floor),
            "CEIL" => Some(Self::Ceil),
            "SAME" => Some(Self::Same),
            "VALID" => Some(Self::Valid),
            _ => None,
        }
    }
}

/// A window operator; pairs are `[h, w]`, pads `[top, left, bottom, right]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) input: [i64; 2],
    pub(crate) output: [i64; 2],
    pub(crate) kernel: [i64; 2],
    pub(crate) strides: [i64; 2],
    pub(crate) dilations: [i64; 2],
    pub(crate) pads: [i64; 4],
}

impl Window {
    /// The pads in front, and behind as many as the last window reaches: `max(0, (out - 1) * s + k' - in - before)`, as far as the mode
    /// allows. If it does not allow enough for the stored output size, the verifier finds the contradiction.
    pub(crate) fn sliding_pads(&self, mode: PadMode) -> [i64; 4] {
        let axis = |axis: usize| {
            let (input, stride) = (self.input[axis], self.strides[axis]);
            let [given_before, given_after] = [self.pads[axis], self.pads[axis + 2]];
            let extent = (self.kernel[axis] - 1).saturating_mul(self.dilations[axis]) + 1;
            let end = |outputs: i64| (outputs - 1).saturating_mul(stride).saturating_add(extent);
            let behind = |outputs: i64, before: i64| end(outputs).saturating_sub(input).saturating_sub(before).max(0);
            match mode {
                PadMode::Floor => [given_before, behind(self.output[axis], given_before).min(given_after)],
                PadMode::Ceil => [given_before, behind(self.output[axis], given_before).min(given_after + stride - 1)],
                PadMode::Same => {
                    let outputs = (input + stride - 1).checked_div(stride).unwrap_or(0);
                    let gap = (stride - extent).max(0);
                    let missing = end(outputs).saturating_add(gap) - input - given_before - given_after;
                    let before = given_before + missing.max(0) / 2;
                    [before, behind(outputs, before)]
                }
                PadMode::Valid => [0, 0],
            }
        };
        let ([top, bottom], [left, right]) = (axis(0), axis(1));
        [top, left, bottom, right]
    }

    /// What a transposed convolution crops from its full output; may be negative, which the dialects cannot say.
    pub(crate) fn crops(&self, mode: PadMode) -> [i64; 4] {
        let same = |axis: usize| {
            let spread = self.kernel[axis] + self.strides[axis] - 2;
            let crop = |padding: i64| self.kernel[axis] - 1 - padding;
            [crop(spread - spread / 2), crop(spread / 2)]
        };
        match mode {
            PadMode::Floor | PadMode::Ceil => self.pads,
            PadMode::Valid => [0; 4],
            PadMode::Same => {
                let ([top, bottom], [left, right]) = (same(0), same(1));
                [top, left, bottom, right]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(input: i64, output: i64, kernel: i64, stride: i64, before: i64, after: i64) -> Window {
        let pads = [before, before, after, after];
        let pair = |size| [size, size];
        Window {
            input: pair(input),
            output: pair(output),
            kernel: pair(kernel),
            strides: pair(stride),
            dilations: [1, 1],
            pads,
        }
    }

    #[test]
    fn unused_padding_is_dropped() {
        assert_eq!(window(32, 16, 3, 2, 1, 1).sliding_pads(PadMode::Floor), [1, 1, 0, 0]);
        assert_eq!(window(32, 32, 3, 1, 1, 1).sliding_pads(PadMode::Floor), [1, 1, 1, 1]);
        assert_eq!(window(5, 1, 2, 9, 0, 3).sliding_pads(PadMode::Floor), [0, 0, 0, 0]);
    }

    #[test]
    fn a_ceiling_adds_what_the_last_window_lacks() {
        assert_eq!(window(6, 3, 3, 2, 0, 0).sliding_pads(PadMode::Ceil), [0, 0, 1, 1]);
    }

    #[test]
    fn an_output_too_large_gets_no_padding_that_is_not_given() {
        assert_eq!(window(4, 5, 3, 1, 1, 1).sliding_pads(PadMode::Floor), [1, 1, 1, 1]);
        assert_eq!(window(6, 9, 3, 2, 0, 0).sliding_pads(PadMode::Ceil), [0, 0, 1, 1]);
    }

    #[test]
    fn same_is_centred_with_the_odd_one_behind() {
        assert_eq!(window(224, 112, 3, 2, 0, 0).sliding_pads(PadMode::Same), [0, 0, 1, 1]);
        assert_eq!(window(7, 7, 5, 1, 0, 0).sliding_pads(PadMode::Same), [2, 2, 2, 2]);
        assert_eq!(window(6, 3, 1, 2, 0, 0).sliding_pads(PadMode::Same), [0, 0, 0, 0]);
    }

    #[test]
    fn valid_has_none() {
        assert_eq!(window(6, 2, 3, 2, 0, 0).sliding_pads(PadMode::Valid), [0, 0, 0, 0]);
    }

    #[test]
    fn dilation_widens_the_window() {
        let dilated = Window { dilations: [2, 3], ..window(9, 9, 3, 1, 2, 2) };
        assert_eq!(Window { pads: [2, 3, 2, 3], ..dilated }.sliding_pads(PadMode::Floor), [2, 3, 2, 3]);
    }

    /// SAME gives `in * s`: the crops add up to `k - s`.
    #[test]
    fn transposed_crops() {
        assert_eq!(window(8, 16, 4, 2, 0, 0).crops(PadMode::Same), [1, 1, 1, 1]);
        assert_eq!(window(8, 16, 3, 2, 0, 0).crops(PadMode::Same), [0, 0, 1, 1]);
        assert_eq!(window(8, 16, 4, 2, 1, 1).crops(PadMode::Floor), [1, 1, 1, 1]);
    }
}
