//! One compiled function in many threads, and what it leaves behind.

use std::fs;

use dpuc_graphs::{Conv, Net};
use dpuc_jit::{Compiled, Options, compile};

use dpuc_isa::Random;

use crate::compare::{evaluated, inputs};

fn network() -> dpuc_dialects::Ir {
    let mut net = Net::new(3);
    let x = net.input(&[1, 9, 9, 24], 4);
    let a = net.conv(x, &Conv::same(24, 3, 4));
    let b = net.add(&[x, a], "relu", 3);
    let c = net.concat(&[a, b], 3, 4);
    net.finish(&[b, c])
}

fn small(ir: &dpuc_dialects::Ir) -> Compiled {
    compile(ir, "main", &Options::default()).unwrap()
}

#[test]
fn threads_do_not_disturb_each_other() {
    let ir = network();
    let compiled = small(&ir);
    std::thread::scope(|scope| {
        for seed in 0..8 {
            let (ir, compiled) = (&ir, &compiled);
            scope.spawn(move || {
                let mut codes = Random::new(seed);
                for _ in 0..10 {
                    let inputs = inputs(ir, "main", || 0.0, || codes.code());
                    assert_eq!(
                        compiled.run(&inputs).unwrap(),
                        evaluated(ir, &inputs, &dpuc_evaluate::Operators::new())
                    );
                }
            });
        }
    });
}

/// Executable memory of this process that belongs to no file, in bytes.
#[cfg(target_os = "linux")]
fn anonymous_code() -> usize {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let size = |line: &str| {
        let mut fields = line.split_whitespace();
        let (range, rights) = (fields.next()?, fields.next()?);
        assert!(!(rights.contains('w') && rights.contains('x')), "writable and executable: {line}");
        let is_file = fields.nth(3).is_some();
        if is_file || !rights.contains('x') {
            return None;
        }
        let (first, last) = range.split_once('-')?;
        let address = |text: &str| usize::from_str_radix(text, 16).ok();
        Some(address(last)? - address(first)?)
    };
    maps.lines().filter_map(size).sum()
}

/// In a process of its own, for other tests have code of their own.
#[cfg(target_os = "linux")]
#[test]
fn dropping_frees_the_code_and_no_code_is_writable() {
    const ALONE: &str = "DPUC_JIT_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let name = "threads::dropping_frees_the_code_and_no_code_is_writable";
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--test-threads", "1"])
            .env(ALONE, "1")
            .status();
        assert!(status.unwrap().success());
        return;
    }
    let ir = network();
    let before = anonymous_code();
    let compiled: Vec<Compiled> = (0..4).map(|_| small(&ir)).collect();
    assert!(anonymous_code() > before, "no code was made");
    drop(compiled);
    assert_eq!(anonymous_code(), before);
}
