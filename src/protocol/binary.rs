//! Elements as raw bytes: little-endian, and texts each behind its length in 4 bytes.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use half::f16;

use super::tensor::Elements;
use crate::record::kind::Datatype;

/// Why bytes are not the elements of a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotBinary {
    /// They are no whole number of elements, or a boolean is neither 0 nor 1.
    Torn,
    /// A text reaches beyond the bytes that there are.
    BeyondTheEnd,
}

macro_rules! fixed {
    ($bytes:expr, $number:ty) => {{
        let (chunks, rest) = $bytes.as_chunks::<{ size_of::<$number>() }>();
        if !rest.is_empty() {
            return Err(NotBinary::Torn);
        }
        chunks
            .iter()
            .map(|&chunk| <$number>::from_le_bytes(chunk))
            .collect()
    }};
}

impl Elements {
    /// Reads what is in all of `bytes`.
    pub(super) fn from_binary(datatype: Datatype, bytes: &Bytes) -> Result<Self, NotBinary> {
        Ok(match datatype {
            Datatype::Bool => Self::Bool(booleans(bytes)?),
            Datatype::Uint8 => Self::Uint8(bytes.to_vec()),
            Datatype::Uint16 => Self::Uint16(fixed!(bytes, u16)),
            Datatype::Uint32 => Self::Uint32(fixed!(bytes, u32)),
            Datatype::Uint64 => Self::Uint64(fixed!(bytes, u64)),
            Datatype::Int8 => Self::Int8(fixed!(bytes, i8)),
            Datatype::Int16 => Self::Int16(fixed!(bytes, i16)),
            Datatype::Int32 => Self::Int32(fixed!(bytes, i32)),
            Datatype::Int64 => Self::Int64(fixed!(bytes, i64)),
            Datatype::Fp16 => Self::Fp16(fixed!(bytes, f16)),
            Datatype::Fp32 => Self::Fp32(fixed!(bytes, f32)),
            Datatype::Fp64 => Self::Fp64(fixed!(bytes, f64)),
            Datatype::Bytes => Self::Bytes(texts(bytes.clone())?),
        })
    }

    /// Appends them to `bytes`.
    pub(super) fn write_binary(&self, bytes: &mut BytesMut) {
        match self {
            Self::Bool(all) => bytes.extend(all.iter().map(|&value| u8::from(value))),
            Self::Uint8(all) => bytes.extend_from_slice(all),
            Self::Uint16(all) => all.iter().for_each(|&number| bytes.put_u16_le(number)),
            Self::Uint32(all) => all.iter().for_each(|&number| bytes.put_u32_le(number)),
            Self::Uint64(all) => all.iter().for_each(|&number| bytes.put_u64_le(number)),
            Self::Int8(all) => all.iter().for_each(|&number| bytes.put_i8(number)),
            Self::Int16(all) => all.iter().for_each(|&number| bytes.put_i16_le(number)),
            Self::Int32(all) => all.iter().for_each(|&number| bytes.put_i32_le(number)),
            Self::Int64(all) => all.iter().for_each(|&number| bytes.put_i64_le(number)),
            Self::Fp16(all) => all
                .iter()
                .for_each(|number| bytes.put_slice(&number.to_le_bytes())),
            Self::Fp32(all) => all.iter().for_each(|&number| bytes.put_f32_le(number)),
            Self::Fp64(all) => all.iter().for_each(|&number| bytes.put_f64_le(number)),
            Self::Bytes(all) => {
                for text in all {
                    let length =
                        u32::try_from(text.len()).expect("a text came from a bounded body");
                    bytes.put_u32_le(length);
                    bytes.put_slice(text);
                }
            }
        }
    }
}

fn booleans(bytes: &[u8]) -> Result<Vec<bool>, NotBinary> {
    let boolean = |&byte: &u8| match byte {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(NotBinary::Torn),
    };
    bytes.iter().map(boolean).collect()
}

fn texts(mut bytes: Bytes) -> Result<Vec<Bytes>, NotBinary> {
    let mut texts = Vec::new();
    while !bytes.is_empty() {
        let length = bytes.try_get_u32_le().map_err(|_| NotBinary::Torn)? as usize;
        if length > bytes.len() {
            return Err(NotBinary::BeyondTheEnd);
        }
        texts.push(bytes.split_to(length));
    }
    Ok(texts)
}
