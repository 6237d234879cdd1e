//! Integration tests; folders mirror `src/`.

mod harness;
mod layering;
mod source;
