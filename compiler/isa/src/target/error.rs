//! Why a name, fingerprint or `arch.json` is no target of this compiler.

use thiserror::Error;

const SUPPORTED: &str = "dpuc compiles for DPUCZDX8G ISA 1, DPUCZDX8G_ISA1_B512 to DPUCZDX8G_ISA1_B4096";

/// Why something does not describe a target.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TargetError {
    /// No target or board has this name.
    #[error("unknown target or board `{name}`{}; known are {known}", suggestion.as_ref().map(|s| format!(", did you mean `{s}`?")).unwrap_or_default())]
    UnknownName {
        /// The name.
        name: String,
        /// The closest known name.
        suggestion: Option<String>,
        /// All known names.
        known: String,
    },
    /// A family without a size, as in `DPUCZDX8G`.
    #[error("`{name}` is a family of DPUs, not a target: name the size, for example DPUCZDX8G_ISA1_B4096")]
    FamilyOnly {
        /// The name.
        name: String,
    },
    /// A DPUCZDX8G of ISA version 0.
    #[error(
        "{what} is a DPUCZDX8G of ISA version 0 (Vitis AI 2.0 and older), whose instruction set has no Alu; {SUPPORTED}"
    )]
    IsaZero {
        /// Name or fingerprint.
        what: String,
    },
    /// A DPUCZDX8G of an ISA version that does not exist.
    #[error("fingerprint {fingerprint:#018x} says ISA version {version}, which DPUCZDX8G does not have; {SUPPORTED}")]
    UnknownIsa {
        /// The fingerprint.
        fingerprint: u64,
        /// Its bits 55:48.
        version: u8,
    },
    /// A DPU of another family.
    #[error("{what} belongs to the DPU family {family}, which has another instruction set; {SUPPORTED}")]
    OtherFamily {
        /// Name or fingerprint.
        what: String,
        /// The family.
        family: String,
    },
    /// A type code that no family has.
    #[error("fingerprint {fingerprint:#018x} has type code {code}, which belongs to no DPU family (DPUCZDX8G has 1)")]
    UnknownFamily {
        /// The fingerprint.
        fingerprint: u64,
        /// Its bits 63:56.
        code: u8,
    },
    /// An architecture index behind the last.
    #[error("fingerprint {fingerprint:#018x} has architecture index {index}; there are 0 to {last}")]
    UnknownArchitecture {
        /// The fingerprint.
        fingerprint: u64,
        /// Its bits 3:0.
        index: usize,
        /// The last index.
        last: usize,
    },
    /// A configuration without an indispensable part.
    #[error("fingerprint {fingerprint:#018x} describes a DPU with {lacks}, which can run nothing")]
    Unusable {
        /// The fingerprint.
        fingerprint: u64,
        /// What it lacks.
        lacks: &'static str,
    },
    /// A dynamic name whose parts contradict each other.
    #[error("`{name}` contradicts itself: its fingerprint is that of {actual}")]
    NameMismatch {
        /// The name.
        name: String,
        /// The name of the fingerprint in it.
        actual: String,
    },
    /// A fingerprint that is no hexadecimal number of 64 bits.
    #[error("`{text}` is no fingerprint: expected 1 to 16 hexadecimal digits, for example 0x101000056010407")]
    FingerprintSyntax {
        /// The text.
        text: String,
    },
    /// An `arch.json` that is no JSON.
    #[error("arch.json is no valid JSON: {message}")]
    ArchSyntax {
        /// The parser's message, with line and column.
        message: String,
    },
    /// An `arch.json` without the keys or with values of the wrong kind.
    #[error(
        "{problem}; arch.json must be {{\"target\": \"DPUCZDX8G_ISA1_B4096\"}} or {{\"fingerprint\": \"0x101000056010407\"}}"
    )]
    ArchShape {
        /// What is wrong.
        problem: &'static str,
    },
    /// An `arch.json` of the DNNC tool chain.
    #[error(
        "arch.json names the DPU configuration file `{dcf}`: that form belongs to Vitis AI 1.2 and older; write the target's \
         name or fingerprint instead, for example {{\"target\": \"DPUCZDX8G_ISA1_B4096\"}}"
    )]
    ArchDcf {
        /// The value of `dcf`.
        dcf: String,
    },
}
