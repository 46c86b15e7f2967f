//! The exact bytes of the format, worked out by hand from the schema.

use bytes::Bytes;
use dpuc_xmodel::{
    Attr, Attributed, DataType, Graph, Malformed, MalformedCause, Op, ReadError, Tensor, read, read_shared, write,
};

/// Graph "g" with op "a" of type "t": dims [-1, 300], XINT8.
const SMALL: &[u8] = b"\
    \x0a\x01g\
    \x2a\x18\
        \x0a\x01a\x12\x01t\
        \x2a\x10\
            \x0a\x01b\
            \x12\x07\xff\xff\xff\xff\x0f\xac\x02\
            \x28\x02\x30\x08\
    \x52\x09\
        \x0a\x04root\x1a\x01a";

fn small() -> Graph {
    Graph::uncompiled("g", vec![Op::new("a", "t", Tensor::new("b", [-1, 300], DataType::XINT8))])
}

/// The file of `small()` whose op has the attribute "k" with these bytes as its `AttrValue`.
fn with_attr_value(value: &[u8]) -> Vec<u8> {
    let entry_len = 3 + 2 + value.len();
    let mut file = SMALL[..3].to_vec();
    file.extend([0x2a, SMALL[4] + 2 + entry_len as u8]);
    file.extend(&SMALL[5..11]);
    file.extend([0x1a, entry_len as u8, 0x0a, 1, b'k', 0x12, value.len() as u8]);
    file.extend(value);
    file.extend(&SMALL[11..]);
    file
}

