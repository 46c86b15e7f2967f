//! Real files: read, write, read again.

mod common;

use std::fs;
use std::path::PathBuf;

use common::sample;
use dpuc_xmodel::{read, write};

fn sample_files() -> Vec<PathBuf> {
    let Some(models) = sample("models/xmodel") else { return Vec::new() };
    let mut files: Vec<PathBuf> = fs::read_dir(models)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "xmodel"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "the sample folder has no .xmodel");
    files
}

#[test]
fn every_sample_survives_a_round_trip() {
    for path in sample_files() {
        let graph = read(&fs::read(&path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let written = write(&graph).unwrap();
        let again = read(&written).unwrap();
        assert!(again == graph, "{} changes in a round trip", path.display());
        assert!(write(&again).unwrap() == written, "{} is not written the same twice", path.display());
    }
}
