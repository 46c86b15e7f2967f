//! Appending fields to a message.

use super::error::WireType;
use super::field::Field;

/// The bytes of a message under construction.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// The finished message.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// A whole field.
    pub(crate) fn field<T: Field>(&mut self, number: u32, value: &T) {
        self.tag(number, T::WIRE);
        value.write_value(self);
    }

    /// A whole field, left out when it has the value a reader assumes for an absent one.
    pub(crate) fn field_unless_default<T: Field + Default + PartialEq>(&mut self, number: u32, value: &T) {
        if *value != T::default() {
            self.field(number, value);
        }
    }

    pub(crate) fn tag(&mut self, number: u32, wire: WireType) {
        self.varint(u64::from(number) << 3 | wire as u64);
    }

    pub(crate) fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// The length of what `body` writes, then what it writes.
    pub(crate) fn delimited(&mut self, body: impl FnOnce(&mut Self)) {
        let start = self.out.len();
        body(self);
        let end = self.out.len();
        self.varint((end - start) as u64);
        self.out[start..].rotate_left(end - start);
    }
}
