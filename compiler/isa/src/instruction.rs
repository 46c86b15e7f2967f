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
        bank_addr: 0, 0, 12, natural, "first destination line";
        bank_id: 0, 14, 6, natural, "destination bank";
        jump_write: 1, 0, 10, minus_one, "lines between pixels in the bank";
        jump_read: 1, 10, 16, minus_one, "bytes between pixels in DDR";
        length: 2, 0, 10, minus_one, "number of pixels";
        channel: 2, 10, 14, minus_one, "bytes per pixel";
        pad_idx: 2, 27, 5, minus_one, "number of trailing pixels affected by `pad_end`";
        reg_id: 3, 0, 3, natural, "DDR region";
        const_value: 3, 8, 8, natural, "constant (when `broadcast` = 7)";
        broadcast: 3, 16, 4, natural, "7 = load constant; else normal";
        mode_avg: 3, 20, 2, natural, "mean subtraction; must be 0";
        pad_end: 3, 22, 5, natural, "see 3.2";
        pad_start: 3, 27, 5, natural, "see 3.2";
        ddr_addr: 4, 0, 29, natural, "byte offset in region";
    }
    AluInit = 0x1, Misc, words 6, isa1 true, "Parameters for the following Alu." {
        kernel_w: 0, 0, 8, minus_one, "";
        kernel_h: 0, 8, 8, minus_one, "";
        exec_mode: 0, 16, 4, natural, "operation";
        stride_offset_out: 1, 0, 8, natural, "row slot of the first output row";
        stride_offset_in: 1, 8, 8, natural, "row slot of the first input row";
        stride_w: 1, 16, 8, minus_one, "";
        stride_h: 1, 24, 8, minus_one, "";
        length: 2, 0, 11, minus_one, "output columns";
        channel_offset: 2, 11, 5, natural, "trailing channels forced to the pad value";
        channel_group: 2, 16, 8, minus_one, "lines per pixel";
        stride_out: 2, 24, 8, minus_one, "row interleave of the output";
        shift_prelu_n: 3, 0, 6, natural, "shift for negative values";
        shift_cut: 3, 6, 6, natural, "output shift, mode dependent";
        shift_bias: 3, 12, 6, natural, "bias shift, or input fix point (mode 7)";
        act_type: 3, 18, 4, natural, "activation (modes 0, 6, 8)";
        shift_prelu_p: 3, 22, 6, natural, "shift for non-negative values";
        jump_read_endl: 4, 0, 13, minus_one, "lines between rows in one bank (input)";
        jump_read: 4, 13, 10, minus_one, "lines between pixels (input)";
        multi_factor: 4, 23, 8, natural, "multiplier, read as signed 8-bit";
        jump_write_endl: 5, 0, 13, minus_one, "lines between rows in one bank (output)";
        jump_write: 5, 13, 10, minus_one, "lines between pixels (output)";
        jump_read_weights: 5, 23, 9, natural, "lines between kernel taps";
    }
    Alu = 0x2, Misc, words 5, isa1 true, "Depthwise convolution, pooling, activation." {
        bank_addr_out: 0, 0, 14, natural, "first output line";
        bank_id_out: 0, 14, 6, natural, "bank of the first output row";
        bank_addr_in: 1, 0, 14, natural, "base line, pass 0";
        bank_id_in: 1, 14, 6, natural, "bank of the first input row";
        valid_pixel_parallel: 1, 20, 3, minus_one, "number of output rows";
        pad_bottom: 1, 23, 8, natural, "see `window`";
        bank_addr_in_1: 2, 0, 14, natural, "base line, pass 1";
        pad_right: 2, 14, 8, natural, "see `window`";
        pad_left: 2, 22, 4, natural, "pad columns at the left";
        pad_top: 2, 26, 4, natural, "pad rows at the top";
        bank_addr_in_2: 3, 0, 14, natural, "base line, pass 2";
        bank_addr_weights: 3, 14, 14, natural, "line in DWCONVW";
        kernel_d: 3, 28, 4, minus_one, "kernel depth";
        bank_addr_in_3: 4, 0, 14, natural, "base line, pass 3";
        bank_addr_bias: 4, 14, 14, natural, "line in BIAS";
    }
    Save = 0x4, Save, words 5, isa1 true, "Copies pixels from one bank to DDR." {
        bank_addr: 0, 0, 12, natural, "first source line";
        bank_id: 0, 14, 6, natural, "source bank";
        jump_read: 1, 0, 10, minus_one, "lines between pixels in the bank";
        jump_write: 1, 10, 16, minus_one, "bytes between pixels in DDR";
        argmax: 1, 27, 2, natural, "0,1 = off, 2 = index, 3 = value";
        hp_id: 1, 29, 2, natural, "AXI port (no functional effect)";
        length: 2, 0, 10, minus_one, "number of pixels";
        channel: 2, 10, 12, minus_one, "bytes per pixel";
        reg_id: 3, 0, 3, natural, "DDR region";
        const_value: 3, 8, 8, natural, "constant";
        const_en: 3, 16, 1, natural, "1 = store constant";
        ddr_addr: 4, 0, 29, natural, "byte offset in region";
    }
    PoolInit = 0x6, Misc, words 2, isa1 false, "ISA 0: parameters for the following Pool." {
        jump_read: 0, 0, 10, minus_one, "";
        kernel_h: 0, 10, 3, minus_one, "";
        kernel_w: 0, 13, 3, minus_one, "";
        shift_cut: 0, 16, 4, natural, "";
        pool_type: 1, 0, 2, natural, "";
        stride_h: 1, 2, 3, minus_one, "";
        stride_w: 1, 5, 3, minus_one, "";
        stride_offset_in: 1, 8, 3, natural, "";
        valid_pixel_parallel: 1, 11, 3, minus_one, "";
        stride_offset_out: 1, 14, 3, natural, "";
        stride_out: 1, 17, 4, minus_one, "";
        jump_write: 1, 21, 10, minus_one, "";
    }
    End = 0x7, Save, words 1, isa1 true, "Ends the program." {
    }
    Conv = 0x8, Conv, words 5, isa1 true, "Convolution of one output-channel group." {
        bank_addr_in: 0, 0, 12, natural, "base line, pass 0";
        pad_top: 0, 12, 4, natural, "zero rows at the top";
        pad_left: 0, 16, 4, natural, "zero columns at the left";
        bank_addr_out: 1, 0, 12, natural, "first output line";
        pad_bottom: 1, 12, 4, natural, "see `window`";
        pad_right: 1, 16, 4, natural, "see `window`";
        channel_group: 1, 24, 8, minus_one, "input lines per pixel";
        bank_addr_weights: 2, 0, 12, natural, "line in CONVW";
        bank_id_in: 2, 12, 6, natural, "bank of the first input row";
        length: 2, 22, 10, minus_one, "output columns";
        bank_addr_bias: 3, 0, 12, natural, "line in BIAS";
        bank_id_out: 3, 12, 6, natural, "bank of the first output row";
        bank_addr_in_1: 3, 18, 12, natural, "base line, pass 1";
        bank_addr_in_2: 4, 0, 12, natural, "base line, pass 2";
        bank_addr_in_3: 4, 12, 12, natural, "base line, pass 3";
        channel_offset: 4, 24, 5, natural, "trailing input channels forced to 0";
    }
    ConvInit = 0x9, Conv, words 4, isa1 true, "Parameters for the following Conv." {
        jump_read: 0, 0, 10, minus_one, "lines between pixels (input)";
        shift_cut: 0, 10, 6, natural, "output right shift";
        act_type: 0, 16, 4, natural, "activation";
        jump_read_endl: 1, 0, 10, minus_one, "lines between rows in one bank (input)";
        shift_bias: 1, 10, 6, natural, "bias left shift, half-unit scale";
        stride_out: 1, 28, 4, minus_one, "row interleave of the output";
        jump_write: 2, 0, 10, minus_one, "lines between pixels (output)";
        stride_offset_in: 2, 10, 3, natural, "row slot of the first input row";
        valid_pixel_parallel: 2, 13, 3, minus_one, "number of output rows";
        kernel_h: 2, 24, 4, minus_one, "";
        stride_h: 2, 28, 4, minus_one, "";
        jump_write_endl: 3, 0, 10, minus_one, "lines between rows in one bank (output)";
        stride_offset_out: 3, 10, 3, natural, "row slot of the first output row";
        kernel_w: 3, 24, 4, minus_one, "";
        stride_w: 3, 28, 4, minus_one, "";
    }
    DptWise = 0xa, Misc, words 5, isa1 false, "ISA 0: depthwise convolution." {
        bank_addr_in: 0, 0, 12, natural, "";
        channel_group: 0, 12, 8, minus_one, "";
        bank_addr_out: 1, 0, 12, natural, "";
        pad_bottom: 1, 16, 4, natural, "";
        pad_top: 1, 20, 4, natural, "";
        pad_right: 1, 24, 4, natural, "";
        pad_left: 1, 28, 4, natural, "";
        bank_addr_weights: 2, 0, 12, natural, "";
        bank_id_in: 2, 12, 6, natural, "";
        length: 2, 18, 10, minus_one, "";
        act_type: 2, 28, 4, natural, "";
        bank_addr_bias: 3, 0, 12, natural, "";
        bank_id_out: 3, 12, 6, natural, "";
        bank_addr_in_1: 3, 18, 12, natural, "";
        bank_addr_in_2: 4, 0, 12, natural, "";
        bank_addr_in_3: 4, 12, 12, natural, "";
        channel_offset: 4, 24, 5, natural, "";
    }
    DWInit = 0xb, Misc, words 3, isa1 false, "ISA 0: parameters for the following DptWise." {
        jump_read_endl: 0, 0, 10, minus_one, "";
        jump_read: 0, 10, 10, minus_one, "";
        jump_write_endl: 1, 0, 10, minus_one, "";
        kernel_h: 1, 10, 4, minus_one, "";
        kernel_w: 1, 14, 4, minus_one, "";
        stride_h: 1, 18, 4, minus_one, "";
        stride_w: 1, 22, 4, minus_one, "";
        valid_pixel_parallel: 1, 26, 3, minus_one, "";
        stride_offset_in: 1, 29, 3, natural, "";
        shift_cut: 2, 0, 6, natural, "";
        shift_bias: 2, 6, 6, natural, "";
        stride_offset_out: 2, 12, 3, natural, "";
        stride_out: 2, 15, 4, minus_one, "";
        jump_write: 2, 19, 10, minus_one, "";
    }
    Pool = 0xc, Misc, words 5, isa1 false, "ISA 0: pooling." {
        bank_addr_in: 0, 0, 12, natural, "";
        channel_group: 0, 12, 8, minus_one, "";
        bank_id_in: 1, 0, 6, natural, "";
        pad_bottom: 1, 6, 3, natural, "";
        pad_right: 1, 9, 3, natural, "";
        pad_top: 1, 12, 3, natural, "";
        pad_left: 1, 15, 3, natural, "";
        jump_write_endl: 1, 18, 12, minus_one, "";
        bank_id_out: 2, 0, 6, natural, "";
        length: 2, 6, 10, minus_one, "";
        jump_read_endl: 2, 16, 12, minus_one, "";
        bank_addr_out: 3, 0, 12, natural, "";
        bank_addr_in_1: 3, 12, 12, natural, "";
        downsample_kernel_w: 3, 24, 8, minus_one, "";
        bank_addr_in_2: 4, 0, 12, natural, "";
        bank_addr_in_3: 4, 12, 12, natural, "";
        downsample_kernel_h: 4, 24, 8, minus_one, "";
    }
    ElewInit = 0xd, Misc, words 3, isa1 true, "One input of the following Elew." {
        share_pp: 0, 13, 1, natural, "1 = use one row for all output rows";
        bank_id_in: 0, 14, 6, natural, "bank of the first row";
        bank_addr_in: 1, 0, 14, natural, "line of the first pixel";
        jump_read_endl: 1, 14, 13, minus_one, "line step when the bank walk wraps";
        id: 1, 27, 2, natural, "input number; must be 0, 1, … in order for each Elew (checked)";
        jump_bank: 1, 29, 3, minus_one, "banks between rows";
        jump_read: 2, 0, 12, natural, "lines between pixels (0 allowed)";
        shift_read: 2, 12, 4, natural, "input right shift";
    }
    Elew = 0xe, Misc, words 3, isa1 true, "Elementwise add or multiply." {
        length: 0, 0, 11, minus_one, "columns";
        act_type: 0, 11, 1, natural, "0 none, 1 ReLU";
        elew_type: 0, 12, 2, natural, "0 add, 1 multiply";
        bank_id_out: 0, 14, 6, natural, "bank of the first output row";
        bank_addr_out: 1, 0, 14, natural, "line of the first output pixel";
        jump_write_endl: 1, 14, 13, minus_one, "line step when the bank walk wraps";
        num: 1, 27, 2, minus_one, "number of inputs";
        valid_pixel_parallel: 1, 29, 3, minus_one, "number of rows";
        jump_write: 2, 0, 12, minus_one, "lines between pixels";
        shift_write: 2, 12, 5, natural, "output shift: < 16 left by v, ≥ 16 right by v − 16";
        channel_group: 2, 17, 8, minus_one, "lines per pixel";
    }
}

impl Instruction {
    /// Engine that executes it.
    pub const fn engine(&self) -> Engine {
        self.opcode().engine()
    }
}
