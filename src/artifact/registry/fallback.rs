//! The list of referrers of a registry that keeps none: an index under the tag `sha256-<hex>`.
//!
//! Every writer reads it, adds its entry and writes it back, and a registry can't say that
//! somebody else wrote in between: the last one wins, and the other's entry is gone. So an entry
//! counts as kept only when it is seen again some time after it was written, longer than others
//! take between their reading and their writing; until then it is added anew.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::client::Client;
use super::manifest;
use crate::artifact::descriptor::{Descriptor, IMAGE_INDEX};
use crate::artifact::error::StoreError;
use crate::artifact::index::Index;
use crate::artifact::limits::MAX_MANIFEST_BYTES;
use crate::artifact::referrers::{self, fallback_tag};
use crate::artifact::store::ManifestKey;
use crate::platform::retry::Policy;
use crate::record::Digest;

/// How an entry is looked for again: some twenty writers at once all get their turn within the
/// attempts.
const SETTLING: Policy = Policy {
    attempts: 24,
    first_wait: Duration::from_millis(300),
    longest_wait: Duration::from_secs(2),
};

/// What the list tells; nothing where there is no list.
pub(super) async fn read(client: &Client, subject: &Digest) -> Result<Vec<Descriptor>, StoreError> {
    let index = fetch(client, subject).await?;
    let found: Vec<Descriptor> = index.entries().collect();
    referrers::bounded(&found, &client.repository, subject)?;
    Ok(found)
}

/// Adds `entry` to the list, beside all that is there.
pub(super) async fn add(
    client: &Client,
    subject: &Digest,
    entry: &Descriptor,
) -> Result<(), StoreError> {
    SETTLING.run(|| settle(client, subject, entry)).await
}

/// How many times longer than our own reading and writing took we wait to see whether the entry
/// stays: others may be farther away from the registry than we are.
const PATIENCE: u32 = 4;

/// Succeeds if the entry is there; otherwise writes it, to be looked for again.
async fn settle(client: &Client, subject: &Digest, entry: &Descriptor) -> Result<(), StoreError> {
    let began = Instant::now();
    let mut index = fetch(client, subject).await?;
    if !index.put(entry, None) {
        return Ok(());
    }
    let place = client.repository.at(*subject).to_string();
    let bytes = Bytes::from(index.to_bytes());
    if bytes.len() as u64 > MAX_MANIFEST_BYTES {
        return Err(StoreError::TooLarge {
            place,
            unit: "bytes of referrers",
            limit: MAX_MANIFEST_BYTES,
        });
    }
    let tag = fallback_tag(subject);
    manifest::put(client, IMAGE_INDEX, &bytes, Some(&tag)).await?;
    Err(StoreError::Contended {
        place,
        settling: began.elapsed() * PATIENCE,
    })
}

async fn fetch(client: &Client, subject: &Digest) -> Result<Index, StoreError> {
    let key = ManifestKey::Tag(fallback_tag(subject));
    let Some((descriptor, bytes)) = manifest::fetch(client, &key).await? else {
        return Ok(Index::default());
    };
    let no_index = || StoreError::Answer {
        place: key.place(&client.repository),
        reason: "it should be an index of referrers, and is none".to_owned(),
    };
    if descriptor.media_type != IMAGE_INDEX {
        return Err(no_index());
    }
    Index::parse(&bytes).map_err(|_| no_index())
}
