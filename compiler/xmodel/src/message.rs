//! The messages of the schema `serial_v2` (§1.1): which part of a [`Graph`] is which field.

use bytes::Bytes;

use crate::attr::{Attr, AttrMap};
use crate::data_type::{DataType, Representation};
use crate::graph::{Arg, Graph, Op, Subgraph, Tensor};
use crate::wire::{
    Field, Malformed, MalformedCause, Reader, Tag, WireType, Writer, insert_once, read_entry, read_repeated, set_once,
    write_entries, write_packed,
};

/// The value of an unknown dimension (−1) in the unsigned field `tensor_dim`.
const UNKNOWN_DIM: u32 = u32::MAX;

/// Attributes whose key begins so belong to the process that made them. No writer stores them, so they are dropped on
/// reading as well: what was read is what would be written.
const PRIVATE_PREFIX: &str = "__";

fn read_attr(attrs: &mut AttrMap, reader: &mut Reader<'_>, tag: Tag) -> Result<(), Malformed> {
    let entry = read_entry(reader, tag)?;
    if entry.0.starts_with(PRIVATE_PREFIX) { Ok(()) } else { insert_once(attrs, entry, tag) }
}

fn write_attrs(attrs: &AttrMap, number: u32, writer: &mut Writer) {
    write_entries(attrs.iter().filter(|(key, _)| !key.starts_with(PRIVATE_PREFIX)), number, writer);
}

fn required<T>(slot: Option<T>, name: &'static str, reader: &Reader<'_>) -> Result<T, Malformed> {
    slot.ok_or_else(|| reader.error(MalformedCause::Missing(name)))
}

/// Names the part an error is in.
fn in_part<T>(what: &str, name: Option<&str>, result: Result<T, Malformed>) -> Result<T, Malformed> {
    result.map_err(|error| match name {
        Some(name) => error.within(format_args!("{what} {name:?}")),
        None => error.within(format_args!("{what} without name")),
    })
}

/// `message AttrValue`: a one-of, so exactly one field.
impl Field for Attr {
    const WIRE: WireType = WireType::Length;

    fn read_value(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut message = reader.message()?;
        let mut value = None;
        while let Some(tag) = message.tag()? {
            if let Some(attr) = Self::read_kind(&mut message, tag)?
                && value.replace(attr).is_some()
            {
                return Err(Malformed::new(tag.offset, MalformedCause::Repeated("the value".to_owned())));
            }
        }
        value.ok_or_else(|| message.error(MalformedCause::NoAttrKind))
    }

    fn write_value(&self, writer: &mut Writer) {
        writer.delimited(|writer| self.write_kind(writer));
    }
}

/// `message OpArg`.
impl Field for Arg {
    const WIRE: WireType = WireType::Length;

    fn read_value(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut message = reader.message()?;
        let mut name = None;
        let mut ops = Vec::new();
        while let Some(tag) = message.tag()? {
            match tag.number {
                1 => set_once(&mut name, "arg_name", &mut message, tag)?,
                2 => read_repeated(&mut ops, &mut message, tag)?,
                _ => message.skip(tag)?,
            }
        }
        Ok(Self { name: required(name, "arg_name", &message)?, ops })
    }

    fn write_value(&self, writer: &mut Writer) {
        writer.delimited(|writer| {
            writer.field(1, &self.name);
            write_packed(&self.ops, 2, writer);
        });
    }
}

/// `message Tensor`.
impl Field for Tensor {
    const WIRE: WireType = WireType::Length;

    fn read_value(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut name = None;
        let tensor = read_tensor(&mut name, &mut reader.message()?);
        in_part("tensor", name.as_deref(), tensor)
    }

    fn write_value(&self, writer: &mut Writer) {
        writer.delimited(|writer| {
            writer.field(1, &self.name);
            // −1 becomes the unsigned value of the same 32 bits.
            let dims: Vec<u32> = self.dims.iter().map(|&dim| dim as u32).collect();
            write_packed(&dims, 2, writer);
            writer.field_unless_default(5, &(self.data_type.representation as i32));
            writer.field_unless_default(6, &self.data_type.bit_width);
            write_attrs(&self.attrs, 10, writer);
        });
    }
}

fn read_tensor(name: &mut Option<String>, message: &mut Reader<'_>) -> Result<Tensor, Malformed> {
    let mut dims: Vec<u32> = Vec::new();
    let mut data_type = None;
    let mut bit_width = None;
    let mut attrs = AttrMap::new();
    while let Some(tag) = message.tag()? {
        match tag.number {
            1 => set_once(name, "tensor_name", message, tag)?,
            2 => read_repeated(&mut dims, message, tag)?,
            5 => set_once(&mut data_type, "data_type", message, tag)?,
            6 => set_once(&mut bit_width, "tensor_bit_width", message, tag)?,
            10 => read_attr(&mut attrs, message, tag)?,
            _ => message.skip(tag)?,
        }
    }
    let dim = |dim| match dim {
        UNKNOWN_DIM => Ok(-1),
        _ => i32::try_from(dim).map_err(|_| message.error(MalformedCause::Dimension(dim))),
    };
    Ok(Tensor {
        name: required(name.clone(), "tensor_name", message)?,
        dims: dims.into_iter().map(dim).collect::<Result<_, _>>()?,
        data_type: data_type_of(data_type.unwrap_or(0), bit_width.unwrap_or(0), message)?,
        attrs,
    })
}

