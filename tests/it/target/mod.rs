//! Where models run.

mod groups;
mod process;
pub(crate) mod runtime;
