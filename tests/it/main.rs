//! Integration tests; folders mirror `src/`.

mod harness;
