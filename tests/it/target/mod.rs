//! Where models run.

mod runtime;
