//! The memory regions a DPU subgraph addresses.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::error::DpuSubgraphProblem;
use crate::attr::Attributed;
use crate::graph::Subgraph;

/// Number of base addresses the controller passes to the DPU.
const REGISTER_COUNT: u8 = 8;

/// What a register is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterRole {
    /// Weights and biases; its contents are in the file.
    Const,
    /// Intermediate feature maps; may be shared between runners.
    Workspace,
    /// Inputs or outputs.
    Interface,
    /// Workspace or interface: files without `reg_id_to_context_type_v2` do not tell.
    Data,
}

/// A base address of the DPU and the memory region behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Register<'a> {
    /// `n` of `REG_n`, 0 to 7.
    pub number: u8,
    /// What it is for.
    pub role: RegisterRole,
    /// Bytes of the region, above 0.
    pub size: u32,
    /// Initial contents, at most as long as the region; always there for [`RegisterRole::Const`].
    pub parameter: Option<&'a Bytes>,
}

/// The number in a register name.
pub(super) fn register_number(name: &str) -> Option<u8> {
    (0..REGISTER_COUNT).find(|number| name.strip_prefix("REG_").is_some_and(|digits| digits == number.to_string()))
}

/// The number in an attribute `reg_id`.
pub(super) fn register_of_id(id: i32) -> Option<u8> {
    u8::try_from(id).ok().filter(|&number| number < REGISTER_COUNT)
}

/// The registers of a DPU subgraph, by number.
pub(super) fn registers(subgraph: &Subgraph) -> Result<Vec<Register<'_>>, DpuSubgraphProblem> {
    // Required by the runtime even where the newer map takes precedence.
    let roles: &BTreeMap<String, String> = subgraph.attr("reg_id_to_context_type")?;
    let roles = subgraph.attr_opt("reg_id_to_context_type_v2")?.unwrap_or(roles);
    let sizes: &BTreeMap<String, i32> = subgraph.attr("reg_id_to_size")?;
    let parameters: &BTreeMap<String, Bytes> = subgraph.attr("reg_id_to_parameter_value")?;

    let mut registers = roles
        .iter()
        .map(|(name, role)| register(name, role, sizes.get(name), parameters.get(name)))
        .collect::<Result<Vec<_>, _>>()?;
    registers.sort_by_key(|register| register.number);
    if registers.iter().all(|register| register.role == RegisterRole::Const) {
        return Err(DpuSubgraphProblem::NoDataRegister);
    }
    Ok(registers)
}

fn register<'a>(
    name: &str,
    role: &str,
    size: Option<&i32>,
    parameter: Option<&'a Bytes>,
) -> Result<Register<'a>, DpuSubgraphProblem> {
    let Some(number) = register_number(name) else {
        return Err(DpuSubgraphProblem::RegisterName(name.to_owned()));
    };
    let role = match role {
        "CONST" => RegisterRole::Const,
        "WORKSPACE" => RegisterRole::Workspace,
        "INTERFACE" => RegisterRole::Interface,
        "DATA" => RegisterRole::Data,
        _ => return Err(DpuSubgraphProblem::RegisterRole { register: number, found: role.to_owned() }),
    };
    let &size = size.ok_or(DpuSubgraphProblem::NoSize(number))?;
    let size =
        u32::try_from(size).ok().filter(|&size| size > 0).ok_or(DpuSubgraphProblem::Size { register: number, size })?;
    match parameter {
        None if role == RegisterRole::Const => Err(DpuSubgraphProblem::NoParameter(number)),
        Some(parameter) if parameter.len() > size as usize => {
            Err(DpuSubgraphProblem::ParameterTooLong { register: number, size, length: parameter.len() })
        }
        _ => Ok(Register { number, role, size, parameter }),
    }
}
