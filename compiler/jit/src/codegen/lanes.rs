//! Numbers of a loop body for several points at once, in 128-bit registers.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{ConstantData, InstBuilder, MemFlagsData, Type, Value, types};
use cranelift_frontend::FunctionBuilder;
use dpuc_kernels::int8::Encoding;

use crate::loops::{Binary, Predicate, Rounding, Unary};

/// How many points are computed at once, and in which machine integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// 1, 4 or 16.
    pub(super) lanes: usize,
    /// Integers: `I16` or `I32` in vectors, `I32` or `I64` in scalars.
    pub(super) width: Type,
}

/// The registers of one number, points in order.
pub(super) type Registers = Vec<Value>;

/// Vectors are unaligned; every access is inside its buffer.
fn memory() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

/// Where codes or floats are loaded from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) address: Value,
    pub(super) encoding: Encoding,
    /// Whether the memory never changes while the function runs, so that a load may leave a loop.
    pub(super) is_fixed: bool,
}

impl Source {
    fn memory(self) -> MemFlagsData {
        if self.is_fixed { memory().with_readonly().with_can_move() } else { memory() }
    }
}

/// Emits the operations of a shape.
pub(super) struct Lanes<'a, 'b> {
    pub(super) builder: &'a mut FunctionBuilder<'b>,
    pub(super) shape: Shape,
}

impl Lanes<'_, '_> {
    const fn is_scalar(&self) -> bool {
        self.shape.lanes == 1
    }

    /// The type of a register of integers.
    pub(super) fn integer_type(&self) -> Type {
        match (self.is_scalar(), self.shape.width) {
            (true, width) => width,
            (false, types::I16) => types::I16X8,
            (false, _) => types::I32X4,
        }
    }

    /// The type of a register of floats.
    pub(super) const fn real_type(&self) -> Type {
        if self.is_scalar() { types::F32 } else { types::F32X4 }
    }

    fn integer_registers(&self) -> usize {
        self.shape.lanes.div_ceil(self.integer_type().lane_count() as usize)
    }

    fn real_registers(&self) -> usize {
        self.shape.lanes.div_ceil(4)
    }

    fn map(&mut self, x: &[Value], mut map: impl FnMut(&mut Self, Value) -> Value) -> Registers {
        x.iter().map(|&x| map(self, x)).collect()
    }

    fn zip(&mut self, a: &[Value], b: &[Value], mut map: impl FnMut(&mut Self, Value, Value) -> Value) -> Registers {
        a.iter().zip(b).map(|(&a, &b)| map(self, a, b)).collect()
    }

    /// An integer literal in every lane.
    pub(super) fn integer(&mut self, value: i64) -> Registers {
        let one = if self.is_scalar() {
            self.builder.ins().iconst(self.shape.width, value)
        } else {
            let bytes = match self.shape.width {
                types::I16 => (value as i16).to_le_bytes().repeat(8),
                _ => (value as i32).to_le_bytes().repeat(4),
            };
            self.vector(self.integer_type(), bytes)
        };
        vec![one; self.integer_registers()]
    }

    /// A float literal in every lane.
    pub(super) fn real(&mut self, value: f32) -> Registers {
        let one = self.real_register(value);
        vec![one; self.real_registers()]
    }

    fn real_register(&mut self, value: f32) -> Value {
        if self.is_scalar() {
            self.builder.ins().f32const(value)
        } else {
            self.vector(types::F32X4, value.to_bits().to_le_bytes().repeat(4))
        }
    }

    fn vector(&mut self, ty: Type, bytes: Vec<u8>) -> Value {
        let constant = self.builder.func.dfg.constants.insert(ConstantData::from(bytes));
        self.builder.ins().vconst(ty, constant)
    }

    /// Codes at an address, one after the other.
    pub(super) fn load_codes(&mut self, source: Source) -> Registers {
        if self.is_scalar() {
            let narrow = self.builder.ins().load(types::I8, source.memory(), source.address, 0);
            let narrow = self.recoded(narrow, source.encoding);
            return vec![self.builder.ins().sextend(self.shape.width, narrow)];
        }
        let bytes = self.builder.ins().load(types::I8X16, source.memory(), source.address, 0);
        let bytes = self.recoded(bytes, source.encoding);
        self.widen(bytes)
    }

