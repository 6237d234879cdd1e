//! Runtimes, as processes of their own.

mod hostile;
mod onnx;
mod running;
mod unserved;
mod writing;
