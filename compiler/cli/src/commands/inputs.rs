//! Input tensors from the command line.

use anyhow::{Result, bail};
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
    let mut found: Vec<Option<Tensor>> = vec![None; ports.len()];
    let mut unnamed = Vec::new();
    for input in inputs {
        let named = input
            .split_once('=')
            .and_then(|(name, file)| ports.iter().position(|port| port.is_called(name)).map(|at| (at, file)));
        match (named, input.split_once('=')) {
            (Some((at, file)), _) => found[at] = Some(tensors::read(file.as_ref(), &ports[at], preprocessing)?),
            (None, Some((name, _))) if !std::path::Path::new(input).exists() => {
                bail!("no input is called `{name}`; there {}", listed(ports))
            }
            _ => unnamed.push(input),
        }
    }
    let mut unnamed = unnamed.into_iter();
    for (tensor, port) in found.iter_mut().zip(ports).filter(|(tensor, _)| tensor.is_none()) {
        *tensor = match unnamed.next() {
            Some(file) => Some(tensors::read(file.as_ref(), port, preprocessing)?),
            None => fallback(port),
        };
        if tensor.is_none() {
            bail!("no file is given for the input `{}` of shape {:?}; there {}", port.name, port.shape, listed(ports));
        }
    }
    if let Some(extra) = unnamed.next() {
        bail!("{extra} is one file too many; there {}", listed(ports));
    }
    Ok(found.into_iter().flatten().collect())
}

fn listed(ports: &[Port]) -> String {
    let names: Vec<_> = ports.iter().map(|port| format!("`{}` {:?}", port.name, port.shape)).collect();
    match names.len() {
        1 => format!("is one input: {}", names[0]),
        count => format!("are {count} inputs: {}", names.join(", ")),
    }
}
