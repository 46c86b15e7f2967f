//! `cargo run --release -p dpuc-benches --bin kernels [NAME] [--json]`: the multiply-accumulate kernels against the machine's limit,
//! oneDNN's published figures and `rten-gemm`, one thread, for the shapes whose name contains NAME.

use dpuc_benches::kernels::report;
use dpuc_kernels::simd::Kernels;

fn main() -> Result<(), rayon::ThreadPoolBuildError> {
    let (mut filter, mut as_json) = (String::new(), false);
    for argument in std::env::args().skip(1) {
        if argument == "--json" {
            as_json = true;
        } else {
            filter = argument;
        }
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    pool.install(|| report(Kernels::detect(), &filter, as_json, |text| print!("{text}")));
    Ok(())
}
