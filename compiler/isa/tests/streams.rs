//! Real vendor streams: they decode, encode back, are legal, and under the token model their accesses have no race.

use std::time::{Duration, Instant};

use dpuc_isa::{
    AccessTracker, Accesses, Bytes, Engine, EngineSet, Instruction, Lines, Target, Tokens, decode, encode, parse_text,
    to_text,
};

mod shared;

const MODELS: [&str; 15] = [
    "dpu_mnist/compiled_b4096",
    "mnist_cnn/compiled_b4096",
    "pointpillars/compiled_b4096",
    "squeezenet/compiled_b4096",
    "tf2_custom_op/compiled_b4096",
    "unet2d_liver/compiled_b4096",
    "yolox_nano/compiled_b512",
    "yolox_nano/compiled_b800",
    "yolox_nano/compiled_b1024",
    "yolox_nano/compiled_b1152",
    "yolox_nano/compiled_b1600",
    "yolox_nano/compiled_b2304",
    "yolox_nano/compiled_b3136",
    "yolox_nano/compiled_b4096",
    "zero_dce/compiled_b4096",
];

/// Reads a protobuf varint and returns it with the rest.
fn varint(bytes: &[u8]) -> (u64, &[u8]) {
    let length = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
    let value = bytes[..length].iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f));
    (value, &bytes[length..])
}

/// The values of the string-keyed protobuf map entries `name`, without the value's own tag.
fn attributes<'f>(file: &'f [u8], name: &str, tag: u8) -> Vec<&'f [u8]> {
    let mut key = vec![0x0a, name.len() as u8];
    key.extend(name.bytes());
    key.push(0x12);
    let places = file.windows(key.len()).enumerate().filter(|(_, window)| *window == key);
    places
        .map(|(at, _)| {
            let (length, rest) = varint(&file[at + key.len()..]);
            assert_eq!(rest[0], tag, "kind of attribute {name}");
            &rest[1..length as usize]
        })
        .collect()
}

/// Target and instruction bytes of each DPU subgraph of a compiled file.
fn programs(file: &[u8]) -> (Target, Vec<&[u8]>) {
    let fingerprint = varint(attributes(file, "dpu_fingerprint", 0x40)[0]).0;
    let programs = attributes(file, "mc_code", 0x62).into_iter().map(|value| {
        let (_, message) = varint(value);
        assert_eq!(message[0], 0x0a);
        varint(&message[1..]).1
    });
    (Target::from_fingerprint(fingerprint).unwrap(), programs.collect())
}

/// Index of an instruction, per engine; 0 means none, so indices start at 1.
type Clock = [u32; 4];

/// Looks for conflicting accesses that no token orders.
#[derive(Default)]
struct RaceDetector {
    /// What each engine knows to be complete.
    known: [Clock; 4],
    /// Clocks in flight from engine to engine.
    tokens: [[std::collections::VecDeque<Clock>; 4]; 4],
    /// Last instruction of each engine that wrote and that read a bank line.
    lines: Vec<[Clock; 2]>,
    /// Last Load that read and last Save that wrote a DDR byte, the only instructions that do.
    regions: [Vec<[u32; 2]>; 8],
    /// Regions that some Save writes; nothing conflicts in the others, which hold the constants.
    saved: [bool; 8],
    pairs: u64,
}

impl RaceDetector {
    fn new(stream: &[Instruction]) -> Self {
        let mut detector = Self { lines: vec![Default::default(); 64 * 2048], ..Self::default() };
        for engine in 0..4 {
            detector.tokens[engine][engine].push_back(Clock::default());
        }
        for instruction in stream {
            if let Instruction::Save(save) = instruction {
                detector.saved[save.reg_id as usize] = true;
            }
        }
        detector
    }

    /// Takes the next instruction; an error names two conflicting instructions that no token orders.
    fn step(&mut self, index: u32, instruction: &Instruction, accesses: &Accesses) -> Result<(), String> {
        let engine = instruction.engine() as usize;
        for from in instruction.tokens().wait.iter() {
            let clock = self.tokens[from as usize][engine].pop_front().expect("a token is there when it is taken");
            for (known, new) in self.known[engine].iter_mut().zip(clock) {
                *known = new.max(*known);
            }
        }
        self.known[engine][engine] = index;
        let saved = self.saved;
        for (written, lines, bytes) in [
            (false, &accesses.bank_reads, &accesses.region_reads),
            (true, &accesses.bank_writes, &accesses.region_writes),
        ] {
            for line in lines {
                self.touch_lines(index, engine, written, *line)?;
            }
            for range in bytes.iter().filter(|range| saved[usize::from(range.region)]) {
                self.touch_bytes(index, engine, *range)?;
            }
        }
        for to in instruction.tokens().notify.iter() {
            self.tokens[engine][to as usize].push_back(self.known[engine]);
        }
        Ok(())
    }

