//! A folder with a card and the files that it is of: what was fetched, cloned or written by hand.
//!
//! In a git clone, files that Git LFS has not fetched are refused: they are pointers.

use std::fs;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use walkdir::WalkDir;

use super::card::{Card, tell};
use super::revision;
use super::{card_in, is_pointer, model_of};
use crate::import::{
    Candidate, Files, ImportError, Listed, Listing, MAX_FILES, Opened, Source, SourceFile,
};
use crate::platform::Progress;
use crate::platform::atomic::FileError;
use crate::record::kind::SourceType;

/// The label of a version that says none.
const FIRST: &str = "1.0.0";

/// A folder with a card.
#[derive(Debug)]
pub(super) struct Snapshot {
    path: PathBuf,
}

impl Snapshot {
    /// The folder at `path`.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn open(path: &Path) -> Result<Self, ImportError> {
        let path = fs::canonicalize(path).map_err(FileError::at("read", path))?;
        Ok(Self { path })
    }

    fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    fn refuse_pointers(&self) -> Result<(), ImportError> {
        let visible = |name: &std::ffi::OsStr| !name.to_string_lossy().starts_with('.');
        let entries = WalkDir::new(&self.path)
            .min_depth(1)
            .into_iter()
            .filter_entry(|entry| visible(entry.file_name()));
        for entry in entries.filter_map(Result::ok).take(MAX_FILES) {
            let size = entry.metadata().map_or(0, |metadata| metadata.len());
            if entry.file_type().is_file() && is_pointer(entry.path(), size)? {
                let file = entry.path().strip_prefix(&self.path);
                let file = file.unwrap_or(entry.path()).display().to_string();
                return Err(ImportError::Pointer {
                    place: self.place(),
                    file,
                });
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Source for Snapshot {
    fn source_type(&self) -> SourceType {
        SourceType::Huggingface
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn address(&self) -> Option<String> {
        None
    }

    async fn list(&self, _progress: &dyn Progress) -> Result<Listing, ImportError> {
        let name = self.name();
        let card = card_in(&self.path)?.map(|text| Card::read(&text));
        Ok(Listing {
            versions: vec![Listed::new(&name, FIRST, name.clone())],
            models: [(name, model_of(card.as_ref()))].into(),
            left_out: Vec::new(),
            ..Listing::default()
        })
    }

    async fn candidate(&self, listed: &Listed) -> Result<Candidate, ImportError> {
        self.refuse_pointers()?;
        let text = card_in(&self.path)?;
        let told = text.as_deref().map(Card::read).map(|card| tell(&card));
        let told = told.unwrap_or_default();
        let mut remarks: Vec<_> = revision::remark(listed).into_iter().collect();
        remarks.extend(told.remarks);
        Ok(Candidate {
            version: told.version,
            card: text,
            unmapped: told.unmapped,
            files: Files::Here(self.path.clone()),
            remarks,
            carrier: None,
        })
    }

    async fn open(&self, file: &SourceFile, _from: u64) -> Result<Opened, ImportError> {
        Err(ImportError::Lacks {
            place: self.place(),
            what: file.path.clone(),
        })
    }
}
