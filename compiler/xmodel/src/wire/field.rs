//! The types that appear as fields of messages.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bytes::Bytes;

use super::error::{Malformed, MalformedCause, WireType};
use super::reader::{Reader, Tag};
use super::writer::Writer;

/// A value that appears as a field of a message.
pub(crate) trait Field: Sized {
    /// How the value is stored.
    const WIRE: WireType;

    /// Reads the value; its tag has been read and its wire type compared.
    fn read_value(reader: &mut Reader<'_>) -> Result<Self, Malformed>;

    /// Writes the value; its tag has been written.
    fn write_value(&self, writer: &mut Writer);

    /// The value of a map entry that has none, if there is a default.
    fn absent() -> Option<Self> {
        None
    }

    /// Reads the value of the field `tag`.
    fn read(reader: &mut Reader<'_>, tag: Tag) -> Result<Self, Malformed> {
        tag.expect(Self::WIRE)?;
        Self::read_value(reader)
    }
}

/// Reads a field that may occur once into `slot`; `name` is for messages.
///
/// Protobuf lets the last of several win. No writer of `.xmodel` files repeats a field, so a repetition is damage, or an
/// attempt to make two readers see two graphs.
pub(crate) fn set_once<T: Field>(
    slot: &mut Option<T>,
    name: &str,
    reader: &mut Reader<'_>,
    tag: Tag,
) -> Result<(), Malformed> {
    if slot.is_some() {
        return Err(Malformed::new(tag.offset, MalformedCause::Repeated(name.to_owned())));
    }
    *slot = Some(T::read(reader, tag)?);
    Ok(())
}

/// Reads one occurrence of a repeated field: one value or, for numbers, a packed run of values.
pub(crate) fn read_repeated<T: Field>(values: &mut Vec<T>, reader: &mut Reader<'_>, tag: Tag) -> Result<(), Malformed> {
    if T::WIRE == WireType::Length || tag.wire != WireType::Length {
        values.push(T::read(reader, tag)?);
        return Ok(());
    }
    let mut packed = reader.message()?;
    while !packed.is_empty() {
        values.push(T::read_value(&mut packed)?);
    }
    Ok(())
}

/// Writes a repeated field: numbers packed, everything else one field each.
pub(crate) fn write_packed<T: Field>(values: &[T], number: u32, writer: &mut Writer) {
    if T::WIRE == WireType::Length {
        for value in values {
            writer.field(number, value);
        }
    } else if !values.is_empty() {
        writer.tag(number, WireType::Length);
        writer.delimited(|writer| values.iter().for_each(|value| value.write_value(writer)));
    }
}

/// Reads one entry of a map field.
pub(crate) fn read_entry<T: Field>(reader: &mut Reader<'_>, tag: Tag) -> Result<(String, T), Malformed> {
    tag.expect(WireType::Length)?;
    let mut entry = reader.message()?;
    let mut key = None;
    let mut value = None;
    let read = read_key_and_value(&mut key, &mut value, &mut entry);
    let key = key.unwrap_or_default();
    let value = read.and_then(|()| value.or_else(T::absent).ok_or_else(|| entry.error(MalformedCause::NoAttrKind)));
    match value {
        Ok(value) => Ok((key, value)),
        Err(error) => Err(error.within(format_args!("key {key:?}"))),
    }
}

/// Adds the entry read from `tag` to `map`, which must not have the key yet; see [`set_once`].
pub(crate) fn insert_once<T>(
    map: &mut BTreeMap<String, T>,
    (key, value): (String, T),
    tag: Tag,
) -> Result<(), Malformed> {
    match map.entry(key) {
        Entry::Vacant(entry) => {
            entry.insert(value);
            Ok(())
        }
        Entry::Occupied(entry) => {
            Err(Malformed::new(tag.offset, MalformedCause::Repeated(format!("key {:?}", entry.key()))))
        }
    }
}

fn read_key_and_value<T: Field>(
    key: &mut Option<String>,
    value: &mut Option<T>,
    entry: &mut Reader<'_>,
) -> Result<(), Malformed> {
    while let Some(tag) = entry.tag()? {
        match tag.number {
            1 => set_once(key, "the key", entry, tag)?,
            2 => set_once(value, "the value", entry, tag)?,
            _ => entry.skip(tag)?,
        }
    }
    Ok(())
}

/// Writes entries of a map field, in the given order.
pub(crate) fn write_entries<'a, T: Field + 'a>(
    entries: impl IntoIterator<Item = (&'a String, &'a T)>,
    number: u32,
    writer: &mut Writer,
) {
    for (key, value) in entries {
        writer.tag(number, WireType::Length);
        writer.delimited(|writer| {
            writer.field(1, key);
            writer.field(2, value);
        });
    }
}

/// Integers are varints of their 64-bit two's complement; a reader keeps the low bits.
macro_rules! varint_field {
    ($($ty:ident as $wide:ident)*) => {$(
        impl Field for $ty {
            const WIRE: WireType = WireType::Varint;

            fn read_value(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
                reader.varint().map(|value| value as $ty)
            }

            fn write_value(&self, writer: &mut Writer) {
                writer.varint($wide::from(*self) as u64);
            }

            fn absent() -> Option<Self> {
                Some(0)
            }
        }
    )*};
}

varint_field!(i32 as i64 u32 as u64 i64 as i64 u64 as u64);

impl Field for bool {
    const WIRE: WireType = WireType::Varint;

