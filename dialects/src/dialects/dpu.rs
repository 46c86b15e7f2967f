//! The `dpu` dialect: how the accelerator does it.
//!
//! The upper level has subgraphs, superlayers and the memory plan; the lower level one operation for each machine instruction, whose
//! definitions derive from the instruction table of `dpuc-isa`.

use dpuc_isa::Opcode;

use super::func::{verify_function, verify_return};
use crate::define::{
    AttributeDefinition, AttributeKind, DefaultValue, Dialect, OpDefinition, Presence, Traits, TypeConstraint,
    any_number, default, maybe, one, op, required,
};

const TENSOR: TypeConstraint = TypeConstraint::FixTensor;

const REGION: AttributeDefinition = required("region", AttributeKind::Int(0, 7), "DDR region, the number of REG_n.");
const ADDRESS: AttributeDefinition =
    required("address", AttributeKind::Int(0, (1 << 29) - 1), "Byte offset in the region.");
const STRIDES: AttributeDefinition =
    required("strides", AttributeKind::Ints(0, 0, 1 << 32), "Bytes between neighbours, for each dimension.");

/// A part of the network that runs as one DPU program.
pub static SUBGRAPH: OpDefinition = op("dpu.subgraph", "A part of the network that runs as one DPU program.")
    .describe(
        "Its body holds `dpu.upload`, `dpu.parameter`, `dpu.superlayer` and `dpu.download`; called by `func.call`.",
    )
    .attributes(&[
        required("sym_name", AttributeKind::Str, "Its name."),
        required("function_type", AttributeKind::Type, "Its inputs' and outputs' types."),
        required("target", AttributeKind::Str, "The target it is compiled for."),
        maybe(
            "region_sizes",
            AttributeKind::Ints(0, 0, 1 << 32),
            "Bytes of each DDR region, REG_0 first; 0 for one that is not used.",
        ),
    ])
    .regions(1)
    .traits(Traits::ISOLATED.and(Traits::SYMBOL).and(Traits::FUNCTION))
    .verify(verify_function);

/// Ends a subgraph.
pub static RETURN: OpDefinition = op("dpu.return", "Ends a subgraph and gives its outputs.")
    .operands(&[any_number("values", TypeConstraint::Any)])
    .traits(Traits::TERMINATOR)
    .verify(verify_return);

/// An input's place.
pub static UPLOAD: OpDefinition = op("dpu.upload", "Places an input of the subgraph in DDR.")
    .operands(&[one("input", TENSOR)])
    .results(&[one("placed", TENSOR)])
    .attributes(&[REGION, ADDRESS, STRIDES]);

/// An output's place.
pub static DOWNLOAD: OpDefinition = op("dpu.download", "Takes an output of the subgraph out of DDR.")
    .operands(&[one("placed", TENSOR)])
    .results(&[one("output", TENSOR)]);

/// A constant's place.
pub static PARAMETER: OpDefinition = op("dpu.parameter", "A constant in the subgraph's constant region.")
    .results(&[one("placed", TENSOR)])
    .attributes(&[required("value", AttributeKind::Weights, "Where the elements are.").positional(), REGION, ADDRESS]);

/// Operations that run without DDR in between.
pub static SUPERLAYER: OpDefinition = op("dpu.superlayer", "Operations that run as one piece of code, row by row; values between them stay on chip.")
    .describe("The body holds `int8` operations and ends with `dpu.yield`. Each operation of the body has an entry in `placements`, a dictionary `{region, address, strides}`: where its result is in DDR. Region 7 stands for no place: the value never leaves the chip, and the address only tells it apart from others.")
    .operands(&[any_number("inputs", TENSOR)])
    .results(&[any_number("outputs", TENSOR)])
    .attributes(&[
        required("placements", AttributeKind::Array, "Where the result of each operation is in DDR."),
        default("emits_code", AttributeKind::Bool, DefaultValue::Bool(true), "Whether it needs instructions; an in-place concat does not."),
    ])
    .regions(1);

