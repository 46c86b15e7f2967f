//! Targets from names, boards, fingerprints and `arch.json`, against `spec/targets.toml`.

use dpuc_isa::{Target, TargetError, fingerprint_differences, parse_fingerprint};

mod shared;

const B4096: u64 = 0x0101_0000_5601_0407;
const B4096_BEFORE_3_0: u64 = 0x0101_0000_1601_0407;

fn integer(value: &toml::Value) -> usize {
    usize::try_from(value.as_integer().unwrap()).unwrap()
}

fn hexadecimal(value: &toml::Value) -> u64 {
    parse_fingerprint(value.as_str().unwrap()).unwrap()
}

#[test]
fn registered_targets_are_what_amds_registry_says() {
    let Some(text) = shared::read("spec/targets.toml") else { return };
    let spec: toml::Value = toml::from_str(std::str::from_utf8(&text).unwrap()).unwrap();
    let targets = spec["target"].as_array().unwrap();
    let mut registered = 0;
    for entry in targets {
        let name = entry["name"].as_str().unwrap();
        let fingerprint = hexadecimal(&entry["fingerprint"]);
        if entry["status"].as_str() == Some("retired") {
            assert!(matches!(Target::from_name(name), Err(TargetError::IsaZero { .. })), "{name}");
            assert!(matches!(Target::from_fingerprint(fingerprint), Err(TargetError::IsaZero { .. })), "{name}");
            continue;
        }
        registered += 1;
        let target = Target::from_fingerprint(fingerprint).unwrap();
        assert_eq!(Target::from_name(name).as_ref(), Ok(&target));
        assert_eq!(target.name, name);
        assert_eq!(target.fingerprint, fingerprint);

        let bits = &entry["bits"];
        assert_eq!(target.pixel_parallel, integer(&bits["pp"]));
        assert_eq!(target.channel_parallel, integer(&bits["cp"]));
        assert_eq!(target.alu_pixel_parallel, integer(&bits["alu_pp"]));
        assert_eq!(target.feature_groups, integer(&bits["bg"]));
        assert_eq!(usize::from(target.argmax), integer(&bits["argmax"]));
        assert_eq!(target.alu_pixel_parallel, integer(&entry["eltwise"]["pixel_parallel"]));
        let groups = target.bank_groups();
        assert_eq!(groups.len(), entry["banks"].as_array().unwrap().len());
        for (group, bank) in groups.iter().zip(entry["banks"].as_array().unwrap()) {
            assert_eq!(group.name, bank["name"].as_str().unwrap());
            assert_eq!((group.first, group.banks), (integer(&bank["base_id"]), integer(&bank["bank_num"])));
            assert_eq!(
                (target.line_bytes(), dpuc_isa::BANK_LINES),
                (integer(&bank["bank_width"]), integer(&bank["bank_depth"]))
            );
        }
        let conv = &entry["conv"];
        assert_eq!(target.augmented_channels_max(), integer(&conv["channel_augmentation"]));
        assert_eq!(dpuc_isa::CONV_KERNEL_MAX, integer(&conv["kernel"][1]));
        assert_eq!(dpuc_isa::CONV_STRIDE_MAX, integer(&conv["stride"][1]));
        assert_eq!(target.conv_stride_out_max, integer(&conv["stride_out_h"][1]));
        let leaky = |engine: &str| {
            entry[engine]["nonlinear"].as_array().unwrap().iter().any(|name| name.as_str() == Some("leaky_relu"))
        };
        assert_eq!((target.conv_leaky_relu, target.alu_leaky_relu), (leaky("conv"), leaky("alu")));
        assert_eq!(dpuc_isa::ALU_KERNEL_MAX, integer(&entry["alu"]["kernel"][1]));
        assert_eq!(dpuc_isa::ALU_STRIDE_MAX, integer(&entry["alu"]["stride"][1]));
        assert_eq!(target.alu_stride_out_max, integer(&entry["alu"]["stride_out_h"][1]));
    }
    assert_eq!(registered, Target::registered().len());

    for entry in spec["other"].as_array().unwrap() {
        let (name, family) = (entry["name"].as_str().unwrap(), entry["type"].as_str().unwrap());
        for result in [Target::from_name(name), Target::from_fingerprint(hexadecimal(&entry["fingerprint"]))] {
            let Err(TargetError::OtherFamily { what, family: named }) = result else { panic!("{name}: {result:?}") };
            assert_eq!(named, family);
            assert!(what.contains(name));
        }
    }
    for entry in spec["observed"].as_array().unwrap() {
        let names: Vec<_> = Target::observed_names(hexadecimal(&entry["fingerprint"])).collect();
        assert!(names.iter().any(|seen| seen.name == entry["name"].as_str().unwrap()));
    }
}

