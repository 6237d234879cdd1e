//! An image in an archive: what `docker save`, `podman save` and `skopeo copy` write.
//!
//! Both forms are plain tars, and newer archives of Docker's are both at once:
//!
//! | form | entries |
//! | --- | --- |
//! | OCI | `oci-layout`, `index.json`, `blobs/sha256/<hex>` |
//! | Docker | `manifest.json`: `[{"Config", "RepoTags", "Layers"}]`, and the files that it names |
//!
//! Docker's has no manifest that a digest could be of. One is made of the config's digest and of
//! those that the config says of its layers, which lie there as they were before they were
//! compressed; what is read is held against them. So an image that was saved twice is the same
//! here.
//!
//! Source: "OCI Image Layout Specification" 1.1; moby's "Image Specification v1.2", "Combined Image
//! JSON + Filesystem Changeset Format".

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::artifact::descriptor::{Descriptor, IMAGE_INDEX, IMAGE_MANIFEST};
use crate::artifact::limits::{MAX_LAYOUT_INDEX_BYTES, MAX_MANIFEST_BYTES};
use crate::artifact::stream::BlobStream;
use crate::artifact::{Manifest, digest_of};
use crate::import::ImportError;
use crate::import::tar::{Input, Kind, Tar};
use crate::import::unpack::{beside, plain};
use crate::platform::atomic::FileError;
use crate::record::{Digest, Tag};

/// The config of an image.
const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// A layer that is not compressed.
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// The annotation that holds an entry's tag, or its whole name.
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The most entries of an archive: a thousand images of a hundred layers.
const MAX_FILES: usize = 200_000;

/// How much of a file is read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// An archive whose entries are known.
#[derive(Debug)]
pub(super) struct Archive {
    path: PathBuf,
    files: HashMap<String, Extent>,
    top: (Descriptor, Bytes),
    /// Blobs of Docker's form, by their digests.
    named: HashMap<Digest, Extent>,
    /// What the image is called in it.
    pub(super) names: Vec<String>,
}

/// Where bytes lie in the archive.
#[derive(Debug, Clone, Copy)]
struct Extent {
    position: u64,
    size_bytes: u64,
}

/// An entry of `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// What is needed of a config.
#[derive(Debug, Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(Debug, Deserialize)]
struct RootFs {
    diff_ids: Vec<Digest>,
}

impl Archive {
    /// Reads which entries the archive at `path` has; the image of it that is called `tag`, or the
    /// only one.
    ///
    /// # Errors
    /// If it can't be read, is no such archive, or has other images or several.
    pub(super) fn open(path: &Path, tag: Option<&Tag>) -> Result<Self, ImportError> {
        let mut archive = Self {
            path: path.to_owned(),
            files: HashMap::new(),
            top: (Descriptor::of(IMAGE_MANIFEST, b""), Bytes::new()),
            named: HashMap::new(),
            names: Vec::new(),
        };
        archive.read_entries()?;
        let is_oci = archive.files.contains_key("index.json");
        match is_oci {
            true => archive.top_of_layout(tag)?,
            false => archive.top_of_docker(tag)?,
        }
        Ok(archive)
    }

    /// Where it is.
    pub(super) fn place(&self) -> String {
        self.path.display().to_string()
    }

