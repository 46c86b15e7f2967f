//! `cargo run --release -p dpuc-benches --bin float [--tier TIER]`: the f32 kernels against the machine's limit, `rten-gemm` and plain
//! loops, one thread.

use std::error::Error;

use dpuc_benches::float::report;
use dpuc_benches::kernels_of;
use dpuc_kernels::simd::Kernels;

fn main() -> Result<(), Box<dyn Error>> {
    let mut kernels = Kernels::detect();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match &argument[..] {
            "--tier" => kernels = kernels_of(&arguments.next().unwrap_or_default())?,
            other => return Err(format!("there is no argument {other}").into()),
        }
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    print!("{}", pool.install(|| report(kernels)));
    Ok(())
}
