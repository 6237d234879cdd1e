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

use std::io;
use std::path::PathBuf;
use std::process::Stdio;

use async_trait::async_trait;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use super::{Candidate, Files, ImportError, Listed, Listing, Opened, Source, SourceFile, piped};
use crate::platform::Progress;
use crate::platform::atomic::FileError;
use crate::platform::redact::printable;
use crate::record::kind::SourceType;

/// The largest answer in JSON.
const MAX_ANSWER_BYTES: u64 = 64 << 20;

/// How much of what it says is told where it fails.
const MAX_SAID_BYTES: u64 = 4096;

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

    fn start(&self, words: &[&str]) -> Result<Child, ImportError> {
        let started = Command::new(&self.program)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        Ok(started.map_err(FileError::at("start", &self.program))?)
    }

    async fn ask<T: DeserializeOwned>(&self, words: &[&str]) -> Result<T, ImportError> {
        let mut child = self.start(words)?;
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        let read = async |stream: Option<_>, limit: u64| {
            let mut bytes = Vec::new();
            if let Some(stream) = stream {
                let stream: &mut (dyn tokio::io::AsyncRead + Unpin + Send) = stream;
                stream.take(limit).read_to_end(&mut bytes).await?;
            }
            Ok::<_, io::Error>(bytes)
        };
        let (mut output, mut errors) = (output, errors);
        let (answer, said) = tokio::try_join!(
            read(
                output.as_mut().map(|stream| stream as _),
                MAX_ANSWER_BYTES + 1
            ),
            read(errors.as_mut().map(|stream| stream as _), MAX_SAID_BYTES),
        )
        .map_err(FileError::at("read from", &self.program))?;
        if answer.len() as u64 > MAX_ANSWER_BYTES {
            return Err(ImportError::TooLarge {
                place: self.place(),
                limit: MAX_ANSWER_BYTES,
                unit: "bytes in an answer",
            });
        }
        // What nobody reads any more must not hold it up.
        drop((output, errors));
        let status = child.wait().await;
        let status = status.map_err(FileError::at("wait for", &self.program))?;
        if !status.success() {
            return Err(self.no(words, &status.to_string(), &said));
        }
        serde_json::from_slice(&answer).map_err(|error| ImportError::Malformed {
            place: self.place(),
            reason: printable(&format!(
                "what it prints for `{}`: {error}",
                words.join(" ")
            )),
        })
    }

    fn no(&self, words: &[&str], status: &str, said: &[u8]) -> ImportError {
        let said = String::from_utf8_lossy(said);
        let mut text = printable(&format!("`{}` ends with {status}", words.join(" ")));
        if !said.trim().is_empty() {
            text += &format!(": {}", printable(said.trim()));
        }
        ImportError::Malformed {
            place: self.place(),
            reason: text,
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
        let mut child = self.start(&["open", &file.key, &from_text])?;
        let output = child.stdout.take().ok_or_else(|| ImportError::Lacks {
            place: self.place(),
            what: file.path.clone(),
        })?;
        // It may say more than anybody reads.
        drop(child.stderr.take());
        let bytes = piped::stream(child, output, self.place(), file.key.clone());
        Ok(Opened {
            from,
            size_bytes: None,
            bytes,
        })
    }
}