fn data_type_of(data_type: i32, bit_width: i32, message: &Reader<'_>) -> Result<DataType, Malformed> {
    Representation::from_number(data_type)
        .zip(u32::try_from(bit_width).ok())
        .map(|(representation, bit_width)| DataType { representation, bit_width })
        .filter(|data_type| data_type.is_valid())
        .ok_or_else(|| message.error(MalformedCause::DataType { data_type, bit_width }))
}

/// `message OPNode`.
impl Field for Op {
    const WIRE: WireType = WireType::Length;

    fn read_value(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut name = None;
        let op = read_op(&mut name, &mut reader.message()?);
        in_part("op", name.as_deref(), op)
    }

    fn write_value(&self, writer: &mut Writer) {
        writer.delimited(|writer| {
            writer.field(1, &self.name);
            writer.field(2, &self.kind);
            write_attrs(&self.attrs, 3, writer);
            write_packed(&self.args, 4, writer);
            writer.field(5, &self.tensor);
        });
    }
}

fn read_op(name: &mut Option<String>, message: &mut Reader<'_>) -> Result<Op, Malformed> {
    let mut kind = None;
    let mut attrs = AttrMap::new();
    let mut args = Vec::new();
    let mut tensor = None;
    while let Some(tag) = message.tag()? {
        match tag.number {
            1 => set_once(name, "op_name", message, tag)?,
            2 => set_once(&mut kind, "op_type", message, tag)?,
            3 => read_attr(&mut attrs, message, tag)?,
            4 => read_repeated(&mut args, message, tag)?,
            5 => set_once(&mut tensor, "output_tensor", message, tag)?,
            _ => message.skip(tag)?,
        }
    }
    Ok(Op {
        name: required(name.clone(), "op_name", message)?,
        kind: required(kind, "op_type", message)?,
        attrs,
        args,
        tensor: required(tensor, "output_tensor", message)?,
    })
}

/// `message SubGraph`.
impl Field for Subgraph {
    const WIRE: WireType = WireType::Length;

    fn read_value(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut name = None;
        let subgraph = read_subgraph(&mut name, &mut reader.message()?);
        in_part("subgraph", name.as_deref(), subgraph)
    }

    fn write_value(&self, writer: &mut Writer) {
        writer.delimited(|writer| {
            writer.field(1, &self.name);
            write_packed(&self.ops, 3, writer);
            write_attrs(&self.attrs, 5, writer);
            write_packed(&self.children, 10, writer);
        });
    }
}

fn read_subgraph(name: &mut Option<String>, message: &mut Reader<'_>) -> Result<Subgraph, Malformed> {
    let mut ops = Vec::new();
    let mut children = Vec::new();
    let mut attrs = AttrMap::new();
    while let Some(tag) = message.tag()? {
        match tag.number {
            1 => set_once(name, "subgraph_name", message, tag)?,
            3 => read_repeated(&mut ops, message, tag)?,
            5 => read_attr(&mut attrs, message, tag)?,
            10 => read_repeated(&mut children, message, tag)?,
            _ => message.skip(tag)?,
        }
    }
    Ok(Subgraph { name: required(name.clone(), "subgraph_name", message)?, ops, children, attrs })
}

/// Reads `message Graph`, the whole file. The field `op_defs` is skipped.
///
/// A file of an unpartitioned graph may leave the op list of the root, or the root itself, out, as no reader uses it; the
/// result always has it.
pub(crate) fn read_graph(file: &Bytes) -> Result<Graph, Malformed> {
    let mut message = Reader::new(file);
    let mut name = None;
    let mut ops = Vec::new();
    let mut root = None;
    let mut attrs = AttrMap::new();
    while let Some(tag) = message.tag()? {
        match tag.number {
            1 => set_once(&mut name, "graph_name", &mut message, tag)?,
            5 => read_repeated(&mut ops, &mut message, tag)?,
            10 => set_once(&mut root, "subg_root", &mut message, tag)?,
            11 => read_attr(&mut attrs, &mut message, tag)?,
            _ => message.skip(tag)?,
        }
    }
    let mut root = root.unwrap_or_else(|| Subgraph::parent("root", Vec::new()));
    if root.ops.is_empty() && root.children.is_empty() {
        root.ops = ops.iter().map(|op: &Op| op.name.clone()).collect();
    }
    Ok(Graph { name: name.unwrap_or_default(), ops, root, attrs })
}

/// Writes `message Graph`, without `op_defs` (§1.5).
pub(crate) fn write_graph(graph: &Graph) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.field_unless_default(1, &graph.name);
    write_packed(&graph.ops, 5, &mut writer);
    writer.field(10, &graph.root);
    write_attrs(&graph.attrs, 11, &mut writer);
    writer.into_bytes()
}
