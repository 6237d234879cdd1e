//! Runtimes: programs that load one version of a model and answer for it.
//!
//! Whatever its kind, a runtime is a process of its own that speaks the Open Inference Protocol
//! over HTTP at one address, and says there that it lives (`/v2/health/live`) and that it is ready
//! (`/v2/health/ready`), which it is once its model is loaded. Whoever starts it needs to know
//! nothing else of it.

pub mod announcement;
mod arguments;
pub mod client;
pub mod command;
pub mod golden;
pub mod onnx;
pub mod python;
pub mod started;

pub use announcement::Announcement;
pub use arguments::{NotHere, RUNTIMES, arguments};
pub use client::Client;
