//! Constants.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::weights::{ElementType, Weight};
use dpuc_dialects::{Attribute, ValueId};
use dpuc_xmodel::{Attributed, DataType, Op, Placement};

use crate::error::ImportError;
use crate::importer::Importer;
use crate::node::Node;
use crate::transposed::{natural_order, stored_places};

/// Bytes taken from each constant region, by the address of its blob.
///
/// Constants of a real file do not overlap; without a limit, many that do would need far more memory than the file.
#[derive(Debug, Default)]
pub(crate) struct ConstantBudget<'a> {
    taken: HashMap<&'a str, usize>,
}

/// How often the bytes of a constant region may be used.
const MAX_REUSE: usize = 8;

/// Largest stride of a transposed convolution stored by sub-kernels; the hardware ends at 16.
const MAX_STRIDE: usize = 256;

/// First release of AMD's compiler that stores transposed convolutions by sub-kernels.
const FIRST_WITH_SUB_KERNELS: u32 = 3;

impl<'a> Importer<'a> {
    /// Adds a `const` or `const-fix`.
    pub(crate) fn constant(&mut self, op: &'a Op) -> Result<ValueId, ImportError> {
        let fail = |problem: String| ImportError::Constant { op: op.name.clone(), problem };
        let (definition, element) = match op.tensor.data_type {
            DataType::FLOAT32 => (&nn::CONSTANT, ElementType::F32),
            DataType::XINT8 => (&int8::CONSTANT, ElementType::I8),
            _ => {
                return Err(ImportError::Tensor {
                    op: op.name.clone(),
                    data_type: op.tensor.data_type,
                    dims: op.tensor.dims.clone(),
                });
            }
        };
        let size = op.tensor.num_bytes().and_then(|bytes| usize::try_from(bytes).ok());
        let size = size.ok_or_else(|| fail(format!("its dimensions {:?} have no size", op.tensor.dims)))?;
        let inline: &[u8] = op.attr_opt::<&Bytes>("data")?.map_or(&[], |data| data);
        let stored = if inline.is_empty() { self.region_bytes(op, size)? } else { inline };
        if stored.len() != size {
            return Err(fail(format!(
                "it has {} bytes, but its dimensions {:?} need {size}",
                stored.len(),
                op.tensor.dims
            )));
        }
        let natural = if inline.is_empty() { self.unpermuted(op, stored)? } else { None };
        let shape: Vec<usize> = op.tensor.dims.iter().filter_map(|&dim| usize::try_from(dim).ok()).collect();
        let weight = match natural {
            Some(natural) => Weight::new(element, &shape, natural),
            None => Weight::new(element, &shape, stored),
        };
        let weight = weight.map_err(|error| ImportError::weights(&op.name, &error))?;
        self.ir.weights.insert(op.name.as_str(), weight);
        self.append(definition, op, [], [("value", Attribute::symbol(op.name.as_str()))])
    }

    /// The bytes of a constant in the constant region of its DPU subgraph.
    fn region_bytes(&mut self, op: &'a Op, size: usize) -> Result<&'a [u8], ImportError> {
        let fail = |problem: String| ImportError::Constant { op: op.name.clone(), problem };
        let Some(&subgraph) = self.device_subgraphs.get(op.name.as_str()) else {
            return Err(fail(
                "it has no data, and it is in no subgraph whose constant region could have it".to_owned(),
            ));
        };
        let placement = Placement::of(&op.tensor).map_err(|problem| fail(problem.to_string()))?;
        let Placement::Memory { register, address, .. } = placement else {
            return Err(fail("it has no data and no place in memory".to_owned()));
        };
        let regions: &BTreeMap<String, Bytes> = subgraph.attr("reg_id_to_parameter_value")?;
        let name = format!("REG_{register}");
        let region =
            regions.get(&name).ok_or_else(|| fail(format!("{:?} has no constant region {name}", subgraph.name)))?;
        let start = address as usize;
        let bytes = start.checked_add(size).and_then(|end| region.get(start..end));
        let bytes = bytes.ok_or_else(|| {
            fail(format!("its {size} bytes at {start} reach beyond the {} bytes of {name}", region.len()))
        })?;
        let taken = self.budget.taken.entry(subgraph.name.as_str()).or_default();
        *taken = taken.saturating_add(size);
        if *taken > region.len().saturating_mul(MAX_REUSE) {
            let problem =
                format!("the constants of {:?} overlap: they are {MAX_REUSE} times larger than {name}", subgraph.name);
            return Err(fail(problem));
        }
        Ok(bytes)
    }

    /// Weights of a transposed convolution in natural order, if the file has them by sub-kernels.
    fn unpermuted(&mut self, op: &'a Op, stored: &[u8]) -> Result<Option<Vec<u8>>, ImportError> {
        let reader = self.index.consumers(&op.name).find(|reader| {
            matches!(reader.kind.as_str(), "transposed-conv2d-fix" | "transposed-depthwise-conv2d-fix")
                && reader.arg("weights").contains(&op.name)
        });
        let Some(reader) = reader.map(Node) else { return Ok(None) };
        let (kernel, strides) = (reader.size("kernel")?, reader.size("stride")?);
        let [top, left, ..] = reader.pads()?;
        if kernel == strides || strides == [1, 1] || self.compiler_release().is_some_and(|x| x < FIRST_WITH_SUB_KERNELS)
        {
            return Ok(None);
        }
        if reader.0.kind == "transposed-depthwise-conv2d-fix" {
            self.warn(reader, "the order of its weights in files of AMD's compiler is not known; taken as natural");
            return Ok(None);
        }
        if self.compiler_release().is_none() {
            self.warn(
                reader,
                "the file does not say which compiler made it; its weights are taken to be stored by sub-kernels",
            );
        }
        let fail = |problem: String| ImportError::Constant { op: op.name.clone(), problem };
        let sizes = |pair: [i64; 2]| -> Result<[usize; 2], ImportError> {
            let size = |value| usize::try_from(value).map_err(|_| fail(format!("{pair:?} is no size of its reader")));
            Ok([size(pair[0])?, size(pair[1])?])
        };
        let (kernel, strides, crops) = (sizes(kernel)?, sizes(strides)?, sizes([top, left])?);
        let &[_, kernel_h, kernel_w, channels] = &op.tensor.dims[..] else {
            return Err(fail(format!("weights of dimensions {:?} are not OHWI", op.tensor.dims)));
        };
        if [kernel_h, kernel_w].map(i64::from) != kernel.map(|size| size as i64) || channels < 1 {
            let (dims, name) = (&op.tensor.dims, &reader.0.name);
            return Err(fail(format!("its dimensions {dims:?} do not fit kernel {kernel:?} [h, w] of {name:?}")));
        }
        if !strides.iter().all(|stride| (1..=MAX_STRIDE).contains(stride)) {
            return Err(reader.attribute_error("stride", format!("is {strides:?} [h, w], must be 1 to {MAX_STRIDE}")));
        }
        let places = stored_places(kernel, strides, crops);
        Ok(Some(natural_order(stored, &places, channels as usize)))
    }

    /// First number of the release of AMD's compiler that made the file, from its attribute `libs_info`.
    fn compiler_release(&self) -> Option<u32> {
        let libraries: &BTreeMap<String, String> = self.index.graph().attr_opt("libs_info").ok()??;
        let release = libraries.keys().find_map(|name| name.strip_prefix("xcompiler."))?;
        release.split('.').next()?.parse().ok()
    }
}
