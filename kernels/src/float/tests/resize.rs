//! Up- and down-sampling.

use ndarray::Array4;

use super::shared::{Random, elements, in_pools, tiers};
use crate::float::{Interpolation, Resize};
use crate::reference::resize::{Coordinates, resize_nearest};

/// The formula of the reference evaluator, pixel by pixel.
fn bilinear(x: &Array4<f32>, size: [usize; 2], coordinates: Coordinates) -> Array4<f32> {
    let (batch, height, width, channels) = x.dim();
    let (rows, columns) = (coordinates.linear(height, size[0]), coordinates.linear(width, size[1]));
    Array4::from_shape_fn([batch, size[0], size[1], channels], |(n, y, column, c)| {
        let (row, column) = (rows[y], columns[column]);
        let along_width = |y: usize| {
            let [low, high] = [column.low, column.high].map(|x_place| x[[n, y, x_place, c]]);
            low + (high - low) * column.weight
        };
        let (low, high) = (along_width(row.low), along_width(row.high));
        low + (high - low) * row.weight
    })
}

#[test]
fn resizes_equal_the_reference_to_the_bit() {
    let mut random = Random(8);
    let shapes = [[1, 1, 1, 1], [2, 3, 5, 3], [1, 4, 4, 16], [1, 7, 2, 65], [2, 50, 60, 33]];
    let sizes = [[1, 1], [2, 7], [8, 8], [10, 18], [100, 120]];
    for (shape, size) in shapes.into_iter().flat_map(|shape| sizes.map(|size| (shape, size))) {
        let x = random.real(shape);
        for coordinates in [Coordinates::Asymmetric, Coordinates::AlignCorners, Coordinates::HalfPixel] {
            let nearest = resize_nearest(&x.view(), size, coordinates).unwrap();
            let linear = bilinear(&x, size, coordinates);
            for kernels in tiers() {
                for (interpolation, expected) in
                    [(Interpolation::Nearest, &nearest), (Interpolation::Bilinear, &linear)]
                {
                    let operator = Resize::new(kernels, shape, size, interpolation, coordinates).unwrap();
                    assert_eq!(&operator.output_shape()[..], expected.shape());
                    let found = in_pools(|| {
                        let mut found = vec![f32::NAN; expected.len()];
                        operator.run(elements(&x), &mut found);
                        found
                    });
                    for found in found {
                        assert!(
                            found == elements(expected),
                            "{:?} {interpolation:?} {shape:?} {size:?}",
                            kernels.tier()
                        );
                    }
                }
            }
        }
    }
}
