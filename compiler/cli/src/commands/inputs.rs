//! Input tensors from the command line.

use anyhow::{Error, Result, anyhow, bail};
use dpuc_evaluate::Tensor;
use dpuc_runtime::{Port, Preprocessing};

use crate::tensors;

/// One tensor for each port: named files first, the others in order; what no file is given for is left to `fallback`.
pub(crate) fn read(
    inputs: &[String],
    ports: &[Port],
    preprocessing: &Preprocessing,
    fallback: &mut dyn FnMut(&Port) -> Option<Tensor>,
) -> Result<Vec<Tensor>> {
    let mut found = Vec::new();
    for (file, port) in assign(inputs, ports)?.into_iter().zip(ports) {
        let tensor = match file {
            Some(file) => Some(tensors::read(file.as_ref(), port, preprocessing)?),
            None => fallback(port),
        };
        found.push(tensor.ok_or_else(|| missing(port, ports))?);
    }
    Ok(found)
}

/// The path given for each port: `NAME=PATH` first, the others in order.
pub(crate) fn assign<'a>(inputs: &'a [String], ports: &[Port]) -> Result<Vec<Option<&'a str>>> {
    let mut found: Vec<Option<&str>> = vec![None; ports.len()];
    let mut unnamed = Vec::new();
    for input in inputs {
        let named = input.split_once('=');
        let at = named.and_then(|(name, path)| Some((ports.iter().position(|port| port.is_called(name))?, path)));
        match (at, named) {
            (Some((at, path)), _) => {
                if found[at].replace(path).is_some() {
                    bail!("two files are given for the input `{}`", ports[at].name);
                }
            }
            (None, Some((name, _))) if !std::path::Path::new(input).exists() => {
                bail!("no input is called `{name}`; there {}", listed(ports))
            }
            _ => unnamed.push(input.as_str()),
        }
    }
    let mut unnamed = unnamed.into_iter();
    for path in found.iter_mut().filter(|path| path.is_none()) {
        *path = unnamed.next();
    }
    if let Some(extra) = unnamed.next() {
        bail!("{extra} is one file too many; there {}", listed(ports));
    }
    Ok(found)
}

/// What is wrong if there is no file for an input.
pub(crate) fn missing(port: &Port, ports: &[Port]) -> Error {
    anyhow!("no file is given for the input `{}` of shape {:?}; there {}", port.name, port.shape, listed(ports))
}

fn listed(ports: &[Port]) -> String {
    let names: Vec<_> = ports.iter().map(|port| format!("`{}` {:?}", port.name, port.shape)).collect();
    match names.len() {
        1 => format!("is one input: {}", names[0]),
        count => format!("are {count} inputs: {}", names.join(", ")),
    }
}
