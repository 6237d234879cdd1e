//! The OCI side: pack, push, pull, layout, registry, cache, referrers.
