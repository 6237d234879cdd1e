//! The OCI side: pack, push, pull, layout, registry, cache, referrers.

pub mod pack;
