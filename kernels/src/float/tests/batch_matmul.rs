//! Products of variable matrices, and products of one row.

use ndarray::{Array2, Array4};

use super::shared::{Random, elements, in_pools, tiers};
use crate::float::{BatchMatmul, Matmul};

/// Whole numbers, whose sums are exact in any order.
#[test]
fn stacks_equal_their_definition() {
    let mut random = Random(5);
    let cases = [
        ([1, 1, 1, 1], [1, 1, 1, 1]),
        ([2, 3, 5, 7], [2, 3, 7, 4]),
        ([2, 1, 17, 64], [1, 3, 64, 65]),
        ([1, 1, 1, 1200], [3, 2, 1200, 33]),
        ([1, 2, 40, 3], [1, 2, 3, 16]),
    ];
    for (left, right) in cases {
        let (lhs, rhs): (Array4<f32>, Array4<f32>) = (random.whole(left), random.whole(right));
        let [n, m] = [left[0].max(right[0]), left[1].max(right[1])];
        let expected = Array4::from_shape_fn([n, m, left[2], right[3]], |(a, b, row, column)| {
            let at = |shape: [usize; 4]| [a.min(shape[0] - 1), b.min(shape[1] - 1)];
            let ([c, d], [e, f]) = (at(left), at(right));
            (0..left[3]).map(|k| lhs[[c, d, row, k]] * rhs[[e, f, k, column]]).sum::<f32>()
        });
        for kernels in tiers() {
            let operator = BatchMatmul::new(kernels, &left, &right).unwrap();
            assert_eq!(operator.output_shape(), expected.shape());
            let found = in_pools(|| {
                let mut scratch = vec![f32::NAN; operator.scratch_elements()];
                let mut output = vec![f32::NAN; expected.len()];
                operator.run(elements(&lhs), elements(&rhs), &mut output, &mut scratch);
                output
            });
            for found in found {
                assert!(found == elements(&expected), "{:?} {left:?} {right:?}", kernels.tier());
            }
        }
    }
}

#[test]
fn stacks_that_do_not_fit_are_named() {
    let kernels = tiers().next().unwrap();
    let new = |lhs: &[usize], rhs: &[usize]| BatchMatmul::new(kernels, lhs, rhs).unwrap_err().to_string();
    assert_eq!(new(&[2, 3], &[4]), "batch_matmul: rhs has shape [4], expected stacks of matrices, as [2, 3]");
    let message = "batch_matmul: rhs has shape [4, 2], expected a stack whose matrices have 3 rows, as [2, 3]";
    assert_eq!(new(&[2, 3], &[4, 2]), message);
    assert!(new(&[2, 2, 3], &[3, 3, 2]).contains("[3, 3, 2]"));
}

/// The columns of a single row are divided between threads; its bits do not tell.
#[test]
fn one_row_is_the_same_in_any_number_of_threads() {
    let mut random = Random(6);
    let (row, matrix): (Array2<f32>, Array2<f32>) = (random.real([1, 700]), random.real([700, 1003]));
    for kernels in tiers() {
        let operator = Matmul::new(kernels, &matrix.view(), None, None).unwrap();
        let [one, three] = in_pools(|| {
            let mut output = vec![f32::NAN; 1003];
            operator.run(elements(&row), &mut output);
            output
        });
        assert_eq!(one, three, "{:?}", kernels.tier());
        let mut both = vec![f32::NAN; 2 * 1003];
        operator.run(&[elements(&row), elements(&row)].concat(), &mut both);
        assert_eq!(both[..1003], one, "{:?}", kernels.tier());
    }
}