    /// Bytes of an encoding as signed bytes, or the other way round.
    fn recoded(&mut self, bytes: Value, encoding: Encoding) -> Value {
        if encoding == Encoding::Signed {
            return bytes;
        }
        let ty = self.builder.func.dfg.value_type(bytes);
        let mask = if ty.is_vector() {
            self.vector(ty, vec![encoding.mask(); 16])
        } else {
            self.builder.ins().iconst(ty, i64::from(encoding.mask()))
        };
        self.builder.ins().bxor(bytes, mask)
    }

    /// Copies codes from one encoding to another.
    pub(super) fn copy_codes(&mut self, from: Value, to: Value, encodings: [Encoding; 2]) {
        let ty = if self.is_scalar() { types::I8 } else { types::I8X16 };
        let bytes = self.builder.ins().load(ty, memory(), from, 0);
        let changes = encodings[0] != encodings[1];
        let bytes = self.recoded(bytes, if changes { Encoding::Offset } else { Encoding::Signed });
        self.builder.ins().store(memory(), bytes, to, 0);
    }

    /// 16 signed bytes in the integers of the shape.
    fn widen(&mut self, bytes: Value) -> Registers {
        let halves = [self.builder.ins().swiden_low(bytes), self.builder.ins().swiden_high(bytes)];
        if self.shape.width == types::I16 { halves.to_vec() } else { self.widen_halves(&halves) }
    }

    fn widen_halves(&mut self, halves: &[Value]) -> Registers {
        let both = |&half: &Value| [self.builder.ins().swiden_low(half), self.builder.ins().swiden_high(half)];
        halves.iter().flat_map(both).collect()
    }

    /// One code in every lane.
    pub(super) fn splat_code(&mut self, source: Source) -> Registers {
        let narrow = self.builder.ins().load(types::I8, source.memory(), source.address, 0);
        let narrow = self.recoded(narrow, source.encoding);
        let wide = self.builder.ins().sextend(self.shape.width, narrow);
        self.splat_integer(wide)
    }

    fn splat_integer(&mut self, wide: Value) -> Registers {
        let ty = self.integer_type();
        let one = if self.is_scalar() { wide } else { self.builder.ins().splat(ty, wide) };
        vec![one; self.integer_registers()]
    }

    /// Floats at an address, one after the other.
    pub(super) fn load_reals(&mut self, source: Source) -> Registers {
        let (ty, bytes) = (self.real_type(), self.real_type().bytes() as i32);
        (0..self.real_registers())
            .map(|at| self.builder.ins().load(ty, source.memory(), source.address, at as i32 * bytes))
            .collect()
    }

    /// One float in every lane.
    pub(super) fn splat_real(&mut self, source: Source) -> Registers {
        let one = self.builder.ins().load(types::F32, source.memory(), source.address, 0);
        let one = if self.is_scalar() { one } else { self.builder.ins().splat(types::F32X4, one) };
        vec![one; self.real_registers()]
    }

    /// Stores integers as signed bytes, saturated.
    pub(super) fn store_codes(&mut self, x: &[Value], address: Value, encoding: Encoding) {
        if self.is_scalar() {
            let byte = self.builder.ins().ireduce(types::I8, x[0]);
            let byte = self.recoded(byte, encoding);
            self.builder.ins().store(memory(), byte, address, 0);
            return;
        }
        let halves = if self.shape.width == types::I16 { x.to_vec() } else { self.narrow(x) };
        let bytes = self.builder.ins().snarrow(halves[0], halves[1]);
        let bytes = self.recoded(bytes, encoding);
        self.builder.ins().store(memory(), bytes, address, 0);
    }

    /// 32-bit registers as 16-bit ones, saturated.
    fn narrow(&mut self, x: &[Value]) -> Registers {
        x.chunks_exact(2).map(|pair| self.builder.ins().snarrow(pair[0], pair[1])).collect()
    }

