//! Runs layers on the accelerator model.

use dpuc_accel::{Core, check};
use dpuc_codegen::{Constant, FeatureMap, Layer, Program, Stream, emit};
use dpuc_isa::{Engine, Latches, Random, Target};
use ndarray::ArrayView4;

use crate::schedule::{Policy, run_out_of_order};

/// Region of constants.
pub(crate) const CONSTANTS: u8 = 0;
/// Region of inputs.
pub(crate) const INPUTS: u8 = 2;
/// Region of outputs.
pub(crate) const OUTPUTS: u8 = 3;

/// Number of random cases of each test: a base for each target, times `DPUC_CODEGEN_CASES` if set.
pub(crate) fn cases(base: u64) -> u64 {
    let factor = std::env::var("DPUC_CODEGEN_CASES").ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(1);
    base * factor
}

/// The registered targets, and a legal one unlike them: two rows, one row in the misc engine, three bank groups.
fn targets() -> Vec<Target> {
    let mut targets = Target::registered();
    targets.push(Target::from_fingerprint(0x0101_0000_5701_010A).expect("a legal configuration"));
    targets
}

/// Runs `case` with its own generator for each target and case number.
pub(crate) fn for_each_case(name: &str, base: u64, mut case: impl FnMut(&Target, &mut Random)) {
    for target in targets() {
        for number in 0..cases(base) {
            let seed = name
                .bytes()
                .chain(target.name.bytes())
                .fold(number, |seed, byte| seed.wrapping_mul(31) ^ u64::from(byte));
            let mut random = Random::new(seed);
            let _context = Context { name, target: target.name.clone(), number };
            case(&target, &mut random);
        }
    }
}

/// Says which case failed when a test panics.
struct Context<'a> {
    name: &'a str,
    target: String,
    number: u64,
}

impl Drop for Context<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed: {} case {} on {}", self.name, self.number, self.target);
        }
    }
}

