//! Maps made of whole pixels of other maps.

use std::ops::Range;

/// The source of each row and column of the output, a map with other sizes and the same channels.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    pub(crate) rows: Vec<usize>,
    pub(crate) columns: Vec<usize>,
}

impl Sources {
    /// Fills a band of output rows, counted through all images of shape `input` (`[n, h, w, channels]`), from whole rows of pixels;
    /// `finish` gets each row once.
    pub(crate) fn fill<T: Copy>(
        &self,
        input: &[T],
        [_, height, width, channels]: [usize; 4],
        band: Range<usize>,
        output: &mut [T],
        finish: impl Fn(&mut [T]),
    ) {
        let row = self.columns.len() * channels;
        let mut last = None;
        for (index, at) in band.enumerate() {
            let source = at / self.rows.len() * height + self.rows[at % self.rows.len()];
            if last == Some(source) {
                output.copy_within((index - 1) * row..index * row, index * row);
                continue;
            }
            let from = &input[source * width * channels..][..width * channels];
            let to = &mut output[index * row..][..row];
            for (pixel, &column) in to.chunks_exact_mut(channels).zip(&self.columns) {
                pixel.copy_from_slice(&from[column * channels..][..channels]);
            }
            finish(to);
            last = Some(source);
        }
    }
}
