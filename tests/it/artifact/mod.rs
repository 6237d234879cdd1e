//! The OCI side.

mod pack;
mod store;
