//! Runtimes, as processes of their own.

mod hostile;
mod onnx;
pub(crate) mod running;
mod started;
mod unserved;
pub(crate) mod writing;