    fn read_value(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.varint().map(|value| value != 0)
    }

    fn write_value(&self, writer: &mut Writer) {
        writer.varint(u64::from(*self));
    }

    fn absent() -> Option<Self> {
        Some(false)
    }
}

macro_rules! fixed_field {
    ($($ty:ident $wire:ident)*) => {$(
        impl Field for $ty {
            const WIRE: WireType = WireType::$wire;

            fn read_value(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
                reader.fixed().map($ty::from_le_bytes)
            }

            fn write_value(&self, writer: &mut Writer) {
                writer.raw(&self.to_le_bytes());
            }

            fn absent() -> Option<Self> {
                Some(0.0)
            }
        }
    )*};
}

fixed_field!(f32 Fixed32 f64 Fixed64);

impl Field for String {
    const WIRE: WireType = WireType::Length;

    fn read_value(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.string()
    }

    fn write_value(&self, writer: &mut Writer) {
        writer.varint(self.len() as u64);
        writer.raw(self.as_bytes());
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// The schema wraps bytes: `message Bytes { bytes value = 1; }`.
impl Field for Bytes {
    const WIRE: WireType = WireType::Length;

    fn read_value(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut message = reader.message()?;
        let mut value = None;
        while let Some(tag) = message.tag()? {
            if tag.number != 1 {
                message.skip(tag)?;
                continue;
            }
            tag.expect(WireType::Length)?;
            if value.replace(message.blob()?).is_some() {
                return Err(Malformed::new(tag.offset, MalformedCause::Repeated("the value".to_owned())));
            }
        }
        Ok(value.unwrap_or_default())
    }

    fn write_value(&self, writer: &mut Writer) {
        writer.delimited(|writer| {
            if !self.is_empty() {
                writer.tag(1, WireType::Length);
                writer.varint(self.len() as u64);
                writer.raw(self);
            }
        });
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// `message XVec { repeated X value = 1; }`.
impl<T: Field> Field for Vec<T> {
    const WIRE: WireType = WireType::Length;

    fn read_value(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut message = reader.message()?;
        let mut values = Self::new();
        while let Some(tag) = message.tag()? {
            match tag.number {
                1 => read_repeated(&mut values, &mut message, tag)?,
                _ => message.skip(tag)?,
            }
        }
        Ok(values)
    }

    fn write_value(&self, writer: &mut Writer) {
        writer.delimited(|writer| write_packed(self, 1, writer));
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// `message MapString2X { map<string, X> value = 1; }`.
impl<T: Field> Field for BTreeMap<String, T> {
    const WIRE: WireType = WireType::Length;

    fn read_value(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut message = reader.message()?;
        let mut map = Self::new();
        while let Some(tag) = message.tag()? {
            match tag.number {
                1 => insert_once(&mut map, read_entry(&mut message, tag)?, tag)?,
                _ => message.skip(tag)?,
            }
        }
        Ok(map)
    }

    fn write_value(&self, writer: &mut Writer) {
        writer.delimited(|writer| write_entries(self, 1, writer));
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}
