//! Up- and down-sampling.

use super::shared::{Random, elements, in_pools, tiers};
use crate::float::Resize;
use crate::reference::resize::resize_real;
use crate::reference::sampling::{Coordinates, Cubic, Interpolation, Rounding, Sampling};

const COORDINATES: [Coordinates; 5] = [
    Coordinates::Asymmetric,
    Coordinates::AlignCorners,
    Coordinates::HalfPixel,
    Coordinates::PytorchHalfPixel,
    Coordinates::HalfPixelSymmetric,
];

#[test]
fn resizes_equal_the_reference_to_the_bit() {
    let mut random = Random(8);
    let shapes = [[1, 1, 1, 1], [2, 3, 5, 3], [1, 4, 4, 16], [1, 7, 2, 65], [2, 50, 60, 33]];
    let sizes = [[1, 1], [2, 7], [10, 18], [100, 120]];
    let interpolations = [
        Interpolation::Nearest(Rounding::Ceil),
        Interpolation::Bilinear,
        Interpolation::Cubic(Cubic { a: -0.75, exclude_outside: false }),
        Interpolation::Cubic(Cubic { a: -0.5, exclude_outside: true }),
    ];
    for (shape, size) in shapes.into_iter().flat_map(|shape| sizes.map(|size| (shape, size))) {
        let x = random.real(shape);
        for (coordinates, interpolation) in COORDINATES.into_iter().flat_map(|c| interpolations.map(|i| (c, i))) {
            let sampling = Sampling { interpolation, coordinates, factors: Some([1.7, 0.6]) };
            let expected = resize_real(&x.view(), size, sampling).unwrap();
            for kernels in tiers() {
                let operator = Resize::new(kernels, shape, size, sampling).unwrap();
                assert_eq!(&operator.output_shape()[..], expected.shape());
                let found = in_pools(|| {
                    let mut found = vec![f32::NAN; expected.len()];
                    operator.run(elements(&x), &mut found);
                    found
                });
                for found in found {
                    let tier = kernels.tier();
                    assert!(found == elements(&expected), "{tier:?} {sampling:?} {shape:?} {size:?}");
                }
            }
        }
    }
}
