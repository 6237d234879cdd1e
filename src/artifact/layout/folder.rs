//! A layout's folder: what lies in it, and how it is changed.
//!
//! ```text
//! oci-layout            {"imageLayoutVersion":"1.0.0"}
//! index.json            the manifests and their tags
//! blobs/sha256/<hex>    every manifest, config and layer, by its digest
//! modelyard.lock        held by whoever changes index.json
//! ```
//!
//! A blob is durable before `index.json` names it, and both are whole or not there. Everything
//! here blocks.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tempfile::NamedTempFile;

use crate::artifact::error::StoreError;
use crate::artifact::index::Index;
use crate::artifact::limits::MAX_LAYOUT_INDEX_BYTES;
use crate::platform::atomic::{self, FileError, Readers, TEMPORARY_PREFIX};
use crate::record::Digest;

const MARKER: &str = "oci-layout";
const INDEX: &str = "index.json";
const LOCK: &str = "modelyard.lock";

/// The one version of the format that there is (OCI image-spec 1.0 and 1.1).
const VERSION: &str = "1.0.0";

/// The marker is one line; more of it is not a layout's.
const MAX_MARKER_BYTES: u64 = 4096;

/// A folder that is a layout, or will be one.
#[derive(Debug, Clone)]
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    /// Whether the layout is there; `false` if there is no folder yet, or an empty one.
    ///
    /// # Errors
    /// [`StoreError::NotALayout`] if something else is there.
    pub(super) fn exists(&self) -> Result<bool, StoreError> {
        let found = match fs::metadata(&self.0) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                let mut above = self.0.ancestors().skip(1);
                let file = above.find(|above| above.is_file()).unwrap_or(&self.0);
                return Err(self.wrong(format!("{} is a file", file.display())));
            }
            Err(error) => return Err(FileError::at("read", &self.0)(error).into()),
        };
        if !found.is_dir() {
            return Err(self.wrong("a file stands in its place"));
        }
        // A marker that was missing may have been made since, and things after it: the second
        // look tells that from a folder of something else.
        if self.has_marker()? {
            return Ok(true);
        }
        if self.is_empty()? {
            return Ok(false);
        }
        if self.has_marker()? {
            return Ok(true);
        }
        Err(self.wrong("it has other things in it, and no file `oci-layout`"))
    }

    fn has_marker(&self) -> Result<bool, StoreError> {
        match atomic::read_if_there(&self.0.join(MARKER), MAX_MARKER_BYTES)? {
            Some(bytes) => self.check_marker(&bytes).map(|()| true),
            None => Ok(false),
        }
    }

    fn check_marker(&self, bytes: &[u8]) -> Result<(), StoreError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Marker {
            image_layout_version: String,
        }
        let marker: Marker = serde_json::from_slice(bytes)
            .map_err(|_| self.wrong("its file `oci-layout` has another form"))?;
        if marker.image_layout_version != VERSION {
            let version = marker.image_layout_version.escape_debug();
            return Err(self.wrong(format!(
                "it is of version {version}, and only {VERSION} is known"
            )));
        }
        Ok(())
    }

    /// Whether nothing is in the folder but what an interrupted [`Self::begin`] leaves.
    fn is_empty(&self) -> Result<bool, StoreError> {
        let entries = fs::read_dir(&self.0).map_err(FileError::at("read", &self.0))?;
        for entry in entries {
            let name = entry.map_err(FileError::at("read", &self.0))?.file_name();
            let ours = name.to_str().is_some_and(|name| {
                name == LOCK || name == INDEX || name.starts_with(TEMPORARY_PREFIX)
            });
            if !ours {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes the layout, if it isn't there.
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        if self.exists()? {
            return Ok(());
        }
        let _lock = self.lock()?;
        let index = self.0.join(INDEX);
        if !index.exists() {
            atomic::write(&index, &Index::default().to_bytes(), Readers::Umask)?;
        }
        let marker = format!("{{\"imageLayoutVersion\":\"{VERSION}\"}}");
        atomic::write(&self.0.join(MARKER), marker.as_bytes(), Readers::Umask)?;
        Ok(())
    }

    /// Waits until nobody else changes the index; the lock ends with the file, or its process.
    fn lock(&self) -> Result<File, FileError> {
        atomic::create_folder(&self.0)?;
        let path = self.0.join(LOCK);
        let file = File::options().create(true).append(true).open(&path);
        let file = file.map_err(FileError::at("write", &path))?;
        file.lock().map_err(FileError::at("lock", &path))?;
        Ok(file)
    }

    /// The index as it is now; an empty one where there is no layout yet.
    pub(super) fn index(&self) -> Result<Index, StoreError> {
        if !self.exists()? {
            return Ok(Index::default());
        }
        let bytes = atomic::read_at_most(&self.0.join(INDEX), MAX_LAYOUT_INDEX_BYTES)?;
        Index::parse(&bytes)
            .map_err(|error| self.wrong(format!("its index.json can't be read: {error}")))
    }

    /// Changes the index; `change` gives whether it did.
    pub(super) fn change_index(
        &self,
        change: impl FnOnce(&mut Index) -> bool,
    ) -> Result<(), StoreError> {
        self.begin()?;
        let _lock = self.lock()?;
        let mut index = self.index()?;
        if change(&mut index) {
            atomic::write(&self.0.join(INDEX), &index.to_bytes(), Readers::Umask)?;
        }
        Ok(())
    }

    /// Where the blob of this digest lies.
    pub(super) fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.0.join("blobs/sha256").join(digest.hex())
    }

    /// How many bytes the blob has; `None` if it isn't there.
    pub(super) fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, StoreError> {
        if !self.exists()? {
            return Ok(None);
        }
        let path = self.blob_path(digest);
        match fs::metadata(&path) {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FileError::at("read", &path)(error).into()),
        }
    }

    /// At most `limit_bytes` and one of a blob; `None` if it isn't there.
    pub(super) fn blob(
        &self,
        digest: &Digest,
        limit_bytes: u64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        if !self.exists()? {
            return Ok(None);
        }
        let path = self.blob_path(digest);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FileError::at("read", &path)(error).into()),
        };
        let mut bytes = Vec::new();
        file.take(limit_bytes + 1)
            .read_to_end(&mut bytes)
            .map_err(FileError::at("read", &path))?;
        Ok(Some(bytes))
    }

    /// A file for a blob's bytes on their way in.
    pub(super) fn temporary_file(&self) -> Result<NamedTempFile, StoreError> {
        self.begin()?;
        Ok(atomic::temporary_file(&self.0, Readers::Umask)?)
    }

    /// Gives verified bytes their place.
    pub(super) fn keep(&self, file: NamedTempFile, digest: &Digest) -> Result<(), StoreError> {
        let path = self.blob_path(digest);
        atomic::create_folder(parent_of(&path))?;
        Ok(atomic::persist(file, &path)?)
    }

    /// Gives a file whose bytes were verified a place as a blob, beside the one that it has;
    /// `false` where that can't be.
    pub(super) fn adopt(&self, file: &Path, digest: &Digest) -> Result<bool, StoreError> {
        self.begin()?;
        let path = self.blob_path(digest);
        atomic::create_folder(parent_of(&path))?;
        Ok(atomic::link(file, &path)?)
    }

    /// Puts a small blob whose digest was just taken from its bytes.
    pub(super) fn put_bytes(&self, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        if self.blob(digest, bytes.len() as u64)?.as_deref() == Some(bytes) {
            return Ok(());
        }
        self.begin()?;
        Ok(atomic::write(
            &self.blob_path(digest),
            bytes,
            Readers::Umask,
        )?)
    }

    fn wrong(&self, reason: impl Into<String>) -> StoreError {
        StoreError::NotALayout {
            path: self.0.clone(),
            reason: reason.into(),
        }
    }
}

fn parent_of(blob: &Path) -> &Path {
    blob.parent().expect("a blob lies in its layout")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::descriptor::digest_of;

    #[test]
    fn who_looks_while_the_layout_is_made_finds_none_or_a_whole_one() {
        for _ in 0..200 {
            let place = tempfile::tempdir().unwrap();
            let folder = Folder(place.path().join("layout"));
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| while !folder.exists().unwrap() {});
                }
                folder.put_bytes(&digest_of(b"blob"), b"blob").unwrap();
            });
        }
    }
}
