//! Types and attributes from the syntax tree.

use std::sync::Arc;

use dpuc_grammar::{AttributeKind, Diagnostic, Span, TypeTree, parse_type};

use super::lower::Lower;
use crate::ir::{Attribute, Dense, DenseElements, Encoding, FloatKind, TensorType, Type, TypeKind};

/// More elements than this belong into the side file.
const MAX_DENSE_ELEMENTS: usize = 1 << 24;

impl<'s> Lower<'_, 's> {
    /// The type a text stands for; each distinct text is read once.
    pub(super) fn ty(&mut self, syntax: dpuc_grammar::Type<'s>) -> Type {
        if let Some(&known) = self.types.get(syntax.text) {
            return known;
        }
        if let Some(&known) = syntax.text.strip_prefix('!').and_then(|alias| self.types.get(alias)) {
            return known;
        }
        let ty = match parse_type(syntax.text, syntax.span.start) {
            Ok(tree) => self.type_tree(&tree, syntax.span),
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                self.ir.intern_type(TypeKind::None)
            }
        };
        self.types.insert(syntax.text, ty);
        ty
    }

    fn type_tree(&mut self, tree: &TypeTree<'s>, span: Span) -> Type {
        let kind = match tree {
            TypeTree::Integer { width, signed } => TypeKind::Integer { width: *width, signed: *signed },
            TypeTree::Float(name) => match FloatKind::from_name(name) {
                Some(kind) => TypeKind::Float(kind),
                None => TypeKind::Opaque((*name).into()),
            },
            TypeTree::Index => TypeKind::Index,
            TypeTree::None => TypeKind::None,
            TypeTree::Tensor { shape, element, encoding } => {
                let element = self.type_tree(element, span);
                let encoding = encoding.map(|text| self.encoding(text, span));
                TypeKind::Tensor(TensorType { shape: shape.clone().into(), element, encoding })
            }
            TypeTree::Function(inputs, results) => TypeKind::Function {
                inputs: inputs.iter().map(|ty| self.type_tree(ty, span)).collect(),
                results: results.iter().map(|ty| self.type_tree(ty, span)).collect(),
            },
            TypeTree::Tuple(members) => TypeKind::Tuple(members.iter().map(|ty| self.type_tree(ty, span)).collect()),
            TypeTree::Dialect(text) => TypeKind::Opaque((*text).into()),
        };
        self.ir.intern_type(kind)
    }

    fn encoding(&mut self, text: &'s str, span: Span) -> Encoding {
        let Some(body) = text.strip_prefix("#int8.") else { return Encoding::Opaque(text.into()) };
        let point = body.strip_prefix("fix<").and_then(|rest| rest.strip_suffix('>'));
        match point.and_then(|digits| digits.trim().parse().ok()).filter(|point: &i32| point.abs() <= 64) {
            Some(point) => Encoding::Fix(point),
            None => {
                let message = format!("`{text}` is no encoding of the `int8` dialect");
                let diagnostic = Diagnostic::error("unknown-encoding", span, message)
                    .with_hint("write `#int8.fix<p>` with a fix point p from -64 to 64");
                self.diagnostics.push(diagnostic);
                Encoding::Opaque(text.into())
            }
        }
    }

    pub(super) fn attribute(&mut self, syntax: &dpuc_grammar::Attribute<'s>) -> Attribute {
        match &syntax.kind {
            AttributeKind::Unit => Attribute::Unit,
            AttributeKind::Bool(value) => Attribute::Bool(*value),
            AttributeKind::Integer { text, ty } => {
                let ty = ty.map(|ty| self.ty(ty));
                // `1 : f32` is a float in MLIR.
                if let Some(ty) = ty.filter(|&ty| matches!(self.ir.type_kind(ty), TypeKind::Float(_))) {
                    return Attribute::Float(text.parse().unwrap_or_default(), Some(ty));
                }
                match parse_integer(text) {
                    Some(value) => Attribute::Integer(value, ty),
                    None => {
                        self.error("integer-range", syntax.span, format!("`{text}` does not fit 64 bits"));
                        Attribute::int(0)
                    }
                }
            }
            AttributeKind::Float { text, ty } => {
                let ty = ty.map(|ty| self.ty(ty));
                match text.parse() {
                    Ok(value) => Attribute::Float(value, ty),
                    Err(_) => {
                        self.error("float", syntax.span, format!("`{text}` is no number"));
                        Attribute::Float(0.0, ty)
                    }
                }
            }
            AttributeKind::String(text) => Attribute::String((&**text).into()),
            AttributeKind::Symbol(path) => Attribute::Symbol(path.iter().map(|part| Arc::from(part.text)).collect()),
            AttributeKind::Array(elements) => {
                Attribute::Array(elements.iter().map(|element| self.attribute(element)).collect())
            }
            AttributeKind::Dictionary(entries) => Attribute::Dictionary(
                entries
                    .iter()
                    .map(|entry| {
                        let value = self.attribute(&entry.value);
                        (self.ir.name(entry.name.text), value)
                    })
                    .collect(),
            ),
            AttributeKind::Type(ty) => Attribute::Type(self.ty(*ty)),
            AttributeKind::Dense { body, ty } => {
                let lowered = self.ty(*ty);
                self.dense(body, lowered, syntax.span)
            }
            AttributeKind::DenseArray { element, body } => {
                let element = self.ty(*element);
                let values: Option<Arc<[i64]>> = body.iter().map(|text| parse_integer(text)).collect();
                match values {
                    Some(values) => Attribute::DenseArray(element, values),
                    None => {
                        Attribute::Opaque(format!("array<{}: {}>", self.ir.show_type(element), body.join(", ")).into())
                    }
                }
            }
            AttributeKind::Dialect(text) => {
                match text.strip_prefix('#').and_then(|name| self.attribute_aliases.get(name)) {
                    Some(value) => value.clone(),
                    None => Attribute::Opaque((*text).into()),
                }
            }
            AttributeKind::Location(location) => {
                self.error("location-attribute", location.span, "a location cannot be an attribute");
                Attribute::Unit
            }
        }
    }

    fn dense(&mut self, body: &'s str, ty: Type, span: Span) -> Attribute {
        let elements = match self.dense_elements(body, ty) {
            Ok(elements) => elements,
            Err(message) => {
                self.error("dense", span, message);
                DenseElements::Integers(Arc::from([0]))
            }
        };
        Attribute::Dense(Dense { ty, elements })
    }

    fn dense_elements(&mut self, body: &'s str, ty: Type) -> Result<DenseElements, String> {
        let Some(tensor) = self.ir.tensor(ty) else {
            return Err(format!("`dense` needs a tensor type, not {}", self.ir.show_type(ty)));
        };
        let Some(shape) = tensor.static_shape() else {
            return Err("`dense` needs a tensor type with known dimensions".to_owned());
        };
        let element = self.ir.type_kind(tensor.element).clone();
        let body = body.trim();
        if body.starts_with('"') {
            return Ok(DenseElements::Text(body.into()));
        }
        let count = shape.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim));
        let Some(count) = count.filter(|&count| count <= MAX_DENSE_ELEMENTS) else {
            return Err(format!("`dense` of type {} is too large; put it into the side file", self.ir.show_type(ty)));
        };
        let words = dense_words(body, &shape)?;
        if words.len() != 1 && words.len() != count {
            return Err(format!("{} elements are written, but {} has {count}", words.len(), self.ir.show_type(ty)));
        }
        match element {
            TypeKind::Float(_) => words
                .iter()
                .map(|word| word.parse::<f64>().map_err(|_| format!("`{word}` is no number")))
                .collect::<Result<Arc<[f64]>, _>>()
                .map(DenseElements::Floats),
            TypeKind::Integer { width, .. } => words
                .iter()
                .map(|word| {
                    let value = match *word {
                        "true" => Some(1),
                        "false" => Some(0),
                        digits => parse_integer(digits),
                    };
                    value
                        .filter(|&value| fits(value, width))
                        .ok_or_else(|| format!("`{word}` does not fit {width} bits"))
                })
                .collect::<Result<Arc<[i64]>, _>>()
                .map(DenseElements::Integers),
            _ => Ok(DenseElements::Text(body.into())),
        }
    }
}

