//! Fingerprints: the 64 bits by which a file and a device name a DPU configuration.
//!
//! Bits 63:56 are the family's type code, 55:48 the ISA version, 47:0 the features. One table of feature fields serves both the
//! decoding to a [`Target`] and the comparison of two fingerprints in words. Source: `spec/targets.toml`, `[decode.isa1]`.

use std::fmt;

use super::registry::registry;
use super::{Target, TargetError};

/// `PP` and `ICP = OCP` of each architecture index.
const ARCHITECTURES: [(usize, usize); 12] =
    [(4, 8), (4, 10), (8, 8), (4, 12), (8, 10), (8, 12), (8, 14), (8, 16), (4, 4), (2, 6), (2, 8), (2, 4)];

/// Type code of DPUCZDX8G.
const FAMILY: u8 = 1;
/// The ISA version this crate describes.
const ISA_VERSION: u8 = 1;
/// Largest output row interleave of any engine.
const STRIDE_OUT_MAX: usize = 4;

/// A bit field of a fingerprint.
struct Feature {
    name: &'static str,
    low: u32,
    width: u32,
    kind: Kind,
}

/// How to read a feature's value.
#[derive(Clone, Copy)]
enum Kind {
    Family,
    Architecture,
    Number,
    PowerOfTwo,
    Option,
}

const fn feature(name: &'static str, low: u32, width: u32, kind: Kind) -> Feature {
    Feature { name, low, width, kind }
}

const TYPE: Feature = feature("DPU family", 56, 8, Kind::Family);
const ISA: Feature = feature("ISA version", 48, 8, Kind::Number);
const ARCH: Feature = feature("size", 0, 4, Kind::Architecture);
const ALU_PP: Feature = feature("rows of the misc engine", 8, 4, Kind::Number);
const IMG_BG: Feature = feature("feature-map bank groups", 24, 2, Kind::Number);
const LD_AUGM: Feature = feature("channel augmentation in Load", 26, 1, Kind::Option);
const LD_MEAN: Feature = feature("mean subtraction in Load", 27, 1, Kind::Option);
const CV_LKRL: Feature = feature("leaky ReLU in Conv", 28, 1, Kind::Option);
const DW_LKRL: Feature = feature("leaky ReLU in Alu", 29, 1, Kind::Option);
const SV_ARGMAX: Feature = feature("argmax in Save", 30, 1, Kind::Option);
const CV_WP: Feature = feature("width parallelism of Conv", 32, 2, Kind::PowerOfTwo);
const ALU_WP: Feature = feature("width parallelism of Alu", 34, 2, Kind::PowerOfTwo);

/// The features below the ISA version, in the order of a message.
const FEATURES: [Feature; 10] = [ARCH, ALU_PP, IMG_BG, LD_AUGM, LD_MEAN, CV_LKRL, DW_LKRL, SV_ARGMAX, CV_WP, ALU_WP];

impl Feature {
    const fn of(&self, fingerprint: u64) -> usize {
        (fingerprint >> self.low & self.mask()) as usize
    }

    const fn mask(&self) -> u64 {
        (1 << self.width) - 1
    }

    const fn is_set(&self, fingerprint: u64) -> bool {
        self.of(fingerprint) != 0
    }

    /// The value in words.
    fn words(&self, fingerprint: u64) -> String {
        let value = self.of(fingerprint);
        match self.kind {
            Kind::Family => registry().family(value as u8).map_or(format!("unknown ({value})"), str::to_owned),
            Kind::Architecture => ARCHITECTURES
                .get(value)
                .map_or(format!("unknown ({value})"), |&(rows, width)| format!("B{}", peak(rows, width))),
            Kind::Number => value.to_string(),
            Kind::PowerOfTwo => (1 << value).to_string(),
            Kind::Option => if value == 0 { "no" } else { "yes" }.to_owned(),
        }
    }
}

/// One feature in which two fingerprints differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureDifference {
    /// The feature, e.g. `argmax in Save`.
    pub feature: String,
    /// Its value in the first fingerprint, e.g. `yes`.
    pub first: String,
    /// Its value in the second fingerprint.
    pub second: String,
}

impl FeatureDifference {
    /// The difference as a phrase: `argmax in Save: file yes, device no` for the subjects `file` and `device`.
    pub fn describe(&self, first_subject: &str, second_subject: &str) -> impl fmt::Display {
        let Self { feature, first, second } = self;
        format!("{feature}: {first_subject} {first}, {second_subject} {second}")
    }
}

