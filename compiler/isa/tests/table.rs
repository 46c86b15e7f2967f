//! The instruction table against AMD's, `spec/dpuczdx8g-isa.toml`, and against itself.

use dpuc_isa::{Coding, Engine, Opcode};

mod shared;

#[test]
fn the_table_is_amds() {
    let Some(text) = shared::read("spec/dpuczdx8g-isa.toml") else { return };
    let spec: toml::Value = toml::from_str(std::str::from_utf8(&text).unwrap()).unwrap();
    for engine in Engine::ALL {
        assert_eq!(spec["engine_bit"][engine.name()].as_integer(), Some(engine.index() as i64));
    }
    let integer = |value: &toml::Value| u32::try_from(value.as_integer().unwrap()).unwrap();
    let encoded: Vec<_> =
        spec["instruction"].as_array().unwrap().iter().filter(|i| i["pseudo"].as_bool() == Some(false)).collect();
    assert_eq!(encoded.len(), Opcode::ALL.len());
    for entry in encoded {
        let opcode = Opcode::from_number(integer(&entry["opcode"])).unwrap();
        assert_eq!(opcode.name(), entry["name"].as_str().unwrap());
        assert_eq!(opcode.engine().name(), entry["engine"].as_str().unwrap());
        assert_eq!(opcode.words() as u32, integer(&entry["words"]));
        assert_eq!(opcode.in_isa1(), entry["isa1"].as_bool().unwrap());
        let mut expected: Vec<_> = entry["fields"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|field| !["opcode", "dpdon", "dpdby"].contains(&field["name"].as_str().unwrap()))
            .map(|f| {
                let minus_one = f["minus_one"].as_bool().unwrap();
                (f["name"].as_str().unwrap(), integer(&f["word"]), integer(&f["pos"]), integer(&f["len"]), minus_one)
            })
            .collect();
        let mut fields: Vec<_> = opcode
            .fields()
            .iter()
            .map(|f| (f.name, f.word.into(), f.bit.into(), f.len.into(), f.coding == Coding::MinusOne))
            .collect();
        expected.sort_unstable();
        fields.sort_unstable();
        assert_eq!(fields, expected, "{}", opcode.name());
    }
}

#[test]
fn fields_do_not_overlap_and_are_documented() {
    for opcode in Opcode::ALL {
        let mut used = [0u32; 6];
        used[0] = 0xfff0_0000;
        for field in opcode.fields() {
            let bits = field.mask() << field.bit;
            assert_eq!(used[usize::from(field.word)] & bits, 0, "{}.{}", opcode.name(), field.name);
            assert!(usize::from(field.word) < opcode.words() && field.bit + field.len <= 32);
            used[usize::from(field.word)] |= bits;
            assert!(
                field.doc.len() >= 8 && !field.doc.ends_with('.'),
                "{}.{} says too little",
                opcode.name(),
                field.name
            );
        }
    }
}
