//! `cargo run --release -p dpuc-benches --bin kernels [NAME] [--json] [--tier TIER]`: the multiply-accumulate kernels against the machine's
//! limit, oneDNN's published figures and `rten-gemm`, one thread, for the shapes whose name contains NAME.

use std::error::Error;

use dpuc_benches::kernels::report;
use dpuc_benches::kernels_of;
use dpuc_kernels::simd::Kernels;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut filter, mut as_json, mut kernels) = (String::new(), false, Kernels::detect());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match &argument[..] {
            "--json" => as_json = true,
            "--tier" => kernels = kernels_of(&arguments.next().unwrap_or_default())?,
            _ => filter = argument,
        }
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    pool.install(|| report(kernels, &filter, as_json, |text| print!("{text}")));
    Ok(())
}
