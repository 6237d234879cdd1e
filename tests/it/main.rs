//! Integration tests; folders mirror `src/`.

mod examples;
mod harness;
mod layering;
mod source;
