//! Dilation and transposed convolution as plain correlations, axis by axis (`spec/recipes-conv.md` section 1).
//!
//! An operator is the cross product of the phases of its two axes. Each phase reads every `step`-th element of the input and
//! writes every `step`-th element of the output, and between the two it is a correlation without dilation.

/// Every `step`-th element of something, `count` elements from `offset` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sampling {
    pub(crate) offset: u32,
    pub(crate) step: u32,
    pub(crate) count: u32,
}

impl Sampling {
    /// All of `count` elements.
    pub(crate) const fn all(count: u32) -> Self {
        Self { offset: 0, step: 1, count }
    }
}

/// One axis of a plain correlation: output `i < count` reads inputs `first + stride·i .. + taps`, of which those outside
/// `0 .. size` are padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) count: u32,
    pub(crate) size: u32,
    pub(crate) first: i64,
    pub(crate) stride: u32,
    pub(crate) taps: u32,
}

impl Span {
    /// Output `i` is input `i`.
    pub(crate) const fn identity(count: u32) -> Self {
        Self { count, size: count, first: 0, stride: 1, taps: 1 }
    }

    /// First input of output `output`; negative in the padding.
    pub(crate) const fn window_start(&self, output: u32) -> i64 {
        self.first + output as i64 * self.stride as i64
    }

    /// Last input of output `output`; may lie behind the input.
    pub(crate) const fn window_last(&self, output: u32) -> i64 {
        self.window_start(output) + self.taps as i64 - 1
    }

    /// The real inputs that `outputs` outputs from `output` on read, as first and number.
    pub(crate) fn inputs(&self, output: u32, outputs: u32) -> (u32, u32) {
        let start = self.window_start(output).max(0);
        let end = (self.window_last(output + outputs - 1) + 1).min(i64::from(self.size));
        (start as u32, (end - start).max(0) as u32)
    }

    /// Whether every tap of every window is padding.
    pub(crate) const fn is_padding(&self) -> bool {
        self.taps == 0 || self.size == 0
    }
}

/// One phase of one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Phase {
    /// The correlation.
    pub(crate) span: Span,
    /// Its input elements in the input of the operator.
    pub(crate) input: Sampling,
    /// Its output elements in the output of the operator.
    pub(crate) output: Sampling,
    /// Its taps in the stored kernel.
    pub(crate) taps: Sampling,
}

/// Phases of a convolution, depthwise convolution or pool axis. All arguments but the pad are at least 1.
///
/// With one tap and `fold`, the stride is folded into the input sampling, so that only elements that are needed get loaded. With one
/// output the stride has no meaning and becomes 1.
pub(crate) fn convolution_phases(
    input: u32,
    output: u32,
    kernel: u32,
    stride: u32,
    pad: u32,
    dilation: u32,
    fold: bool,
) -> Vec<Phase> {
    let common = gcd(stride, dilation);
    let phases = dilation / common;
    let (step, inner_stride) = if kernel == 1 && fold {
        (i64::from(dilation) * i64::from(stride / common), 1)
    } else {
        (i64::from(dilation), stride / common)
    };
    (0..phases.min(output))
        .map(|phase| {
            let start = i64::from(phase) * i64::from(stride) - i64::from(pad);
            let sampling = sampled(input, start.rem_euclid(step), step);
            let count = (output - phase).div_ceil(phases);
            Phase {
                span: Span {
                    count,
                    size: sampling.count,
                    first: start.div_euclid(step),
                    stride: if count == 1 { 1 } else { inner_stride },
                    taps: kernel,
                },
                input: sampling,
                output: Sampling { offset: phase, step: phases, count },
                taps: Sampling::all(kernel),
            }
        })
        .collect()
}

