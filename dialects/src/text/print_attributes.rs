//! Types, attributes and locations as text.

use std::fmt::Write;

use dpuc_grammar::{escape, float64, key, symbol};

use crate::ir::{
    Attribute, Dense, DenseElements, Encoding, Ir, Location, LocationKind, Name, TensorType, Type, TypeKind,
};

impl Ir {
    /// The type as text.
    pub fn show_type(&self, ty: Type) -> String {
        let mut out = String::new();
        self.write_type(&mut out, ty);
        out
    }

    /// The attribute as text.
    pub fn show_attribute(&self, attribute: &Attribute) -> String {
        let mut out = String::new();
        self.write_attribute(&mut out, attribute);
        out
    }

    pub(super) fn write_type(&self, out: &mut String, ty: Type) {
        match self.type_kind(ty) {
            TypeKind::Integer { width, signed } => {
                let prefix = match signed {
                    None => "i",
                    Some(true) => "si",
                    Some(false) => "ui",
                };
                let _ = write!(out, "{prefix}{width}");
            }
            TypeKind::Float(kind) => out.push_str(kind.name()),
            TypeKind::Index => out.push_str("index"),
            TypeKind::None => out.push_str("none"),
            TypeKind::Tensor(tensor) => {
                out.push_str("tensor<");
                for dim in &tensor.shape {
                    match dim {
                        Some(dim) => {
                            let _ = write!(out, "{dim}x");
                        }
                        None => out.push_str("?x"),
                    }
                }
                self.write_type(out, tensor.element);
                match &tensor.encoding {
                    None => {}
                    Some(Encoding::Fix(point)) => {
                        let _ = write!(out, ", #int8.fix<{point}>");
                    }
                    Some(Encoding::Opaque(text)) => {
                        let _ = write!(out, ", {text}");
                    }
                }
                out.push('>');
            }
            TypeKind::Function { inputs, results } => self.write_signature(out, inputs, results),
            TypeKind::Tuple(members) => {
                out.push_str("tuple<");
                self.write_types(out, members);
                out.push('>');
            }
            TypeKind::Opaque(text) => out.push_str(text),
        }
    }

    /// `A, B`
    pub(super) fn write_types(&self, out: &mut String, types: &[Type]) {
        for (index, &ty) in types.iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            self.write_type(out, ty);
        }
    }

    /// `(A, B) -> C`
    pub(super) fn write_signature(&self, out: &mut String, inputs: &[Type], results: &[Type]) {
        out.push('(');
        self.write_types(out, inputs);
        out.push_str(") -> ");
        self.write_results(out, results);
    }

    /// `C` or `(C, D)`
    pub(super) fn write_results(&self, out: &mut String, results: &[Type]) {
        let bare = matches!(results, [only] if !matches!(self.type_kind(*only), TypeKind::Function { .. }));
        if bare {
            self.write_type(out, results[0]);
        } else {
            out.push('(');
            self.write_types(out, results);
            out.push(')');
        }
    }

    pub(super) fn write_attribute(&self, out: &mut String, attribute: &Attribute) {
        match attribute {
            Attribute::Unit => out.push_str("unit"),
            Attribute::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Attribute::Integer(value, ty) => {
                let _ = write!(out, "{value}");
                self.write_type_suffix(out, *ty);
            }
            Attribute::Float(value, ty) => {
                out.push_str(&float64(*value));
                self.write_type_suffix(out, *ty);
            }
            Attribute::String(text) => {
                out.push('"');
                out.push_str(&escape(text));
                out.push('"');
            }
            Attribute::Symbol(path) => {
                for (index, part) in path.iter().enumerate() {
                    if index > 0 {
                        out.push_str("::");
                    }
                    out.push_str(&symbol(part));
                }
            }
            Attribute::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    self.write_attribute(out, element);
                }
                out.push(']');
            }
            Attribute::Dictionary(entries) => self.write_dictionary(out, entries.iter().map(|(n, a)| (*n, a))),
            Attribute::Type(ty) => self.write_type(out, *ty),
            Attribute::Dense(dense) => self.write_dense(out, dense),
            Attribute::DenseArray(element, values) => {
                out.push_str("array<");
                self.write_type(out, *element);
                for (index, value) in values.iter().enumerate() {
                    let _ = write!(out, "{} {value}", if index == 0 { ":" } else { "," });
                }
                out.push('>');
            }
            Attribute::Opaque(text) => out.push_str(text),
        }
    }

    fn write_type_suffix(&self, out: &mut String, ty: Option<Type>) {
        if let Some(ty) = ty {
            out.push_str(" : ");
            self.write_type(out, ty);
        }
    }

    /// `{a = 1, b}`
    pub(super) fn write_dictionary<'a>(&self, out: &mut String, entries: impl Iterator<Item = (Name, &'a Attribute)>) {
        out.push('{');
        for (index, (name, value)) in entries.enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            out.push_str(&key(self.text(name)));
            if *value != Attribute::Unit {
                out.push_str(" = ");
                self.write_attribute(out, value);
            }
        }
        out.push('}');
    }

    fn write_dense(&self, out: &mut String, dense: &Dense) {
        self.write_dense_elements(out, dense);
        out.push_str(" : ");
        self.write_type(out, dense.ty);
    }

    /// `dense<…>` without the type.
    pub(super) fn write_dense_elements(&self, out: &mut String, dense: &Dense) {
        out.push_str("dense<");
        let shape = self.tensor(dense.ty).and_then(TensorType::static_shape).unwrap_or_default();
        let shape_of = |length: usize| if length == 1 { &[] } else { &shape[..] };
        match &dense.elements {
            DenseElements::Integers(values) => write_nested(out, shape_of(values.len()), values, &mut |out, value| {
                let _ = write!(out, "{value}");
            }),
            DenseElements::Floats(values) => write_nested(out, shape_of(values.len()), values, &mut |out, value| {
                out.push_str(&float64(*value));
            }),
            DenseElements::Text(text) => out.push_str(text),
        }
        out.push('>');
    }

    pub(super) fn write_location(&self, out: &mut String, location: Location) {
        out.push_str("loc(");
        self.write_location_body(out, location);
        out.push(')');
    }

    fn write_location_body(&self, out: &mut String, location: Location) {
        match self.location_kind(location) {
            LocationKind::Unknown => out.push_str("unknown"),
            LocationKind::File { file, line, column, .. } => {
                let _ = write!(out, "\"{}\":{line}:{column}", escape(file));
            }
            LocationKind::Name(name, child) => {
                let _ = write!(out, "\"{}\"", escape(name));
                if let Some(child) = child {
                    out.push('(');
                    self.write_location_body(out, *child);
                    out.push(')');
                }
            }
            LocationKind::Fused(parts) => {
                out.push_str("fused[");
                for (index, &part) in parts.iter().enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    self.write_location_body(out, part);
                }
                out.push(']');
            }
        }
    }
}

/// Elements in nested brackets that follow the shape.
fn write_nested<T>(out: &mut String, shape: &[usize], values: &[T], write: &mut impl FnMut(&mut String, &T)) {
    let Some((&outer, inner_shape)) = shape.split_first() else {
        for value in values {
            write(out, value);
        }
        return;
    };
    let inner = values.len() / outer.max(1);
    out.push('[');
    for index in 0..outer {
        if index > 0 {
            out.push_str(", ");
        }
        write_nested(out, inner_shape, &values[index * inner..(index + 1) * inner], write);
    }
    out.push(']');
}
