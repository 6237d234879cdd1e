//! What files say of themselves.
//!
//! First bytes tell what a file holds ([`Content`]); headers and directories tell more, and of
//! an ONNX model its inputs, outputs, operator set and exporter ([`Description`]). Nothing is
//! loaded, run or unpacked: what is read is bounded, and weights are skipped.

mod content;
mod description;
mod element;
mod onnx;
mod safetensors;
mod told;
mod wire;
mod zip;

pub use content::{Content, HEAD_BYTES};
pub(super) use description::describe;
pub use description::{Description, Finding};
