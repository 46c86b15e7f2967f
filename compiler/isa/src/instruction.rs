//! The instruction table: every field of every instruction, once.
//!
//! One row per field gives word, lowest bit, length, coding and meaning. The macro below turns the table into a struct per
//! instruction (fields hold *natural* values) and into [`Field`] descriptions, from which encoding, decoding, assembly text,
//! documentation and the random generator derive. Source: `spec/dpuczdx8g-isa.md` section 2.3.

use crate::engine::{Engine, EngineSet};

/// How a field stores its natural value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// The value itself, `0 ..= 2^len - 1`.
    Natural,
    /// The value minus one, so `1 ..= 2^len`.
    MinusOne,
}

/// Place, coding and meaning of one field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Name as in assembly text.
    pub name: &'static str,
    /// Word of the instruction, 0 first.
    pub word: u8,
    /// Lowest bit inside the word.
    pub bit: u8,
    /// Number of bits.
    pub len: u8,
    /// How the value is stored.
    pub coding: Coding,
    /// Meaning, in a few words.
    pub doc: &'static str,
}

impl Field {
    /// Smallest legal natural value.
    pub const fn min(&self) -> u32 {
        match self.coding {
            Coding::Natural => 0,
            Coding::MinusOne => 1,
        }
    }

    /// Largest legal natural value.
    pub const fn max(&self) -> u32 {
        self.mask() + self.min()
    }

    /// The field's bits, shifted down to bit 0.
    pub const fn mask(&self) -> u32 {
        ((1u64 << self.len) - 1) as u32
    }

    /// Whether `value` can be stored.
    pub const fn accepts(&self, value: u32) -> bool {
        self.min() <= value && value <= self.max()
    }
}

/// The two dependency masks that every instruction carries in word 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tokens {
    /// `dpdon`: engines this instruction takes one token from before it starts.
    pub wait: EngineSet,
    /// `dpdby`: engines this instruction gives one token to when it completes.
    pub notify: EngineSet,
}

/// What the structs of the table have in common.
pub trait Fields: Default + Into<Instruction> {
    /// The instruction they belong to.
    const OPCODE: Opcode;