/// Whether a signed or unsigned number of `width` bits can be `value`.
fn fits(value: i64, width: u32) -> bool {
    width >= 64 || (-(1i64 << (width - 1).min(62))..(1i64 << width.min(62))).contains(&value)
}

fn parse_integer(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let magnitude = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None => digits.parse::<u64>().ok()?,
    };
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// The elements of a `dense` body as words; brackets must follow the shape.
fn dense_words<'s>(body: &'s str, shape: &[usize]) -> Result<Vec<&'s str>, String> {
    let mut words = Vec::new();
    // Elements seen so far in each open bracket.
    let mut open: Vec<usize> = Vec::new();
    let mut rest = body;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        let Some(first) = rest.chars().next() else { break };
        match first {
            '[' => {
                if open.len() >= shape.len() {
                    return Err("the brackets are nested deeper than the type's dimensions".to_owned());
                }
                if let Some(count) = open.last_mut() {
                    *count += 1;
                }
                open.push(0);
                rest = &rest[1..];
            }
            ']' => {
                let Some(count) = open.pop() else { return Err("a `]` has no `[`".to_owned()) };
                if count != shape[open.len()] {
                    let dim = open.len();
                    return Err(format!("dimension {dim} has {} elements, but {count} are written", shape[dim]));
                }
                rest = &rest[1..];
            }
            _ => {
                if !open.is_empty() && open.len() != shape.len() {
                    return Err("the brackets do not follow the type's dimensions".to_owned());
                }
                if let Some(count) = open.last_mut() {
                    *count += 1;
                }
                let end = rest.find(|c: char| c.is_whitespace() || ",[]".contains(c)).unwrap_or(rest.len());
                words.push(&rest[..end]);
                rest = &rest[end..];
            }
        }
    }
    if open.is_empty() { Ok(words) } else { Err("a `[` has no `]`".to_owned()) }
}
