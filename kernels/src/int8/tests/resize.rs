//! Up- and down-sampling.

use ndarray::Array4;

use super::values::{ENCODINGS, bytes, codes, tiers};
use crate::int8::{Encodings, Interpolation, Resize};
use crate::reference::resize::{downsample, resize_bilinear, resize_nearest};
use crate::reference::round::Rescale;
use crate::reference::sampling::Coordinates;

const COORDINATES: [Coordinates; 3] = [Coordinates::Asymmetric, Coordinates::AlignCorners, Coordinates::HalfPixel];

fn check(operator: &Resize, x: &Array4<i8>, expected: &Array4<i8>, encodings: Encodings, what: &str) {
    assert_eq!(&operator.output_shape()[..], expected.shape());
    let mut found = vec![0xaa; expected.len()];
    operator.run(&bytes(x, encodings.input), &mut found);
    assert!(found == bytes(expected, encodings.output), "{what} {encodings:?} {:?}", x.shape());
}

#[test]
fn resizes_equal_the_reference() {
    let shapes = [[1, 1, 1, 1], [2, 3, 5, 3], [1, 4, 4, 16], [1, 7, 2, 65], [2, 5, 9, 8]];
    let sizes = [[1, 1], [2, 7], [8, 8], [10, 18], [3, 4], [14, 4]];
    let fixes = [(4, 4), (4, 6), (5, 2), (0, 300), (300, 0)];
    for (seed, shape) in shapes.into_iter().enumerate() {
        let x = Array4::from_shape_vec(shape, codes(seed as u64, shape.iter().product())).unwrap();
        for ((from, to), size) in fixes.into_iter().flat_map(|fix| sizes.map(|size| (fix, size))) {
            let fix = Rescale { input: from, output: to };
            for coordinates in COORDINATES {
                let nearest = fix.apply(&resize_nearest(&x.view(), size, coordinates).unwrap().view());
                let bilinear = resize_bilinear(&x.view(), size, coordinates, fix).unwrap();
                for (kernels, encodings) in tiers().flat_map(|tier| ENCODINGS.map(|encodings| (tier, encodings))) {
                    for (interpolation, expected) in
                        [(Interpolation::Nearest, &nearest), (Interpolation::Bilinear, &bilinear)]
                    {
                        let operator =
                            Resize::new(kernels, shape, size, interpolation, coordinates, fix, encodings).unwrap();
                        check(&operator, &x, expected, encodings, &format!("{interpolation:?} {:?}", kernels.tier()));
                    }
                }
            }
        }
    }
}

#[test]
fn downsampling_equals_the_reference() {
    for (shape, scale) in [([2, 7, 9, 5], [2.0, 3.0]), ([1, 8, 8, 64], [2.0, 2.0]), ([1, 5, 5, 1], [1.0, 7.5])] {
        let x = Array4::from_shape_vec(shape, codes(7, shape.iter().product())).unwrap();
        for (from, to) in [(3, 3), (3, 5), (5, 3)] {
            let fix = Rescale { input: from, output: to };
            let expected = fix.apply(&downsample(&x.view(), scale).unwrap().view());
            for (kernels, encodings) in tiers().flat_map(|tier| ENCODINGS.map(|encodings| (tier, encodings))) {
                let operator = Resize::downsample(kernels, shape, scale, fix, encodings).unwrap();
                check(&operator, &x, &expected, encodings, "downsample");
            }
        }
    }
}

#[test]
fn wrong_sizes_are_named() {
    let kernels = tiers().next().unwrap();
    let new = |input, size| {
        let (nearest, coordinates) = (Interpolation::Nearest, Coordinates::Asymmetric);
        Resize::new(kernels, input, size, nearest, coordinates, Rescale::none(0), ENCODINGS[0]).unwrap_err().to_string()
    };
    assert_eq!(new([1, 2, 2, 1], [0, 3]), "resize: output size [h, w] = [0, 3] is empty");
    assert_eq!(new([1, 0, 2, 1], [2, 3]), "resize: input has shape [1, 0, 2, 1], expected 1 to 2147483648 elements");
}
