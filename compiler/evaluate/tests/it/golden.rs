//! Recorded tensors.

use std::path::Path;

use dpuc_evaluate::Tensor;
use npyz::npz::NpzArchive;
use npyz::{DType, TypeChar};

/// All tensors of an `.npz` file with their names, ordered by name.
pub(crate) fn read(path: &Path) -> Vec<(String, Tensor)> {
    let mut archive = NpzArchive::open(path).unwrap();
    let mut names: Vec<String> = archive.array_names().map(str::to_owned).collect();
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let file = archive.by_name(&name).unwrap().unwrap();
            let shape: Vec<usize> = file.shape().iter().map(|&dim| dim as usize).collect();
            let DType::Plain(element) = file.dtype() else { panic!("{name} has a structured type") };
            let tensor = match element.type_char() {
                TypeChar::Int => Tensor::from_i8(&shape, file.into_vec().unwrap()),
                TypeChar::Float => Tensor::from_f32(&shape, file.into_vec().unwrap()),
                other => panic!("{name} has elements of type {other}"),
            };
            (name, tensor.unwrap())
        })
        .collect()
}

/// Panics with the first difference.
pub(crate) fn assert_equal(name: &str, found: &Tensor, expected: &Tensor) {
    assert_eq!(found.shape(), expected.shape(), "shape of {name}");
    let difference = match (found, expected) {
        (Tensor::I8(found), Tensor::I8(expected)) => {
            let different = found.iter().zip(expected).filter(|(found, expected)| found != expected).count();
            found.indexed_iter().zip(expected).find(|((_, found), expected)| found != expected).map(
                |((index, found), expected)| {
                    format!("{different} differ, first {found} instead of {expected} at {index:?}")
                },
            )
        }
        (Tensor::F32(found), Tensor::F32(expected)) => {
            let same = |found: f32, expected: f32| found.to_bits() == expected.to_bits();
            let different = found.iter().zip(expected).filter(|&(&found, &expected)| !same(found, expected)).count();
            found.indexed_iter().zip(expected).find(|&((_, &found), &expected)| !same(found, expected)).map(
                |((index, found), expected)| {
                    format!("{different} differ, first {found} instead of {expected} at {index:?}")
                },
            )
        }
        _ => Some("element types differ".to_owned()),
    };
    assert_eq!(difference, None, "{name}");
}
