//! Safetensors: a header of JSON, then the tensors.
//!
//! ```text
//! u64, little-endian: the header's length
//! {"__metadata__":{"format":"pt"},"name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},…}
//! the tensors' bytes
//! ```

/// The longest header: what the format's own readers allow.
pub(super) const MAX_HEADER_BYTES: u64 = 100_000_000;