    /// Replaces each field's value by what `visit` returns for its description and present value.
    fn map_fields(&mut self, visit: impl FnMut(&'static Field, u32) -> u32);
}

macro_rules! coding {
    (natural) => {
        Coding::Natural
    };
    (minus_one) => {
        Coding::MinusOne
    };
}

macro_rules! instructions {
    ($( $name:ident = $opcode:literal, $engine:ident, words $words:literal, isa1 $isa1:literal, $purpose:literal {
        $( $field:ident: $word:literal, $bit:literal, $len:literal, $coding:ident, $doc:literal; )*
    } )*) => {
        $(
            #[doc = $purpose]
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub struct $name {
                /// Dependency masks.
                pub tokens: Tokens,
                $( #[doc = concat!($doc, ".")] pub $field: u32, )*
            }

            impl Default for $name {
                /// Every field at its smallest legal value, no tokens.
                fn default() -> Self {
                    Self { tokens: Tokens::default(), $( $field: field($word, $bit, $len, coding!($coding), "", "").min(), )* }
                }
            }

            impl From<$name> for Instruction {
                fn from(instruction: $name) -> Self {
                    Self::$name(instruction)
                }
            }

            impl Fields for $name {
                const OPCODE: Opcode = Opcode::$name;

                fn map_fields(&mut self, mut visit: impl FnMut(&'static Field, u32) -> u32) {
                    let mut fields = Opcode::$name.fields().iter();
                    $( if let Some(field) = fields.next() { self.$field = visit(field, self.$field); } )*
                    let _ = (&mut fields, &mut visit);
                }
            }
        )*

        /// One machine instruction with natural field values.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Instruction {
            $( #[doc = $purpose] $name($name), )*
        }

        /// Which instruction, without its fields.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Opcode {
            $( #[doc = $purpose] $name = $opcode, )*
        }

        impl Opcode {
            /// All opcodes in table order.
            pub const ALL: &[Self] = &[$( Self::$name ),*];

            /// Mnemonic in the table's spelling, e.g. `ConvInit`.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$name => stringify!($name), )* }
            }

            /// Engine that executes it.
            pub const fn engine(self) -> Engine {
                match self { $( Self::$name => Engine::$engine, )* }
            }

            /// Length in 32-bit words.
            pub const fn words(self) -> usize {
                match self { $( Self::$name => $words, )* }
            }

            /// Whether ISA-1 targets execute it.
            pub const fn in_isa1(self) -> bool {
                match self { $( Self::$name => $isa1, )* }
            }

            /// What it is for, one sentence.
            pub const fn purpose(self) -> &'static str {
                match self { $( Self::$name => $purpose, )* }
            }

            /// Its fields, without opcode and dependency masks.
            pub const fn fields(self) -> &'static [Field] {
                match self {
                    $( Self::$name => const { &[$( field($word, $bit, $len, coding!($coding), stringify!($field), $doc) ),*] }, )*
                }
            }

            /// The opcode with this number.
            pub const fn from_number(number: u32) -> Option<Self> {
                match number { $( $opcode => Some(Self::$name), )* _ => None }
            }
        }

        impl Instruction {
            /// Which instruction this is.
            pub const fn opcode(&self) -> Opcode {
                match self { $( Self::$name(_) => Opcode::$name, )* }
            }

            /// Dependency masks.
            pub const fn tokens(&self) -> Tokens {
                match self { $( Self::$name(i) => i.tokens, )* }
            }

            /// Dependency masks, to change.
            pub const fn tokens_mut(&mut self) -> &mut Tokens {
                match self { $( Self::$name(i) => &mut i.tokens, )* }
            }

            /// The instruction with every field at its smallest legal value.
            pub fn with_default_fields(opcode: Opcode) -> Self {
                match opcode { $( Opcode::$name => Self::$name($name::default()), )* }
            }

            /// Calls `visit` with each field's description and value, in table order.
            pub fn for_each_field(&self, mut visit: impl FnMut(&'static Field, u32)) {
                match self {
                    $( Self::$name(i) => {
                        let mut fields = Opcode::$name.fields().iter();
                        $( if let Some(f) = fields.next() { visit(f, i.$field); } )*
                        let _ = (i, &mut fields, &mut visit);
                    } )*
                }
            }

            /// Replaces each field's value by what `visit` returns for its description and present value.
            pub fn map_fields(&mut self, visit: impl FnMut(&'static Field, u32) -> u32) {
                match self { $( Self::$name(i) => Fields::map_fields(i, visit), )* }
            }
        }
    };
}

const fn field(word: u8, bit: u8, len: u8, coding: Coding, name: &'static str, doc: &'static str) -> Field {
    Field { name, word, bit, len, coding, doc }
}

instructions! {
    Load = 0x0, Load, words 5, isa1 true, "Copies pixels from DDR to one bank." {
        bank_addr: 0, 0, 12, natural, "line of the first pixel";
        bank_id: 0, 14, 6, natural, "destination bank";
        jump_write: 1, 0, 10, minus_one, "lines between pixels in the bank";
        jump_read: 1, 10, 16, minus_one, "bytes between pixels in DDR";
        length: 2, 0, 10, minus_one, "number of pixels";
        channel: 2, 10, 14, minus_one, "bytes per pixel";
        pad_idx: 2, 27, 5, minus_one, "number of last pixels that `pad_end` acts on";
        reg_id: 3, 0, 3, natural, "DDR region";
        const_value: 3, 8, 8, natural, "constant to write when `broadcast` is 7";
        broadcast: 3, 16, 4, natural, "7 writes the constant instead of data, 0 copies";
        mode_avg: 3, 20, 2, natural, "mean subtraction, which no ISA-1 target has; 0";
        pad_end: 3, 22, 5, natural,
            "bytes zeroed at the end of the first of the `pad_idx` last pixels, counted from the end of its last \
             line; `jump_read` more in each further one";
        pad_start: 3, 27, 5, natural,
            "bytes zeroed at the start of the first pixel; `jump_read` fewer in each further one";
        ddr_addr: 4, 0, 29, natural, "byte offset in the region";
    }
    AluInit = 0x1, Misc, words 6, isa1 true, "Parameters for the following Alu." {
        kernel_w: 0, 0, 8, minus_one, "kernel columns";
        kernel_h: 0, 8, 8, minus_one, "kernel rows";
        exec_mode: 0, 16, 4, natural,
            "0 depthwise, 1 PReLU, 2 average pool, 3 max pool, 4 leaky ReLU, 5 max without padding, 6 depthwise \
             without bias, 7 hard sigmoid, 8 depthwise with 16-bit weights";
        stride_offset_out: 1, 0, 8, natural, "row slot of the first output row, below `stride_out`";
        stride_offset_in: 1, 8, 8, natural, "row slot of the first input row, below `stride_h`";
        stride_w: 1, 16, 8, minus_one, "input columns between output columns";
        stride_h: 1, 24, 8, minus_one, "input rows between output rows, and row interleave of the input map";
        length: 2, 0, 11, minus_one, "number of output columns";
        channel_offset: 2, 11, 5, natural, "trailing channels of each pixel forced to the pad value";
        channel_group: 2, 16, 8, minus_one, "lines per pixel";
        stride_out: 2, 24, 8, minus_one,
            "row interleave of the output map: rows in one bank before the next bank follows";
        shift_prelu_n: 3, 0, 6, natural,
            "shift of negative values in modes 1 and 4: from 32 on right by the value - 32, else left";
        shift_cut: 3, 6, 6, natural,
            "shift of the result: right by the value in modes 0, 6, 7, 8; in modes 2, 3, 5 from 8 on right by the \
             value - 8, else left";
        shift_bias: 3, 12, 6, natural,
            "mode 0: scale of the bias, the sum gains bias * 2^(`shift_bias` - 1); mode 7: fix point of the \
             input; at most 20";
        act_type: 3, 18, 4, natural, "activation in modes 0, 6, 8: 0 none, 1 ReLU, 3 leaky ReLU, 4 ReLU6";
        shift_prelu_p: 3, 22, 6, natural, "shift of other values in modes 1 and 4, coded as `shift_prelu_n`";
        jump_read_endl: 4, 0, 13, minus_one, "lines between the rows of one bank and pass of the input";
        jump_read: 4, 13, 10, minus_one, "lines between pixels of the input";
        multi_factor: 4, 23, 8, natural, "multiplier of modes 2 and 4, a signed byte";
        jump_write_endl: 5, 0, 13, minus_one, "lines between the rows of one bank of the output";
        jump_write: 5, 13, 10, minus_one, "lines between pixels of the output";
        jump_read_weights: 5, 23, 9, natural, "lines between kernel taps in DWCONVW";
    }
    Alu = 0x2, Misc, words 5, isa1 true, "Depthwise convolution, pooling, activation." {
        bank_addr_out: 0, 0, 14, natural, "line of the first output pixel";
        bank_id_out: 0, 14, 6, natural, "bank of the first output row";
        bank_addr_in: 1, 0, 14, natural, "line of input pass 0, column 0";
        bank_id_in: 1, 14, 6, natural, "bank of the first input row";
        valid_pixel_parallel: 1, 20, 3, minus_one, "number of output rows";
        pad_bottom: 1, 23, 8, natural,
            "real rows after the first row of the last window; from `kernel_h` - 1 on there is no padding";
        bank_addr_in_1: 2, 0, 14, natural, "line of input pass 1, column 0";
        pad_right: 2, 14, 8, natural,
            "real columns after the first column of the last window; from `kernel_w` - 1 on there is no padding";
        pad_left: 2, 22, 4, natural, "padding columns at the left";
        pad_top: 2, 26, 4, natural, "padding rows at the top";
        bank_addr_in_2: 3, 0, 14, natural, "line of input pass 2, column 0";
        bank_addr_weights: 3, 14, 14, natural, "line of the weights or slopes in DWCONVW";
        kernel_d: 3, 28, 4, minus_one, "slices of `channel_group` lines that a depthwise mode sums";
        bank_addr_in_3: 4, 0, 14, natural, "line of input pass 3, column 0";
        bank_addr_bias: 4, 14, 14, natural, "line of the bias in BIAS";
    }
    Save = 0x4, Save, words 5, isa1 true, "Copies pixels from one bank to DDR." {
        bank_addr: 0, 0, 12, natural, "line of the first pixel";
        bank_id: 0, 14, 6, natural, "source bank";
        jump_read: 1, 0, 10, minus_one, "lines between pixels in the bank";
        jump_write: 1, 10, 16, minus_one, "bytes between pixels in DDR";
        argmax: 1, 27, 2, natural,
            "2 stores the channel of the first maximum, 3 the maximum, one byte per pixel; 0 and 1 store the \
             channels";
        hp_id: 1, 29, 2, natural, "AXI port, without effect on the result";
        length: 2, 0, 10, minus_one, "number of pixels";
        channel: 2, 10, 12, minus_one, "bytes per pixel";
        reg_id: 3, 0, 3, natural, "DDR region";
        const_value: 3, 8, 8, natural, "constant to store when `const_en` is 1";
        const_en: 3, 16, 1, natural, "1 stores the constant instead of data";
        ddr_addr: 4, 0, 29, natural, "byte offset in the region";
    }
    PoolInit = 0x6, Misc, words 2, isa1 false, "ISA 0: parameters for the following Pool." {
        jump_read: 0, 0, 10, minus_one, "lines between pixels of the input";
        kernel_h: 0, 10, 3, minus_one, "kernel rows";
        kernel_w: 0, 13, 3, minus_one, "kernel columns";
        shift_cut: 0, 16, 4, natural, "shift of the result: from 8 on right by the value - 8, else left";
        pool_type: 1, 0, 2, natural, "0 max, 1 average, 2 max without padding";
        stride_h: 1, 2, 3, minus_one, "input rows between output rows, and row interleave of the input map";
        stride_w: 1, 5, 3, minus_one, "input columns between output columns";
        stride_offset_in: 1, 8, 3, natural, "row slot of the first input row, below `stride_h`";
        valid_pixel_parallel: 1, 11, 3, minus_one, "number of output rows";
        stride_offset_out: 1, 14, 3, natural, "row slot of the first output row, below `stride_out`";
        stride_out: 1, 17, 4, minus_one,
            "row interleave of the output map: rows in one bank before the next bank follows";
        jump_write: 1, 21, 10, minus_one, "lines between pixels of the output";
    }
    End = 0x7, Save, words 1, isa1 true, "Ends the program." {
    }
    Conv = 0x8, Conv, words 5, isa1 true, "Convolution of one output-channel group." {
        bank_addr_in: 0, 0, 12, natural, "line of input pass 0, column 0";
        pad_top: 0, 12, 4, natural, "padding rows at the top";
        pad_left: 0, 16, 4, natural, "padding columns at the left";
        bank_addr_out: 1, 0, 12, natural, "line of the first output pixel";
        pad_bottom: 1, 12, 4, natural,
            "real rows after the first row of the last window; from `kernel_h` - 1 on there is no padding";
        pad_right: 1, 16, 4, natural,
            "real columns after the first column of the last window; from `kernel_w` - 1 on there is no padding";
        channel_group: 1, 24, 8, minus_one, "lines per input pixel";
        bank_addr_weights: 2, 0, 12, natural, "line of the first tap in every CONVW bank";
        bank_id_in: 2, 12, 6, natural, "bank of the first input row";
        length: 2, 22, 10, minus_one, "number of output columns";
        bank_addr_bias: 3, 0, 12, natural, "line of the bias in BIAS";
        bank_id_out: 3, 12, 6, natural, "bank of the first output row";
        bank_addr_in_1: 3, 18, 12, natural, "line of input pass 1, column 0";
        bank_addr_in_2: 4, 0, 12, natural, "line of input pass 2, column 0";
        bank_addr_in_3: 4, 12, 12, natural, "line of input pass 3, column 0";
        channel_offset: 4, 24, 5, natural, "trailing input channels of each pixel forced to 0";
    }
    ConvInit = 0x9, Conv, words 4, isa1 true, "Parameters for the following Conv." {
        jump_read: 0, 0, 10, minus_one, "lines between pixels of the input";
        shift_cut: 0, 10, 6, natural, "right shift of the result";
        act_type: 0, 16, 4, natural, "activation: 0 none, 1 ReLU, 3 leaky ReLU, 4 ReLU6";
        jump_read_endl: 1, 0, 10, minus_one, "lines between the rows of one bank and pass of the input";
        shift_bias: 1, 10, 6, natural, "scale of the bias: the sum gains bias * 2^(`shift_bias` - 1); at most 20";
        stride_out: 1, 28, 4, minus_one,
            "row interleave of the output map: rows in one bank before the next bank follows";
        jump_write: 2, 0, 10, minus_one, "lines between pixels of the output";
        stride_offset_in: 2, 10, 3, natural, "row slot of the first input row, below `stride_h`";
        valid_pixel_parallel: 2, 13, 3, minus_one, "number of output rows";
        kernel_h: 2, 24, 4, minus_one, "kernel rows";
        stride_h: 2, 28, 4, minus_one, "input rows between output rows, and row interleave of the input map";
        jump_write_endl: 3, 0, 10, minus_one, "lines between the rows of one bank of the output";
        stride_offset_out: 3, 10, 3, natural, "row slot of the first output row, below `stride_out`";
        kernel_w: 3, 24, 4, minus_one, "kernel columns";
        stride_w: 3, 28, 4, minus_one, "input columns between output columns";
    }
    DptWise = 0xa, Misc, words 5, isa1 false, "ISA 0: depthwise convolution." {
        bank_addr_in: 0, 0, 12, natural, "line of input pass 0, column 0";
        channel_group: 0, 12, 8, minus_one, "lines per pixel";
        bank_addr_out: 1, 0, 12, natural, "line of the first output pixel";
        pad_bottom: 1, 16, 4, natural,
            "real rows after the first row of the last window; from `kernel_h` - 1 on there is no padding";
        pad_top: 1, 20, 4, natural, "padding rows at the top";
        pad_right: 1, 24, 4, natural,
            "real columns after the first column of the last window; from `kernel_w` - 1 on there is no padding";
        pad_left: 1, 28, 4, natural, "padding columns at the left";
        bank_addr_weights: 2, 0, 12, natural, "line of the first tap in DWCONVW";
        bank_id_in: 2, 12, 6, natural, "bank of the first input row";
        length: 2, 18, 10, minus_one, "number of output columns";
        act_type: 2, 28, 4, natural, "activation: 0 none, 1 ReLU, 3 leaky ReLU, 4 ReLU6";
        bank_addr_bias: 3, 0, 12, natural, "line of the bias in BIAS";
        bank_id_out: 3, 12, 6, natural, "bank of the first output row";
        bank_addr_in_1: 3, 18, 12, natural, "line of input pass 1, column 0";
        bank_addr_in_2: 4, 0, 12, natural, "line of input pass 2, column 0";
        bank_addr_in_3: 4, 12, 12, natural, "line of input pass 3, column 0";
        channel_offset: 4, 24, 5, natural, "trailing channels of each pixel forced to 0";
    }
    DWInit = 0xb, Misc, words 3, isa1 false, "ISA 0: parameters for the following `DptWise`." {
        jump_read_endl: 0, 0, 10, minus_one, "lines between the rows of one bank and pass of the input";
        jump_read: 0, 10, 10, minus_one, "lines between pixels of the input";
        jump_write_endl: 1, 0, 10, minus_one, "lines between the rows of one bank of the output";
        kernel_h: 1, 10, 4, minus_one, "kernel rows";
        kernel_w: 1, 14, 4, minus_one, "kernel columns";
        stride_h: 1, 18, 4, minus_one, "input rows between output rows, and row interleave of the input map";
        stride_w: 1, 22, 4, minus_one, "input columns between output columns";
        valid_pixel_parallel: 1, 26, 3, minus_one, "number of output rows";
        stride_offset_in: 1, 29, 3, natural, "row slot of the first input row, below `stride_h`";
        shift_cut: 2, 0, 6, natural, "right shift of the result";
        shift_bias: 2, 6, 6, natural, "scale of the bias: the sum gains bias * 2^(`shift_bias` - 1); at most 20";
        stride_offset_out: 2, 12, 3, natural, "row slot of the first output row, below `stride_out`";
        stride_out: 2, 15, 4, minus_one,
            "row interleave of the output map: rows in one bank before the next bank follows";
        jump_write: 2, 19, 10, minus_one, "lines between pixels of the output";
    }
    Pool = 0xc, Misc, words 5, isa1 false, "ISA 0: pooling." {
        bank_addr_in: 0, 0, 12, natural, "line of input pass 0, column 0";
        channel_group: 0, 12, 8, minus_one, "lines per pixel";
        bank_id_in: 1, 0, 6, natural, "bank of the first input row";
        pad_bottom: 1, 6, 3, natural,
            "real rows after the first row of the last window; from `kernel_h` - 1 on there is no padding";
        pad_right: 1, 9, 3, natural,
            "real columns after the first column of the last window; from `kernel_w` - 1 on there is no padding";
        pad_top: 1, 12, 3, natural, "padding rows at the top";
        pad_left: 1, 15, 3, natural, "padding columns at the left";
        jump_write_endl: 1, 18, 12, minus_one, "lines between the rows of one bank of the output";
        bank_id_out: 2, 0, 6, natural, "bank of the first output row";
        length: 2, 6, 10, minus_one, "number of output columns";
        jump_read_endl: 2, 16, 12, minus_one, "lines between the rows of one bank and pass of the input";
        bank_addr_out: 3, 0, 12, natural, "line of the first output pixel";
        bank_addr_in_1: 3, 12, 12, natural, "line of input pass 1, column 0";
        downsample_kernel_w: 3, 24, 8, minus_one, "kernel columns and column stride of `pool_type` 2";
        bank_addr_in_2: 4, 0, 12, natural, "line of input pass 2, column 0";
        bank_addr_in_3: 4, 12, 12, natural, "line of input pass 3, column 0";
        downsample_kernel_h: 4, 24, 8, minus_one, "kernel rows and row stride of `pool_type` 2";
    }
    ElewInit = 0xd, Misc, words 3, isa1 true, "One input of the following Elew." {
        share_pp: 0, 13, 1, natural, "1 reads the same row for all output rows";
        bank_id_in: 0, 14, 6, natural, "bank of the first row";
        bank_addr_in: 1, 0, 14, natural, "line of the first pixel";
        jump_read_endl: 1, 14, 13, minus_one, "lines added when the bank walk returns to the first bank of the group";
        id: 1, 27, 2, natural, "number of the input: 0, 1, … in order for each Elew";
        jump_bank: 1, 29, 3, minus_one, "banks between rows";
        jump_read: 2, 0, 12, natural, "lines between pixels; 0 repeats one pixel";
        shift_read: 2, 12, 4, natural, "right shift of the input, two fraction bits kept";
    }
    Elew = 0xe, Misc, words 3, isa1 true, "Elementwise add or multiply." {
        length: 0, 0, 11, minus_one, "number of columns";
        act_type: 0, 11, 1, natural, "activation: 0 none, 1 ReLU";
        elew_type: 0, 12, 2, natural, "0 adds, 1 multiplies";
        bank_id_out: 0, 14, 6, natural, "bank of the first output row";
        bank_addr_out: 1, 0, 14, natural, "line of the first output pixel";
        jump_write_endl: 1, 14, 13, minus_one,
            "lines added when the bank walk returns to the first bank of the group";
        num: 1, 27, 2, minus_one, "number of inputs";
        valid_pixel_parallel: 1, 29, 3, minus_one, "number of rows";
        jump_write: 2, 0, 12, minus_one, "lines between pixels of the output";
        shift_write: 2, 12, 5, natural, "shift of the result: from 16 on right by the value - 16, else left";
        channel_group: 2, 17, 8, minus_one, "lines per pixel";
    }
}

impl Instruction {
    /// Engine that executes it.
    pub const fn engine(&self) -> Engine {
        self.opcode().engine()
    }
}