    /// The file itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn top(&self) -> Result<(Descriptor, Bytes), ImportError> {
        Ok(self.top.clone())
    }

    pub(super) async fn manifest(
        &self,
        digest: Digest,
    ) -> Result<(Descriptor, Bytes), ImportError> {
        if digest == self.top.0.digest {
            return self.top();
        }
        let extent = self.find(&digest)?;
        let plain = Descriptor::new(IMAGE_MANIFEST, digest, extent.size_bytes);
        let bytes = self.blob(&plain)?.read(MAX_MANIFEST_BYTES).await?;
        let said = serde_json::from_slice::<Value>(&bytes).ok();
        let said = said.as_ref().and_then(|value| value["mediaType"].as_str());
        let media_type = said.unwrap_or(IMAGE_MANIFEST);
        Ok((Descriptor::of(media_type, &bytes), bytes))
    }

    pub(super) fn blob(&self, descriptor: &Descriptor) -> Result<BlobStream, ImportError> {
        let extent = self.find(&descriptor.digest)?;
        let place = format!("{} of {}", descriptor.digest, self.place());
        let path = self.path.clone();
        let begun = async move {
            let read = || FileError::at("read", &path);
            let mut file = tokio::fs::File::open(&path).await.map_err(read())?;
            let from = SeekFrom::Start(extent.position);
            file.seek(from).await.map_err(read())?;
            let file = file.take(extent.size_bytes);
            Ok::<_, crate::artifact::StoreError>((file, path.clone()))
        };
        let chunks = futures_util::stream::once(begun).map(|begun| {
            let chunks = futures_util::stream::try_unfold(begun, |state| async {
                let (mut file, path) = state?;
                let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
                let read = file.read_buf(&mut chunk).await;
                match read.map_err(FileError::at("read", &path))? {
                    0 => Ok(None),
                    _ => Ok(Some((chunk.freeze(), Ok((file, path))))),
                }
            });
            chunks.boxed()
        });
        Ok(BlobStream::new(
            descriptor.clone(),
            place,
            chunks.flatten().boxed(),
        ))
    }

    fn find(&self, digest: &Digest) -> Result<Extent, ImportError> {
        let name = format!("blobs/sha256/{}", digest.hex());
        let found = self.named.get(digest).or_else(|| self.files.get(&name));
        found.copied().ok_or_else(|| ImportError::Lacks {
            place: self.place(),
            what: format!("blob {digest}; it may have been cut off"),
        })
    }

    /// Reads the headers of all entries, and passes over their content.
    fn read_entries(&mut self) -> Result<(), ImportError> {
        let read = || FileError::at("read", &self.path);
        let mut file = File::open(&self.path).map_err(read())?;
        let whole = file.metadata().map_err(read())?.len();
        let mut begin = [0; 4];
        let length = file.read(&mut begin).map_err(read())?;
        if begin[..length].starts_with(&[0x1f, 0x8b]) || begin == [0x28, 0xb5, 0x2f, 0xfd] {
            return Err(self.malformed("it is compressed; decompress it first, as by `gunzip`"));
        }
        file.rewind().map_err(read())?;
        let mut links = Vec::new();
        let mut entries = Tar::new(Seeking {
            file,
            position: 0,
            whole,
        });
        loop {
            let entry = entries
                .next()
                .map_err(|error| self.malformed(&error.to_string()))?;
            let Some(entry) = entry else { break };
            let name = plain(&entry.path).to_owned();
            match entry.kind {
                Kind::File => {
                    let extent = Extent {
                        position: entry.position,
                        size_bytes: entry.size_bytes,
                    };
                    self.files.insert(name, extent);
                }
                // A layer that two images share, by Docker's older form.
                Kind::SymbolicLink(to) => links.push((beside(&name, &to), name)),
                Kind::HardLink(to) => links.push((Some(plain(&to).to_owned()), name)),
                Kind::Folder | Kind::Special => {}
            }
            if self.files.len() > MAX_FILES {
                return Err(ImportError::TooLarge {
                    place: self.place(),
                    limit: MAX_FILES as u64,
                    unit: "entries",
                });
            }
        }
        for (to, name) in links {
            if let Some(extent) = to.and_then(|to| self.files.get(&to).copied()) {
                self.files.insert(name, extent);
            }
        }
        Ok(())
    }

    fn read(&self, name: &str, limit_bytes: u64) -> Result<Bytes, ImportError> {
        let extent = self.files.get(plain(name));
        let extent = *extent.ok_or_else(|| ImportError::Lacks {
            place: self.place(),
            what: format!("`{}`", name.escape_debug()),
        })?;
        if extent.size_bytes > limit_bytes {
            return Err(ImportError::TooLarge {
                place: format!("{name} of {}", self.place()),
                limit: limit_bytes,
                unit: "bytes",
            });
        }
        let read = || FileError::at("read", &self.path);
        let mut file = File::open(&self.path).map_err(read())?;
        file.seek(SeekFrom::Start(extent.position))
            .map_err(read())?;
        let mut bytes = Vec::new();
        let mut content = file.take(extent.size_bytes);
        content.read_to_end(&mut bytes).map_err(read())?;
        Ok(bytes.into())
    }

    fn top_of_layout(&mut self, tag: Option<&Tag>) -> Result<(), ImportError> {
        #[derive(Deserialize)]
        struct Index {
            manifests: Vec<Descriptor>,
        }
        let bytes = self.read("index.json", MAX_LAYOUT_INDEX_BYTES)?;
        let index: Index = serde_json::from_slice(&bytes)
            .map_err(|error| self.malformed(&format!("its index.json can't be read: {error}")))?;
        let named = |descriptor: &&Descriptor| {
            let name = descriptor.annotations.get(REF_NAME).map(String::as_str);
            tag.is_none_or(|tag| name.is_some_and(|name| tag_of(name) == Some(tag.as_str())))
        };
        let meant: Vec<_> = index.manifests.iter().filter(named).collect();
        let one = self.only(&meant)?;
        // Docker writes an image's whole name, others its tag.
        let name = one.annotations.get(REF_NAME).cloned();
        let containerd = one.annotations.get("io.containerd.image.name").cloned();
        self.names = containerd.or(name).into_iter().collect();
        let name = format!("blobs/sha256/{}", one.digest.hex());
        let bytes = self.read(&name, MAX_MANIFEST_BYTES)?;
        let actual = digest_of(&bytes);
        if actual != one.digest {
            return Err(crate::artifact::StoreError::Digest {
                place: self.place(),
                expected: one.digest,
                actual,
            }
            .into());
        }
        let media_type = match one.media_type.as_str() {
            "" => IMAGE_INDEX,
            other => other,
        };
        self.top = (Descriptor::of(media_type, &bytes), bytes);
        Ok(())
    }

    fn top_of_docker(&mut self, tag: Option<&Tag>) -> Result<(), ImportError> {
        if !self.files.contains_key("manifest.json") {
            return Err(self.malformed(
                "it has neither `index.json` nor `manifest.json`, which archives of images have",
            ));
        }
        let bytes = self.read("manifest.json", MAX_MANIFEST_BYTES)?;
        let saved: Vec<Saved> = serde_json::from_slice(&bytes).map_err(|error| {
            self.malformed(&format!("its manifest.json can't be read: {error}"))
        })?;
        let named = |saved: &&Saved| {
            let mut names = saved.repo_tags.iter().flatten();
            tag.is_none_or(|tag| names.any(|name| tag_of(name) == Some(tag.as_str())))
        };
        let meant: Vec<_> = saved.iter().filter(named).collect();
        let Saved {
            config,
            repo_tags,
            layers,
        } = self.only(&meant)?;
        let bytes = self.read(config, MAX_MANIFEST_BYTES)?;
        let parsed: Config = serde_json::from_slice(&bytes)
            .map_err(|error| self.malformed(&format!("its config can't be read: {error}")))?;
        let diff_ids = parsed.rootfs.diff_ids;
        if diff_ids.len() != layers.len() {
            return Err(self.malformed(&format!(
                "its config names {} layers, and its manifest {}",
                diff_ids.len(),
                layers.len()
            )));
        }
        let config_descriptor = Descriptor::of(IMAGE_CONFIG, &bytes);
        let mut named = HashMap::new();
        named.insert(config_descriptor.digest, self.extent(config)?);
        let mut descriptors = Vec::new();
        for (digest, name) in diff_ids.iter().zip(layers) {
            let extent = self.extent(name)?;
            named.insert(*digest, extent);
            descriptors.push(Descriptor::new(LAYER, *digest, extent.size_bytes));
        }
        let names = repo_tags.clone().unwrap_or_default();
        let manifest = Manifest {
            schema_version: 2,
            media_type: IMAGE_MANIFEST.to_owned(),
            artifact_type: None,
            config: config_descriptor,
            layers: descriptors,
            subject: None,
            annotations: [].into(),
        };
        let bytes = manifest.to_bytes();
        (self.names, self.named) = (names, named);
        self.top = (Descriptor::of(IMAGE_MANIFEST, &bytes), bytes);
        Ok(())
    }

    fn extent(&self, name: &str) -> Result<Extent, ImportError> {
        let extent = self.files.get(plain(name)).copied();
        extent.ok_or_else(|| ImportError::Lacks {
            place: self.place(),
            what: format!("`{}`", name.escape_debug()),
        })
    }

    /// The one that is meant.
    fn only<'a, T>(&self, meant: &[&'a T]) -> Result<&'a T, ImportError> {
        match meant {
            [one] => Ok(one),
            [] => Err(self.malformed("it has no image of that name")),
            several => Err(self.malformed(&format!(
                "it has {} images: name one by its tag, as in `image:{}:TAG`",
                several.len(),
                self.place()
            ))),
        }
    }

    fn malformed(&self, reason: &str) -> ImportError {
        ImportError::Malformed {
            place: self.place(),
            reason: reason.to_owned(),
        }
    }
}

/// The tag in `name`: all of it, or what stands behind its last colon.
pub(super) fn tag_of(name: &str) -> Option<&str> {
    let last = name.rsplit('/').next()?;
    Some(last.rsplit(':').next().unwrap_or(last))
}

/// A file, in which what isn't looked at is passed over.
struct Seeking {
    file: File,
    position: u64,
    whole: u64,
}

impl Read for Seeking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.position += length as u64;
        Ok(length)
    }
}

impl Input for Seeking {
    fn pass(&mut self, bytes: u64) -> io::Result<u64> {
        let passed = bytes.min(self.whole.saturating_sub(self.position));
        self.position += passed;
        self.file.seek(SeekFrom::Start(self.position))?;
        Ok(passed)
    }
}
