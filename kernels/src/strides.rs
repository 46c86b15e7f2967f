//! Walks through the dimensions of a tensor.

use crate::reference::KernelError;
use crate::reference::error::parameter_error;
use crate::reference::layout::check_size;
use crate::reference::rearrange::check_axis;

/// A dimension: its size and the distance of its neighbours in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    pub(crate) size: usize,
    pub(crate) stride: usize,
}

/// Place of an index that counts through some dimensions, the last one fastest.
pub(crate) fn place(axes: &[Axis], index: usize) -> usize {
    let (mut index, mut place) = (index, 0);
    for axis in axes.iter().rev() {
        place += index % axis.size * axis.stride;
        index /= axis.size;
    }
    place
}

/// Counts through some dimensions, the last one fastest.
pub(crate) struct Odometer<'a> {
    axes: &'a [Axis],
    index: usize,
    pub(crate) place: usize,
}

impl<'a> Odometer<'a> {
    /// Starts at an index.
    pub(crate) fn new(axes: &'a [Axis], index: usize) -> Self {
        Self { axes, index, place: place(axes, index) }
    }

    /// Goes to the next index.
    pub(crate) fn advance(&mut self) {
        self.index += 1;
        match self.axes.last() {
            Some(axis) if !self.index.is_multiple_of(axis.size) => self.place += axis.stride,
            _ => self.place = place(self.axes, self.index),
        }
    }
}

/// A reduction over dimensions of tensors of one shape. Neighbouring dimensions that are both reduced or both kept are one.
#[derive(Clone, Debug)]
pub(crate) struct ReductionPlan {
    /// Dimensions that stay, outside the innermost one.
    pub(crate) kept: Vec<Axis>,
    /// Dimensions that are reduced, outside the innermost one.
    pub(crate) reduced: Vec<Axis>,
    /// Elements of the innermost dimension.
    pub(crate) run: usize,
    /// Whether that one is reduced.
    pub(crate) is_run_reduced: bool,
}

impl ReductionPlan {
    /// Plans the reduction over `axes`.
    ///
    /// # Errors
    /// An empty tensor, unknown or repeated axes.
    pub(crate) fn new(operator: &'static str, shape: &[usize], axes: &[usize]) -> Result<Self, KernelError> {
        check_size(operator, "input", shape)?;
        let mut is_reduced = vec![false; shape.len()];
        for &axis in axes {
            check_axis(operator, axis, shape.len())?;
            if std::mem::replace(&mut is_reduced[axis], true) {
                let problem = format!("are {axes:?}, expected different axes");
                return Err(parameter_error(operator, "axes", problem));
            }
        }
        let mut merged: Vec<(usize, bool)> = Vec::new();
        for (&size, &own) in shape.iter().zip(&is_reduced).filter(|(size, _)| **size > 1) {
            match merged.last_mut() {
                Some((outer, reduced)) if *reduced == own => *outer *= size,
                _ => merged.push((size, own)),
            }
        }
        let (run, is_run_reduced) = merged.pop().unwrap_or((1, false));
        let mut this = Self { kept: Vec::new(), reduced: Vec::new(), run, is_run_reduced };
        let mut stride = run;
        for (size, own) in merged.into_iter().rev() {
            let axes = if own { &mut this.reduced } else { &mut this.kept };
            axes.insert(0, Axis { size, stride });
            stride *= size;
        }
        Ok(this)
    }

    /// Elements of the result that are neighbours in the input, too.
    pub(crate) const fn row(&self) -> usize {
        if self.is_run_reduced { 1 } else { self.run }
    }

    /// Elements of the result.
    pub(crate) fn results(&self) -> usize {
        self.kept.iter().map(|axis| axis.size).product::<usize>() * self.row()
    }

    /// Elements that become one.
    pub(crate) fn count(&self) -> usize {
        self.outer() * if self.is_run_reduced { self.run } else { 1 }
    }

    /// Runs that become one element or run.
    pub(crate) fn outer(&self) -> usize {
        self.reduced.iter().map(|axis| axis.size).product()
    }
}
