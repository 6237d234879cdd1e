//! Signs an artifact.

use serde::Serialize;

use super::locate::Located;
use crate::platform::Clock;
use crate::record::Failure;
use crate::trust::{self, Signed, SigningKey};

/// What signing came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedArtifact {
    /// What was signed, by its digest.
    pub reference: String,
    /// Whether the key had signed it before, in every format, so that nothing was written.
    pub unchanged: bool,
    /// What was written.
    #[serde(flatten)]
    pub signed: Signed,
}

/// Signs the manifest by `key`, in each format in which the key has not signed it yet.
///
/// # Errors
/// If the store can't be read or written.
pub async fn sign(
    located: &Located,
    key: &SigningKey,
    clock: &dyn Clock,
) -> Result<SignedArtifact, Failure> {
    let store = located.store.as_ref();
    let signed = trust::sign(store, &located.manifest, key, clock.now()).await?;
    Ok(SignedArtifact {
        reference: located.place().to_string(),
        unchanged: !signed.is_new(),
        signed,
    })
}
