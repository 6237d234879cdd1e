//! The OCI side.

mod pack;
mod pack_description;
mod store;