#[test]
fn registered_targets_run_from_small_to_large() {
    let sizes: Vec<_> = Target::registered().iter().map(Target::peak_operations).collect();
    assert_eq!(sizes, [512, 800, 1024, 1152, 1600, 2304, 3136, 4096]);
}

#[test]
fn an_unregistered_fingerprint_has_a_dynamic_name() {
    let target = Target::from_fingerprint(B4096_BEFORE_3_0).unwrap();
    assert_eq!(target.name, "DPUCZDX8G_ISA1_B4096_0101000016010407");
    assert!(!target.argmax);
    assert_eq!(Target::from_name(&target.name), Ok(target));
    let small = Target::from_fingerprint(0x0101_0000_5601_010b).unwrap();
    assert_eq!((small.name.as_str(), small.bank_count()), ("DPUCZDX8G_ISA1_B64_010100005601010B", 10));
    assert_eq!(
        Target::from_name("DPUCZDX8G_ISA1_B512_0101000016010407"),
        Err(TargetError::NameMismatch {
            name: "DPUCZDX8G_ISA1_B512_0101000016010407".to_owned(),
            actual: "DPUCZDX8G_ISA1_B4096_0101000016010407".to_owned()
        })
    );
}

#[test]
fn width_parallelism_limits_the_row_interleave() {
    let stride_out = |conv_log2: u64, alu_log2: u64| {
        let target = Target::from_fingerprint(B4096 | conv_log2 << 32 | alu_log2 << 34).unwrap();
        (target.conv_stride_out_max, target.alu_stride_out_max)
    };
    assert_eq!([stride_out(0, 1), stride_out(1, 2), stride_out(2, 3)], [(4, 4), (4, 2), (2, 1)]);
}

#[test]
fn every_fingerprint_decodes_or_is_refused() {
    let mut random = dpuc_isa::Random::new(7);
    for _ in 0..20_000 {
        let bits = random.bits();
        for fingerprint in [bits, bits >> 8 | 1 << 56, bits >> 16 | 0x0101 << 48] {
            if let Ok(target) = Target::from_fingerprint(fingerprint) {
                assert_eq!(target.fingerprint, fingerprint);
                assert!(target.bank_count() <= 64, "{} has more banks than bank_id can name", target.name);
                assert_eq!(Target::from_name(&target.name), Ok(target));
            }
        }
    }
}

#[test]
fn users_write_names_boards_sizes_and_fingerprints() {
    let name = |text: &str| Target::resolve(text).map(|target| target.name).map_err(|error| error.to_string());
    for (text, size) in [
        ("DPUCZDX8G_ISA1_B4096", "B4096"),
        ("dpuczdx8g_isa1_b800", "B800"),
        ("B4096", "B4096"),
        ("b1152", "B1152"),
        ("kv260", "B4096"),
        ("DPUCZDX8G-kv260", "B4096"),
        ("DPUCZDX8G-zcu104", "B4096"),
        ("dpuv2-zcu104", "B4096"),
        (" ZCU102 ", "B4096"),
        ("ultra96", "B1600"),
        ("leopard", "B1024"),
        ("antelope", "B1024"),
        ("0x101000056010402", "B1024"),
    ] {
        assert_eq!(name(text), Ok(format!("DPUCZDX8G_ISA1_{size}")), "{text}");
    }
    for board in Target::boards() {
        assert!(board.description.contains(&format!("B{}", Target::resolve(&board.name).unwrap().peak_operations())));
    }
}

