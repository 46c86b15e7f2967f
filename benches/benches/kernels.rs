//! The multiply-accumulate kernels, and `rten-gemm` on the matrix products, one thread. `--bin kernels` prints both as fractions of
//! the machine's limit.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dpuc_benches::kernels::{Ours, Rten, SHAPES};
use dpuc_kernels::simd::Kernels;

fn kernels(criterion: &mut Criterion) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("nothing has used the pool before");
    let mut group = criterion.benchmark_group("kernels");
    group.sample_size(20);
    for shape in SHAPES {
        group.throughput(Throughput::Elements(shape.work.products() as u64));
        let mut ours = Ours::new(Kernels::detect(), shape.work);
        group.bench_function(format!("{}/ours", shape.name), |bencher| bencher.iter(|| ours.run()));
        if let Some(mut rten) = Rten::new(shape.work) {
            group.bench_function(format!("{}/rten-gemm", shape.name), |bencher| bencher.iter(|| rten.run()));
        }
    }
    group.finish();
}

criterion_group!(benches, kernels);
criterion_main!(benches);
