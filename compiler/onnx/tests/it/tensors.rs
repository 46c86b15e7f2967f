//! Elements from every field and of every type.

use dpuc_onnx::{ElementType, Elements, Tensor, TensorError};

fn tensor(element: ElementType, dims: &[i64]) -> Tensor {
    Tensor { dims: dims.to_vec(), data_type: element.0, ..Tensor::default() }
}

fn raw(element: ElementType, dims: &[i64], bytes: &[u8]) -> Result<Elements, TensorError> {
    Tensor { raw_data: Some(bytes.to_vec().into()), ..tensor(element, dims) }.elements()
}

#[test]
fn raw_elements_of_every_type() {
    let cases: [(ElementType, i64, &[u8], Elements); 13] = [
        (ElementType::FLOAT, 1, &[0, 0, 0xc0, 0x3f], Elements::Floats(vec![1.5])),
        (ElementType::FLOAT16, 2, &[0, 0x3e, 0, 0xfc], Elements::Floats(vec![1.5, f32::NEG_INFINITY])),
        (ElementType::BFLOAT16, 1, &[0xc0, 0x3f], Elements::Floats(vec![1.5])),
        (ElementType::DOUBLE, 1, &[0, 0, 0, 0, 0, 0, 0xf8, 0x3f], Elements::Doubles(vec![1.5])),
        (ElementType::BOOL, 3, &[0, 1, 7], Elements::Integers(vec![0, 1, 1])),
        (ElementType::UINT8, 2, &[0, 255], Elements::Integers(vec![0, 255])),
        (ElementType::INT8, 2, &[0, 255], Elements::Integers(vec![0, -1])),
        (ElementType::UINT16, 1, &[1, 0xff], Elements::Integers(vec![0xff01])),
        (ElementType::INT16, 1, &[0xfe, 0xff], Elements::Integers(vec![-2])),
        (ElementType::INT32, 1, &[0xfd, 0xff, 0xff, 0xff], Elements::Integers(vec![-3])),
        (ElementType::INT64, 1, &[0xfc, 255, 255, 255, 255, 255, 255, 255], Elements::Integers(vec![-4])),
        (ElementType::UINT4, 3, &[0xf1, 0x07], Elements::Integers(vec![1, 15, 7])),
        (ElementType::INT4, 3, &[0xf1, 0x08], Elements::Integers(vec![1, -1, -8])),
    ];
    for (element, count, bytes, expected) in cases {
        assert_eq!(raw(element, &[count], bytes), Ok(expected), "{element}");
    }
}

#[test]
fn elements_in_fields() {
    let narrow = |element, dims: &[i64], values: &[i32]| {
        Tensor { int32_data: values.to_vec(), ..tensor(element, dims) }.elements()
    };
    assert_eq!(narrow(ElementType::INT8, &[2], &[-1, 3]), Ok(Elements::Integers(vec![-1, 3])));
    assert_eq!(narrow(ElementType::FLOAT16, &[1], &[0x3e00]), Ok(Elements::Floats(vec![1.5])));
    assert_eq!(narrow(ElementType::UINT4, &[3], &[0xf1, 0x07]), Ok(Elements::Integers(vec![1, 15, 7])));
    let floats = Tensor { float_data: vec![1.0, 2.0], ..tensor(ElementType::FLOAT, &[1, 2]) };
    assert_eq!(floats.elements(), Ok(Elements::Floats(vec![1.0, 2.0])));
    let large = Tensor { uint64_data: vec![u64::MAX], ..tensor(ElementType::UINT64, &[]) };
    assert_eq!(large.elements(), Err(TensorError::Range(u64::MAX)));
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    let message = |result: Result<Elements, TensorError>| result.unwrap_err().to_string();
    insta::assert_snapshot!(message(raw(ElementType::FLOAT, &[2, 2], &[0; 12])), @"dimensions [2, 2] need 4 float elements, but the file has 12 bytes");
    insta::assert_snapshot!(message(tensor(ElementType::FLOAT, &[2]).elements()), @"dimensions [2] need 2 float elements, but the file has 0 elements");
    insta::assert_snapshot!(message(raw(ElementType::FLOAT, &[-1], &[])), @"dimensions [-1] make no tensor");
    insta::assert_snapshot!(message(raw(ElementType::FLOAT, &[i64::MAX, 8], &[])), @"dimensions [9223372036854775807, 8] make no tensor");
    insta::assert_snapshot!(message(raw(ElementType(17), &[1], &[0])), @"elements of type float8e4m3fn cannot be read; float, float16, bfloat16, double, bool and integers of 4 to 64 bits can");
    insta::assert_snapshot!(message(raw(ElementType::STRING, &[1], &[0])), @"elements of type string cannot be read; float, float16, bfloat16, double, bool and integers of 4 to 64 bits can");
}