    fn touch_lines(&mut self, index: u32, engine: usize, written: bool, lines: Lines) -> Result<(), String> {
        for i in 0..lines.count {
            let place = usize::from(lines.bank) * 2048 + usize::from((lines.first + i) % 2048);
            self.pairs += touch(&mut self.lines[place], self.known[engine], index, engine, written)?;
        }
        Ok(())
    }

    fn touch_bytes(&mut self, index: u32, engine: usize, range: Bytes) -> Result<(), String> {
        let places = &mut self.regions[usize::from(range.region)];
        if places.len() < range.end as usize {
            places.resize(range.end as usize, Default::default());
        }
        let other = if engine == Engine::Load as usize { Engine::Save } else { Engine::Load } as usize;
        let known = self.known[engine];
        for place in &mut places[range.start as usize..range.end as usize] {
            let earlier = place[other];
            if earlier > known[other] {
                return Err(format!("{index} does not wait for {earlier} at {range:?}"));
            }
            self.pairs += u64::from(earlier != 0);
            place[engine] = index;
        }
        Ok(())
    }
}

/// Checks that instruction `index` knows of every conflicting earlier access to a place, and counts those.
fn touch(place: &mut [Clock; 2], known: Clock, index: u32, engine: usize, written: bool) -> Result<u64, String> {
    let mut pairs = 0;
    let conflicting = if written { &place[..] } else { &place[..1] };
    for clock in conflicting {
        for (other, (&earlier, known)) in clock.iter().zip(known).enumerate() {
            if earlier > known {
                return Err(format!("{index} does not wait for {earlier} of {:?}", Engine::ALL[other]));
            }
            pairs += u64::from(earlier != 0 && other != engine);
        }
    }
    place[usize::from(!written)][engine] = index;
    Ok(pairs)
}

/// Conflicting accesses of different engines in a stream; an error if tokens do not order all of them or do not balance.
fn ordered_pairs(stream: &[Instruction], target: &Target) -> Result<u64, String> {
    let mut accesses = Accesses::default();
    let (mut tracker, mut detector) = (AccessTracker::new(), RaceDetector::new(stream));
    for (index, instruction) in (1..).zip(stream) {
        tracker.accesses(instruction, target, &mut accesses).map_err(|error| error.to_string())?;
        detector.step(index, instruction, &accesses)?;
    }
    for (from, queues) in detector.tokens.iter().enumerate() {
        for (to, queue) in queues.iter().enumerate() {
            if queue.len() != usize::from(from == to) {
                return Err(format!("{} tokens left over from engine {from} to {to}", queue.len()));
            }
        }
    }
    Ok(detector.pairs)
}

#[test]
fn a_stream_without_its_tokens_races() {
    let Some(file) = shared::read("models/xmodel/mnist_cnn/compiled_b4096.xmodel") else { return };
    let (target, programs) = programs(&file);
    let mut stream = decode(programs[0]).unwrap();
    assert!(ordered_pairs(&stream, &target).is_ok());
    for instruction in &mut stream {
        let own = EngineSet::only(instruction.engine());
        *instruction.tokens_mut() = Tokens { wait: own, notify: own };
    }
    assert!(ordered_pairs(&stream, &target).unwrap_err().contains("does not wait for"));
}

#[test]
fn vendor_streams_are_legal_and_race_free() {
    let mut out = Accesses::default();
    let (mut instructions, mut pairs, mut tracking) = (0, 0, Duration::ZERO);
    for model in MODELS {
        let Some(file) = shared::read(&format!("models/xmodel/{model}.xmodel")) else { return };
        let (target, programs) = programs(&file);
        assert!(!programs.is_empty());
        for bytes in programs {
            let stream = decode(bytes).unwrap();
            assert_eq!(encode(&stream).as_deref(), Ok(bytes));
            assert_eq!(parse_text(&to_text(&stream)).as_ref(), Ok(&stream));
            assert!(matches!(stream.last(), Some(Instruction::End(_))));

            let mut tracker = AccessTracker::new();
            let start = Instant::now();
            for instruction in &stream {
                tracker.accesses(instruction, &target, &mut out).unwrap();
                std::hint::black_box(&out);
            }
            tracking += start.elapsed();
            instructions += stream.len();

            pairs += ordered_pairs(&stream, &target).unwrap();
        }
    }
    let each = tracking / instructions as u32;
    eprintln!("{instructions} instructions, {each:?} each; {pairs} conflicting accesses, all ordered by tokens");
    assert!(instructions > 100_000 && pairs > 1_000_000);
}
