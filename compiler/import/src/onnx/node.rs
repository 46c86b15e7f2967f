//! Reading nodes.

use dpuc_onnx::{Attribute, AttributeKind, Graph, Tensor};

use super::error::Reason;

/// A node and what its attributes mean.
#[derive(Clone, Copy)]
pub(crate) struct Node<'n> {
    pub(crate) proto: &'n dpuc_onnx::Node,
    /// Version of the operator set.
    pub(crate) opset: i64,
}

impl<'n> Node<'n> {
    /// Its name, or that of its first output.
    pub(crate) fn name(self) -> &'n str {
        let proto = self.proto;
        let named = [&proto.name].into_iter().chain(&proto.outputs).find(|name| !name.is_empty());
        named.map_or(proto.op_type.as_str(), String::as_str)
    }

    /// Its operator, with the domain.
    pub(crate) fn operator(self) -> String {
        let domain = domain(&self.proto.domain);
        if domain.is_empty() { self.proto.op_type.clone() } else { format!("{domain}.{}", self.proto.op_type) }
    }

    /// The name of an input that is there.
    pub(crate) fn input(self, index: usize) -> Option<&'n str> {
        self.proto.inputs.get(index).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// Whether somebody may want an output.
    pub(crate) fn has_output(self, index: usize) -> bool {
        self.proto.outputs.get(index).is_some_and(|name| !name.is_empty())
    }

    pub(crate) fn attribute(self, name: &str) -> Option<&'n Attribute> {
        self.proto.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The part of an attribute that must be there if the attribute is.
    fn part<T>(
        self,
        name: &str,
        kind: AttributeKind,
        part: impl Fn(&'n Attribute) -> Option<T>,
    ) -> Result<Option<T>, Reason> {
        let Some(attribute) = self.attribute(name) else { return Ok(None) };
        let is_kind = attribute.kind == kind as i32 || attribute.kind == AttributeKind::Undefined as i32;
        let wrong = || Reason(format!("its attribute {name} is not of the kind {kind:?}"));
        part(attribute).filter(|_| is_kind).map(Some).ok_or_else(wrong)
    }

    pub(crate) fn maybe_int(self, name: &str) -> Result<Option<i64>, Reason> {
        self.part(name, AttributeKind::Int, |attribute| attribute.int)
    }

    pub(crate) fn int(self, name: &str, default: i64) -> Result<i64, Reason> {
        Ok(self.maybe_int(name)?.unwrap_or(default))
    }

    /// An attribute that is 0 or 1.
    pub(crate) fn flag(self, name: &str, default: bool) -> Result<bool, Reason> {
        Ok(self.int(name, default.into())? != 0)
    }

    pub(crate) fn maybe_float(self, name: &str) -> Result<Option<f32>, Reason> {
        self.part(name, AttributeKind::Float, |attribute| attribute.float)
    }

    pub(crate) fn float(self, name: &str, default: f32) -> Result<f32, Reason> {
        Ok(self.maybe_float(name)?.unwrap_or(default))
    }

    pub(crate) fn ints(self, name: &str) -> Result<Option<&'n [i64]>, Reason> {
        self.part(name, AttributeKind::Ints, |attribute| Some(&attribute.ints[..]))
    }

    pub(crate) fn floats(self, name: &str) -> Result<Option<&'n [f32]>, Reason> {
        self.part(name, AttributeKind::Floats, |attribute| Some(&attribute.floats[..]))
    }

    pub(crate) fn text(self, name: &str, default: &'n str) -> Result<&'n str, Reason> {
        let text = |attribute: &'n Attribute| std::str::from_utf8(attribute.string.as_ref()?).ok();
        Ok(self.part(name, AttributeKind::String, text)?.unwrap_or(default))
    }

    pub(crate) fn tensor(self, name: &str) -> Result<Option<&'n Tensor>, Reason> {
        self.part(name, AttributeKind::Tensor, |attribute| attribute.tensor.as_deref())
    }

    pub(crate) fn graph(self, name: &str) -> Result<&'n Graph, Reason> {
        let graph = self.part(name, AttributeKind::Graph, |attribute| attribute.graph.as_deref())?;
        graph.ok_or_else(|| format!("its attribute {name} is missing").into())
    }

    /// `N` numbers that are sizes or steps, or the default.
    pub(crate) fn sizes<const N: usize>(self, name: &str, default: [i64; N]) -> Result<[i64; N], Reason> {
        let Some(values) = self.ints(name)?.filter(|values| !values.is_empty()) else { return Ok(default) };
        let sizes =
            <[i64; N]>::try_from(values).ok().filter(|sizes| sizes.iter().all(|size| (0..=MAX_SIZE).contains(size)));
        sizes.ok_or_else(|| format!("its attribute {name} is {values:?}, not {N} numbers from 0 to {MAX_SIZE}").into())
    }
}

/// Largest kernel, stride, dilation or pad.
pub(crate) const MAX_SIZE: i64 = 65535;

/// ONNX's own domain has two names.
pub(crate) fn domain(name: &str) -> &str {
    if name == "ai.onnx" { "" } else { name }
}

/// An axis of a tensor of `rank` dimensions; negative ones count from the end.
pub(crate) fn axis(axis: i64, rank: usize) -> Result<usize, Reason> {
    let rank_number = rank as i64;
    let place = if axis < 0 { axis.checked_add(rank_number) } else { Some(axis) };
    match place {
        Some(place) if (0..rank_number).contains(&place) => Ok(place as usize),
        _ => Err(format!("it has axis {axis}, but its tensor has {rank} dimensions").into()),
    }
}

/// Distinct axes in ascending order.
pub(crate) fn axes(values: &[i64], rank: usize) -> Result<Vec<usize>, Reason> {
    let mut axes: Vec<usize> = values.iter().map(|&value| axis(value, rank)).collect::<Result<_, _>>()?;
    axes.sort_unstable();
    if axes.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(format!("its axes {values:?} repeat one").into());
    }
    Ok(axes)
}