#[test]
fn errors_name_the_way_out() {
    let message = |text: &str| Target::resolve(text).unwrap_err().to_string();
    for (text, part) in [
        ("DPUCZDX8G_ISA1_B4069", "did you mean `DPUCZDX8G_ISA1_B4096`?"),
        ("kv620", "did you mean `kv260`?"),
        ("DPUCZDX8G-zcu103", "did you mean `zcu102`?"),
        ("B1025", "did you mean `B1024`?"),
        ("banana", "known are DPUCZDX8G_ISA1_B512, DPUCZDX8G_ISA1_B800"),
        ("DPUCZDX8G", "name the size"),
        ("DPUCZDX8G_ISA0_B4096_MAX", "ISA version 0"),
        ("DPUCZDX8G_ISA0_B9", "ISA version 0"),
        ("DPUCAHX8H-u50", "family DPUCAHX8H"),
        ("DPUCADX8G", "family DPUCADX8G"),
        ("DPUCVDX8G_ISA3_C32B6", "family DPUCVDX8G"),
        ("0x01010000560104zz", "hexadecimal digits"),
        ("0x10101000056010407", "hexadecimal digits"),
        ("0x", "hexadecimal digits"),
        ("0x010100005601040f", "architecture index 15; there are 0 to 11"),
        ("0x0101000054010407", "no feature-map banks"),
        ("0x0101000056010007", "no rows in its misc engine"),
        ("0x0107000056010407", "ISA version 7"),
        ("0x0603000b16011861", "family DPUCVDX8G"),
        ("0x2001000056010407", "type code 32"),
    ] {
        assert!(message(text).contains(part), "{text}: {}", message(text));
    }
}

#[test]
fn arch_json_has_two_forms() {
    let parse = Target::parse_arch_json;
    let registered = Ok(Target::from_fingerprint(B4096).unwrap());
    for text in [
        r#"{"target": "DPUCZDX8G_ISA1_B4096"}"#,
        "\u{feff}{\"target\": \"DPUCZDX8G_ISA1_B4096\"}\r\n",
        r#"{"fingerprint":"0x101000056010407"}"#,
        r#"{"fingerprint":"0x0101000056010407"}"#,
        r#"{"fingerprint":"101000056010407"}"#,
        r#"{"fingerprint":"0X0101000056010407", "comment": 1}"#,
        r#"{"fingerprint":"0x101000056010402", "target":"DPUCZDX8G_ISA1_B4096"}"#,
    ] {
        assert_eq!(parse(text), registered, "{text}");
    }
    let nested = "[".repeat(100_000);
    for (text, part) in [
        (r#"{"target": "DPUCZDX8G", "dcf": "/opt/ZCU102.dcf"}"#, "/opt/ZCU102.dcf"),
        (r#"{"target": "DPUCZDX8G_ISA1_B4097"}"#, "did you mean `DPUCZDX8G_ISA1_B4096`?"),
        (r#"{"target": 4096}"#, "`target` is no string"),
        (r#"{"fingerprint": 72339070472880135}"#, "`fingerprint` is no string"),
        (r#"{"fingerprint": "-1"}"#, "hexadecimal digits"),
        (r#"{"fingerprint": ""}"#, "hexadecimal digits"),
        (r#"{"name": "B4096"}"#, "neither `target` nor `fingerprint`"),
        ("{}", "neither `target` nor `fingerprint`"),
        ("[]", "no JSON object"),
        ("null", "no JSON object"),
        ("", "line 1"),
        ("{\"target\": \"DPUCZDX8G_ISA1_B4096\"", "line 1"),
        ("\u{0}\u{1}garbage", "line 1"),
        (&nested, "recursion limit"),
    ] {
        let message = parse(text).unwrap_err().to_string();
        assert!(message.contains(part), "{text:.60}: {message}");
    }
}

#[test]
fn differing_features_are_told_in_words() {
    let told = |first, second| -> Vec<String> {
        let differences = fingerprint_differences(first, second);
        differences.iter().map(|difference| difference.describe("file", "device").to_string()).collect()
    };
    assert_eq!(told(B4096, B4096), Vec::<String>::new());
    assert_eq!(told(B4096, B4096_BEFORE_3_0), ["argmax in Save: file yes, device no"]);
    assert_eq!(
        told(0x0101_0000_5601_0200, B4096),
        ["size: file B512, device B4096", "rows of the misc engine: file 2, device 4"]
    );
    assert_eq!(told(B4096, 0x0100_0020_f601_4407), ["ISA version: file 1, device 0"]);
    assert_eq!(told(B4096, 0x0603_000b_1601_1861)[0], "DPU family: file DPUCZDX8G, device DPUCVDX8G");
    assert_eq!(told(B4096, B4096 ^ 1 << 16), ["fingerprint bit 16, of unknown meaning: file 1, device 0"]);
    assert_eq!(told(B4096, B4096 | 3 << 32), ["width parallelism of Conv: file 1, device 8"]);
    assert_eq!(told(B4096, B4096 | 0xf), ["size: file B4096, device unknown (15)"]);
    assert_eq!(Target::observed_names(B4096_BEFORE_3_0).next().map(|seen| seen.releases), Some("2.5"));
}