/// Phases of a transposed convolution axis. `pad` elements are cropped from the start of the output.
pub(crate) fn transposed_phases(input: u32, output: u32, kernel: u32, stride: u32, pad: u32) -> Vec<Phase> {
    (0..stride.min(output))
        .map(|phase| {
            let reach = i64::from(kernel) - 1 - i64::from(pad) - i64::from(phase);
            let offset = reach.rem_euclid(i64::from(stride)) as u32;
            let taps = kernel.saturating_sub(offset).div_ceil(stride);
            let count = (output - phase).div_ceil(stride);
            Phase {
                span: Span {
                    count,
                    size: input,
                    first: (i64::from(offset) - reach).div_euclid(i64::from(stride)),
                    stride: 1,
                    taps,
                },
                input: Sampling::all(input),
                output: Sampling { offset: phase, step: stride, count },
                taps: Sampling { offset, step: stride, count: taps },
            }
        })
        .collect()
}

/// The elements `offset, offset + step, …` of `size`; the step may exceed 32 bits only if there is at most one.
fn sampled(size: u32, offset: i64, step: i64) -> Sampling {
    let count = (i64::from(size) - offset + step - 1).div_euclid(step).max(0) as u32;
    Sampling { offset: u32::try_from(offset).unwrap_or(u32::MAX), step: u32::try_from(step).unwrap_or(u32::MAX), count }
}

const fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every (output, kernel tap) pair of the operator must appear in exactly one phase with the right input.
    fn taps_of(phases: &[Phase], input: u32) -> Vec<(u32, u32, i64)> {
        let mut taps = Vec::new();
        for phase in phases {
            for i in 0..phase.span.count {
                for j in 0..phase.span.taps {
                    let virtual_input = phase.span.window_start(i) + i64::from(j);
                    let real = virtual_input * i64::from(phase.input.step) + i64::from(phase.input.offset);
                    let valid = (0..i64::from(phase.span.size)).contains(&virtual_input);
                    assert_eq!(valid, (0..i64::from(input)).contains(&real), "validity of {real} in {phase:?}");
                    taps.push((
                        phase.output.offset + i * phase.output.step,
                        phase.taps.offset + j * phase.taps.step,
                        real,
                    ));
                }
            }
        }
        taps.sort_unstable();
        taps
    }

    #[test]
    fn convolution_phases_cover_every_tap_once() {
        for (kernel, stride, dilation, pad) in itertools(&[1, 2, 3, 5], &[1, 2, 3, 4], &[1, 2, 3, 4, 6], &[0, 1, 2, 4])
        {
            let (input, output) = (9, 6);
            let mut expected = Vec::new();
            for o in 0..output {
                for k in 0..kernel {
                    expected.push((o, k, i64::from(o * stride + k * dilation) - i64::from(pad)));
                }
            }
            for fold in [false, true] {
                let phases = convolution_phases(input, output, kernel, stride, pad, dilation, fold);
                assert_eq!(
                    taps_of(&phases, input),
                    expected,
                    "kernel {kernel} stride {stride} dilation {dilation} pad {pad}"
                );
            }
        }
    }

    #[test]
    fn transposed_phases_cover_every_tap_once() {
        for (kernel, stride, pad, input) in itertools(&[1, 2, 3, 4, 5], &[1, 2, 3, 4], &[0, 1, 2], &[1, 4, 7]) {
            let output = ((input - 1) * stride + kernel).saturating_sub(2 * pad);
            let mut expected = Vec::new();
            for o in 0..output {
                for k in 0..kernel {
                    let position = i64::from(o + k) - i64::from(kernel - 1) + i64::from(pad);
                    if position.rem_euclid(i64::from(stride)) == 0 {
                        expected.push((o, k, position.div_euclid(i64::from(stride))));
                    }
                }
            }
            let phases = transposed_phases(input, output, kernel, stride, pad);
            assert_eq!(taps_of(&phases, input), expected, "kernel {kernel} stride {stride} pad {pad} input {input}");
        }
    }

    fn itertools(a: &[u32], b: &[u32], c: &[u32], d: &[u32]) -> Vec<(u32, u32, u32, u32)> {
        let mut all = Vec::new();
        for &a in a {
            for &b in b {
                for &c in c {
                    all.extend(d.iter().map(|&d| (a, b, c, d)));
                }
            }
        }
        all
    }
}
