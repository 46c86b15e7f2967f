//! Quantising a network in several ways and judging each.

use anyhow::{Context, Result};
use dpuc_dialects::Ir;
use dpuc_evaluate::Tensor;
use dpuc_jit::{Compiled, compile};
use dpuc_quantise::{Options, Quantised, Silent, quantise};
use rayon::prelude::*;
use serde::Serialize;

use super::tasks::{Data, Inputs, Task, Truth};

/// A way to quantise.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its name in the table.
    pub name: &'static str,
    /// What it is.
    pub options: Options,
}

/// What one way to quantise a network costs.
#[derive(Clone, Debug, Serialize)]
pub struct Loss {
    /// The network.
    pub network: &'static str,
    /// The way.
    pub variant: &'static str,
    /// What is measured, in percent.
    pub metric: &'static str,
    /// Of the float network.
    pub float: f64,
    /// Of the quantised one, in integers.
    pub int8: f64,
    /// Points lost.
    pub loss: f64,
    /// Decisions that are those of the float network, in percent: classes of samples, or of pixels.
    pub agreement: f64,
    /// Signal to noise of the first output, decibels, over the test data.
    pub sqnr: f64,
    /// Test samples.
    pub samples: usize,
    /// Seconds that quantising took.
    pub seconds: f64,
}

/// Measures a task; `observer` gets each quantised network.
pub fn measure(
    task: &Task,
    variants: &[Variant],
    limit: usize,
    mut observer: impl FnMut(&Loss, &Quantised),
) -> Result<Vec<Loss>> {
    let ir = task.network().with_context(|| task.name.to_owned())?;
    let Data { calibration, test, truth } = task.data(limit)?;
    let float = outputs(&ir, &test)?;
    let mut losses = Vec::new();
    for Variant { name, options } in variants {
        let start = std::time::Instant::now();
        let quantised = quantise(&ir, &calibration, options.clone(), &Silent)?;
        let seconds = start.elapsed().as_secs_f64();
        let mut integer = quantised.ir.clone();
        dpuc_passes::lower_to_int8(&mut integer)?;
        let fixed = outputs(&integer, &test)?;
        let (metric, before, after) = judge(&truth, &float, &fixed);
        let loss = Loss {
            network: task.name,
            variant: name,
            metric,
            float: before,
            int8: after,
            loss: before - after,
            agreement: agreement(&truth, &float, &fixed),
            sqnr: sqnr(&float, &fixed),
            samples: test.len(),
            seconds,
        };
        observer(&loss, &quantised);
        losses.push(loss);
    }
    Ok(losses)
}

/// The first output of a network for every sample.
fn outputs(ir: &Ir, inputs: &Inputs) -> Result<Vec<Vec<f32>>> {
    let compiled: Compiled = compile(ir, "main", &dpuc_jit::Options::default())?;
    let run = |input: &Vec<Tensor>| {
        let output = compiled.run(input)?.into_iter().next().context("the network has no output")?;
        let Tensor::F32(values) = output else { anyhow::bail!("the network's output is no float tensor") };
        Ok(values.into_raw_vec_and_offset().0)
    };
    inputs.par_iter().map(run).collect()
}

/// Metric, its value for the float outputs and for the fixed-point ones, in percent.
fn judge(truth: &Truth, float: &[Vec<f32>], fixed: &[Vec<f32>]) -> (&'static str, f64, f64) {
    match truth {
        Truth::Classes(labels) => ("top-1", top_1(float, labels), top_1(fixed, labels)),
        Truth::Masks(masks) => ("mIoU", mean_iou(float, masks), mean_iou(fixed, masks)),
        Truth::Unknown => ("agreement", 100.0, agreement(truth, float, fixed)),
    }
}

/// Percentage of decisions in which the fixed-point outputs are at one with the float ones.
fn agreement(truth: &Truth, float: &[Vec<f32>], fixed: &[Vec<f32>]) -> f64 {
    let (mut agreeing, mut count) = (0usize, 0usize);
    for (float, fixed) in float.iter().zip(fixed) {
        let classes = if matches!(truth, Truth::Masks(_)) { CLASSES } else { float.len().max(1) };
        for (float, fixed) in float.chunks_exact(classes).zip(fixed.chunks_exact(classes)) {
            agreeing += usize::from(argmax(float) == argmax(fixed));
            count += 1;
        }
    }
    100.0 * agreeing as f64 / count.max(1) as f64
}

fn argmax(scores: &[f32]) -> usize {
    let mut best = 0;
    for (class, &score) in scores.iter().enumerate() {
        if score > scores[best] {
            best = class;
        }
    }
    best
}

fn top_1(outputs: &[Vec<f32>], labels: &[u16]) -> f64 {
    let right = outputs.iter().zip(labels).filter(|(scores, label)| argmax(scores) == usize::from(**label)).count();
    100.0 * right as f64 / labels.len().max(1) as f64
}

/// Classes of the land-cover scenes.
const CLASSES: usize = 7;

fn mean_iou(outputs: &[Vec<f32>], masks: &[Vec<u8>]) -> f64 {
    let mut confusion = [[0u64; CLASSES]; CLASSES];
    for (scores, mask) in outputs.iter().zip(masks) {
        for (scores, &class) in scores.chunks_exact(CLASSES).zip(mask) {
            confusion[usize::from(class)][argmax(scores)] += 1;
        }
    }
    let iou = |class: usize| {
        let hit = confusion[class][class];
        let of_class: u64 = confusion[class].iter().sum();
        let found: u64 = confusion.iter().map(|row| row[class]).sum();
        hit as f64 / (of_class + found - hit).max(1) as f64
    };
    100.0 * (0..CLASSES).map(iou).sum::<f64>() / CLASSES as f64
}

fn sqnr(float: &[Vec<f32>], fixed: &[Vec<f32>]) -> f64 {
    let pairs = || float.iter().flatten().zip(fixed.iter().flatten());
    let signal: f64 = pairs().map(|(float, _)| f64::from(*float).powi(2)).sum();
    let noise: f64 = pairs().map(|(float, fixed)| f64::from(float - fixed).powi(2)).sum();
    10.0 * (signal / noise.max(f64::MIN_POSITIVE)).log10()
}
