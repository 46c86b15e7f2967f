//! Walking over the fields of a message.

use bytes::Bytes;

use super::error::{Malformed, MalformedCause, WireType};
use crate::validate::MAX_SUBGRAPH_DEPTH;

/// Levels of messages below the file. A subgraph at the largest depth still needs an attribute entry, its value, the
/// wrapper of a map, a map entry and the wrapper of bytes.
const MAX_NESTING: usize = MAX_SUBGRAPH_DEPTH + 8;

/// Number and wire type of a field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tag {
    /// Field number in its message.
    pub(crate) number: u32,
    /// How the value is stored.
    pub(crate) wire: WireType,
    /// Offset of the tag in the file, for messages.
    pub(crate) offset: usize,
}

impl Tag {
    /// Refuses a field that is not stored as `expected`.
    pub(crate) fn expect(self, expected: WireType) -> Result<(), Malformed> {
        if self.wire == expected {
            return Ok(());
        }
        let cause = MalformedCause::WrongWireType { number: self.number, expected, found: self.wire };
        Err(Malformed::new(self.offset, cause))
    }
}

/// A position in one message of a file.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    file: &'a Bytes,
    position: usize,
    end: usize,
    nesting: usize,
}

impl<'a> Reader<'a> {
    /// A reader of the outermost message.
    pub(crate) fn new(file: &'a Bytes) -> Self {
        Self { file, position: 0, end: file.len(), nesting: 0 }
    }

    /// An error at the current position.
    pub(crate) fn error(&self, cause: MalformedCause) -> Malformed {
        Malformed::new(self.position, cause)
    }

    /// Whether the message is used up.
    pub(crate) fn is_empty(&self) -> bool {
        self.position == self.end
    }

    /// The tag of the next field; `None` at the end of the message.
    pub(crate) fn tag(&mut self) -> Result<Option<Tag>, Malformed> {
        if self.is_empty() {
            return Ok(None);
        }
        let offset = self.position;
        let tag = self.varint()?;
        let wire = match tag & 7 {
            0 => Some(WireType::Varint),
            1 => Some(WireType::Fixed64),
            2 => Some(WireType::Length),
            5 => Some(WireType::Fixed32),
            _ => None,
        };
        // A tag is at most 32 bits wide, so that field numbers stay below 2^29.
        match (u32::try_from(tag).map(|tag| tag >> 3), wire) {
            (Ok(number @ 1..), Some(wire)) => Ok(Some(Tag { number, wire, offset })),
            _ => Err(Malformed::new(offset, MalformedCause::BadTag(tag))),
        }
    }

    /// Passes over the value of an unknown field.
    pub(crate) fn skip(&mut self, tag: Tag) -> Result<(), Malformed> {
        match tag.wire {
            WireType::Varint => self.varint().map(drop),
            WireType::Fixed64 => self.fixed::<8>().map(drop),
            WireType::Length => self.length_delimited().map(drop),
            WireType::Fixed32 => self.fixed::<4>().map(drop),
        }
    }

    /// A base-128 integer. Bits above the 64th are dropped, as every protobuf reader does.
    pub(crate) fn varint(&mut self) -> Result<u64, Malformed> {
        let rest = &self.file[self.position..self.end];
        let mut value = 0;
        for (index, &byte) in rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.position += index + 1;
                return Ok(value);
            }
        }
        Err(self.error(if rest.len() < 10 {
            MalformedCause::Truncated { needed: rest.len() as u64 + 1, left: rest.len() }
        } else {
            MalformedCause::LongVarint
        }))
    }

    /// `N` bytes.
    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        match self.file[self.position..self.end].first_chunk::<N>() {
            Some(&chunk) => {
                self.position += N;
                Ok(chunk)
            }
            None => Err(self.error(MalformedCause::Truncated { needed: N as u64, left: self.end - self.position })),
        }
    }

    /// A length and that many bytes, as a view of the file.
    pub(crate) fn blob(&mut self) -> Result<Bytes, Malformed> {
        self.length_delimited().map(|range| self.file.slice(range))
    }

    /// A length and that many bytes of text.
    pub(crate) fn string(&mut self) -> Result<String, Malformed> {
        let range = self.length_delimited()?;
        match std::str::from_utf8(&self.file[range.clone()]) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(Malformed::new(range.start + error.valid_up_to(), MalformedCause::NotUtf8)),
        }
    }

    /// A length and a message of that many bytes.
    pub(crate) fn message(&mut self) -> Result<Reader<'a>, Malformed> {
        if self.nesting == MAX_NESTING {
            return Err(self.error(MalformedCause::TooDeep(MAX_NESTING)));
        }
        let range = self.length_delimited()?;
        Ok(Reader { file: self.file, position: range.start, end: range.end, nesting: self.nesting + 1 })
    }

    fn length_delimited(&mut self) -> Result<std::ops::Range<usize>, Malformed> {
        let offset = self.position;
        let length = self.varint()?;
        let start = self.position;
        let left = self.end - start;
        match usize::try_from(length) {
            Ok(length) if length <= left => {
                self.position += length;
                Ok(start..self.position)
            }
            _ => Err(Malformed::new(offset, MalformedCause::Truncated { needed: length, left })),
        }
    }
}