fn cause(file: &[u8]) -> MalformedCause {
    match read(file) {
        Err(ReadError::Malformed(Malformed { cause, .. })) => cause,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_small_graph_has_these_bytes() {
    assert_eq!(write(&small()).unwrap(), SMALL);
    assert_eq!(read(SMALL).unwrap(), small());
}

#[test]
fn every_attribute_kind_has_these_bytes() {
    let minus_one = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";

    let cases: Vec<(Attr, Vec<u8>)> = vec![
        (true.into(), vec![0x20, 1]),
        ((-1_i32).into(), [&[0x28], &minus_one[..]].concat()),
        (0_i32.into(), vec![0x28, 0]),
        (u32::MAX.into(), b"\x30\xff\xff\xff\xff\x0f".to_vec()),
        ((-1_i64).into(), [&[0x38], &minus_one[..]].concat()),
        (u64::MAX.into(), [&[0x40], &minus_one[..]].concat()),
        (1.5_f32.into(), b"\x4d\0\0\xc0\x3f".to_vec()),
        (1.5_f64.into(), b"\x51\0\0\0\0\0\0\xf8\x3f".to_vec()),
        ("hé".into(), b"\x5a\x03h\xc3\xa9".to_vec()),
        (vec![7_u8, 8].into(), b"\x62\x04\x0a\x02\x07\x08".to_vec()),
        (Bytes::new().into(), b"\x62\x00".to_vec()),
        (vec![true, false].into(), b"\x6a\x04\x0a\x02\x01\x00".to_vec()),
        (vec![-1_i32, 1].into(), [b"\x72\x0d\x0a\x0b", &minus_one[..], b"\x01"].concat()),
        (Vec::<i32>::new().into(), b"\x72\x00".to_vec()),
        (vec![300_u32].into(), b"\x7a\x04\x0a\x02\xac\x02".to_vec()),
        (vec![2_i64].into(), b"\x82\x01\x03\x0a\x01\x02".to_vec()),
        (vec![2_u64].into(), b"\x8a\x01\x03\x0a\x01\x02".to_vec()),
        (vec![1.5_f32].into(), b"\x92\x01\x06\x0a\x04\0\0\xc0\x3f".to_vec()),
        (vec![1.5_f64].into(), b"\x9a\x01\x0a\x0a\x08\0\0\0\0\0\0\xf8\x3f".to_vec()),
        (vec!["a".to_owned(), String::new()].into(), b"\xa2\x01\x05\x0a\x01a\x0a\x00".to_vec()),
        (vec![Bytes::from_static(b"x"), Bytes::new()].into(), b"\xaa\x01\x07\x0a\x03\x0a\x01x\x0a\x00".to_vec()),
        (Attr::Int32Map([("a".to_owned(), 5)].into()), b"\xb2\x01\x07\x0a\x05\x0a\x01a\x10\x05".to_vec()),
        (Attr::Int32Map([].into()), b"\xb2\x01\x00".to_vec()),
        (Attr::Uint32Map([("a".to_owned(), 5)].into()), b"\xba\x01\x07\x0a\x05\x0a\x01a\x10\x05".to_vec()),
        (Attr::Int64Map([("a".to_owned(), 5)].into()), b"\xc2\x01\x07\x0a\x05\x0a\x01a\x10\x05".to_vec()),
        (Attr::Uint64Map([("a".to_owned(), 5)].into()), b"\xca\x01\x07\x0a\x05\x0a\x01a\x10\x05".to_vec()),
        (
            Attr::StringMap([("a".to_owned(), "b".to_owned())].into()),
            b"\xd2\x01\x08\x0a\x06\x0a\x01a\x12\x01b".to_vec(),
        ),
        (
            Attr::BytesMap([("a".to_owned(), Bytes::from_static(b"b"))].into()),
            b"\xda\x01\x0a\x0a\x08\x0a\x01a\x12\x03\x0a\x01b".to_vec(),
        ),
        (
            Attr::Int32VecMap([("a".to_owned(), vec![5])].into()),
            b"\xe2\x01\x0a\x0a\x08\x0a\x01a\x12\x03\x0a\x01\x05".to_vec(),
        ),
        (
            Attr::Uint32VecMap([("a".to_owned(), vec![5])].into()),
            b"\xea\x01\x0a\x0a\x08\x0a\x01a\x12\x03\x0a\x01\x05".to_vec(),
        ),
        (
            Attr::Int64VecMap([("a".to_owned(), vec![5])].into()),
            b"\xf2\x01\x0a\x0a\x08\x0a\x01a\x12\x03\x0a\x01\x05".to_vec(),
        ),
        (
            Attr::Uint64VecMap([("a".to_owned(), vec![5])].into()),
            b"\xfa\x01\x0a\x0a\x08\x0a\x01a\x12\x03\x0a\x01\x05".to_vec(),
        ),
        (
            Attr::StringVecMap([("a".to_owned(), vec!["b".to_owned()])].into()),
            b"\x82\x02\x0a\x0a\x08\x0a\x01a\x12\x03\x0a\x01b".to_vec(),
        ),
    ];
    for (attr, value) in cases {
        let mut graph = small();
        graph.ops[0].set_attr("k", attr.clone());
        let file = with_attr_value(&value);
        assert_eq!(write(&graph).unwrap(), file, "{attr:?}");
        assert_eq!(read(&file).unwrap(), graph, "{attr:?}");
    }
}

/// What other protobuf writers may do and ours does not.
#[test]
fn equivalent_encodings_are_read() {
    let attr = |value: &[u8]| read(&with_attr_value(value)).unwrap().ops[0].attrs["k"].clone();
    assert_eq!(attr(b"\x72\x04\x08\x01\x08\x02"), vec![1_i32, 2].into(), "unpacked");
    assert_eq!(attr(b"\x72\x05\x08\x01\x0a\x01\x02"), vec![1_i32, 2].into(), "both");
    assert_eq!(attr(b"\x92\x01\x05\x0d\0\0\xc0\x3f"), vec![1.5_f32].into(), "unpacked fixed");
    assert_eq!(attr(b"\x72\x02\x0a\x00"), Vec::<i32>::new().into(), "empty run");
    assert_eq!(attr(b"\x28\xff\xff\xff\xff\x0f"), (-1_i32).into(), "negative in 5 bytes");
    assert_eq!(attr(b"\x28\x81\x80\x00"), 1_i32.into(), "overlong");
    assert_eq!(attr(b"\x20\x07"), true.into(), "any number but 0 is true");
    assert_eq!(attr(b"\xb2\x01\x02\x0a\x00"), Attr::Int32Map([(String::new(), 0)].into()), "defaults of a map entry");
    assert_eq!(attr(b"\xda\x01\x05\x0a\x03\x0a\x01a"), Attr::BytesMap([("a".to_owned(), Bytes::new())].into()));
    assert_eq!(attr(b"\x62\x02\x0a\x00"), Bytes::new().into(), "present empty bytes");

    let unknown_fields: &[u8] = b"\x98\x06\x05\x99\x06\0\0\0\0\0\0\0\0\x9a\x06\x02hi\x9d\x06\0\0\0\0";
    assert_eq!(read(&[SMALL, unknown_fields].concat()).unwrap(), small());
    assert_eq!(read(&[unknown_fields, SMALL].concat()).unwrap(), small());
    assert_eq!(attr(&[unknown_fields, b"\x28\x05", unknown_fields].concat()), 5_i32.into());
    assert_eq!(read(&[SMALL, b"\xaa\x06\x02\xff\xff"].concat()).unwrap(), small(), "op_defs are not looked at");
}

#[test]
fn the_root_of_an_unpartitioned_graph_may_be_absent_or_empty() {
    let without_root = &SMALL[..SMALL.len() - 11];
    assert_eq!(read(without_root).unwrap(), small());
    assert_eq!(read(&[without_root, b"\x52\x06\x0a\x04root"].concat()).unwrap(), small());
    assert_eq!(read(b"").unwrap(), Graph::uncompiled("", Vec::new()));
    assert_eq!(write(&Graph::uncompiled("", Vec::new())).unwrap(), b"\x52\x06\x0a\x04root");
}

#[test]
fn private_attributes_are_neither_written_nor_read() {
    let mut graph = small();
    graph.ops[0].set_attr("__k", 1);
    graph.ops[0].tensor.set_attr("__k", 1);
    graph.root.set_attr("__k", 1);
    graph.set_attr("__k", 1);
    assert_eq!(write(&graph).unwrap(), SMALL);
    assert_eq!(read(&[SMALL, b"\x5a\x09\x0a\x03__k\x12\x02\x28\x01"].concat()).unwrap(), small());
}

#[test]
fn blobs_are_views_of_a_shared_file() {
    let file = Bytes::from(with_attr_value(b"\x62\x04\x0a\x02\x07\x08"));
    let graph = read_shared(file.clone()).unwrap();
    let blob: &Bytes = graph.ops[0].attr("k").unwrap();
    assert!(file.as_ptr_range().contains(&blob.as_ptr()));
}

#[test]
fn damage_is_located() {
    assert_eq!(
        read(&with_attr_value(b"\x62\x04\x0a\x09\x07\x08")).unwrap_err().to_string(),
        "not a readable .xmodel: op \"a\", key \"k\", at byte 21: 9 bytes are announced but only 2 are left; the file is \
         truncated, damaged or not an .xmodel"
    );
    assert_eq!(cause(&with_attr_value(b"")), MalformedCause::NoAttrKind);
    assert_eq!(cause(&with_attr_value(b"\x18\x01")), MalformedCause::NoAttrKind, "kind 3 does not exist");
    assert_eq!(cause(&with_attr_value(b"\x28\x01\x28\x01")), MalformedCause::Repeated("the value".to_owned()));
    assert_eq!(cause(&with_attr_value(b"\x62\x04\x0a\x00\x0a\x00")), MalformedCause::Repeated("the value".to_owned()));
    assert_eq!(cause(&with_attr_value(b"\x5a\x01\xff")), MalformedCause::NotUtf8);
    assert_eq!(
        cause(&with_attr_value(b"\xb2\x01\x04\x0a\x00\x0a\x00")),
        MalformedCause::Repeated("key \"\"".to_owned())
    );
    assert_eq!(cause(&with_attr_value(&[b"\x28", &[0xff_u8; 11][..]].concat())), MalformedCause::LongVarint);
    assert!(matches!(cause(&with_attr_value(b"\x2d\0\0\0\0")), MalformedCause::WrongWireType { number: 5, .. }));
    assert!(matches!(cause(b"\x00\x00"), MalformedCause::BadTag(0)), "field 0");
    assert!(matches!(cause(b"\x2b\x2c"), MalformedCause::BadTag(0x2b)), "group");
    assert!(matches!(cause(b"\xff\xff\xff\xff\xff\x01"), MalformedCause::BadTag(_)), "field number above 2^29");
    assert_eq!(cause(&[SMALL, b"\x0a\x01g"].concat()), MalformedCause::Repeated("graph_name".to_owned()));
    assert_eq!(cause(b"\x2a\x00"), MalformedCause::Missing("op_name"));
    assert_eq!(cause(b"\x2a\x06\x0a\x01a\x12\x01t"), MalformedCause::Missing("output_tensor"));
    assert_eq!(cause(b"\x52\x00"), MalformedCause::Missing("subgraph_name"));
}

#[test]
fn impossible_tensors_are_refused() {
    let replaced = |from: &[u8], to: &[u8]| {
        assert_eq!(from.len(), to.len());
        let at = SMALL.windows(from.len()).position(|window| window == from).unwrap();
        [&SMALL[..at], to, &SMALL[at + to.len()..]].concat()
    };
    assert_eq!(
        cause(&replaced(b"\xff\xff\xff\xff\x0f", b"\x80\x80\x80\x80\x08")),
        MalformedCause::Dimension(0x8000_0000)
    );
    assert_eq!(cause(&replaced(b"\x28\x02", b"\x28\x07")), MalformedCause::DataType { data_type: 7, bit_width: 8 });
    assert_eq!(cause(&replaced(b"\x30\x08", b"\x30\x41")), MalformedCause::DataType { data_type: 2, bit_width: 65 });
    assert_eq!(cause(&replaced(b"\x30\x08", b"\x30\x00")), MalformedCause::DataType { data_type: 2, bit_width: 0 });
}
