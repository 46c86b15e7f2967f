//! The f32 kernels against the machine's limit, a peer and plain loops.

mod scalar;
mod subjects;

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use dpuc_kernels::simd::Kernels;

pub use subjects::{Case, cases};

/// Rounds in which all subjects run one after another, so that whatever else the machine does meets all of them.
const ROUNDS: usize = 20;

/// Time a subject runs in one round.
const SLICE: Duration = Duration::from_millis(2);

/// Rounds of the burst whose speed is the peak.
const BURST: u32 = 20_000;

/// Seconds of one call, over a slice of calls.
fn time(call: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    let mut calls = 0u32;
    while start.elapsed() < SLICE {
        call();
        calls += 1;
    }
    start.elapsed().as_secs_f64() / f64::from(calls)
}

/// A table of all cases: microseconds, the fraction of the peak of multiply-adds where there are any, and the ratio to the peer.
/// Run it in a pool of one thread.
pub fn report(kernels: Kernels) -> String {
    let mut table = format!(
        "{:?}, one thread, best of {ROUNDS} interleaved rounds\n{:<34} {:>10} {:>8} {:>10} {:>8}  {}\n",
        kernels.tier(),
        "f32",
        "us",
        "of peak",
        "peer us",
        "ratio",
        "peer"
    );
    for mut case in cases(kernels) {
        let mut best = [f64::INFINITY; 3];
        let mut products = 0;
        for _ in 0..ROUNDS {
            let peak = time(&mut || products = black_box(kernels.multiply_add_burst(BURST)).0);
            for (best, seconds) in best.iter_mut().zip([peak, time(&mut case.ours), time(&mut case.peer)]) {
                *best = best.min(seconds);
            }
        }
        let [peak, ours, peer] = best;
        let fraction = match case.products {
            0 => "-".into(),
            own => format!("{:.2}", own as f64 / ours / (products as f64 / peak)),
        };
        let (ratio, name, peer_name) = (peer / ours, &case.name, case.peer_name);
        let (ours, peer) = (ours * 1e6, peer * 1e6);
        let _ = writeln!(table, "{name:<34} {ours:>10.1} {fraction:>8} {peer:>10.1} {ratio:>8.2}  {peer_name}");
    }
    table
}
