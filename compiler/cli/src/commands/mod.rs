//! One file for each subcommand, and what they share.

pub(crate) mod asm;
pub(crate) mod bisect;
pub(crate) mod compile;
pub(crate) mod demo;
pub(crate) mod deploy;
pub(crate) mod disasm;
pub(crate) mod fmt;
pub(crate) mod inputs;
pub(crate) mod inspect;
pub(crate) mod operators;
pub(crate) mod opt;
pub(crate) mod quantise;
pub(crate) mod run;
pub(crate) mod targets;
