//! An external program as a source: whatever keeps models, in any language.
//!
//! The program is called with one of these words, and answers on its standard output; what it has
//! to tell a person goes to standard error, and anything but the exit code 0 is its no.
//!
//! | call | answer |
//! | --- | --- |
//! | `PROGRAM list` | JSON: `{"models": {NAME: {…}}, "versions": […], "leftOut": […]}`, a [`Listing`] |
//! | `PROGRAM candidate REFERENCE` | JSON: `{"version": {…}, "card", "unmapped": {…}, "remarks": […]}` and `"folder": PATH` or `"files": [{"path", "key", "sizeBytes", "sha256"}]` |
//! | `PROGRAM open KEY FROM` | the bytes of that file from byte FROM on |
//!
//! A version needs `model`, `label` and `reference`; all else may be left out. `docs/importing.md`
//! has the whole of it and an example.

use std::path::PathBuf;

use async_trait::async_trait;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::process::Command;

use super::piped::{Bounds, Unheard};
use super::{Candidate, Files, ImportError, Listed, Listing, Opened, Source, SourceFile, piped};
use crate::platform::Progress;
use crate::platform::atomic::FileError;
use crate::platform::redact::printable;
use crate::record::kind::SourceType;

/// The largest answer in JSON, and how much of what it says is told where it fails.
const BOUNDS: Bounds = Bounds {
    printed_bytes: 64 << 20,
    complaint_bytes: 4096,
    patience: None,
};

/// A program that gives candidates.
#[derive(Debug)]
pub(super) struct Custom {
    program: PathBuf,
    /// How its user wrote it.
    written: String,
}

/// What the program says of a version.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Said {
    version: Map<String, Value>,
    card: Option<String>,
    unmapped: Map<String, Value>,
    remarks: Vec<String>,
    folder: Option<PathBuf>,
    files: Vec<SourceFile>,
}

impl Custom {
    /// The program at `program`, which its user wrote as `written`.
    pub(super) fn new(program: PathBuf, written: &str) -> Self {
        Self {
            program,
            written: written.to_owned(),
        }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words);
        command
    }

    async fn ask<T: DeserializeOwned>(&self, words: &[&str]) -> Result<T, ImportError> {
        let heard = piped::hear(&mut self.command(words), "", BOUNDS).await;
        let heard = heard.map_err(|unheard| match unheard {
            Unheard::Failed(error) => FileError::at("run", &self.program)(error).into(),
            Unheard::TooMuch(limit) => ImportError::TooLarge {
                place: self.place(),
                limit,
                unit: "bytes in an answer",
            },
            Unheard::TooLong(_) => self.no(words, &unheard.to_string()),
        })?;
        if !heard.status.success() {
            let mut text = format!("ends with {}", heard.status);
            if !heard.complaint.is_empty() {
                text += &format!(": {}", heard.complaint);
            }
            return Err(self.no(words, &text));
        }
        serde_json::from_slice(&heard.printed).map_err(|error| ImportError::Malformed {
            place: self.place(),
            reason: printable(&format!(
                "what it prints for `{}`: {error}",
                words.join(" ")
            )),
        })
    }

    fn no(&self, words: &[&str], said: &str) -> ImportError {
        ImportError::Malformed {
            place: self.place(),
            reason: printable(&format!("`{}` {said}", words.join(" "))),
        }
    }
}

#[async_trait]
impl Source for Custom {
    fn source_type(&self) -> SourceType {
        SourceType::Custom
    }

    fn place(&self) -> String {
        self.written.clone()
    }

    fn address(&self) -> Option<String> {
        Some(self.written.clone())
    }

    async fn list(&self, _progress: &dyn Progress) -> Result<Listing, ImportError> {
        self.ask(&["list"]).await
    }

    async fn candidate(&self, listed: &Listed) -> Result<Candidate, ImportError> {
        let said: Said = self.ask(&["candidate", &listed.reference]).await?;
        let files = match said.folder {
            Some(folder) => Files::Here(folder),
            None => Files::There(said.files),
        };
        Ok(Candidate {
            version: said.version,
            card: said.card,
            unmapped: said.unmapped,
            files,
            remarks: said.remarks,
            carrier: None,
        })
    }

    async fn open(&self, file: &SourceFile, from: u64) -> Result<Opened, ImportError> {
        let from_text = from.to_string();
        let command = self.command(&["open", &file.key, &from_text]);
        let bytes = piped::stream(command, self.place(), file.key.clone());
        Ok(Opened {
            from,
            size_bytes: None,
            bytes: bytes.map_err(FileError::at("run", &self.program))?,
        })
    }
}
