//! Published times, and what to model for each.

use std::borrow::Cow;

use dpuc_accel::timing::Board;

use super::network::Network;
use super::zoo::{self, Halving};

/// What part a time has in the calibration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The constants of the model were fitted to it.
    Fitted,
    /// The constants were not fitted to it.
    Compared,
    /// Another board and size; not looked at while fitting.
    HeldBack,
    /// Several cores share the memory.
    Shared,
}

/// What is modelled.
#[derive(Clone, Copy)]
pub enum Subject {
    /// AMD's own program: a compiled sample.
    Sample(&'static str),
    /// A program built from the shapes of the network in the manner of AMD's compiler.
    Shapes(fn() -> Network),
}

/// One published time.
pub struct Published {
    /// Name in the source.
    pub name: &'static str,
    /// What is modelled for it.
    pub subject: Subject,
    /// Board of the timing model.
    pub board: &'static str,
    /// Clock of the measurement, if it is not the board's.
    pub clock_mhz: Option<f64>,
    /// Registered name of the target, behind `DPUCZDX8G_ISA1_`.
    pub target: &'static str,
    /// Cores busy at once.
    pub cores: u32,
    /// Milliseconds one core takes for one input.
    pub milliseconds: f64,
    /// Its part in the calibration.
    pub role: Role,
    /// Where it is from.
    pub source: &'static str,
}

impl Published {
    /// The board at the clock of the measurement.
    ///
    /// # Panics
    /// If the table of boards does not have it.
    pub fn board(&self) -> Board {
        let mut board = Board::named(self.board).expect("a board of the table").clone();
        if let Some(clock) = self.clock_mhz {
            board.clock_mhz = clock;
            board.name = Cow::Owned(format!("{} at {clock} MHz", self.board));
        }
        board
    }
}

/// A network and its shapes.
type Shapes = (&'static str, fn() -> Network);

const ZOO: &str = "spec/boards.md 4.1";
const OLD_ZOO: &str = "spec/boards.md 4.2";
const ULTRA96: &str = "spec/boards.md 4.3";
const KR260: &str = "github.com/iotengineer22/AMD-Pervasive-AI-Developer-Contest, imgs/kr260-DPU-inference.png";

/// Milliseconds that the host spends in the measured times of `yolox_nano`: conversion of the input to and the output from floats. One
/// number for all of them, fitted with the model: the same network has the same inputs and outputs on every size.
pub const YOLOX_HOST_MILLISECONDS: f64 = 10.2;

/// All published times.
pub fn published() -> Vec<Published> {
    let mut list = vec![zoo_rate("SqueezeNet_pt", Subject::Sample("squeezenet/compiled_b4096.xmodel"), 762.62)];
    list[0].role = Role::Fitted;
    list.extend(yolox());
    let rates: [(Shapes, f64); 16] = [
        (("SqueezeNet_pt", zoo::squeezenet), 762.62),
        (("vgg_16_tf", || zoo::vgg([2, 2, 3, 3, 3])), 21.72),
        (("vgg_19_tf", || zoo::vgg([2, 2, 4, 4, 4])), 18.71),
        (("resnet50_tf2", || zoo::resnet([3, 4, 6, 3], Halving::First)), 98.21),
        (("resnet50_pt", || zoo::resnet([3, 4, 6, 3], Halving::Middle)), 87.96),
        (("resnet_v1_50_tf", || zoo::resnet([3, 4, 6, 3], Halving::Last)), 99.01),
        (("resnet_v1_101_tf", || zoo::resnet([3, 4, 23, 3], Halving::Last)), 51.07),
        (("resnet_v1_152_tf", || zoo::resnet([3, 8, 36, 3], Halving::Last)), 34.54),
        (("Inception_v1_tf", zoo::inception_v1), 227.17),
        (("Inception_v3_tf", zoo::inception_v3), 67.38),
        (("mobilenet_v1_1_0_224_tf", || zoo::mobilenet_v1(224, 4)), 425.57),
        (("mobilenet_v2_1_0_224_tf", || zoo::mobilenet_v2(10, 1001)), 336.82),
        (("mobilenet_v1_0_25_128_tf", || zoo::mobilenet_v1(128, 1)), 2428.88),
        (("mobilenet_v1_0_5_160_tf", || zoo::mobilenet_v1(160, 2)), 1492.12),
        (("mobilenet_v2_1_4_224_tf", || zoo::mobilenet_v2(14, 1001)), 228.2),
        (("vehicle_type_resnet18_pt", || zoo::resnet18(7)), 239.78),
    ];
    list.extend(rates.into_iter().map(|((name, network), rate)| zoo_rate(name, Subject::Shapes(network), rate)));
    let resnet18 = zoo_rate("cf_resnet18_imagenet", Subject::Shapes(|| zoo::resnet18(1000)), 214.2);
    list.push(Published { source: OLD_ZOO, ..resnet18 });
    list.extend(ultra96());
    list.extend(shared());
    list
}

/// A rate of one KV260 core kept busy by several threads, in inputs per second.
fn zoo_rate(name: &'static str, subject: Subject, rate: f64) -> Published {
    Published {
        name,
        subject,
        board: "kv260",
        clock_mhz: None,
        target: "B4096",
        cores: 1,
        milliseconds: 1000.0 / rate,
        role: Role::Compared,
        source: ZOO,
    }
}

/// AMD's programs of one network for all sizes, at two clocks, in milliseconds including the host.
fn yolox() -> Vec<Published> {
    let measured = [
        ("B512", "yolox_nano/compiled_b512.xmodel", 150.0, 34.8),
        ("B800", "yolox_nano/compiled_b800.xmodel", 150.0, 30.0),
        ("B1024", "yolox_nano/compiled_b1024.xmodel", 150.0, 25.4),
        ("B1152", "yolox_nano/compiled_b1152.xmodel", 150.0, 27.6),
        ("B1600", "yolox_nano/compiled_b1600.xmodel", 150.0, 22.9),
        ("B2304", "yolox_nano/compiled_b2304.xmodel", 150.0, 20.7),
        ("B3136", "yolox_nano/compiled_b3136.xmodel", 150.0, 19.5),
        ("B4096", "yolox_nano/compiled_b4096.xmodel", 150.0, 17.0),
        ("B512", "yolox_nano/compiled_b512.xmodel", 300.0, 22.4),
        ("B3136", "yolox_nano/compiled_b3136.xmodel", 300.0, 14.7),
        ("B4096", "yolox_nano/compiled_b4096.xmodel", 300.0, 13.7),
    ];
    let row = |(target, sample, clock, milliseconds): (&'static str, &'static str, f64, f64)| Published {
        name: "yolox_nano_pt",
        subject: Subject::Sample(sample),
        board: "kr260",
        clock_mhz: Some(clock),
        target,
        cores: 1,
        milliseconds: milliseconds - YOLOX_HOST_MILLISECONDS,
        role: Role::Fitted,
        source: KR260,
    };
    measured.into_iter().map(row).collect()
}

/// Ultra96: one B1600 core of the retired ISA 0 at 287 MHz, kept busy by several threads, in inputs per second.
fn ultra96() -> Vec<Published> {
    let rates: [(Shapes, f64); 7] = [
        (("cf_resnet50_imagenet", || zoo::resnet([3, 4, 6, 3], Halving::First)), 33.4667),
        (("tf_resnet50_imagenet", || zoo::resnet([3, 4, 6, 3], Halving::Last)), 36.6),
        (("cf_resnet18_imagenet", || zoo::resnet18(1000)), 77.8167),
        (("cf_inceptionv1_imagenet", zoo::inception_v1), 75.0667),
        (("cf_inceptionv3_imagenet", zoo::inception_v3), 23.4333),
        (("tf_mobilenetv1_imagenet", || zoo::mobilenet_v1(224, 4)), 186.55),
        (("tf_mobilenetv2_imagenet 1.4", || zoo::mobilenet_v2(14, 1001)), 104.25),
    ];
    let row = |((name, network), rate): (Shapes, f64)| Published {
        board: "ultra96",
        target: "B1600",
        role: Role::HeldBack,
        source: ULTRA96,
        ..zoo_rate(name, Subject::Shapes(network), rate)
    };
    rates.into_iter().map(row).collect()
}

/// Boards whose cores share the memory: milliseconds of each core, all of them busy.
fn shared() -> Vec<Published> {
    let vgg: Shapes = ("vgg_16_tf", || zoo::vgg([2, 2, 3, 3, 3]));
    let resnet: Shapes = ("resnet50_pt", || zoo::resnet([3, 4, 6, 3], Halving::Middle));
    let inception: Shapes = ("Inception_v3_tf", zoo::inception_v3);
    let squeezenet: Shapes = ("SqueezeNet_pt", zoo::squeezenet);
    let (zcu104, zcu102) = (("zcu104", 2), ("zcu102", 3));
    let rates = [
        (vgg, zcu104, 37.10),
        (vgg, zcu102, 40.94),
        (resnet, zcu104, 157.2),
        (resnet, zcu102, 173.16),
        (inception, zcu104, 121.49),
        (inception, zcu102, 135.30),
        (squeezenet, zcu104, 1315.93),
        (squeezenet, zcu102, 1499.6),
    ];
    let row = |((name, network), (board, cores), rate): (Shapes, (&'static str, u32), f64)| Published {
        board,
        cores,
        role: Role::Shared,
        ..zoo_rate(name, Subject::Shapes(network), rate / f64::from(cores))
    };
    rates.into_iter().map(row).collect()
}
