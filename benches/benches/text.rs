//! Reading, verifying and printing IR text: 100,000 operations, 17 MB.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dpuc_dialects::text::{ParseOptions, PrintOptions, parse, print};
use dpuc_dialects::verify::verify;

fn text(criterion: &mut Criterion) {
    let source = dpuc_benches::large_module(100_000);
    let options = ParseOptions { allow_unregistered: true, ..ParseOptions::default() };
    let ir = parse(&source, &options).ir;
    let generic = PrintOptions { generic: true, locations: false };

    let mut group = criterion.benchmark_group("text");
    group.sample_size(10).throughput(Throughput::Bytes(source.len() as u64));
    group.bench_function("syntax tree", |bencher| bencher.iter(|| dpuc_grammar::parse(black_box(&source))));
    group.bench_function("parse", |bencher| bencher.iter(|| parse(black_box(&source), &options)));
    group.bench_function("verify", |bencher| bencher.iter(|| verify(black_box(&ir))));
    group.bench_function("print", |bencher| bencher.iter(|| print(black_box(&ir), generic)));
    group.bench_function("parse, verify, print", |bencher| {
        bencher.iter(|| {
            let parsed = parse(black_box(&source), &options);
            (verify(&parsed.ir).len(), print(&parsed.ir, generic))
        });
    });
    group.finish();
}

criterion_group!(benches, text);
criterion_main!(benches);
