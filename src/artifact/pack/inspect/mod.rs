//! What files say of themselves.
//!
//! Nothing is loaded or run to tell: first bytes, headers and directories are read within named
//! bounds, weights are skipped.

mod content;
mod safetensors;

pub use content::{Content, HEAD_BYTES};