/// Ends a superlayer.
pub static YIELD: OpDefinition = op("dpu.yield", "Ends a superlayer and gives its results.")
    .operands(&[any_number("values", TENSOR)])
    .traits(Traits::TERMINATOR);

/// A machine program.
pub static PROGRAM: OpDefinition =
    op("dpu.program", "A machine program: one operation for each instruction, in stream order.")
        .attributes(&[
            required("sym_name", AttributeKind::Str, "The subgraph it implements."),
            maybe("target", AttributeKind::Str, "The target it is for."),
        ])
        .regions(1)
        .traits(Traits::ISOLATED.and(Traits::SYMBOL).and(Traits::NO_TERMINATOR));

const ENGINES: AttributeKind = AttributeKind::Array;

const UNSET: AttributeDefinition = maybe("", AttributeKind::Any, "");

/// Attributes of an instruction: `wait` and `notify`, then its fields with their ranges and smallest legal value as default.
const fn instruction_attributes<const N: usize>(opcode: Opcode) -> [AttributeDefinition; N] {
    let mut attributes = [UNSET; N];
    attributes[0] = maybe(
        "wait",
        ENGINES,
        "Engines it takes one token from before it starts (`dpdon`): `\"load\"`, `\"save\"`, `\"conv\"`, `\"misc\"`.",
    );
    attributes[1] = maybe("notify", ENGINES, "Engines it gives one token to when it completes (`dpdby`).");
    let fields = opcode.fields();
    let mut index = 0;
    while index < fields.len() {
        let field = &fields[index];
        let (min, max) = (field.min() as i64, field.max() as i64);
        attributes[index + 2] = AttributeDefinition {
            name: field.name,
            kind: AttributeKind::Int(min, max),
            presence: Presence::Default(DefaultValue::Int(min)),
            positional: false,
            doc: field.doc,
        };
        index += 1;
    }
    attributes
}

macro_rules! instructions {
    ($( $constant:ident = $opcode:ident, $name:literal; )*) => {
        $(
            #[doc = concat!("The machine instruction `", stringify!($opcode), "`.")]
            pub static $constant: OpDefinition = op($name, Opcode::$opcode.purpose()).attributes(
                const { &instruction_attributes::<{ Opcode::$opcode.fields().len() + 2 }>(Opcode::$opcode) },
            );
        )*

        /// The operation that stands for instructions with this opcode.
        pub const fn instruction(opcode: Opcode) -> &'static OpDefinition {
            match opcode { $( Opcode::$opcode => &$constant, )* }
        }

        /// The dialect.
        pub static DIALECT: Dialect = Dialect {
            name: "dpu",
            description: "How the accelerator does it: subgraphs, superlayers and their places in memory, and below them the machine instructions with natural field values.",
            operations: &[
                &SUBGRAPH, &RETURN, &UPLOAD, &DOWNLOAD, &PARAMETER, &SUPERLAYER, &YIELD, &PROGRAM, $( &$constant ),*
            ],
        };
    };
}

instructions! {
    LOAD = Load, "dpu.load";
    SAVE = Save, "dpu.save";
    CONV_INIT = ConvInit, "dpu.conv_init";
    CONV = Conv, "dpu.conv";
    ALU_INIT = AluInit, "dpu.alu_init";
    ALU = Alu, "dpu.alu";
    ELEW_INIT = ElewInit, "dpu.elew_init";
    ELEW = Elew, "dpu.elew";
    END = End, "dpu.end";
    POOL_INIT = PoolInit, "dpu.pool_init";
    POOL = Pool, "dpu.pool";
    DW_INIT = DWInit, "dpu.dw_init";
    DPT_WISE = DptWise, "dpu.dpt_wise";
}

/// The opcode an operation stands for.
pub fn opcode(definition: &'static OpDefinition) -> Option<Opcode> {
    Opcode::ALL.iter().copied().find(|&opcode| definition.is(instruction(opcode)))
}
