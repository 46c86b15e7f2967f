//! `cargo run --release -p dpuc-benches --bin float`: the f32 kernels against the machine's limit, `rten-gemm` and plain loops, one
//! thread.

use dpuc_benches::float::report;
use dpuc_kernels::simd::Kernels;

fn main() -> Result<(), rayon::ThreadPoolBuildError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    print!("{}", pool.install(|| report(Kernels::detect())));
    Ok(())
}