    /// Stores floats.
    pub(super) fn store_reals(&mut self, x: &[Value], address: Value) {
        let bytes = self.real_type().bytes() as i32;
        for (at, &x) in x.iter().enumerate() {
            self.builder.ins().store(memory(), x, address, at as i32 * bytes);
        }
    }

    /// A function of two integers.
    pub(super) fn integers(&mut self, binary: Binary, a: &[Value], b: &[Value]) -> Registers {
        self.zip(a, b, |lanes, a, b| lanes.integer_register(binary, a, b))
    }

    fn integer_register(&mut self, binary: Binary, a: Value, b: Value) -> Value {
        let scalar = self.is_scalar();
        match binary {
            Binary::Add => self.builder.ins().iadd(a, b),
            Binary::Sub => self.builder.ins().isub(a, b),
            Binary::Mul | Binary::Div => self.builder.ins().imul(a, b),
            Binary::Max if !scalar => self.builder.ins().smax(a, b),
            Binary::Min if !scalar => self.builder.ins().smin(a, b),
            Binary::Max | Binary::Min => {
                let condition = if binary == Binary::Max { IntCC::SignedGreaterThan } else { IntCC::SignedLessThan };
                let first = self.builder.ins().icmp(condition, a, b);
                self.builder.ins().select(first, a, b)
            }
        }
    }

    /// `x * 2^n`
    pub(super) fn shift_left(&mut self, x: &[Value], n: u32) -> Registers {
        let n = self.builder.ins().iconst(types::I32, i64::from(n));
        self.map(x, |lanes, x| lanes.builder.ins().ishl(x, n))
    }

    /// `floor(x / 2^n)`
    pub(super) fn shift_right(&mut self, x: &[Value], n: u32) -> Registers {
        let n = self.builder.ins().iconst(types::I32, i64::from(n.min(self.shape.width.bits() - 1)));
        self.map(x, |lanes, x| lanes.builder.ins().sshr(x, n))
    }

    /// `floor(x / 2^n + 1/2) = floor((floor(x / 2^(n-1)) + 1) / 2)`
    pub(super) fn round_shift(&mut self, x: &[Value], n: u32) -> Registers {
        let halves = if n > 1 { self.shift_right(x, n - 1) } else { x.to_vec() };
        let one = self.integer(1);
        let up = self.integers(Binary::Add, &halves, &one);
        self.shift_right(&up, 1)
    }

    /// `x < 0 ? a : b` of integers.
    pub(super) fn if_negative_integer(&mut self, x: &[Value], a: &[Value], b: &[Value]) -> Registers {
        let zero = self.integer(0);
        (0..x.len())
            .map(|at| {
                let below = self.builder.ins().icmp(IntCC::SignedLessThan, x[at], zero[at]);
                self.select(below, a[at], b[at])
            })
            .collect()
    }

    /// `x < 0 ? a : b` of floats.
    pub(super) fn if_negative_real(&mut self, x: &[Value], a: &[Value], b: &[Value]) -> Registers {
        let zero = self.real_register(0.0);
        (0..x.len())
            .map(|at| {
                let below = self.builder.ins().fcmp(FloatCC::LessThan, x[at], zero);
                self.select(below, a[at], b[at])
            })
            .collect()
    }

    /// A function of one float.
    pub(super) fn unary(&mut self, unary: Unary, x: &[Value]) -> Registers {
        self.map(x, |lanes, x| match unary {
            Unary::Abs => lanes.builder.ins().fabs(x),
            Unary::Sqrt => lanes.builder.ins().sqrt(x),
            Unary::Floor => lanes.builder.ins().floor(x),
            Unary::Ceil => lanes.builder.ins().ceil(x),
        })
    }

    /// 1 where the comparison of two floats holds, 0 elsewhere.
    pub(super) fn compare(&mut self, predicate: Predicate, a: &[Value], b: &[Value]) -> Registers {
        let (one, zero) = (self.real_register(1.0), self.real_register(0.0));
        let condition = match predicate {
            Predicate::Eq => FloatCC::Equal,
            Predicate::Ne => FloatCC::NotEqual,
            Predicate::Lt => FloatCC::LessThan,
            Predicate::Le => FloatCC::LessThanOrEqual,
            Predicate::Gt => FloatCC::GreaterThan,
            Predicate::Ge => FloatCC::GreaterThanOrEqual,
        };
        self.zip(a, b, |lanes, a, b| {
            let holds = lanes.builder.ins().fcmp(condition, a, b);
            lanes.select(holds, one, zero)
        })
    }

