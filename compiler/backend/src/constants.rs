//! Elements of constant operations.

use std::borrow::Cow;

use dpuc_dialects::weights::{ElementType, Weight};
use dpuc_dialects::{Attribute, Dense, DenseElements, Ir, OpId};

use crate::error::BackendError;
use crate::names::operation_name;

/// The bytes of an `int8.constant` or `dpu.parameter`, C order.
pub(crate) fn int8_elements(ir: &Ir, op: OpId) -> Result<Cow<'_, [u8]>, BackendError> {
    let wrong = |reason: String| BackendError::Constant { name: operation_name(ir, op).to_owned(), reason };
    match ir.attribute(op, "value") {
        Some(Attribute::Symbol(path)) => {
            let weight = find(ir, &path[0]).map_err(wrong)?;
            if weight.element != ElementType::I8 {
                return Err(wrong(format!("`@{}` holds {:?}, but int8 elements are needed", path[0], weight.element)));
            }
            check_length(ir, op, weight.bytes().len()).map_err(wrong)?;
            Ok(Cow::Borrowed(weight.bytes()))
        }
        Some(Attribute::Dense(Dense { elements: DenseElements::Integers(values), .. })) => {
            let bytes: Option<Vec<u8>> =
                values.iter().map(|&value| i8::try_from(value).ok().map(i8::cast_unsigned)).collect();
            let bytes = bytes.ok_or_else(|| wrong("an element is outside -128 to 127".to_owned()))?;
            spread(ir, op, bytes, 1).map(Cow::Owned).map_err(wrong)
        }
        _ => Err(wrong("its elements are neither a symbol nor a list of integers".to_owned())),
    }
}

/// The bytes of an `nn.constant`, little-endian, C order, and the type of its elements.
pub(crate) fn float_elements(ir: &Ir, op: OpId) -> Result<(ElementType, Vec<u8>), BackendError> {
    let wrong = |reason: String| BackendError::Constant { name: operation_name(ir, op).to_owned(), reason };
    let floats = |values: &mut dyn Iterator<Item = f32>| {
        let bytes = values.flat_map(f32::to_le_bytes).collect();
        spread(ir, op, bytes, 4).map(|bytes| (ElementType::F32, bytes)).map_err(wrong)
    };
    match ir.attribute(op, "value") {
        Some(Attribute::Symbol(path)) => {
            let weight = find(ir, &path[0]).map_err(wrong)?;
            check_length(ir, op, weight.bytes().len() / weight.element.bytes()).map_err(wrong)?;
            Ok((weight.element, weight.bytes().to_vec()))
        }
        Some(Attribute::Dense(Dense { elements: DenseElements::Floats(values), .. })) => {
            floats(&mut values.iter().map(|&value| value as f32))
        }
        Some(Attribute::Dense(Dense { elements: DenseElements::Integers(values), .. })) => {
            floats(&mut values.iter().map(|&value| value as f32))
        }
        _ => Err(wrong("its elements are neither a symbol nor a list of numbers".to_owned())),
    }
}

fn find<'a>(ir: &'a Ir, symbol: &str) -> Result<&'a Weight, String> {
    ir.weights.get(symbol).ok_or_else(|| format!("no constant is called `@{symbol}`; is its side file loaded?"))
}

fn element_count(ir: &Ir, op: OpId) -> Option<usize> {
    ir.shape_of(ir.result(op))?.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim))
}

fn check_length(ir: &Ir, op: OpId, found: usize) -> Result<(), String> {
    match element_count(ir, op) {
        Some(count) if count == found => Ok(()),
        Some(count) => Err(format!("its type has {count} elements, but there are {found}")),
        None => Err("its type has no known number of elements".to_owned()),
    }
}

/// Repeats a splat: one element stands for all.
fn spread(ir: &Ir, op: OpId, bytes: Vec<u8>, width: usize) -> Result<Vec<u8>, String> {
    match element_count(ir, op) {
        Some(count) if bytes.len() == width && count <= ELEMENTS_MAX => Ok(bytes.repeat(count)),
        _ => check_length(ir, op, bytes.len() / width).map(|()| bytes),
    }
}

/// Most elements a constant written as one number may have: as many as a DDR region holds.
const ELEMENTS_MAX: usize = 1 << 29;

#[cfg(test)]
mod tests {
    use super::*;
    use dpuc_dialects::OpBuilder;
    use dpuc_dialects::dialects::int8;

    fn constant(ir: &mut Ir, shape: &[usize], value: Attribute) -> OpId {
        let ty = ir.fix_tensor(shape, 0);
        let body = ir.body();
        OpBuilder::new(&int8::CONSTANT).attribute("value", value).result(ty, "").append(ir, body)
    }

    fn dense(ir: &mut Ir, shape: &[usize], values: &[i64]) -> Attribute {
        let ty = ir.fix_tensor(shape, 0);
        Attribute::Dense(Dense { ty, elements: DenseElements::Integers(values.into()) })
    }

    #[test]
    fn splats_and_lists_are_read() {
        let mut ir = Ir::new();
        let splat = dense(&mut ir, &[2, 2], &[-128]);
        let op = constant(&mut ir, &[2, 2], splat);
        assert_eq!(int8_elements(&ir, op).unwrap(), vec![0x80; 4]);
        let list = dense(&mut ir, &[3], &[1, -1, 127]);
        let op = constant(&mut ir, &[3], list);
        assert_eq!(int8_elements(&ir, op).unwrap(), vec![1, 0xff, 127]);
    }

    #[test]
    fn wrong_constants_are_refused_by_name() {
        let mut ir = Ir::new();
        let message = |ir: &Ir, op| int8_elements(ir, op).unwrap_err().to_string();
        let op = constant(&mut ir, &[2], Attribute::symbol("w"));
        assert_eq!(message(&ir, op), "constant `int8.constant`: no constant is called `@w`; is its side file loaded?");
        let values = dense(&mut ir, &[2], &[1, 200]);
        let op = constant(&mut ir, &[2], values);
        assert_eq!(message(&ir, op), "constant `int8.constant`: an element is outside -128 to 127");
        let values = dense(&mut ir, &[3], &[1, 2]);
        let op = constant(&mut ir, &[3], values);
        assert_eq!(message(&ir, op), "constant `int8.constant`: its type has 3 elements, but there are 2");
    }
}
