//! The multiply-accumulate kernels against the machine's limit and against peers.

mod shapes;
mod subjects;

use std::hint::black_box;
use std::time::{Duration, Instant};

use dpuc_kernels::simd::Kernels;
use serde_json::json;

pub use shapes::{ONEDNN_PEAK, SHAPES, Shape, Work};
pub use subjects::{Ours, Rten};

/// Rounds in which all subjects run one after another, so that whatever else the machine does meets all of them.
const ROUNDS: usize = 40;

/// Time a subject runs in one round.
const SLICE: Duration = Duration::from_micros(1500);

/// Rounds of the burst whose speed is the peak.
const BURST: u32 = 4000;

/// Billions of operations (two for each product) per second, the best of all rounds.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// What was measured.
    pub shape: Shape,
    /// The dot-product instruction alone, on tiers that have one.
    pub peak: Option<f64>,
    /// The packed operator, requantisation included.
    pub ours: f64,
    /// `rten-gemm`, sums only.
    pub rten: Option<f64>,
}

impl Measured {
    /// Ours as a fraction of the peak.
    pub fn fraction(&self) -> Option<f64> {
        self.peak.map(|peak| self.ours / peak)
    }

    /// The published fraction of the peak of oneDNN.
    pub fn onednn_fraction(&self) -> f64 {
        self.shape.onednn / ONEDNN_PEAK
    }
}

/// Seconds of one call, over a slice of calls.
fn time(mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut calls = 0u32;
    while start.elapsed() < SLICE {
        call();
        calls += 1;
    }
    start.elapsed().as_secs_f64() / f64::from(calls)
}

/// Measures one shape on the calling thread; run it in a pool of one thread.
pub fn measure(kernels: Kernels, shape: Shape) -> Measured {
    let mut ours = Ours::new(kernels, shape.work);
    let mut rten = Rten::new(shape.work);
    let mut products = 0;
    let mut best = [f64::INFINITY; 3];
    for _ in 0..ROUNDS {
        let peak = time(|| {
            if let Some((count, sums)) = kernels.dot_burst(black_box(BURST)) {
                products = count;
                black_box(sums);
            }
        });
        let ours = time(|| ours.run());
        let rten = rten.as_mut().map_or(f64::INFINITY, |rten| time(|| rten.run()));
        for (best, seconds) in best.iter_mut().zip([peak, ours, rten]) {
            *best = best.min(seconds);
        }
    }
    let giga = |products: f64, seconds: f64| 2e-9 * products / seconds;
    let work = shape.work.products() as f64;
    let rten = rten.map(|_| giga(work, best[2]));
    let peak = (products > 0).then(|| giga(products as f64, best[0]));
    Measured { shape, peak, ours: giga(work, best[1]), rten }
}

/// Measures all shapes whose name contains `filter` and writes a table, or one JSON array.
pub fn report(kernels: Kernels, filter: &str, as_json: bool, write: impl Fn(&str)) {
    let shapes = SHAPES.into_iter().filter(|shape| shape.name.contains(filter));
    if as_json {
        let lines: Vec<_> = shapes.map(|shape| line_json(&measure(kernels, shape))).collect();
        write(&format!("{:#}\n", json!(lines)));
        return;
    }
    write(&format!(
        "{:?}, one thread, best of {ROUNDS} interleaved rounds; oneDNN: published, other machine\n",
        kernels.tier()
    ));
    write(&format!(
        "{:<24} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}\n",
        "GOP/s", "peak", "ours", "of peak", "oneDNN", "ratio", "rten", "ratio"
    ));
    for measured in shapes.map(|shape| measure(kernels, shape)) {
        let onednn = measured.onednn_fraction();
        let text =
            |number: Option<f64>, places: usize| number.map_or("-".into(), |number| format!("{number:.places$}"));
        let (rten, rten_ratio) = match measured.rten {
            Some(rten) => (format!("{rten:.0}"), format!("{:.2}", measured.ours / rten)),
            None => ("-".into(), "-".into()),
        };
        write(&format!(
            "{:<24} {:>8} {:>8.0} {:>8} {:>8.3} {:>8} {:>8} {:>8}\n",
            measured.shape.name,
            text(measured.peak, 0),
            measured.ours,
            text(measured.fraction(), 3),
            onednn,
            text(measured.fraction().map(|fraction| fraction / onednn), 2),
            rten,
            rten_ratio
        ));
    }
}

fn line_json(measured: &Measured) -> serde_json::Value {
    json!({
        "shape": measured.shape.name,
        "products": measured.shape.work.products(),
        "peak_gops": measured.peak,
        "gops": measured.ours,
        "fraction_of_peak": measured.fraction(),
        "onednn_published_fraction_of_peak": measured.onednn_fraction(),
        "rten_gemm_gops": measured.rten,
        "ratio_to_rten_gemm": measured.rten.map(|rten| measured.ours / rten),
    })
}
