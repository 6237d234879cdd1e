//! A tensor and its elements.

use bytes::Bytes;
use half::f16;
use serde_json::{Map, Value};

use crate::record::kind::Datatype;

/// A named array: `elements` are as many as `shape` says, in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// What the model calls it.
    pub name: String,
    /// Its sizes, outermost first; none is a scalar.
    pub shape: Vec<u64>,
    /// What it holds.
    pub elements: Elements,
    /// What else is said of it, without what tells how it is sent.
    pub parameters: Map<String, Value>,
}

/// The elements of a tensor, all of one type.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each is the datatype of its name")]
pub enum Elements {
    Bool(Vec<bool>),
    Uint8(Vec<u8>),
    Uint16(Vec<u16>),
    Uint32(Vec<u32>),
    Uint64(Vec<u64>),
    Int8(Vec<i8>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Fp16(Vec<f16>),
    Fp32(Vec<f32>),
    Fp64(Vec<f64>),
    Bytes(Vec<Bytes>),
}

/// Does the same with the elements of every type.
macro_rules! each {
    ($elements:expr, $vector:ident => $body:expr) => {
        match $elements {
            $crate::protocol::Elements::Bool($vector) => $body,
            $crate::protocol::Elements::Uint8($vector) => $body,
            $crate::protocol::Elements::Uint16($vector) => $body,
            $crate::protocol::Elements::Uint32($vector) => $body,
            $crate::protocol::Elements::Uint64($vector) => $body,
            $crate::protocol::Elements::Int8($vector) => $body,
            $crate::protocol::Elements::Int16($vector) => $body,
            $crate::protocol::Elements::Int32($vector) => $body,
            $crate::protocol::Elements::Int64($vector) => $body,
            $crate::protocol::Elements::Fp16($vector) => $body,
            $crate::protocol::Elements::Fp32($vector) => $body,
            $crate::protocol::Elements::Fp64($vector) => $body,
            $crate::protocol::Elements::Bytes($vector) => $body,
        }
    };
}
pub(super) use each;

/// Does something with the elements of two tensors of one type.
macro_rules! both {
    ($one:expr, $two:expr, ($a:ident, $b:ident) => $body:expr, else $otherwise:expr) => {
        match ($one, $two) {
            (Elements::Bool($a), Elements::Bool($b)) => $body,
            (Elements::Uint8($a), Elements::Uint8($b)) => $body,
            (Elements::Uint16($a), Elements::Uint16($b)) => $body,
            (Elements::Uint32($a), Elements::Uint32($b)) => $body,
            (Elements::Uint64($a), Elements::Uint64($b)) => $body,
            (Elements::Int8($a), Elements::Int8($b)) => $body,
            (Elements::Int16($a), Elements::Int16($b)) => $body,
            (Elements::Int32($a), Elements::Int32($b)) => $body,
            (Elements::Int64($a), Elements::Int64($b)) => $body,
            (Elements::Fp16($a), Elements::Fp16($b)) => $body,
            (Elements::Fp32($a), Elements::Fp32($b)) => $body,
            (Elements::Fp64($a), Elements::Fp64($b)) => $body,
            (Elements::Bytes($a), Elements::Bytes($b)) => $body,
            _ => $otherwise,
        }
    };
}
pub(super) use both;

impl Elements {
    /// None yet, of this type.
    pub const fn none(datatype: Datatype) -> Self {
        match datatype {
            Datatype::Bool => Self::Bool(Vec::new()),
            Datatype::Uint8 => Self::Uint8(Vec::new()),
            Datatype::Uint16 => Self::Uint16(Vec::new()),
            Datatype::Uint32 => Self::Uint32(Vec::new()),
            Datatype::Uint64 => Self::Uint64(Vec::new()),
            Datatype::Int8 => Self::Int8(Vec::new()),
            Datatype::Int16 => Self::Int16(Vec::new()),
            Datatype::Int32 => Self::Int32(Vec::new()),
            Datatype::Int64 => Self::Int64(Vec::new()),
            Datatype::Fp16 => Self::Fp16(Vec::new()),
            Datatype::Fp32 => Self::Fp32(Vec::new()),
            Datatype::Fp64 => Self::Fp64(Vec::new()),
            Datatype::Bytes => Self::Bytes(Vec::new()),
        }
    }

    /// Their type.
    pub const fn datatype(&self) -> Datatype {
        match self {
            Self::Bool(_) => Datatype::Bool,
            Self::Uint8(_) => Datatype::Uint8,
            Self::Uint16(_) => Datatype::Uint16,
            Self::Uint32(_) => Datatype::Uint32,
            Self::Uint64(_) => Datatype::Uint64,
            Self::Int8(_) => Datatype::Int8,
            Self::Int16(_) => Datatype::Int16,
            Self::Int32(_) => Datatype::Int32,
            Self::Int64(_) => Datatype::Int64,
            Self::Fp16(_) => Datatype::Fp16,
            Self::Fp32(_) => Datatype::Fp32,
            Self::Fp64(_) => Datatype::Fp64,
            Self::Bytes(_) => Datatype::Bytes,
        }
    }

    /// Puts those of `other` behind them; nothing happens where the types differ.
    pub fn append(&mut self, other: &Self) {
        both!(self, other, (ours, theirs) => ours.extend_from_slice(theirs), else ());
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        each!(self, vector => vector.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How many elements a tensor of these sizes has; `None` if no machine can count them.
pub(super) fn count(shape: &[u64]) -> Option<usize> {
    let sizes = shape.iter().map(|&size| usize::try_from(size).ok());
    sizes
        .into_iter()
        .try_fold(1_usize, |count, size| count.checked_mul(size?))
}
