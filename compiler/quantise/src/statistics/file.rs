//! Statistics as bytes: JSON, with the bits of every number, so that nothing is lost on the way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{RECORDED, Record, Statistics};
use crate::error::Error;
use crate::position::SquaredError;

/// What the file says it is.
const FORMAT: &str = "dpuc calibration statistics 1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    network: String,
    total: usize,
    tensors: Vec<String>,
    /// By sample and tensor: bits of least, most, energy, then of the errors in turn, total and saturated.
    samples: BTreeMap<usize, Vec<Vec<u64>>>,
}

impl Statistics {
    /// The bytes of a statistics file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let encode = |records: &Vec<Record>| records.iter().map(encode).collect();
        let file = File {
            format: FORMAT.to_owned(),
            network: self.network.clone(),
            total: self.total,
            tensors: self.tensors.clone(),
            samples: self.samples.iter().map(|(&index, records)| (index, encode(records))).collect(),
        };
        serde_json::to_vec(&file).unwrap_or_default()
    }

    /// Reads a statistics file.
    ///
    /// # Errors
    /// Bytes that are no such file, or one with impossible numbers.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let refuse = |reason: String| Error::Statistics(reason);
        let file: File =
            serde_json::from_slice(bytes).map_err(|error| refuse(format!("they are no statistics file: {error}")))?;
        if file.format != FORMAT {
            return Err(refuse(format!("their format is `{}`; `{FORMAT}` is needed", file.format)));
        }
        let decode = |(index, records): (usize, Vec<Vec<u64>>)| {
            let decoded: Option<Vec<Record>> = records.iter().map(|bits| decode(bits)).collect();
            let complete = decoded.filter(|records| records.len() == file.tensors.len() && index < file.total);
            Some((index, complete?))
        };
        let samples: Option<BTreeMap<_, _>> = file.samples.into_iter().map(decode).collect();
        let samples =
            samples.ok_or_else(|| refuse("a sample has impossible numbers: the file is damaged".to_owned()))?;
        Ok(Self { network: file.network, total: file.total, tensors: file.tensors, samples })
    }
}

fn encode(record: &Record) -> Vec<u64> {
    let head = [f64::from(record.least), f64::from(record.most), record.energy];
    let errors = record.errors.iter().flat_map(|error| [error.total, error.saturated]);
    head.into_iter().chain(errors).map(f64::to_bits).collect()
}

fn decode(bits: &[u64]) -> Option<Record> {
    let numbers: Vec<f64> = bits.iter().copied().map(f64::from_bits).collect();
    let (&[least, most, energy], errors) = numbers.split_first_chunk::<3>()?;
    let (pairs, []) = errors.as_chunks::<2>() else { return None };
    let is_sane = numbers.iter().all(|number| number.is_finite()) && least <= 0.0 && most >= 0.0 && energy >= 0.0;
    let errors: Vec<_> = pairs.iter().map(|&[total, saturated]| SquaredError { total, saturated }).collect();
    (is_sane && errors.len() == RECORDED).then_some(Record { least: least as f32, most: most as f32, energy, errors })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statistics(samples: &[usize]) -> Statistics {
        let record = |&sample: &usize| {
            let elements: Vec<f32> = (0..50).map(|i| (i as f32 - 20.0) * 0.37 * (sample as f32 + 0.1)).collect();
            (sample, vec![Record::of(&elements).unwrap(), Record::of(&elements[20..]).unwrap()])
        };
        Statistics {
            network: "net".to_owned(),
            total: 4,
            tensors: vec!["a".to_owned(), "b".to_owned()],
            samples: samples.iter().map(record).collect(),
        }
    }

    #[test]
    fn shards_through_files_are_the_whole_to_the_bit() {
        let whole = statistics(&[0, 1, 2, 3]);
        let shards = [statistics(&[3, 1]), statistics(&[0]), statistics(&[2, 0])];
        let read = shards.map(|shard| Statistics::from_bytes(&shard.to_bytes()).unwrap());
        let merged = Statistics::merge(read).unwrap();
        assert_eq!(merged, whole);
        assert_eq!(merged.to_bytes(), whole.to_bytes());
        merged.check("net", &merged.tensors).unwrap();
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let shard = statistics(&[0, 1]);
        let message = |statistics: Statistics| Statistics::merge([shard.clone(), statistics]).unwrap_err().to_string();
        assert!(message(Statistics { network: "other".to_owned(), ..shard.clone() }).contains("different networks"));
        assert!(message(Statistics { total: 5, ..shard.clone() }).contains("different sizes"));
        let mut other = shard.clone();
        other.samples.get_mut(&1).unwrap()[0].energy += 1.0;
        assert!(message(other).contains("disagree about sample 1"));
        assert!(Statistics::merge([]).is_err());
        let incomplete = shard.check("net", &shard.tensors).unwrap_err().to_string();
        assert!(incomplete.contains("2 of 4 samples, sample 2 is missing"), "{incomplete}");
        assert!(shard.check("net2", &shard.tensors).is_err());
    }

    #[test]
    fn damaged_files_are_refused() {
        let bytes = statistics(&[0]).to_bytes();
        assert!(Statistics::from_bytes(&bytes[..bytes.len() - 3]).is_err());
        assert!(Statistics::from_bytes(b"{}").is_err());
        let text = String::from_utf8(bytes).unwrap();
        let nan = text.replacen("[[", &format!("[[{},", f64::NAN.to_bits()), 1);
        assert!(Statistics::from_bytes(nan.as_bytes()).is_err());
        assert!(Statistics::from_bytes(text.replace("statistics 1", "statistics 9").as_bytes()).is_err());
    }
}
