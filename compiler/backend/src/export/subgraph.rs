//! DPU subgraphs: boundary operators, super-layers, and the attributes the runtime reads.

use std::collections::BTreeMap;

use bytes::Bytes;
use dpuc_codegen::Layer;
use dpuc_dialects::dialects::{dpu, int8};
use dpuc_dialects::{Attribute, Ir, OpId, ValueId};
use dpuc_isa::encode;
use dpuc_xmodel::{Attributed, Op, Subgraph};
use rustc_hash::{FxHashMap, FxHashSet};

use super::attributes::{dims, fixed_tensor, set_place};
use super::fixed::{fixed_form, result_dims};
use super::workload::{Workload, workload};
use super::{Exporter, set_workload, subgraph_name};
use crate::constants::int8_elements;
use crate::emit::program_symbol;
use crate::error::BackendError;
use crate::names::{operation_name, tensor_name};
use crate::operator::placed_layers;
use crate::partition::{moves_only, single_block};
use crate::placement::{Placement, region};
use crate::program::instructions_from_program;
use crate::superlayer::Flat;

const DPU: &str = "DPU";

/// A subgraph while its operators are added.
struct Part<'a> {
    name: &'a str,
    /// The operations and their places.
    flat: Flat,
    /// The operator that gives each value of the body.
    producers: FxHashMap<ValueId, usize>,
    /// Values that leave the subgraph.
    downloaded: FxHashSet<ValueId>,
    /// Contents of the constant region.
    constants: Vec<u8>,
    children: Vec<Subgraph>,
    /// Children that compute, by name, in order.
    layers: Vec<String>,
    workload: Workload,
}

impl Part<'_> {
    fn unplanned(&self, problem: &str) -> BackendError {
        BackendError::Unplanned { subgraph: self.name.to_owned(), problem: problem.to_owned() }
    }

    fn place(&self, value: ValueId) -> Result<Placement, BackendError> {
        self.flat.place(value).ok_or_else(|| self.unplanned("a value has no place; was it planned?"))
    }

    fn producer(&self, value: ValueId) -> Result<usize, BackendError> {
        self.producers
            .get(&self.flat.resolve(value))
            .copied()
            .ok_or_else(|| self.unplanned("a value comes from nowhere"))
    }
}

