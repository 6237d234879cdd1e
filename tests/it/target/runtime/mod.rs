//! Runtimes, as processes of their own.

#[cfg(feature = "real-tools")]
mod commanded;
mod hostile;
mod onnx;
#[cfg(feature = "real-tools")]
mod python;
pub(crate) mod running;
mod started;
mod unserved;
pub(crate) mod writing;
