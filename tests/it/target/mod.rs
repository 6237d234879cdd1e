//! Where models run.

mod process;
pub(crate) mod runtime;