impl Exporter<'_> {
    /// Adds the subgraph that `call` runs.
    pub(super) fn dpu_subgraph(&mut self, call: OpId) -> Result<(Subgraph, Workload), BackendError> {
        let ir = self.ir;
        let callee = ir.attribute(call, "callee").and_then(Attribute::as_symbol).unwrap_or_default();
        let subgraph = ir.find_symbol(callee).filter(|&op| ir.is(op, &dpu::SUBGRAPH));
        let subgraph =
            subgraph.ok_or_else(|| self.operators.refuse(call, format!("`@{callee}` is no dpu.subgraph")))?;
        let block = single_block(ir, subgraph)?;
        let sizes = ir.int_array::<{ region::COUNT }>(subgraph, "region_sizes");
        let unplanned =
            |problem: &str| BackendError::Unplanned { subgraph: callee.to_owned(), problem: problem.to_owned() };
        if sizes.is_none() {
            return Err(unplanned("it has no region_sizes of 31 bits; was it planned?"));
        }
        let flat = Flat::of(ir, ir.ops(block), callee, |op| {
            unplanned(&format!("`{}` is in no superlayer; run `plan` first", operation_name(ir, op)))
        })?;
        let mut part = Part {
            name: callee,
            producers: FxHashMap::default(),
            downloaded: flat.outputs.iter().copied().collect(),
            flat,
            constants: Vec::new(),
            children: Vec::new(),
            layers: Vec::new(),
            workload: Workload::default(),
        };
        let sizes = sizes.and_then(|sizes| i32_sizes(&sizes));
        let sizes = sizes.ok_or_else(|| part.unplanned("it has no region_sizes of 31 bits; was it planned?"))?;
        part.constants = vec![0; sizes[usize::from(region::CONSTANTS)] as usize];

        for (&argument, &value) in ir.arguments(block).iter().zip(ir.operands(call)) {
            let producer = self.operators.producers.get(&value).copied();
            let producer = producer.ok_or_else(|| self.operators.refuse(call, "an argument has no operator"))?;
            part.producers.insert(argument, producer);
        }
        for op in ir.ops(block) {
            if ir.is(op, &dpu::UPLOAD) {
                self.upload(op, &mut part)?;
            } else if ir.is(op, &dpu::SUPERLAYER) {
                self.superlayer(op, &mut part)?;
            } else if ir.is(op, &dpu::DOWNLOAD) {
                self.download(op, &mut part)?;
            }
        }
        let returned = ir.last_op(block).map_or(&[][..], |end| ir.operands(end));
        for (&result, &value) in ir.results(call).iter().zip(returned) {
            self.operators.producers.insert(result, part.producer(value)?);
        }
        let code = program_bytes(ir, callee)?;
        let workload = part.workload;
        Ok((self.assemble(part, &sizes, code), workload))
    }

    fn upload(&mut self, op: OpId, part: &mut Part<'_>) -> Result<(), BackendError> {
        let source = part.producer(self.ir.operand(op, 0))?;
        let count = self.uploads.entry(source).or_default();
        let number = *count;
        *count += 1;
        let (name, tensor) = (&self.operators.ops[source].name, &self.operators.ops[source].tensor);
        let fix: i32 = tensor.attr("fix_point").map_err(|error| part.unplanned(&error.to_string()))?;
        let mut uploaded = fixed_tensor(format!("{}_upload_{number}", tensor.name), tensor.dims.clone(), fix);
        set_place(&mut uploaded, &part.place(self.ir.result(op))?, true);
        let upload = Op::new(format!("{name}_upload_{number}"), "upload", uploaded).with_arg("input", [name.clone()]);
        let index = self.push(upload);
        part.producers.insert(self.ir.result(op), index);
        let mut child = self.child(index);
        child.set_attr("skip_code_gen", true);
        set_workload(&mut child, Workload::default());
        part.children.push(child);
        Ok(())
    }

    /// Adds an operator of the DPU; returns its index.
    fn push(&mut self, op: Op) -> usize {
        self.operators.push(op.with_attr("device", DPU))
    }

    /// The leaf of all operators from `first` on.
    fn child(&self, first: usize) -> Subgraph {
        let names = || self.operators.names_of(first..self.operators.ops.len());
        Subgraph::leaf(subgraph_name(names()), names())
    }

    fn download(&mut self, op: OpId, part: &mut Part<'_>) -> Result<(), BackendError> {
        let source = part.producer(self.ir.operand(op, 0))?;
        let (name, tensor) = (&self.operators.ops[source].name, &self.operators.ops[source].tensor);
        let fix: i32 = tensor.attr("fix_point").map_err(|error| part.unplanned(&error.to_string()))?;
        let outside = tensor.name.strip_suffix("_download_0").unwrap_or(&tensor.name).to_owned();
        let outside = fixed_tensor(outside, tensor.dims.clone(), fix);
        let download = Op::new(format!("{name}_download_0"), "download", outside).with_arg("input", [name.clone()]);
        let index = self.push(download);
        part.producers.insert(self.ir.result(op), index);
        let mut child = self.child(index);
        set_workload(&mut child, Workload::default());
        part.children.push(child);
        Ok(())
    }

    fn superlayer(&mut self, op: OpId, part: &mut Part<'_>) -> Result<(), BackendError> {
        let ir = self.ir;
        let superlayer = &part
            .flat
            .superlayers
            .iter()
            .find(|(own, _)| *own == op)
            .ok_or_else(|| part.unplanned("a superlayer is lost"))?
            .1;
        let operations = superlayer.operations.clone();
        let first = self.operators.ops.len();
        let mut emits = false;
        let mut total = Workload::default();
        for operation in operations {
            let mut operands = Vec::new();
            let inputs = int8::inputs(ir, operation);
            for &value in inputs {
                let value = part.flat.resolve(value);
                operands.push(match part.producers.get(&value) {
                    Some(&producer) => producer,
                    None => self.parameter(value, operation, part)?,
                });
            }
            // Constants of the recipe have no argument in the format; only the instructions know their place.
            for &value in &ir.operands(operation)[inputs.len()..] {
                place_constant(ir, part.flat.resolve(value), part)?;
            }
            let form = fixed_form(ir, operation).map_err(|reason| self.operators.refuse(operation, reason))?;
            let shape = result_dims(ir, operation).map_err(|reason| self.operators.refuse(operation, reason))?;
            let value = ir.result(operation);
            let fix = ir.fix_of(value).ok_or_else(|| part.unplanned("a result has no fix point"))?;
            let suffix = if part.downloaded.contains(&value) { "_download_0" } else { "" };
            let mut tensor = fixed_tensor(format!("{}{suffix}", tensor_name(ir, operation)), shape, fix);
            set_place(&mut tensor, &part.place(value)?, true);
            let mut operator =
                self.operators.operator(operation_name(ir, operation).to_owned(), form, &operands, tensor);

            let layers = placed_layers(ir, operation, &|value| part.flat.place(value), self.target)
                .map_err(|reason| BackendError::not_for_dpu(ir, operation, part.name, reason))?;
            emits |= !layers.is_empty();
            if matches!(layers[..], [Layer::Conv2d { augment_channels: true, .. }]) {
                operator.set_attr("channel_augmentation", 1);
            }
            let own =
                layers.first().filter(|_| !moves_only(ir, operation)).and_then(|layer| workload(layer, self.target));
            if let Some(own) = own {
                operator.set_attr("workload", own.plain);
                operator.set_attr("workload_on_arch", own.on_arch);
                part.workload += own;
                total += own;
            }
            let index = self.push(operator);
            part.producers.insert(value, index);
        }
        let mut child = self.child(first);
        if !emits {
            child.set_attr("skip_code_gen", true);
        }
        set_workload(&mut child, total);
        part.layers.push(child.name.clone());
        part.children.push(child);
        Ok(())
    }

    /// Adds a constant and puts its bytes into the constant region.
    fn parameter(&mut self, value: ValueId, reader: OpId, part: &mut Part<'_>) -> Result<usize, BackendError> {
        let ir = self.ir;
        let op = ir.defining_op(value).filter(|&op| ir.is(op, &dpu::PARAMETER));
        let op = op.ok_or_else(|| part.unplanned("a superlayer reads a value that is not computed before it"))?;
        let shape = ir.shape_of(value).and_then(|shape| dims(&shape));
        let (Some(shape), Some(fix)) = (shape, ir.fix_of(value)) else {
            return Err(part.unplanned("a constant has no shape or no fix point"));
        };
        let place = part.place(value)?;
        let elements = place_constant(ir, value, part)?;
        let mut tensor = fixed_tensor(tensor_name(ir, op).to_owned(), shape.clone(), fix);
        set_place(&mut tensor, &place, false);
        // The bytes are in the constant region. Files of AMD's compiler have the weights of some transposed convolutions there in
        // another order (`spec/recipes-conv.md` section 5.5); where a reader could take ours for those, they are here as well.
        let data = if has_two_orders(ir, reader, op) { Bytes::copy_from_slice(&elements) } else { Bytes::new() };
        let operator = Op::new(operation_name(ir, op), "const-fix", tensor)
            .with_attr("shape", shape)
            .with_attr("data_type", "XINT8")
            .with_attr("data", data);
        let index = self.push(operator);
        part.producers.insert(value, index);
        Ok(index)
    }

    fn assemble(&self, part: Part<'_>, sizes: &[i32; region::COUNT], code: Vec<u8>) -> Subgraph {
        let used = || (0u8..).zip(sizes).filter(|&(_, &size)| size > 0);
        let each = |value: fn(u8) -> &'static str| -> BTreeMap<String, String> {
            used().map(|(region, _)| (register(region), value(region).to_owned())).collect()
        };
        let parameters: BTreeMap<String, Bytes> = used()
            .filter(|&(region, _)| region == region::CONSTANTS)
            .map(|(region, _)| (register(region), Bytes::from(part.constants.clone())))
            .collect();
        let runner = [("run", "dpu"), ("sim", "sim"), ("ref", "cpu")]
            .map(|(key, library)| (key.to_owned(), format!("libvart-{library}-runner.so")));
        let mut subgraph = Subgraph::parent(part.name, part.children)
            .with_attr("device", DPU)
            .with_attr("runner", BTreeMap::from(runner))
            .with_attr("dpu_name", self.target.name.as_str())
            .with_attr("dpu_fingerprint", self.target.fingerprint)
            .with_attr("mc_code", code)
            .with_attr("mc_code_preload", Bytes::new())
            .with_attr("reg_id_to_context_type", each(|region| if region == 0 { "CONST" } else { "DATA" }))
            .with_attr("reg_id_to_context_type_v2", each(context_type))
            .with_attr("reg_id_to_hw_segment", each(|region| if region == 0 { "W0" } else { "D0" }))
            .with_attr("reg_id_to_parameter_value", parameters)
            .with_attr(
                "reg_id_to_size",
                used().map(|(region, &size)| (register(region), size)).collect::<BTreeMap<_, _>>(),
            )
            .with_attr("children_topological_sort", part.layers)
            .with_attr("debug_mode", "null")
            .with_attr("if_prefetch", false);
        set_workload(&mut subgraph, part.workload);
        subgraph
    }
}