    /// `x != 0 ? a : b` of floats.
    pub(super) fn choose(&mut self, x: &[Value], a: &[Value], b: &[Value]) -> Registers {
        let zero = self.real_register(0.0);
        (0..x.len())
            .map(|at| {
                let is_set = self.builder.ins().fcmp(FloatCC::NotEqual, x[at], zero);
                self.select(is_set, a[at], b[at])
            })
            .collect()
    }

    /// `condition ? a : b`, the condition of the comparison of the same registers.
    fn select(&mut self, condition: Value, a: Value, b: Value) -> Value {
        if self.is_scalar() {
            return self.builder.ins().select(condition, a, b);
        }
        let ty = self.builder.func.dfg.value_type(a);
        let flags = MemFlagsData::new().with_endianness(cranelift_codegen::ir::Endianness::Little);
        let condition =
            if ty.lane_type().is_float() { self.builder.ins().bitcast(ty, flags, condition) } else { condition };
        self.builder.ins().bitselect(condition, a, b)
    }

    /// A function of two floats.
    pub(super) fn reals(&mut self, binary: Binary, a: &[Value], b: &[Value]) -> Registers {
        self.zip(a, b, |lanes, a, b| lanes.real_pair(binary, a, b))
    }

    /// One register of a function of two floats.
    fn real_pair(&mut self, binary: Binary, a: Value, b: Value) -> Value {
        match binary {
            Binary::Add => self.builder.ins().fadd(a, b),
            Binary::Sub => self.builder.ins().fsub(a, b),
            Binary::Mul => self.builder.ins().fmul(a, b),
            Binary::Div => self.builder.ins().fdiv(a, b),
            // `a > b ? a : b`, and `a` if `b` is no number.
            Binary::Max | Binary::Min => {
                let condition = if binary == Binary::Max { FloatCC::GreaterThan } else { FloatCC::LessThan };
                let first = self.builder.ins().fcmp(condition, a, b);
                let better = self.select(first, a, b);
                let missing = self.builder.ins().fcmp(FloatCC::Unordered, b, b);
                self.select(missing, a, better)
            }
        }
    }

    /// Floats clamped to bounds; NaN stays.
    pub(super) fn clamp(&mut self, x: &[Value], low: f32, high: f32) -> Registers {
        let (low, high) = (self.real_register(low), self.real_register(high));
        self.map(x, |lanes, x| {
            let below = lanes.builder.ins().fcmp(FloatCC::LessThan, x, low);
            let bounded = lanes.select(below, low, x);
            let above = lanes.builder.ins().fcmp(FloatCC::GreaterThan, bounded, high);
            lanes.select(above, high, bounded)
        })
    }

    /// Integral floats. The distance of `x` from its floor, or of a magnitude from its integral part, is exact at 1/2 and on either side
    /// of it, so one comparison decides.
    pub(super) fn round(&mut self, rounding: Rounding, x: &[Value]) -> Registers {
        let (half, one, zero) = (self.real_register(0.5), self.real_register(1.0), self.real_register(0.0));
        self.map(x, |lanes, x| match rounding {
            Rounding::Even => lanes.builder.ins().nearest(x),
            Rounding::Up => {
                let floor = lanes.builder.ins().floor(x);
                let rest = lanes.builder.ins().fsub(x, floor);
                let is_up = lanes.builder.ins().fcmp(FloatCC::GreaterThanOrEqual, rest, half);
                let step = lanes.select(is_up, one, zero);
                lanes.builder.ins().fadd(floor, step)
            }
            Rounding::Away => {
                let magnitude = lanes.builder.ins().fabs(x);
                let floor = lanes.builder.ins().floor(magnitude);
                let rest = lanes.builder.ins().fsub(magnitude, floor);
                let is_up = lanes.builder.ins().fcmp(FloatCC::GreaterThanOrEqual, rest, half);
                let step = lanes.select(is_up, one, zero);
                let rounded = lanes.builder.ins().fadd(floor, step);
                lanes.copy_sign(rounded, x)
            }
        })
    }

