//! A hostile file costs memory in proportion to its size. Alone in its process, whose peak it measures.
#![cfg(target_os = "linux")]

use dpuc_xmodel::read_shared;

/// Most bytes of memory per byte of file, as promised by `read`.
const FACTOR: usize = 64;

fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    1024 * line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap()
}

fn field(tag: &[u8], value: &[u8]) -> Vec<u8> {
    let mut field = tag.to_vec();
    let mut length = value.len();
    while length >= 0x80 {
        field.push(length as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    [field, value.to_vec()].concat()
}

fn graph_attr(value: &[u8]) -> Vec<u8> {
    field(b"\x5a", &field(b"\x12", value))
}

/// The shortest encodings of the largest values, many times over. Memory that one file has left to the allocator counts
/// against the next, so the bound is tested on the safe side.
#[test]
fn memory_is_bounded_by_the_size_of_the_file() {
    const SIZE: usize = 4 << 20;
    let many = |unit: &[u8]| unit.repeat(SIZE / unit.len());
    let files = [
        ("subgraphs", field(b"\x52", &many(b"\x52\x02\x0a\x00"))),
        ("subgraphs of one op", field(b"\x52", &many(b"\x52\x04\x0a\x00\x1a\x00"))),
        ("op names", field(b"\x52", &many(b"\x1a\x00"))),
        ("ops", many(b"\x2a\x10\x0a\x01a\x12\x01t\x2a\x08\x0a\x00\x28\x02\x30\x08\x12\x00")),
        ("arguments", field(b"\x2a", &many(b"\x22\x02\x0a\x00"))),
        ("dimensions", field(b"\x2a", &field(b"\x2a", &field(b"\x12", &many(b"\x01"))))),
        ("strings", graph_attr(&field(b"\xa2\x01", &many(b"\x0a\x00")))),
        ("blobs", graph_attr(&field(b"\xaa\x01", &many(b"\x0a\x00")))),
        ("integers", graph_attr(&field(b"\x82\x01", &field(b"\x0a", &many(b"\x01"))))),
    ];
    let before = peak_memory();
    for (what, file) in files {
        let size = file.len();
        drop(read_shared(file));
        let used = peak_memory() - before;
        assert!(used <= FACTOR * size, "{what}: {used} bytes for a file of {size}");
    }
    assert!(peak_memory() - before > SIZE, "the measurement sees nothing");
}
