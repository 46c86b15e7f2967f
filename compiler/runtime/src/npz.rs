//! Archives of arrays in files of NumPy.

use std::io::{Cursor, Read};

use npyz::npz::NpzArchive;

use crate::npy::{Array, NpyError, read_npy};

/// Most bytes of an unpacked array.
const MAX_BYTES: u64 = 1 << 30;

/// Whether these are the bytes of an archive.
pub fn is_npz(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// The names of the arrays in an `.npz` file, in order.
pub fn names(bytes: &[u8]) -> Result<Vec<String>, NpyError> {
    let archive = NpzArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let mut names: Vec<String> = archive.array_names().map(str::to_owned).collect();
    names.sort();
    Ok(names)
}

/// One array of an `.npz` file.
pub fn read_npz(bytes: &[u8], name: &str) -> Result<Array, NpyError> {
    let mut archive = NpzArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let file = archive.zip_archive().by_name(&npyz::npz::file_name_from_array_name(name));
    let file = file.map_err(|error| NpyError(format!("its array `{name}` cannot be read: {error}")))?;
    // What the archive says about sizes is not trusted.
    let mut unpacked = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut unpacked).map_err(damaged)?;
    if unpacked.len() as u64 > MAX_BYTES {
        return Err(NpyError(format!("its array `{name}` is larger than {MAX_BYTES} bytes; split it")));
    }
    read_npy(&unpacked).map_err(|error| NpyError(format!("its array `{name}`: {error}")))
}

fn damaged(error: impl std::fmt::Display) -> NpyError {
    NpyError(format!("it is no valid .npz file: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use dpuc_evaluate::Tensor;
    use npyz::npz::NpzWriter;
    use npyz::zip::write::FileOptions;
    use proptest::prelude::*;

    use super::*;
    use crate::npy::to_npy;

    /// An archive of two arrays.
    fn archive() -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = NpzWriter::new(&mut bytes);
        for (name, values) in [("y", vec![1.0, 2.0]), ("x", vec![0.5; 64])] {
            let tensor = Tensor::from_f32(&[values.len()], values).unwrap();
            let zip = writer.zip_writer();
            zip.start_file(format!("{name}.npy"), FileOptions::default()).unwrap();
            zip.write_all(&to_npy(&tensor)).unwrap();
        }
        drop(writer);
        bytes.into_inner()
    }

    #[test]
    fn arrays_are_found_by_name() {
        let archive = archive();
        assert!(is_npz(&archive) && !is_npz(b"\x93NUMPY"));
        assert_eq!(names(&archive).unwrap(), ["x", "y"]);
        assert_eq!(read_npz(&archive, "x").unwrap().shape(), [64]);
        assert!(read_npz(&archive, "z").unwrap_err().to_string().contains("`z`"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn damaged_archives_are_refused_or_read(
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            cut in any::<prop::sample::Index>(),
            truncate: bool,
        ) {
            let mut file = archive();
            for (at, value) in flips {
                let at = at.index(file.len());
                file[at] ^= value;
            }
            if truncate {
                file.truncate(cut.index(file.len()));
            }
            for name in names(&file).unwrap_or_default() {
                let _ = read_npz(&file, &name);
            }
        }
    }
}
