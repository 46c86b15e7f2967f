//! How the bytes of a feature map stand for int8 values.

/// How a byte of a feature map stands for an int8 value `q`.
///
/// The dot-product instructions of x86 multiply unsigned by signed bytes. A map kept in the offset form feeds them as it is; what
/// the offset adds to a sum depends on the weights alone and is taken off once, when an operator is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Encoding {
    /// `q` itself in two's complement.
    #[default]
    Signed,
    /// `q + 128` as an unsigned byte.
    Offset,
}

/// The sign bit of a byte: flipping it changes the encoding.
const SIGN: u8 = 0x80;

impl Encoding {
    /// What a two's complement byte is combined with (exclusive or) to get its encoding, and the other way round.
    pub const fn mask(self) -> u8 {
        match self {
            Self::Signed => 0,
            Self::Offset => SIGN,
        }
    }

    /// The byte that stands for `q`.
    pub const fn encode(self, q: i8) -> u8 {
        q.cast_unsigned() ^ self.mask()
    }

    /// The value a byte stands for.
    pub const fn decode(self, byte: u8) -> i8 {
        (byte ^ self.mask()).cast_signed()
    }
}

/// The encodings of the two sides of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Encodings {
    /// Of the input bytes.
    pub input: Encoding,
    /// Of the output bytes.
    pub output: Encoding,
}

impl Encodings {
    /// Both sides alike.
    pub const fn both(encoding: Encoding) -> Self {
        Self { input: encoding, output: encoding }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_form_is_the_value_plus_128() {
        for q in i8::MIN..=i8::MAX {
            assert_eq!(i16::from(Encoding::Offset.encode(q)), i16::from(q) + 128);
            assert_eq!(Encoding::Signed.encode(q), q.to_ne_bytes()[0]);
            for encoding in [Encoding::Signed, Encoding::Offset] {
                assert_eq!(encoding.decode(encoding.encode(q)), q);
            }
        }
    }
}
