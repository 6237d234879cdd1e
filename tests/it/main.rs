//! Integration tests; folders mirror `src/`.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests write, read and time as they need; clippy.toml is for what ships"
)]

mod artifact;
mod check;
mod cli;
mod examples;
mod forge;
mod gateway;
mod harness;
mod house;
mod import;
mod layering;
mod ops;
mod readme;
mod reconcile;
mod record;
mod source;
mod target;
mod trust;
mod yard;
