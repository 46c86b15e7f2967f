//! Whole int8 networks on the CPU, one thread: machine code against the evaluator, and how long compilation takes. Samples that are not
//! there are left out, with a notice.

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use dpuc_benches::sample;
use dpuc_evaluate::{Tensor, evaluate};
use dpuc_jit::{Options, compile};

const NETWORKS: [(&str, &str); 2] =
    [("squeezenet", "squeezenet/compiled_b4096.xmodel"), ("yolox_nano", "yolox_nano/compiled_b4096.xmodel")];

fn networks(criterion: &mut Criterion) {
    for (name, file) in NETWORKS {
        let Some(graph) = sample(file) else { continue };
        let ir = dpuc_import::import_xmodel(&graph).expect("a valid sample").ir;
        let inputs: Vec<Tensor> = dpuc_runtime::function_inputs(&ir, "main")
            .iter()
            .map(|port| {
                let byte = |at: usize| (at.wrapping_mul(0x9E37_79B9) >> 16) as i8;
                let tensor = if port.fix_point.is_some() {
                    Tensor::from_i8(&port.shape, (0..port.elements()).map(byte).collect())
                } else {
                    Tensor::from_f32(&port.shape, (0..port.elements()).map(|at| f32::from(byte(at)) / 64.0).collect())
                };
                tensor.expect("as many elements as the shape says")
            })
            .collect();
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
        let compiled = compile(&ir, "main", &Options::default()).expect("a network of known operators");
        let mut group = criterion.benchmark_group(format!("jit, {name}"));
        group.sample_size(10);
        group
            .bench_function("compile", |bencher| bencher.iter(|| compile(black_box(&ir), "main", &Options::default())));
        group.bench_function("run", |bencher| {
            bencher.iter_custom(|passes| {
                one.install(|| {
                    let start = Instant::now();
                    (0..passes).for_each(|_| drop(black_box(compiled.run(black_box(&inputs)))));
                    start.elapsed()
                })
            });
        });
        group.bench_function("evaluator", |bencher| {
            bencher.iter(|| evaluate(black_box(&ir), "main", &inputs, &mut |_, _| {}));
        });
        group.finish();
    }
}

criterion_group!(benches, networks);
criterion_main!(benches);
