//! The `builtin` dialect: the module.

use crate::define::{AttributeKind, Dialect, OpDefinition, Traits, maybe, op};

/// A program.
pub static MODULE: OpDefinition = op("builtin.module", "A program: functions, subgraphs and the constants they share.")
    .describe("`dpuc.weights` names the safetensors side file, relative to the text's own folder, that holds the constants referred to by symbol.")
    .attributes(&[
        maybe("sym_name", AttributeKind::Str, "Name of the program."),
        maybe("dpuc.weights", AttributeKind::Str, "Side file with the constants, relative to the text's folder."),
    ])
    .regions(1)
    .traits(
        Traits::ISOLATED
            .and(Traits::SYMBOL_TABLE)
            .and(Traits::NO_TERMINATOR)
            .and(Traits::GRAPH_REGION)
            .and(Traits::OPEN_ATTRIBUTES),
    );

/// The dialect.
pub static DIALECT: Dialect =
    Dialect { name: "builtin", description: "MLIR's own container operation.", operations: &[&MODULE] };
