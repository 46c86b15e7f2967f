//! The f32 kernels and their peers, one thread. `--bin float` prints the ratios and fractions of the machine's limit.

use criterion::{Criterion, criterion_group, criterion_main};
use dpuc_benches::float::cases;
use dpuc_kernels::simd::Kernels;

fn float(criterion: &mut Criterion) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("the first use of the pool");
    let mut group = criterion.benchmark_group("float");
    group.sample_size(20);
    for mut case in cases(Kernels::detect()) {
        group.bench_function(format!("{}/ours", case.name), |bencher| bencher.iter(&mut case.ours));
        group.bench_function(format!("{}/{}", case.name, case.peer_name), |bencher| bencher.iter(&mut case.peer));
    }
    group.finish();
}

criterion_group!(benches, float);
criterion_main!(benches);
