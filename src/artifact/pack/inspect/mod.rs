//! What files say of themselves.
//!
//! First bytes tell what a file holds ([`Content`]); headers and directories tell more: inputs,
//! outputs, how many weights of which type, who made it, and what in it can run code
//! ([`Description`]). Nothing is loaded, run or unpacked: what is read is bounded, pickles are
//! walked and not obeyed, and weights are skipped.
//!
//! One file is one format's reader; each takes what can be read and sought in, and gives a
//! [`Told`](told::Told) in the words of a record.

mod compressed;
mod content;
mod description;
mod element;
mod finding;
mod folder;
#[cfg(test)]
mod fuzz;
mod gguf;
mod json;
mod keras;
mod lightgbm;
mod mojo;
mod onnx;
mod openvino;
mod pickle;
mod pmml;
mod port;
mod rds;
mod safetensors;
mod saved_model;
mod spark;
mod stream;
mod told;
mod torch;
mod weights;
mod wire;
mod xgboost;
mod xml;
pub mod zip;

pub use content::{Content, HEAD_BYTES};
pub use description::Description;
pub(super) use description::describe;
pub use finding::Finding;
pub(super) use spark::{is_metadata as is_spark_metadata, learned as learned_by_spark};