    /// The magnitude of one float with the sign of another.
    fn copy_sign(&mut self, magnitude: Value, sign: Value) -> Value {
        let mask = self.real_register(-0.0);
        self.builder.ins().bitselect(mask, sign, magnitude)
    }

    /// Integers of at most 24 bits as floats.
    pub(super) fn real_of(&mut self, x: &[Value]) -> Registers {
        let ty = self.real_type();
        let wide = if self.shape.width == types::I16 { self.widen_halves(x) } else { x.to_vec() };
        self.map(&wide, |lanes, x| lanes.builder.ins().fcvt_from_sint(ty, x))
    }

    /// The signed bytes nearest to integral floats; NaN gives 0.
    pub(super) fn code_of(&mut self, x: &[Value]) -> Registers {
        let ty = if self.is_scalar() { types::I32 } else { types::I32X4 };
        let wide = self.map(x, |lanes, x| lanes.builder.ins().fcvt_to_sint_sat(ty, x));
        let wide = match (self.is_scalar(), self.shape.width) {
            (true, types::I64) => self.map(&wide, |lanes, x| lanes.builder.ins().sextend(types::I64, x)),
            (false, types::I16) => self.narrow(&wide),
            _ => wide,
        };
        let (low, high) = (self.integer(-128), self.integer(127));
        let wide = self.integers(Binary::Max, &wide, &low);
        self.integers(Binary::Min, &wide, &high)
    }

    /// Floats in double precision, twice as many registers.
    pub(super) fn promote(&mut self, x: &[Value]) -> Registers {
        if self.is_scalar() {
            return self.map(x, |lanes, x| lanes.builder.ins().fpromote(types::F64, x));
        }
        let halves = |&x: &Value| {
            let high = self.shuffle(x, x, [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
            [self.builder.ins().fvpromote_low(x), self.builder.ins().fvpromote_low(high)]
        };
        x.iter().flat_map(halves).collect()
    }

    /// Doubles over a count, rounded to floats.
    pub(super) fn demote(&mut self, x: &[Value], count: f64) -> Registers {
        let x = if count.to_bits() == 1f64.to_bits() { x.to_vec() } else { self.divide(x, count) };
        if self.is_scalar() {
            return self.map(&x, |lanes, x| lanes.builder.ins().fdemote(types::F32, x));
        }
        let mut floats = Vec::with_capacity(x.len() / 2);
        for pair in x.chunks_exact(2) {
            let [low, high] = [pair[0], pair[1]].map(|x| self.builder.ins().fvdemote(x));
            floats.push(self.shuffle(low, high, [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]));
        }
        floats
    }

    fn divide(&mut self, x: &[Value], count: f64) -> Registers {
        let divisor = self.builder.ins().f64const(count);
        let divisor = if self.is_scalar() { divisor } else { self.builder.ins().splat(types::F64X2, divisor) };
        self.map(x, |lanes, x| lanes.builder.ins().fdiv(x, divisor))
    }

    /// Bytes of two float registers.
    fn shuffle(&mut self, a: Value, b: Value, bytes: [u8; 16]) -> Value {
        let flags = MemFlagsData::new().with_endianness(cranelift_codegen::ir::Endianness::Little);
        let mask = self.builder.func.dfg.immediates.push(ConstantData::from(bytes.to_vec()));
        let [a, b] = [a, b].map(|x| self.builder.ins().bitcast(types::I8X16, flags, x));
        let shuffled = self.builder.ins().shuffle(a, b, mask);
        self.builder.ins().bitcast(types::F32X4, flags, shuffled)
    }

    /// The lanes of registers one by one, as scalars.
    pub(super) fn extract(&mut self, x: &[Value]) -> Vec<Value> {
        let mut scalars = Vec::new();
        for &x in x {
            let ty = self.builder.func.dfg.value_type(x);
            for lane in 0..ty.lane_count() {
                scalars.push(self.builder.ins().extractlane(x, lane as u8));
            }
        }
        scalars
    }
}
