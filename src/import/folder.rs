//! A folder of this machine, or a file: one version, told by what is in it.
//!
//! With an `MLmodel` in it, it is what MLflow writes for a model; with records, what
//! `modelyard export` writes; with a `README.md` it has a card. All else is told by the files
//! themselves when they are packed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::mlmodel::{self, Told};
use super::records::Records;
use super::{
    Candidate, Files, ImportError, Listed, Listing, ModelListed, Opened, Source, SourceFile,
};
use crate::platform::Progress;
use crate::platform::atomic::{FileError, read_at_most};
use crate::record::kind::SourceType;

/// The label of a version whose source has none: it is the first.
const FIRST: &str = "1.0.0";

/// A folder, or a file.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder or file at `path`.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn open(path: &Path) -> Result<Self, ImportError> {
        let path = fs::canonicalize(path).map_err(FileError::at("read", path))?;
        Ok(Self { path })
    }

    fn name(&self) -> String {
        let name = if self.path.is_dir() {
            self.path.file_name()
        } else {
            self.path.file_stem()
        };
        name.unwrap_or_default().to_string_lossy().into_owned()
    }

    /// What its `MLmodel` says, if it has one.
    fn told(&self) -> Result<Option<Told>, ImportError> {
        let Some(bytes) = self.read(mlmodel::FILE, mlmodel::MAX_BYTES)? else {
            return Ok(None);
        };
        let place = self.path.join(mlmodel::FILE).display().to_string();
        let told = mlmodel::tell(&place, &bytes, |name| self.path.join(name).is_file())?;
        Ok(Some(told))
    }

    /// A small file of the folder, if it is there.
    fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, ImportError> {
        let path = self.path.join(name);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_file() => Ok(Some(read_at_most(&path, limit)?)),
            Ok(_) => Ok(None),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(FileError::at("read", path)(error).into()),
        }
    }
}

#[async_trait]
impl Source for Folder {
    fn source_type(&self) -> SourceType {
        SourceType::Folder
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn address(&self) -> Option<String> {
        None
    }

    async fn list(&self, _progress: &dyn Progress) -> Result<Listing, ImportError> {
        let (listed, model) = match Records::read(&self.path)? {
            Some(records) => (records.listed(), records.model()),
            None => {
                let name = self.name();
                let model = ModelListed {
                    spec: self.told()?.unwrap_or_default().model,
                    ..ModelListed::default()
                };
                (Listed::new(&name, FIRST, name.clone()), model)
            }
        };
        Ok(Listing {
            models: [(listed.model.clone(), model)].into(),
            versions: vec![listed],
            ..Listing::default()
        })
    }

    async fn candidate(&self, _listed: &Listed) -> Result<Candidate, ImportError> {
        if let Some(records) = Records::read(&self.path)? {
            return records.candidate(&self.path);
        }
        let mut candidate = Candidate {
            files: Files::Here(self.path.clone()),
            ..Candidate::default()
        };
        if let Some(told) = self.told()? {
            candidate.version = told.version;
            candidate.unmapped = told.unmapped;
        }
        Ok(candidate)
    }

    async fn open(&self, file: &SourceFile, _from: u64) -> Result<Opened, ImportError> {
        Err(ImportError::Lacks {
            place: self.place(),
            what: file.path.clone(),
        })
    }
}
