//! Operations that move elements.

use dpuc_dialects::dialects::int8;
use dpuc_dialects::{Attribute, ValueId};

use crate::Net;

impl Net {
    fn fix(&self, value: ValueId) -> i32 {
        self.ir.fix_of(value).expect("a fixed-point value")
    }

    /// An operation that only the host has and that changes nothing but the fix point.
    pub fn host(&mut self, input: ValueId, fix: i32) -> ValueId {
        let shape = self.shape(input);
        let attributes = [("scale", Attribute::ints([1, 1])), ("align_corners", Attribute::Bool(true))];
        self.op(&int8::UPSAMPLE, &[input], &attributes, &shape, fix)
    }

    /// Every `strides`-th element from `begin` up to `end`, for each dimension.
    pub fn slice(&mut self, input: ValueId, begin: &[usize], end: &[usize], strides: &[usize]) -> ValueId {
        let fix = self.fix(input);
        let shape: Vec<usize> =
            begin.iter().zip(end).zip(strides).map(|((begin, end), stride)| (end - begin).div_ceil(*stride)).collect();
        let list = |values: &[usize]| Attribute::ints(values.iter().map(|&value| value as i64));
        let attributes = [("begin", list(begin)), ("end", list(end)), ("strides", list(strides))];
        self.op(&int8::STRIDED_SLICE, &[input], &attributes, &shape, fix)
    }

    /// Dimensions in another order.
    pub fn transpose(&mut self, input: ValueId, order: &[usize]) -> ValueId {
        let (shape, fix) = (self.shape(input), self.fix(input));
        let attributes = [("order", Attribute::ints(order.iter().map(|&axis| axis as i64)))];
        let shape: Vec<usize> = order.iter().map(|&axis| shape[axis]).collect();
        self.op(&int8::TRANSPOSE, &[input], &attributes, &shape, fix)
    }

    /// Elements before and after each dimension.
    pub fn pad(&mut self, input: ValueId, paddings: &[[usize; 2]], mode: &'static str, value: i64) -> ValueId {
        let fix = self.fix(input);
        let shape: Vec<usize> =
            self.shape(input).iter().zip(paddings).map(|(size, pair)| size + pair[0] + pair[1]).collect();
        let attributes = [
            ("paddings", Attribute::ints(paddings.as_flattened().iter().map(|&padding| padding as i64))),
            ("mode", Attribute::string(mode)),
            ("value", Attribute::int(value)),
        ];
        self.op(&int8::PAD, &[input], &attributes, &shape, fix)
    }

    /// Blocks of pixels into channels.
    pub fn space_to_depth(&mut self, input: ValueId, block: usize, order: &'static str) -> ValueId {
        let (fix, shape) = (self.fix(input), self.shape(input));
        let attributes = [("block", Attribute::int(block as i64)), ("order", Attribute::string(order))];
        let shape = [shape[0], shape[1] / block, shape[2] / block, shape[3] * block * block];
        self.op(&int8::SPACE_TO_DEPTH, &[input], &attributes, &shape, fix)
    }

    /// Channels into blocks of pixels.
    pub fn depth_to_space(&mut self, input: ValueId, block: usize, order: &'static str) -> ValueId {
        let (fix, shape) = (self.fix(input), self.shape(input));
        let attributes = [("block", Attribute::int(block as i64)), ("order", Attribute::string(order))];
        let shape = [shape[0], shape[1] * block, shape[2] * block, shape[3] / (block * block)];
        self.op(&int8::DEPTH_TO_SPACE, &[input], &attributes, &shape, fix)
    }

    /// Bilinear enlargement.
    pub fn interpolate(&mut self, input: ValueId, scale: [usize; 2], half_pixel: bool, fix: i32) -> ValueId {
        let [batch, height, width, channels] = self.shape(input)[..] else { panic!("a map") };
        let attributes = [
            ("scale", Attribute::ints(scale.map(|factor| factor as i64))),
            ("mode", Attribute::string("bilinear")),
            ("half_pixel", Attribute::Bool(half_pixel)),
        ];
        self.op(&int8::UPSAMPLE, &[input], &attributes, &[batch, height * scale[0], width * scale[1], channels], fix)
    }
}
