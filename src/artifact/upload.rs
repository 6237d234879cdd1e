//! Puts what was packed into a store.

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::error::StoreError;
use super::pack::{Packed, PackedFile};
use super::store::{Store, Upload};
use crate::platform::Progress;
use crate::platform::progress::Silent;

/// How many files are on their way at once: enough to fill a connection while others are being
/// opened and closed, few enough for any registry's limit.
const AT_ONCE: usize = 4;

/// Puts every file of `packed`, its config and then its manifest, by its digest and under no tag,
/// into `store`; gives how many bytes of files were sent, those left out that were there.
///
/// Until the manifest is put nothing points at the files, so that a call that is cut off leaves
/// at most bytes that nobody sees.
///
/// # Errors
/// If the store doesn't take something, or a file changed since it was packed.
pub async fn upload(
    store: &dyn Store,
    packed: &Packed,
    progress: &dyn Progress,
) -> Result<u64, StoreError> {
    let sent_bytes = stream::iter(&packed.layers)
        .map(|layer| put(store, layer, progress))
        .buffer_unordered(AT_ONCE)
        .try_fold(0, |sum, sent| async move { Ok(sum + sent) })
        .await?;
    store
        .put_blob(&packed.config_descriptor, &packed.config, &Silent)
        .await?;
    let media_type = packed.descriptor().media_type;
    store
        .put_manifest(&media_type, packed.manifest.clone(), None)
        .await?;
    Ok(sent_bytes)
}

async fn put(
    store: &dyn Store,
    layer: &PackedFile,
    progress: &dyn Progress,
) -> Result<u64, StoreError> {
    let meter = progress.begin(layer.path.as_str(), layer.descriptor.size);
    let upload = store.put_blob(&layer.descriptor, layer, &*meter).await?;
    Ok(match upload {
        Upload::Sent => layer.descriptor.size,
        Upload::AlreadyThere => 0,
    })
}
