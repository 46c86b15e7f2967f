//! Nearest-neighbour resizing as copies between views (`spec/recipes-eltwise-data.md` sections 12.1 and 13).

use crate::axis::Sampling;
use crate::layer::FeatureMap;
use crate::task::sample;

/// The views of an enlarged map that each get all input pixels, one per offset inside the scale.
pub(crate) fn enlarged_views(input: &FeatureMap, output: &FeatureMap, scale: [u32; 2]) -> Vec<FeatureMap> {
    let [rows, columns] = scale;
    let view = |y, x| {
        let rows = Sampling { offset: y, step: rows, count: input.height };
        sample(output, rows, Sampling { offset: x, step: columns, count: input.width })
    };
    (0..rows).flat_map(|y| (0..columns).map(move |x| view(y, x))).collect()
}

/// The view of a map that consists of every `scale`-th pixel, as large as the output.
pub(crate) fn reduced_view(input: &FeatureMap, output: &FeatureMap, scale: [u32; 2]) -> FeatureMap {
    let [rows, columns] = scale;
    let rows = Sampling { offset: 0, step: rows, count: output.height };
    sample(input, rows, Sampling { offset: 0, step: columns, count: output.width })
}
