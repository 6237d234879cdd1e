//! Our own part of the runtime that is Python: written beside the environments, by its content.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::PythonError;
use crate::platform::atomic::{self, Readers};

macro_rules! files {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("program/", $path)))),+]
    };
}

/// All of its files.
const FILES: &[(&str, &str)] = files![
    "modelyard_runtime/__init__.py",
    "modelyard_runtime/entrypoint.py",
    "modelyard_runtime/protocol.py",
    "modelyard_runtime/server.py",
    "modelyard_runtime/until_parent.py",
    "modelyard_runtime/with_mlflow.py",
    "modelyard_runtime/with_mlserver.py",
    "modelyard_runtime/with_onnxruntime.py",
    "modelyard_runtime/worker.py",
    "__main__.py",
];

/// The program on the disk.
#[derive(Debug)]
pub(super) struct Program {
    folder: PathBuf,
}

impl Program {
    /// Writes it into `cache`, unless it is there. Two that write it write the same.
    pub(super) fn written(cache: &Path) -> Result<Self, PythonError> {
        let mut hash = Sha256::new();
        for (path, text) in FILES {
            hash.update(path);
            hash.update(text);
        }
        let key: String = hash.finalize()[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let folder = cache.join("python/programs").join(key);
        for (path, text) in FILES {
            let place = folder.join(path);
            let known = atomic::read_at_most(&place, text.len() as u64);
            if known.ok().as_deref() != Some(text.as_bytes()) {
                atomic::write(&place, text.as_bytes(), Readers::Umask)?;
            }
        }
        Ok(Self { folder })
    }

    /// What serves a model by the protocol.
    pub(super) fn server(&self) -> PathBuf {
        self.folder.clone()
    }

    /// What starts MLServer.
    pub(super) fn mlserver(&self) -> PathBuf {
        self.folder.join("modelyard_runtime/with_mlserver.py")
    }

    /// What runs a module that ends with whoever started it.
    pub(super) fn until_parent(&self) -> PathBuf {
        self.folder.join("modelyard_runtime/until_parent.py")
    }
}
