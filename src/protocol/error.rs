//! What can be wrong with a message.

use std::fmt;

use super::codes;
use crate::record::{Code, Fault};

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// To a model, with inputs.
    Request,
    /// From a model, with outputs.
    Answer,
}

impl Side {
    /// What its tensors are called.
    const fn tensor(self) -> &'static str {
        match self {
            Self::Request => "input",
            Self::Answer => "output",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Request => "request",
            Self::Answer => "answer",
        })
    }
}

/// A message that is none, or that can't be written.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// Its JSON can't be read.
    #[error("the {side} is not one of the Open Inference Protocol{}", if *says_nan { ": JSON knows no NaN and no infinity" } else { "" })]
    Header {
        /// Which way it goes.
        side: Side,
        /// Whether it has a number that only raw bytes can say.
        says_nan: bool,
        /// Where and why.
        source: serde_json::Error,
    },
    /// Its JSON is said to be longer than all of it.
    #[error("the {side}'s header is announced with {announced} bytes, and all of it has {length}")]
    HeaderLength {
        /// Which way it goes.
        side: Side,
        /// In `Inference-Header-Content-Length`.
        announced: usize,
        /// How long the body is.
        length: usize,
    },
    /// More tensors than any model has.
    #[error("the {side} has more than {most} tensors")]
    TooMany {
        /// Which way it goes.
        side: Side,
        /// How many may be.
        most: usize,
    },
    /// One of its tensors is wrong.
    #[error("{} `{}`: {flaw}", side.tensor(), name.escape_debug())]
    Tensor {
        /// Which way it goes.
        side: Side,
        /// Which one.
        name: String,
        /// What is wrong with it.
        flaw: Flaw,
    },
    /// Raw bytes that no tensor takes.
    #[error("what follows the {side}'s last tensor is no tensor's: {bytes} bytes too many")]
    Rest {
        /// Which way it goes.
        side: Side,
        /// How many.
        bytes: usize,
    },
    /// Elements that JSON has no word for.
    #[error("{} `{}` has a NaN, an infinity or bytes that are no text, which JSON can't say", side.tensor(), name.escape_debug())]
    Unsayable {
        /// Which way it goes.
        side: Side,
        /// Which tensor.
        name: String,
    },
}

/// What is wrong with a tensor by itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// No type of the protocol's.
    #[error("`{}` is no datatype", .0.escape_debug())]
    Datatype(String),
    /// A size below zero, or more elements than a machine can count.
    #[error("{0:?} is no tensor's shape")]
    Shape(Vec<i64>),
    /// No elements.
    #[error("it has neither `data` nor `binary_data_size`")]
    NoData,
    /// Two times elements.
    #[error("it has both `data` and `binary_data_size`")]
    Twice,
    /// Another number of elements than its shape says.
    #[error("its shape {shape:?} makes {expected} elements, and it has {found}")]
    Count {
        /// The shape.
        shape: Vec<u64>,
        /// How many it makes.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// An element of another type.
    #[error("element {index}: {reason}")]
    Element {
        /// Which one, from 0, as they lie flat.
        index: usize,
        /// What came, and what was expected.
        reason: String,
    },
    /// A size that is none, or beyond the body's end.
    #[error(
        "its `binary_data_size` is not a number of bytes, or more than the {left} that are left"
    )]
    BinarySize {
        /// How many are.
        left: usize,
    },
    /// Bytes that are no whole number of elements.
    #[error("its {bytes} bytes are not elements of its datatype")]
    Torn {
        /// How many they are.
        bytes: usize,
    },
    /// A text whose length reaches beyond the tensor's bytes.
    #[error("a text in it is announced as longer than the bytes that are left")]
    BeyondTheEnd,
}

impl ProtocolError {
    /// Which message is wrong.
    pub const fn side(&self) -> Side {
        match self {
            Self::Header { side, .. }
            | Self::HeaderLength { side, .. }
            | Self::TooMany { side, .. }
            | Self::Tensor { side, .. }
            | Self::Rest { side, .. }
            | Self::Unsayable { side, .. } => *side,
        }
    }
}

impl Fault for ProtocolError {
    fn code(&self) -> &'static Code {
        match self.side() {
            Side::Request => &codes::INVALID_REQUEST,
            Side::Answer => &codes::INVALID_ANSWER,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match (self, self.side()) {
            (Self::Unsayable { .. } | Self::Header { says_nan: true, .. }, Side::Request) => {
                "send it as raw bytes, with `binary_data_size`".to_owned()
            }
            (Self::Unsayable { .. }, Side::Answer) => {
                "ask for it as raw bytes, with `binary_data` or `binary_data_output`".to_owned()
            }
            (_, Side::Request) => {
                "see the model's inputs by `GET /v2/models/NAME`, or `modelyard show`".to_owned()
            }
            (_, Side::Answer) => "see the logs of what should have answered".to_owned(),
        })
    }
}