/// Bytes the DPU can address in a region.
const REGION_MAX: i32 = 1 << 29;

fn register(region: u8) -> String {
    format!("REG_{region}")
}

fn context_type(region: u8) -> &'static str {
    match region {
        region::CONSTANTS => "CONST",
        region::WORKSPACE => "WORKSPACE",
        _ => "INTERFACE",
    }
}

fn i32_sizes(sizes: &[i64; region::COUNT]) -> Option<[i32; region::COUNT]> {
    let mut narrow = [0; region::COUNT];
    for (narrow, &size) in narrow.iter_mut().zip(sizes) {
        *narrow = i32::try_from(size).ok().filter(|size| (0..=REGION_MAX).contains(size))?;
    }
    Some(narrow)
}

/// Puts the bytes of a constant into the constant region.
fn place_constant(ir: &Ir, value: ValueId, part: &mut Part<'_>) -> Result<Vec<u8>, BackendError> {
    let op = ir.defining_op(value).filter(|&op| ir.is(op, &dpu::PARAMETER));
    let op = op.ok_or_else(|| part.unplanned("a superlayer reads a value that is not computed before it"))?;
    let place = part.place(value)?;
    let elements = int8_elements(ir, op)?.into_owned();
    let start = usize::try_from(place.address).unwrap_or(usize::MAX);
    let space = start.checked_add(elements.len()).and_then(|end| part.constants.get_mut(start..end));
    let space = space.ok_or_else(|| BackendError::Unplanned {
        subgraph: part.name.to_owned(),
        problem: "a constant reaches beyond the constant region".to_owned(),
    })?;
    space.copy_from_slice(&elements);
    Ok(elements)
}

/// Whether files of AMD's compiler store these weights in another order than the natural one.
fn has_two_orders(ir: &Ir, reader: OpId, constant: OpId) -> bool {
    let transposed = [&int8::TRANSPOSED_CONV2D, &int8::TRANSPOSED_DEPTHWISE_CONV2D];
    let Some(&[_, height, width, _]) = ir.shape_of(ir.result(constant)).as_deref() else { return false };
    let strides = ir.int_array::<2>(reader, "strides").unwrap_or([1, 1]);
    transposed.into_iter().any(|definition| ir.is(reader, definition))
        && strides != [1, 1]
        && [height as i64, width as i64] != strides
}

/// The machine code of a subgraph.
fn program_bytes(ir: &Ir, subgraph: &str) -> Result<Vec<u8>, BackendError> {
    let symbol = program_symbol(subgraph);
    let program = ir.find_symbol(&symbol).filter(|&op| ir.is(op, &dpu::PROGRAM));
    let program = program.ok_or_else(|| BackendError::Unplanned {
        subgraph: subgraph.to_owned(),
        problem: format!("there is no program `@{symbol}`; run `emit` first"),
    })?;
    Ok(encode(&instructions_from_program(ir, program)?)?)
}
