//! The bounds on everything that a store may say.

/// The largest manifest or index: what registries have to take (OCI distribution-spec 1.1,
/// "Pushing manifests"), and where distribution itself stops.
pub const MAX_MANIFEST_BYTES: u64 = 4 * 1024 * 1024;

/// The most layers of one manifest: a folder of this many files is packed some other way.
pub const MAX_LAYERS: usize = 10_000;

/// The largest `index.json` of a layout: some hundred thousand manifests.
pub const MAX_LAYOUT_INDEX_BYTES: u64 = 64 * 1024 * 1024;

/// The most tags of one repository that are listed.
pub const MAX_TAGS: usize = 100_000;

/// The most referrers of one artifact: signatures, attestations, SBOMs.
pub const MAX_REFERRERS: usize = 1_000;

/// The most of an error's body that is read to tell what a registry says.
pub const MAX_ERROR_BYTES: u64 = 64 * 1024;

/// The largest answer of a token server.
pub const MAX_TOKEN_BYTES: u64 = 1024 * 1024;

/// The largest journal of a pull: the most layers with the longest paths.
pub const MAX_JOURNAL_BYTES: u64 = 16 * 1024 * 1024;
