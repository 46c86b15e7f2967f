//! Decoding, checking and executing real programs. Samples that are not there are left out, with a notice.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dpuc_accel::timing::{Board, simulate};
use dpuc_benches::{sample, sample_program};
use dpuc_isa::{decode, encode};
use dpuc_xmodel::GraphIndex;
use ndarray::ArrayD;

/// The smallest size of the detector has the longest stream of all samples.
const LONGEST: &str = "yolox_nano/compiled_b512.xmodel";
const SQUEEZENET: &str = "squeezenet/compiled_b4096.xmodel";

fn machine_code(criterion: &mut Criterion) {
    let Some(graph) = sample(LONGEST) else { return };
    let index = GraphIndex::new(&graph);
    let subgraphs = index.dpu_subgraphs().expect("a valid sample");
    let code = subgraphs[0].mc_code;
    let instructions = decode(code).expect("a valid sample");
    let mut group = criterion.benchmark_group("machine code");
    group.throughput(Throughput::Elements(instructions.len() as u64));
    group.bench_function("decode", |bencher| bencher.iter(|| decode(black_box(code))));
    group.bench_function("encode", |bencher| bencher.iter(|| encode(black_box(&instructions))));
    group.finish();
}

fn checker(criterion: &mut Criterion) {
    let Some(program) = sample_program(LONGEST) else { return };
    let mut group = criterion.benchmark_group("check");
    group.sample_size(10);
    group.bench_function("yolox_nano b512", |bencher| {
        bencher.iter(|| dpuc_accel::check(black_box(&program.instructions), &program.target, 10));
    });
    group.finish();
}

/// One thread. AMD's simulator takes 0.53 s for squeezenet on this kind of machine (issue 2 of the project).
fn model(criterion: &mut Criterion) {
    let board = Board::named("kv260").expect("a board of the table");
    let mut group = criterion.benchmark_group("model");
    group.sample_size(10);
    for (name, file) in [("squeezenet b4096", SQUEEZENET), ("yolox_nano b4096", "yolox_nano/compiled_b4096.xmodel")] {
        let Some(program) = sample_program(file) else { continue };
        let inputs: Vec<ArrayD<i8>> = program
            .inputs
            .iter()
            .map(|placed| {
                let bytes = (0..placed.port.elements()).map(|at| (at.wrapping_mul(0x9E37_79B9) >> 16) as i8).collect();
                ArrayD::from_shape_vec(placed.port.shape.clone(), bytes).expect("as many bytes as the shape says")
            })
            .collect();
        let inputs: Vec<&ArrayD<i8>> = inputs.iter().collect();
        let run = || program.run(black_box(&inputs)).expect("a valid sample");
        group.bench_function(name, |bencher| bencher.iter(run));
        let time = || simulate(black_box(&program.instructions), &program.target, board, 1).expect("no deadlock");
        group.bench_function(format!("{name}, timing alone"), |bencher| bencher.iter(time));
        group.bench_function(format!("{name} and timing"), |bencher| bencher.iter(|| (run(), time())));
    }
    group.finish();
}

criterion_group!(benches, machine_code, checker, model);
criterion_main!(benches);
