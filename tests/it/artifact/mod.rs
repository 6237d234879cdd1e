//! The OCI side.

mod formats;
mod pack;
mod pack_description;
mod store;
