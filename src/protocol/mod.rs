//! The Open Inference Protocol, version 2: what a prediction asks and what it answers.
//!
//! A request is a JSON header that names tensors; their elements are in it (`data`, flat or
//! nested), or follow it as raw bytes (the binary tensor data extension), in the order of the
//! header:
//!
//! ```text
//! POST /v2/models/digits/infer
//! Inference-Header-Content-Length: 112
//!
//! {"inputs":[{"name":"image","shape":[1,1,8,8],"datatype":"FP32",
//!             "parameters":{"binary_data_size":256}}]}<256 bytes, little-endian>
//! ```
//!
//! An answer has the same form with `outputs`. This room turns bytes into [`Tensor`]s whose
//! elements are as many and of such a type as their header says, and back; [`fit`] holds them
//! against what a version's record registers, and [`golden`] against the answers that it expects.
//! It reads no socket and no file.
//!
//! Sources: KServe's Open Inference Protocol (`inference_rest.yaml`) and Triton's
//! `extension_binary_data.md`.

mod binary;
mod elements;
mod error;
pub mod fit;
pub mod golden;
mod header;
mod message;
pub mod metadata;
mod tensor;
#[cfg(test)]
mod tests;

pub use error::{ProtocolError, Side};
pub use message::{Body, INFERENCE_HEADER_CONTENT_LENGTH, Request, Requested, Response};
pub use tensor::{Elements, Tensor};

/// The codes of this room.
pub mod codes {
    crate::codes! {
        INVALID_REQUEST = "invalid-request";
        REQUEST_MISMATCH = "request-mismatch";
        INVALID_ANSWER = "invalid-answer";
        GOLDEN_FAILED = "golden-failed";
    }
}
