//! `dpuc demo`: the built-in example.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use dpuc_backend::{Options, compile};
use dpuc_dialects::Ir;
use dpuc_dialects::text::ParseOptions;
use dpuc_evaluate::Tensor;
use dpuc_isa::Target;
use dpuc_passes::LoweringOptions;
use dpuc_report::{Plan, Source};
use dpuc_runtime::{Preprocessing, Session};

use crate::picture::{Classified, contact_sheet};
use crate::{files, network, partition, tensors};

/// Compile and run the built-in example and draw what it did.
///
/// A small network trained for this project (`examples/fashion_cnn`) classifies twelve pictures of clothes: it is compiled for a DPU, its
/// program runs on the accelerator model, and its softmax on the CPU.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Target, board or arch.json.
    #[arg(short, long, default_value = "kv260")]
    arch: String,
    /// Folder for `fashion_cnn.xmodel` and `fashion_cnn.png`.
    #[arg(short, long = "output_dir", alias = "output-dir", value_name = "DIR", default_value = "demo")]
    output_dir: PathBuf,
}

/// The example's files, part of the program.
macro_rules! example {
    ($file:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/fashion_cnn/", $file))
    };
}

const NETWORK: &[u8] = example!("fashion_cnn.mlir");
const WEIGHTS: &[u8] = example!("fashion_cnn.safetensors");
const LABELS: &[u8] = example!("labels.txt");

/// Pictures and the numbers of what they show.
const PICTURES: [(&[u8], usize); 12] = [
    (example!("images/00_t_shirt_top.png"), 0),
    (example!("images/01_trouser.png"), 1),
    (example!("images/02_pullover.png"), 2),
    (example!("images/03_dress.png"), 3),
    (example!("images/04_coat.png"), 4),
    (example!("images/05_sandal.png"), 5),
    (example!("images/06_shirt.png"), 6),
    (example!("images/07_sneaker.png"), 7),
    (example!("images/08_bag.png"), 8),
    (example!("images/09_ankle_boot.png"), 9),
    (example!("images/10_ankle_boot.png"), 9),
    (example!("images/11_coat.png"), 4),
];

impl Demo {
    pub(crate) fn run(self) -> Result<()> {
        let target = super::targets::resolve(&self.arch)?;
        let compiled = compile(example()?, &target, &Options::default())?;
        files::create_folder(&self.output_dir)?;
        let model = self.output_dir.join("fashion_cnn.xmodel");
        files::write(&model, &dpuc_xmodel::write(&compiled.graph)?)?;
        let session = Session::new(&compiled.graph)?;
        let (pictures, instructions) = classify(&session)?;
        let sheet = self.output_dir.join("fashion_cnn.png");
        files::write(&sheet, &contact_sheet(&title(&target, instructions), &pictures)?)?;
        let plan = Plan::of(&Source::compiled(&compiled))?;
        files::print(&format!("{}written: {}\n", partition::show(&compiled.report, &plan), model.display()));
        files::print(&show(&pictures));
        files::print(&format!("picture: {}\n", sheet.display()));
        Ok(())
    }
}

/// One line for each picture, and how many answers are right.
fn show(pictures: &[Classified]) -> String {
    let is_right = |picture: &&Classified| picture.answer == picture.truth;
    let mut text = String::new();
    for picture in pictures {
        let verdict = if is_right(&picture) { "right" } else { "wrong" };
        let Classified { truth, answer, probability, .. } = picture;
        text += &format!("  {truth:<12} -> {answer:<12} {:3.0} %  {verdict}\n", probability * 100.0);
    }
    text + &format!("{} of {} right\n", pictures.iter().filter(is_right).count(), pictures.len())
}

/// The example's network, lowered to integers.
fn example() -> Result<Ir> {
    let source = std::str::from_utf8(NETWORK)?;
    let mut ir = network::parse_text(source, "fashion_cnn.mlir", &ParseOptions::default())?;
    ir.weights.read("fashion_cnn.safetensors", WEIGHTS)?;
    network::check(&ir, source, "fashion_cnn.mlir")?;
    network::lower(&mut ir, LoweringOptions::default())?;
    Ok(ir)
}

/// Runs the network on every picture; also gives the number of instructions of one run.
fn classify(session: &Session) -> Result<(Vec<Classified>, u64)> {
    let labels: Vec<&str> = std::str::from_utf8(LABELS)?.lines().collect();
    let [input] = session.inputs() else { bail!("the example has one input") };
    let mut pictures = Vec::new();
    let mut instructions = 0;
    for (bytes, truth) in PICTURES {
        let tensor = tensors::from_image(bytes, input, &Preprocessing::default())?;
        let outcome = session.run(vec![tensor])?;
        instructions = outcome.statistics.iter().map(|(_, statistics)| statistics.instruction_count()).sum();
        let probabilities = outcome
            .tensors
            .iter()
            .find_map(|(_, tensor)| match tensor {
                Tensor::F32(array) if (array.sum() - 1.0).abs() < 1e-3 => Some(array),
                _ => None,
            })
            .ok_or_else(|| anyhow!("the example's network gives probabilities"))?;
        let (answer, &probability) = probabilities
            .iter()
            .enumerate()
            .reduce(|best, next| if next.1 > best.1 { next } else { best })
            .context("the example's network has classes")?;
        pictures.push(Classified {
            image: image::load_from_memory(bytes)?.to_luma8(),
            answer: labels.get(answer).copied().unwrap_or("?").to_owned(),
            truth: labels.get(truth).copied().unwrap_or("?").to_owned(),
            probability,
        });
    }
    Ok((pictures, instructions))
}

fn title(target: &Target, instructions: u64) -> Vec<String> {
    vec![
        "fashion_cnn, int8, compiled by dpuc".to_owned(),
        format!("{}: {instructions} instructions a picture", target.name),
        "run on the accelerator model; softmax on the CPU".to_owned(),
    ]
}