/// The features in which two fingerprints differ, most important first. Features of different families or ISA versions cannot
/// be compared; then the difference of family and version is all.
pub fn fingerprint_differences(first: u64, second: u64) -> Vec<FeatureDifference> {
    let differing = |features: &[Feature]| {
        let differing = features.iter().filter(|feature| feature.of(first) != feature.of(second));
        let in_words = |feature: &Feature| FeatureDifference {
            feature: feature.name.to_owned(),
            first: feature.words(first),
            second: feature.words(second),
        };
        differing.map(in_words).collect::<Vec<_>>()
    };
    let families = differing(&[TYPE, ISA]);
    if !families.is_empty() {
        return families;
    }
    let mut differences = differing(&FEATURES);
    let named = FEATURES.iter().fold(0, |bits, feature| bits | feature.mask() << feature.low);
    let mut unnamed = (first ^ second) & !named;
    while unnamed != 0 {
        let bit = feature("", unnamed.trailing_zeros(), 1, Kind::Number);
        unnamed &= unnamed - 1;
        differences.push(FeatureDifference {
            feature: format!("fingerprint bit {}, of unknown meaning", bit.low),
            first: bit.words(first),
            second: bit.words(second),
        });
    }
    differences
}

/// Reads a fingerprint as written in `arch.json`: hexadecimal, `0x` and leading zeros optional.
pub fn parse_fingerprint(text: &str) -> Result<u64, TargetError> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let significant = digits.trim_start_matches('0');
    // A sign is accepted by `from_str_radix`, hence the look at every digit.
    let valid = !digits.is_empty() && significant.len() <= 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let syntax = || TargetError::FingerprintSyntax { text: text.chars().take(40).collect() };
    if !valid {
        return Err(syntax());
    }
    u64::from_str_radix(if significant.is_empty() { "0" } else { significant }, 16).map_err(|_| syntax())
}

const fn peak(pixel_parallel: usize, channel_parallel: usize) -> usize {
    2 * pixel_parallel * channel_parallel * channel_parallel
}

impl Target {
    /// The target with this fingerprint. It carries its registered name, or else the dynamic name
    /// `DPUCZDX8G_ISA1_B<peak>_<16 digits>`.
    pub fn from_fingerprint(fingerprint: u64) -> Result<Self, TargetError> {
        check_family(fingerprint)?;
        let index = ARCH.of(fingerprint);
        let Some(&(pixel_parallel, channel_parallel)) = ARCHITECTURES.get(index) else {
            return Err(TargetError::UnknownArchitecture { fingerprint, index, last: ARCHITECTURES.len() - 1 });
        };
        let stride_out_max = |feature: &Feature| {
            let width_parallel = 1 << feature.of(fingerprint);
            let rows = pixel_parallel / width_parallel;
            if width_parallel == 1 { STRIDE_OUT_MAX } else { rows.clamp(1, STRIDE_OUT_MAX) }
        };
        let dynamic = || format!("DPUCZDX8G_ISA1_B{}_{fingerprint:016X}", peak(pixel_parallel, channel_parallel));
        let target = Self {
            name: registry().name_of(fingerprint).map_or_else(dynamic, str::to_owned),
            fingerprint,
            pixel_parallel,
            channel_parallel,
            alu_pixel_parallel: ALU_PP.of(fingerprint),
            feature_groups: IMG_BG.of(fingerprint),
            channel_augmentation: LD_AUGM.is_set(fingerprint),
            conv_leaky_relu: CV_LKRL.is_set(fingerprint),
            alu_leaky_relu: DW_LKRL.is_set(fingerprint),
            argmax: SV_ARGMAX.is_set(fingerprint),
            conv_stride_out_max: stride_out_max(&CV_WP),
            alu_stride_out_max: stride_out_max(&ALU_WP),
        };
        if target.feature_groups == 0 {
            return Err(TargetError::Unusable { fingerprint, lacks: "no feature-map banks" });
        }
        if target.alu_pixel_parallel == 0 {
            return Err(TargetError::Unusable { fingerprint, lacks: "no rows in its misc engine" });
        }
        Ok(target)
    }
}

fn check_family(fingerprint: u64) -> Result<(), TargetError> {
    let what = || match registry().name_of(fingerprint) {
        Some(name) => format!("fingerprint {fingerprint:#018x} ({name})"),
        None => format!("fingerprint {fingerprint:#018x}"),
    };
    let code = TYPE.of(fingerprint) as u8;
    if code != FAMILY {
        return Err(match registry().family(code) {
            Some(family) => TargetError::OtherFamily { what: what(), family: family.to_owned() },
            None => TargetError::UnknownFamily { fingerprint, code },
        });
    }
    match ISA.of(fingerprint) as u8 {
        ISA_VERSION => Ok(()),
        0 => Err(TargetError::IsaZero { what: what() }),
        version => Err(TargetError::UnknownIsa { fingerprint, version }),
    }
}
