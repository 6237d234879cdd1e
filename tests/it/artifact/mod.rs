//! The OCI side.

mod pack;
