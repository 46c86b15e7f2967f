//! Operators without a meaning in the dialects.

use dpuc_dialects::dialects::nn;
use dpuc_dialects::{Attribute, Name};
use dpuc_xmodel::{Attr, AttrMap};

use crate::error::ImportError;
use crate::importer::Importer;
use crate::node::Node;

/// Attributes that the compiler or the framework added for itself.
const BOOKKEEPING: [&str; 3] = ["device", "workload", "workload_on_arch"];

impl<'a> Importer<'a> {
    /// Keeps an operator as `nn.custom` and says why.
    pub(crate) fn custom(&mut self, node: Node<'a>, reason: &str) -> Result<(), ImportError> {
        let op = node.0;
        let mut operands = Vec::new();
        for arg in &op.args {
            for producer in &arg.ops {
                operands.push(self.value(node, "input", producer)?);
            }
        }
        let parameters = self.parameters(&op.attrs);
        self.warn(node, format!("kept as it is: {reason}"));
        let attributes = [("type", Attribute::string(op.kind.as_str())), ("parameters", parameters)];
        self.emit(&nn::CUSTOM, node, operands, attributes)
    }

    /// The attributes as a dictionary. Blobs have no form in the IR and are left out.
    fn parameters(&mut self, attrs: &AttrMap) -> Attribute {
        let mut entries: Vec<(Name, Attribute)> = Vec::new();
        for (key, value) in attrs.iter().filter(|(key, _)| !BOOKKEEPING.contains(&key.as_str())) {
            if let Some(value) = self.parameter(value) {
                entries.push((self.ir.name(key), value));
            }
        }
        Attribute::Dictionary(entries.into())
    }

    /// An attribute in the form of the IR, if it has one.
    pub(crate) fn parameter(&mut self, value: &Attr) -> Option<Attribute> {
        let int = |value: i64| Attribute::int(value);
        let float = |value: f64| Attribute::Float(value, None);
        Some(match value {
            Attr::Bool(value) => Attribute::Bool(*value),
            Attr::Int32(value) => int((*value).into()),
            Attr::Uint32(value) => int((*value).into()),
            Attr::Int64(value) => int(*value),
            Attr::Uint64(value) => int(i64::try_from(*value).ok()?),
            Attr::Float(value) => float((*value).into()),
            Attr::Double(value) => float(*value),
            Attr::String(value) => Attribute::string(value.as_str()),
            Attr::BoolVec(values) => Attribute::Array(values.iter().map(|&value| Attribute::Bool(value)).collect()),
            Attr::Int32Vec(values) => Attribute::ints(values.iter().map(|&value| value.into())),
            Attr::Uint32Vec(values) => Attribute::ints(values.iter().map(|&value| value.into())),
            Attr::Int64Vec(values) => Attribute::ints(values.iter().copied()),
            Attr::FloatVec(values) => Attribute::Array(values.iter().map(|&value| float(value.into())).collect()),
            Attr::DoubleVec(values) => Attribute::Array(values.iter().map(|&value| float(value)).collect()),
            Attr::StringVec(values) => {
                Attribute::Array(values.iter().map(|value| Attribute::string(value.as_str())).collect())
            }
            Attr::StringMap(entries) => {
                let entries = entries.iter().map(|(key, value)| (self.ir.name(key), Attribute::string(value.as_str())));
                Attribute::Dictionary(entries.collect())
            }
            _ => return None,
        })
    }
}