/// DDR contents of exact size.
pub(crate) struct Memory {
    regions: Vec<(u8, Vec<u8>)>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self { regions: [CONSTANTS, INPUTS, OUTPUTS].map(|region| (region, Vec::new())).to_vec() }
    }

    pub(crate) fn region(&mut self, region: u8) -> &mut Vec<u8> {
        &mut self.regions.iter_mut().find(|(number, _)| *number == region).expect("a region of the harness").1
    }

    /// Appends `count` bytes of garbage.
    pub(crate) fn garbage(&mut self, region: u8, count: u32, random: &mut Random) {
        let bytes = self.region(region);
        bytes.extend((0..count).map(|_| random.bits() as u8));
    }

    /// Appends constant bytes behind some garbage.
    pub(crate) fn constant(&mut self, values: impl IntoIterator<Item = i8>, random: &mut Random) -> Constant {
        self.garbage(CONSTANTS, random.clone().below(9), random);
        let bytes = self.region(CONSTANTS);
        let address = bytes.len() as u32;
        bytes.extend(values.into_iter().map(i8::cast_unsigned));
        Constant { region: CONSTANTS, address }
    }

    /// Lays out a map as a view with random gaps, filled with garbage. The region ends with its last byte.
    pub(crate) fn map(&mut self, region: u8, shape: [u32; 3], fix_point: i32, random: &mut Random) -> FeatureMap {
        let gaps = if random.one_in(3) { random.below(20) } else { 0 };
        let row_gap = if random.one_in(4) { random.below(40) } else { 0 };
        self.garbage(region, random.clone().below(30), random);
        let [height, width, channels] = shape;
        let pixel_stride = channels + gaps;
        let row_stride = width * pixel_stride + row_gap;
        let address = self.region(region).len() as u32;
        let map = FeatureMap { region, address, height, width, channels, row_stride, pixel_stride, fix_point };
        self.garbage(region, (height - 1) * row_stride + (width - 1) * pixel_stride + channels, random);
        map
    }

    /// Writes values into a map.
    pub(crate) fn fill(&mut self, map: &FeatureMap, values: &ArrayView4<'_, i8>) {
        assert_eq!(values.dim(), (1, map.height as usize, map.width as usize, map.channels as usize), "shape of a map");
        let bytes = self.region(map.region);
        for ((_, y, x, c), &value) in values.indexed_iter() {
            bytes[byte_of(map, y, x, c)] = value.cast_unsigned();
        }
    }

    /// Emits the layers, runs them, and returns the memory afterwards. Every access must stay inside the exact regions.
    pub(crate) fn run(&self, layers: &[Layer], target: &Target, random: &mut Random) -> Self {
        let program = assemble(layers, target);
        assert_eq!(program, assemble(layers, target), "emission is deterministic");
        self.assert_in_bounds(&program, target);
        let report = check(&program.instructions, target, 5);
        assert!(report.is_clean(), "{report:#?}\n{layers:#?}");
        let mut core = self.core(target, random);
        core.run(&program.instructions).expect("the program is legal");
        let after = self.of_core(&core);
        for policy in [Policy::Random(random.clone()), Policy::Priority(shuffled_engines(random))] {
            let mut core = self.core(target, random);
            run_out_of_order(&mut core, &program, policy);
            after.assert_equals(&self.of_core(&core), &"executed out of order");
        }
        after
    }

    /// A core with garbage in all banks and this memory.
    fn core(&self, target: &Target, random: &mut Random) -> Core {
        let mut core = Core::new(target);
        core.scramble_banks(random.bits());
        for (number, bytes) in &self.regions {
            let region = usize::from(*number);
            core.regions_mut().define(region, bytes.len()).expect("a region");
            core.scramble_region(region, random.bits());
            core.regions_mut().write(region, 0, bytes).expect("bytes of a region");
        }
        core
    }

    /// The memory of a core.
    fn of_core(&self, core: &Core) -> Self {
        let after = |(number, bytes): &(u8, Vec<u8>)| {
            let bytes = core.regions().bytes(usize::from(*number), 0, bytes.len()).expect("bytes of a region");
            (*number, bytes.to_vec())
        };
        Self { regions: self.regions.iter().map(after).collect() }
    }

    fn assert_in_bounds(&self, program: &Program, target: &Target) {
        let mut latches = Latches::new();
        for instruction in &program.instructions {
            let operation = latches.resolve(instruction).expect("the program is well formed");
            operation.check(target).expect("the instruction is legal");
            if let Some(span) = operation.region_span() {
                let size =
                    self.regions.iter().find(|(number, _)| *number == span.region).expect("a known region").1.len();
                assert!(span.end as usize <= size, "{instruction:?} leaves its region of {size} bytes");
            }
        }
    }

    /// Both memories must be equal.
    pub(crate) fn assert_equals(&self, actual: &Self, what: &dyn std::fmt::Debug) {
        for ((number, expected), (_, actual)) in self.regions.iter().zip(&actual.regions) {
            if let Some(at) = expected.iter().zip(actual).position(|(expected, actual)| expected != actual) {
                let wrong = expected.iter().zip(actual).filter(|(expected, actual)| expected != actual).count();
                panic!(
                    "byte {at} of region {number} is {}, expected {} ({wrong} of {} differ)\n{what:#?}",
                    actual[at].cast_signed(),
                    expected[at].cast_signed(),
                    expected.len(),
                );
            }
        }
    }

    /// Runs a layer that must turn the output map into `expected` and change nothing else.
    pub(crate) fn assert_computes(
        &mut self,
        layer: &Layer,
        output: &FeatureMap,
        expected: &ArrayView4<'_, i8>,
        target: &Target,
        random: &mut Random,
    ) {
        let after = self.run(std::slice::from_ref(layer), target, random);
        self.fill(output, expected);
        self.assert_equals(&after, layer);
    }
}

fn shuffled_engines(random: &mut Random) -> [Engine; 4] {
    let mut engines = Engine::ALL;
    for last in (1..engines.len()).rev() {
        engines.swap(last, random.below(last as u32 + 1) as usize);
    }
    engines
}

fn byte_of(map: &FeatureMap, y: usize, x: usize, c: usize) -> usize {
    map.address as usize + y * map.row_stride as usize + x * map.pixel_stride as usize + c
}

/// The program of some layers.
pub(crate) fn assemble(layers: &[Layer], target: &Target) -> Program {
    let mut stream = Stream::new(target);
    for layer in layers {
        if let Err(error) = emit(layer, &mut stream) {
            panic!("{error}\n{layer:#?}");
        }
    }
    stream.finish().expect("the program is legal")
}
