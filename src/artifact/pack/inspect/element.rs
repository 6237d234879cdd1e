//! The element types of tensors, as ONNX numbers them.

use crate::record::kind::Datatype;

/// An element type (`onnx.proto`, `TensorProto.DataType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Element {
    Float,
    Uint8,
    Int8,
    Uint16,
    Int16,
    Int32,
    Int64,
    String,
    Bool,
    Float16,
    Double,
    Uint32,
    Uint64,
    Complex64,
    Complex128,
    Bfloat16,
    Float8,
    Uint4,
    Int4,
    Float4,
}

impl Element {
    pub(super) const fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            1 => Self::Float,
            2 => Self::Uint8,
            3 => Self::Int8,
            4 => Self::Uint16,
            5 => Self::Int16,
            6 => Self::Int32,
            7 => Self::Int64,
            8 => Self::String,
            9 => Self::Bool,
            10 => Self::Float16,
            11 => Self::Double,
            12 => Self::Uint32,
            13 => Self::Uint64,
            14 => Self::Complex64,
            15 => Self::Complex128,
            16 => Self::Bfloat16,
            // Four flavours of eight bits.
            17..=20 => Self::Float8,
            21 => Self::Uint4,
            22 => Self::Int4,
            23 => Self::Float4,
            _ => return None,
        })
    }

    /// The same type in the Open Inference Protocol, which has none for some.
    pub(super) const fn datatype(self) -> Option<Datatype> {
        Some(match self {
            Self::Float => Datatype::Fp32,
            Self::Uint8 => Datatype::Uint8,
            Self::Int8 => Datatype::Int8,
            Self::Uint16 => Datatype::Uint16,
            Self::Int16 => Datatype::Int16,
            Self::Int32 => Datatype::Int32,
            Self::Int64 => Datatype::Int64,
            Self::String => Datatype::Bytes,
            Self::Bool => Datatype::Bool,
            Self::Float16 => Datatype::Fp16,
            Self::Double => Datatype::Fp64,
            Self::Uint32 => Datatype::Uint32,
            Self::Uint64 => Datatype::Uint64,
            Self::Complex64
            | Self::Complex128
            | Self::Bfloat16
            | Self::Float8
            | Self::Uint4
            | Self::Int4
            | Self::Float4 => return None,
        })
    }

    /// What a record's `precision` calls weights of this type; nothing for types of indices,
    /// shapes and texts.
    pub(super) const fn precision(self) -> Option<&'static str> {
        Some(match self {
            Self::Float => "fp32",
            Self::Uint8 => "uint8",
            Self::Int8 => "int8",
            Self::Uint16 => "uint16",
            Self::Int16 => "int16",
            Self::Float16 => "fp16",
            Self::Double => "fp64",
            Self::Bfloat16 => "bf16",
            Self::Float8 => "fp8",
            Self::Uint4 => "uint4",
            Self::Int4 => "int4",
            Self::Float4 => "fp4",
            _ => return None,
        })
    }

    /// The size of one element in bits; nothing is known of a text's.
    pub(super) const fn bits(self) -> u64 {
        match self {
            Self::String => 0,
            Self::Uint4 | Self::Int4 | Self::Float4 => 4,
            Self::Uint8 | Self::Int8 | Self::Bool | Self::Float8 => 8,
            Self::Uint16 | Self::Int16 | Self::Float16 | Self::Bfloat16 => 16,
            Self::Float | Self::Int32 | Self::Uint32 => 32,
            Self::Int64 | Self::Uint64 | Self::Double | Self::Complex64 => 64,
            Self::Complex128 => 128,
        }
    }

    /// The type that safetensors calls `name`.
    pub(super) fn from_safetensors(name: &str) -> Option<Self> {
        Some(match name {
            "F64" => Self::Double,
            "F32" => Self::Float,
            "F16" => Self::Float16,
            "BF16" => Self::Bfloat16,
            "F8_E4M3" | "F8_E5M2" | "F8_E8M0" => Self::Float8,
            "F4" => Self::Float4,
            "I64" => Self::Int64,
            "I32" => Self::Int32,
            "I16" => Self::Int16,
            "I8" => Self::Int8,
            "U64" => Self::Uint64,
            "U32" => Self::Uint32,
            "U16" => Self::Uint16,
            "U8" => Self::Uint8,
            "BOOL" => Self::Bool,
            _ => return None,
        })
    }
}
