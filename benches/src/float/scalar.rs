//! Plain loops, as one would write them without thinking of the machine; NHWC, stride 1, "same" padding, odd kernels.

/// The pixels under a window and their kernel elements.
fn taps(size: usize, kernel: usize, y: usize, x: usize) -> impl Iterator<Item = [usize; 2]> {
    let pad = kernel / 2;
    (0..kernel * kernel).filter_map(move |tap| {
        let (y, x) = ((y + tap / kernel).checked_sub(pad)?, (x + tap % kernel).checked_sub(pad)?);
        (y < size && x < size).then_some([y * size + x, tap])
    })
}

/// Folds the windows of each channel: `step` gets the value so far, the element and its tap.
pub(super) fn window(
    [size, channels, kernel]: [usize; 3],
    start: f32,
    input: &[f32],
    output: &mut [f32],
    step: impl Fn(f32, f32, [usize; 2]) -> f32,
) {
    for (pixel, output) in output.chunks_exact_mut(channels).enumerate() {
        for (channel, output) in output.iter_mut().enumerate() {
            *output = taps(size, kernel, pixel / size, pixel % size)
                .fold(start, |value, [at, tap]| step(value, input[at * channels + channel], [tap, channel]));
        }
    }
}

/// Softmax of rows.
pub(super) fn softmax(row: usize, input: &[f32], output: &mut [f32]) {
    for (input, output) in input.chunks_exact(row).zip(output.chunks_exact_mut(row)) {
        let max = input.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for (&x, y) in input.iter().zip(&mut *output) {
            *y = (x - max).exp();
        }
        let sum: f32 = output.iter().sum();
        for y in output {
            *y /= sum;
        }
    }
}
