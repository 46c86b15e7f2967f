//! Attribute values in the orders and kinds of the file format (`spec/xmodel.md` sections 1.7, 1.8 and 3.6).

use dpuc_xmodel::{Attr, AttrMap, Attributed, DataType, Tensor};

use crate::placement::{Placement, region};

/// `[height, width]` as `[w, h]`.
pub(super) fn width_first(pair: [u32; 2]) -> Attr {
    Attr::Int32Vec(vec![pair[1] as i32, pair[0] as i32])
}

/// The same as floats.
pub(super) fn width_first_floats(pair: [f32; 2]) -> Attr {
    Attr::FloatVec(vec![pair[1], pair[0]])
}

/// `[top, left, bottom, right]` as `[left, right, top, bottom]`.
pub(super) fn pad_order([top, left, bottom, right]: [u32; 4]) -> Attr {
    Attr::Int32Vec([left, right, top, bottom].map(|pad| pad as i32).to_vec())
}

/// A list of 32-bit integers; `None` if one needs more bits.
pub(super) fn int32_list(values: &[i64]) -> Option<Attr> {
    values.iter().map(|&value| i32::try_from(value).ok()).collect::<Option<Vec<i32>>>().map(Attr::Int32Vec)
}

/// Dimensions as the format has them; `None` if one needs more than 31 bits.
pub(super) fn dims(shape: &[usize]) -> Option<Vec<i32>> {
    shape.iter().map(|&dim| i32::try_from(dim).ok()).collect()
}

/// The attributes of fixed-point tensors and of conversions from and to them.
pub(super) fn fix_attributes(fix_point: i32) -> AttrMap {
    let attributes = [
        ("fix_point", Attr::Int32(fix_point)),
        ("bit_width", Attr::Int32(8)),
        ("round_mode", Attr::from("DPU_ROUND")),
        ("if_signed", Attr::Bool(true)),
    ];
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// An int8 tensor.
pub(super) fn fixed_tensor(name: String, dims: Vec<i32>, fix_point: i32) -> Tensor {
    let mut tensor = Tensor::new(name, dims, DataType::XINT8);
    tensor.attrs = fix_attributes(fix_point);
    tensor
}

/// Adds the place of a tensor inside a DPU subgraph; constants have no strides.
pub(super) fn set_place(tensor: &mut Tensor, place: &Placement, strides: bool) {
    if place.region == region::ON_CHIP {
        tensor.set_attr("reg_id", i32::from(region::WORKSPACE));
        tensor.set_attr("ddr_addr", 0);
        tensor.set_attr("location", 0);
        return;
    }
    tensor.set_attr("reg_id", i32::from(place.region));
    tensor.set_attr("ddr_addr", place.address as i32);
    tensor.set_attr("location", 1);
    if strides {
        tensor.set_attr("stride", place.strides.iter().map(|&stride| stride as i32).collect::<Vec<i32>>());
    }
}
